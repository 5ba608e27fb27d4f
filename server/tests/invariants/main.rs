//! What the layout promises, read off the sources: who may know sockets, clocks, bincode, a
//! game. A rule that is broken is named with its file and line.

mod imports;

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the workspace")
        .to_owned()
}

/// Files below `folder` that end in `.ext`.
fn files(folder: &Path, ext: &str, into: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            files(&path, ext, into);
        } else if path.extension().is_some_and(|of| of == ext) {
            into.push(path);
        }
    }
}

/// Lines of code, without comments, of `folder`'s files in which one of `words` stands.
fn uses(folder: &str, ext: &str, words: &[&str]) -> Vec<String> {
    let mut paths = Vec::new();
    files(&root().join(folder), ext, &mut paths);
    assert!(!paths.is_empty(), "{folder} has no .{ext} files");
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).expect("a readable file");
        let name = path.strip_prefix(root()).expect("below the root").display();
        for (number, line) in text.lines().enumerate() {
            let code = line.trim_start();
            let comment = ["//", "*", "/*"].iter().any(|mark| code.starts_with(mark));
            if !comment && words.iter().any(|word| code.contains(word)) {
                found.push(format!("{name}:{}: {code}", number + 1));
            }
        }
    }
    found
}

fn only_in(found: Vec<String>, allowed: &[&str]) {
    let strangers: Vec<String> = found
        .into_iter()
        .filter(|line| !allowed.iter().any(|prefix| line.starts_with(prefix)))
        .collect();
    assert!(strangers.is_empty(), "{}", strangers.join("\n"));
}

#[test]
fn shared_knows_no_socket_and_no_clock() {
    let words = [
        "tokio",
        "std::net",
        "std::time",
        "Instant",
        "SystemTime",
        "rand::rng(",
    ];
    only_in(uses("shared/src", "rs", &words), &[]);
    let manifest = fs::read_to_string(root().join("shared/Cargo.toml")).expect("a manifest");
    for name in ["tokio", "mio", "socket2", "hyper", "bevy"] {
        assert!(!manifest.contains(name), "shared depends on {name}");
    }
}

#[test]
fn only_the_codec_uses_bincode() {
    let mut found = uses("shared/src", "rs", &["bincode::"]);
    for folder in ["server/src", "server/arena/src", "bots/src", "benches/src"] {
        found.extend(uses(folder, "rs", &["bincode::"]));
    }
    only_in(found, &["shared/src/codec.rs"]);
}

#[test]
fn nothing_on_the_tick_path_but_the_worker_reads_a_clock() {
    let words = [
        "Instant::now",
        "SystemTime",
        "elapsed()",
        "rand::rng(",
        "SysRng",
    ];
    for folder in ["src/room", "src/replication", "src/game", "arena/src"] {
        only_in(uses(&format!("server/{folder}"), "rs", &words), &[]);
    }
}

#[test]
fn the_date_is_read_in_one_place() {
    let words = ["SystemTime::now", "UNIX_EPOCH", "now_utc"];
    only_in(uses("server/src", "rs", &words), &["server/src/date.rs"]);
}

#[test]
fn sockets_stay_in_their_places() {
    let words = ["TcpStream", "TcpListener", "TcpSocket", "UdpSocket"];
    only_in(
        uses("server/src", "rs", &words),
        &[
            "server/src/directory/engine/redis/dial.rs",
            "server/src/directory/engine/tests/",
            "server/src/http/",
            "server/src/transport/",
            // Nodes talk to each other over sockets of their own, which no client has.
            "server/src/cluster/link/",
            "server/src/worker",
            "server/src/lobby/",
            "server/src/run",
            // To the URL of the settings alone.
            "server/src/webhooks/client.rs",
            "server/src/tests.rs",
        ],
    );
    only_in(
        uses("bots/src", "rs", &words),
        &[
            "bots/src/dial.rs",
            "bots/src/stamped.rs",
            "bots/src/proxy",
            // Its servers' ports, and what passes their bytes on.
            "bots/src/nemesis/",
        ],
    );
    let web_socket = ["new WebSocket", ".readyState", "binaryType"];
    only_in(
        uses("client-web/src", "js", &web_socket),
        &["client-web/src/ways/"],
    );
    only_in(
        uses("client-web/src", "js", &["fetch("]),
        &["client-web/src/ways/http_stream.js"],
    );
}

#[test]
fn the_engine_names_no_game() {
    for folder in ["server/src", "shared/src"] {
        only_in(uses(folder, "rs", &["arena", "Arena"]), &[]);
    }
}

#[test]
fn peers_cannot_reach_an_unwrap() {
    for folder in ["shared/src", "server/src", "server/arena/src"] {
        let found = uses(folder, "rs", &[".unwrap()"]);
        // Test modules sit below the code of their file or in a file of their own.
        let outside_tests: Vec<String> = found.into_iter().filter(|line| !in_tests(line)).collect();
        assert!(outside_tests.is_empty(), "{}", outside_tests.join("\n"));
    }
}

fn in_tests(found: &str) -> bool {
    let mut parts = found.splitn(3, ':');
    let (Some(file), Some(line)) = (parts.next(), parts.next()) else {
        return false;
    };
    let text = fs::read_to_string(root().join(file)).expect("a readable file");
    let line: usize = line.parse().expect("a line number");
    file.ends_with("tests.rs")
        || file.contains("/tests/")
        || text
            .lines()
            .take(line)
            .any(|line| line.trim() == "#[cfg(test)]")
}

#[test]
fn rooms_iterate_no_hash_maps() {
    // Slots and the event table look up by key; nothing else on the tick path has a hash map. What
    // bevy maps entities with when a room is restored is never looked at.
    only_in(
        [
            uses("server/src/room", "rs", &["HashMap", "HashSet"]),
            uses("server/src/replication", "rs", &["HashMap", "HashSet"]),
            uses("server/arena/src", "rs", &["HashMap", "HashSet"]),
            uses("server/src/game", "rs", &["HashMap", "HashSet"]),
        ]
        .concat(),
        &[
            "server/src/replication/slots.rs",
            "server/src/game/out.rs",
            "server/src/room/save/ids.rs",
        ],
    );
}
