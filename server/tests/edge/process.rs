//! The binary: what it prints, and with which status it ends.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};

use tickwire_harness::{Running, binary, server};

use crate::support::{File, GOOD, hello};

/// Runs one that is expected to end by itself.
fn end(command: &mut Command) -> (Option<i32>, String) {
    let Output {
        status,
        stderr,
        stdout,
    } = command.output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&stdout),
        "",
        "stdout is for the address"
    );
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn bad_settings_end_with_status_2_and_one_line() {
    let check = |command: &mut Command, words: &[&str]| {
        let (status, stderr) = end(command);
        assert_eq!(status, Some(2), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.starts_with("error: "), "{stderr}");
        assert!(words.iter().all(|word| stderr.contains(word)), "{stderr}");
    };
    check(&mut server(&["--nonsense"]), &["--nonsense"]);
    check(&mut server(&["--tick-rate", "0"]), &["tick-rate"]);
    check(
        &mut server(&["--tick-rate", "fast"]),
        &["--tick-rate", "fast"],
    );
    check(&mut server(&["--allowed-origin", "*"]), &["allowed-origin"]);
    check(&mut server(&["--log", "tickwire=loud"]), &["log"]);
    check(
        &mut server(&["--messages-per-second", "5"]),
        &["messages-per-second 5 ", "tick-rate 30"],
    );
    let ports = ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"];
    check(
        server(&["--bytes-per-second", "1024"]).args(ports),
        &["bytes-per-second 1024 ", "tick-rate 30"],
    );
    check(
        &mut server(&["--config", "/nonexistent/a.toml"]),
        &["/nonexistent/a.toml"],
    );
    check(
        server(&[]).env("TICKWIRE_NPCS", "many"),
        &["--npcs", "many"],
    );
    let unknown = File::new("unknown.toml", "npcs = 3\ntick_rate = 30\n");
    check(
        &mut server(&["--config", unknown.path()]),
        &["tick_rate", "line 2"],
    );
    let wrong = File::new("wrong.toml", "listen = 7777\n");
    check(&mut server(&["--config", wrong.path()]), &["line 1"]);
    check(
        server(&[]).env("TICKWIRE_CONFIG", unknown.path()),
        &["tick_rate"],
    );
}

/// Whatever a setting names is read before anybody can come in: one line with the setting and the
/// file.
#[test]
fn files_that_can_not_be_used_end_the_start() {
    let good = File::new("a-secret", "0123456789abcdef0123456789abcdef");
    let (broken, fifo) = (File::new("broken", "?"), File::missing("fifo"));
    let empty = File::new("empty", "");
    let made = Command::new("mkfifo").arg(fifo.path()).status();
    assert!(made.unwrap().success());
    let node = [
        "--cluster-url",
        "redis://127.0.0.1:1",
        "--node-url",
        "ws://127.0.0.1:7777/ws",
        "--peer-listen",
        "127.0.0.1:0",
    ];
    let by_tls = [
        "--cluster-url",
        "rediss://127.0.0.1:1",
        "--cluster-key-file",
        good.path(),
        "--node-url",
        "ws://127.0.0.1:7777/ws",
        "--peer-listen",
        "127.0.0.1:0",
    ];
    let settings: [(&str, &[&str]); 10] = [
        (
            "auth-key-file",
            &["--auth-issuer", "i", "--auth-audience", "a"],
        ),
        ("guest-key-file", &[]),
        ("cluster-key-file", &node),
        ("cluster-ca-file", &by_tls),
        ("admin-token-file", &[]),
        ("api-keys-file", &["--api-listen", "127.0.0.1:0"]),
        ("bans-file", &[]),
        ("config", &[]),
        ("tls-cert", &["--tls-key", good.path()]),
        ("tls-key", &["--tls-cert", good.path()]),
    ];
    for (setting, others) in settings {
        let mut paths = vec![
            broken.path(),
            fifo.path(),
            "/",
            "/dev/zero",
            "/nonexistent/file",
        ];
        // Nobody being banned is no fault.
        if setting != "bans-file" && setting != "config" {
            paths.push(empty.path());
        }
        for path in paths {
            let flag = format!("--{setting}");
            let ports = ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"];
            let mut command = server(&[&flag, path]);
            let (status, stderr) = end(command.args(others).args(ports));
            // Of a pair that can't be used the certificate is looked at first.
            let named = match setting {
                "tls-key" if [broken.path(), empty.path()].contains(&path) => "tls-cert",
                named => named,
            };
            let told = format!("{named} ");
            let told = stderr
                .lines()
                .any(|line| line.starts_with("error: ") && line.contains(&told));
            assert!(
                told && stderr.lines().count() == 1,
                "{setting} {path}: {stderr}"
            );
            assert_eq!(status, Some(2), "{setting} {path}: {stderr}");
        }
    }
}

#[test]
fn help_and_version_end_well() {
    for (flag, word) in [
        ("--help", "TICKWIRE_TICK_RATE"),
        ("--version", env!("CARGO_PKG_VERSION")),
    ] {
        let output = server(&[flag]).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            text.contains(word) && text.contains("tickwire-server"),
            "{text}"
        );
    }
}

#[test]
fn a_taken_port_is_one_line_and_status_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    for flags in [
        ["--listen", &addr, "--ops-listen", "127.0.0.1:0"],
        ["--listen", "127.0.0.1:0", "--ops-listen", &addr],
    ] {
        let (status, stderr) = end(&mut server(&flags));
        assert_eq!(status, Some(1), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains(&addr), "{stderr}");
    }
}

#[test]
fn it_says_where_serves_the_arena_and_stops_on_sigterm() {
    let mut running = Running::start(&mut server(&[]));
    let page = running.process.wait_for("play at ").unwrap();
    assert_eq!(page, format!("http://{}/", running.public));
    assert_eq!(running.status("/"), Some(200));
    assert_eq!(running.status("/client/tickwire.js"), Some(200));
    running.process.signal("TERM");
    assert_eq!(running.process.end(), (String::new(), Some(0)));
}

/// A terminal that is closed stops the server as SIGTERM does, unless it was started to outlive it.
#[test]
fn sighup_stops_it_in_order_but_not_under_nohup() {
    // Whoever runs the tests may have it ignored, and their children with them.
    let mut heard = Command::new("env");
    heard
        .arg("--default-signal=HUP")
        .arg(binary("tickwire-server"))
        .args(["--store", "none"]);
    let running = Running::start(&mut heard);
    running.process.signal("HUP");
    assert_eq!(running.process.end().1, Some(0));
    let mut nohup = Command::new("nohup");
    nohup
        .arg(binary("tickwire-server"))
        .args(["--store", "none"]);
    let running = Running::start(&mut nohup);
    running.process.signal("HUP");
    assert_eq!(running.status("/healthz"), Some(200));
    running.stop();
}

#[test]
fn settings_come_from_all_three_places() {
    let file = File::new(
        "good.toml",
        "allowed-origin = ['http://file.example']\nnpcs = 0\n",
    );
    let running = Running::start(
        server(&["--config", file.path(), "--npcs", "1"]).env("TICKWIRE_TICK_RATE", "20"),
    );
    assert_eq!(running.status("/healthz"), Some(200));
    running.process.signal("INT");
    assert_eq!(running.process.end().1, Some(0));
}

/// Names and headers with line breaks, terminal codes and JSON in them, with all that the server
/// itself can say: each log line is its own.
#[test]
fn what_peers_send_forges_no_log_line() {
    let evil = "x\r\n2026-01-01T00:00:00Z  INFO forged\u{1B}[31m\u{9B}31m\",\"level\":\"FORGED";
    for json in ["--log-json=false", "--log-json=true"] {
        let mut command = server(&["--log", "debug,tickwire_server=trace", json]);
        let running = Running::start(&mut command);
        let mut stream = TcpStream::connect(running.public).unwrap();
        let head = format!("GET /ws?{evil:?} HTTP/1.1\r\nHost: a\r\nX-Evil: \u{1B}[31m\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut player = TcpStream::connect(running.public).unwrap();
        let head = format!("GET /ws HTTP/1.1\r\nHost: a\r\nUser-Agent: \u{9B}31m\r\n{GOOD}\r\n");
        let garbage = [0x82, 0x81, 0, 0, 0, 0, 0xFF];
        let all = [head.as_bytes(), &hello(evil), &garbage].concat();
        player.write_all(&all).unwrap();
        player.read_to_end(&mut Vec::new()).unwrap();
        let text = running.stop();
        assert!(text.lines().count() > 2, "{text}");
        for line in text.lines() {
            let own = if json.ends_with("true") {
                "{\"timestamp\":\""
            } else {
                "20"
            };
            assert!(line.starts_with(own), "{line:?}");
            assert!(!line.contains(char::is_control), "{line:?}");
            assert!(!line.starts_with("2026-01-01"), "{line:?}");
        }
    }
}

/// An operator whose own page is refused reads in the log why, and what to set.
#[test]
fn a_page_that_is_refused_is_named_with_the_setting() {
    let mut command = server(&["--log-json", "--allowed-origin", "https://play.example"]);
    command.args(["--trusted-proxy", "127.0.0.1"]);
    let running = Running::start(&mut command);
    let origins = [
        "Origin: https://Shop.Example:443\r\n",
        "Origin: null\r\n",
        "",
        "Origin: https://a b\"}\r\n",
        "Origin: \u{202E}\r\n",
    ];
    for origin in origins {
        let mut stream = TcpStream::connect(running.public).unwrap();
        let head = format!(
            "GET /ws HTTP/1.1\r\nHost: play.example:7777\r\nX-Forwarded-For: 203.0.113.9\r\n{origin}{GOOD}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 403", "{origin:?}");
    }
    let text = running.stop();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| line["fields"]["message"].to_string().contains("origin"))
        .collect();
    let field = |line: usize, name: &str| lines[line]["fields"][name].as_str().unwrap_or("none");
    assert!(!lines.is_empty(), "{text}");
    assert_eq!(field(0, "peer"), "203.0.113.9", "not the proxy's");
    assert_eq!(field(0, "host"), "play.example:7777");
    assert_eq!(field(0, "origin"), "https://Shop.Example:443");
    assert_eq!(field(0, "set"), "--allowed-origin https://shop.example");
}

/// Without file descriptors accepting pauses; it must not end, and recovers when some are back.
#[test]
fn running_out_of_descriptors_is_survived() {
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 48; exec \"$0\" \"$@\""]);
    shell
        .arg(binary("tickwire-server"))
        .args(["--workers", "1", "--store", "none"]);
    let running = Running::start(&mut shell);
    let held: Vec<_> = (0..64)
        .map(|_| TcpStream::connect(running.public))
        .collect();
    drop(held);
    // The first ones may meet the pause, or still be queued behind those that were dropped.
    let served = (0..50).any(|_| running.status("/healthz") == Some(200));
    assert!(served);
}

/// With the key's name, and neither the key nor what was said.
#[test]
fn programs_leave_an_audit_line_for_what_they_say() {
    let keys = crate::api::keys();
    let mut command = server(&["--api-listen", "127.0.0.1:0"]);
    let running = Running::start(command.args(["--api-keys-file", keys.path()]));
    let good = r#"{"to": "everybody", "text": "secret\r\nforged", "class": "now"}"#;
    for (body, status) in [(good, "200"), ("{}", "422")] {
        let mut program = TcpStream::connect(running.api()).unwrap();
        let text = crate::api::text("POST", "/api/v1/events", crate::api::ALL, body);
        program.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        program.read_to_string(&mut answer).unwrap();
        assert_eq!(answer.get(9..12), Some(status), "{answer}");
    }
    let text = running.stop();
    let audit: Vec<&str> = text.lines().filter(|line| line.contains("audit")).collect();
    let [said] = audit[..] else {
        panic!("{text}");
    };
    for word in ["by=\"all\"", "everybody", " now=0", "127.0.0.1:"] {
        assert!(said.contains(word), "{said}");
    }
    for secret in ["secret", crate::api::ALL] {
        assert!(!text.contains(secret), "{text}");
    }
}

/// What an operator does stands in one line each, whatever the reason says, and so does what was
/// tried without the token, which itself stands in none.
#[test]
fn operators_leave_an_audit_line_that_nobody_forges() {
    let token = "operators-0123456789-0123456789-token";
    let secret = File::new("audit-token", token);
    let evil =
        "x\r\n2026-01-01T00:00:00Z  INFO audit: forged\u{1B}[31m\u{202E}\",\"level\":\"FORGED";
    let order = serde_json::json!({"player": "user:ann", "for": "1h", "reason": evil}).to_string();
    for json in ["--log-json=false", "--log-json=true"] {
        let mut command = server(&["--log", "warn,tickwire_server::serve=info", json]);
        command.args(["--admin-token-file", secret.path()]);
        let running = Running::start(&mut command);
        for (token, status) in [(token, "200"), ("guess\u{9B}31m", "401")] {
            let mut operator = TcpStream::connect(running.ops()).unwrap();
            let head =
                format!("POST /admin/ban HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n");
            let length = order.len();
            let text = format!("{head}Content-Length: {length}\r\n\r\n{order}");
            operator.write_all(text.as_bytes()).unwrap();
            let mut answer = String::new();
            operator.read_to_string(&mut answer).unwrap();
            assert_eq!(answer.get(9..12), Some(status), "{answer}");
        }
        let text = running.stop();
        assert!(!text.contains(token) && !text.contains("guess"), "{text}");
        let audit: Vec<&str> = text.lines().filter(|line| line.contains("audit")).collect();
        let [done, refused] = audit[..] else {
            panic!("{text}");
        };
        for word in ["ban", "user:ann", "forged", "127.0.0.1:", "T"] {
            assert!(done.contains(word), "{done}");
        }
        assert!(
            refused.contains("wrong token") && refused.contains("/admin/ban"),
            "{refused}"
        );
        for line in text.lines() {
            assert!(
                !line.contains(
                    |c: char| c.is_control() || c == '\u{202E}' && !json.ends_with("true")
                ),
                "{line:?}"
            );
            assert!(!line.starts_with("2026-01-01"), "{line:?}");
            let whole: Result<serde_json::Value, _> = serde_json::from_str(line);
            assert_eq!(whole.is_ok(), json.ends_with("true"), "{line:?}");
        }
    }
}
