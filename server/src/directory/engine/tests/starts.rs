//! What ends the start, in one line; and that nothing else does.

use std::io::ErrorKind;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tickwire_harness::Redis;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::messages::Incarnation;
use super::super::redis::{self, Config};
use super::node::{Node, PAGE, acl, config, config_with, key, order, path};

/// The line with which a start ends that is to be left until somebody changes something.
async fn line(config: Config) -> String {
    ends(config, &[ErrorKind::InvalidInput]).await
}

/// The line with which a start ends that may be tried again.
async fn line_for_now(config: Config) -> String {
    ends(config, &[ErrorKind::TimedOut]).await
}

/// Of somebody who speaks nonsense, or breaks off: a start that may end either way.
async fn line_whatever(config: Config) -> String {
    ends(config, &[ErrorKind::InvalidInput, ErrorKind::TimedOut]).await
}

async fn ends(config: Config, kinds: &[ErrorKind]) -> String {
    let Err(error) = redis::start(config).await else {
        panic!("it starts")
    };
    let line = error.to_string();
    assert!(kinds.contains(&error.kind()), "{line}");
    assert!(
        line.starts_with("cluster-url: ") && line.lines().count() == 1,
        "{line}"
    );
    line
}

fn has(line: &str, words: &[&str]) {
    assert!(
        words.iter().all(|word| line.contains(word)),
        "{words:?}: {line}"
    );
}

fn at(server: &Redis, login: &str) -> Config {
    config(&format!("redis://{login}127.0.0.1:{}", server.port()))
}

#[tokio::test]
async fn nobody_there() {
    let mut server = Redis::start(&[]);
    let mut config = at(&server, "");
    config.times.start = Duration::from_millis(300);
    server.kill();
    let line = line_for_now(config.clone()).await;
    has(&line, &["refused", &server.port().to_string()]);
    // One that is there a little later is waited for.
    config.times.start = Duration::from_secs(20);
    let starts = tokio::spawn(redis::start(config));
    server.restart();
    starts.await.unwrap().expect("it is there now");
}

/// As where it starts with the machine, and its replica a little later.
#[tokio::test]
async fn who_takes_no_write_yet() {
    let server = Redis::start(&["--min-replicas-to-write", "1"]);
    let mut config = at(&server, "");
    config.times.start = Duration::from_millis(300);
    has(&line_for_now(config).await, &["NOREPLICAS"]);
}

#[tokio::test]
async fn passwords() {
    let server = Redis::start(&["--requirepass", "secret"]);
    has(&line(at(&server, "")).await, &["NOAUTH"]);
    has(&line(at(&server, ":wrong@")).await, &["password is wrong"]);
    has(
        &line(at(&server, "nobody:secret@")).await,
        &["password is wrong"],
    );
    Node::of(redis::start(at(&server, ":secret@")).await.unwrap()).await;
    Node::of(redis::start(at(&server, "default:secret@")).await.unwrap()).await;
}

#[tokio::test]
async fn each_right_that_is_missing() {
    let server = Redis::start(&[]);
    let (_, after) = PAGE.split_once("ACL SETUSER").unwrap();
    let (words, _) = after.split_once("```").unwrap();
    let rights: Vec<&str> = words
        .split_whitespace()
        .filter(|word| word.starts_with('+') && *word != "+select")
        .collect();
    assert!(rights.len() > 20, "{rights:?}");
    for right in rights {
        order(&server, &["ACL", "DELUSER", "tickwire"]);
        // By whole words: one may begin with another.
        acl(&server, |line| {
            let words = line.split_whitespace().filter(|word| *word != right);
            words.collect::<Vec<_>>().join(" ")
        });
        let line = line(at(&server, "tickwire:PASSWORD@")).await;
        assert!(
            line.to_lowercase().contains("permission"),
            "{right}: {line}"
        );
    }
    order(&server, &["ACL", "DELUSER", "tickwire"]);
    acl(&server, |line| line.replace("~{tw:*}:*", "~another:*"));
    has(&line(at(&server, "tickwire:PASSWORD@")).await, &["NOPERM"]);
    acl(&server, |line| line.to_owned());
    Node::of(
        redis::start(at(&server, "tickwire:PASSWORD@"))
            .await
            .unwrap(),
    )
    .await;
}

#[test]
fn the_check_calls_what_the_scripts_call_and_the_page_allows_it() {
    let calls = |source: &str, of: &str| -> std::collections::BTreeSet<String> {
        let calls = source.split(of).skip(1);
        calls
            .filter_map(|rest| Some(rest.split_once('\'')?.0.to_lowercase()))
            .collect()
    };
    let sources = redis::sources();
    let (check, others) = sources.split_last().unwrap();
    let check = calls(check, "may('");
    for source in others {
        let missing: Vec<_> = calls(source, "redis.call('")
            .difference(&check)
            .cloned()
            .collect();
        assert!(missing.is_empty(), "check.lua does not call {missing:?}");
    }
    for call in check {
        let right = format!("+{call}");
        assert!(PAGE.split_whitespace().any(|word| word == right), "{right}");
    }
}

#[tokio::test]
async fn another_clusters_key_or_format() {
    let server = Redis::start(&[]);
    Node::redis(&server).await;
    let mut other = at(&server, "");
    other.mark = [8; 16];
    has(&line(other.clone()).await, &["cluster-key-file"]);
    // A region has its own.
    other.region = "elsewhere".to_owned();
    Node::of(redis::start(other).await.unwrap()).await;
    order(&server, &["SET", &key("k"), "2|whatever"]);
    has(&line(at(&server, "")).await, &["format"]);
    order(&server, &["DEL", &key("k")]);
    order(&server, &["LPUSH", &key("k"), "a", "list"]);
    has(&line(at(&server, "")).await, &["WRONGTYPE"]);
}

#[tokio::test]
async fn servers_of_another_kind() {
    let cluster = Redis::start(&["--cluster-enabled", "yes"]);
    has(&line(at(&cluster, "")).await, &["Cluster"]);
    let master = Redis::start(&[]);
    let port = master.port().to_string();
    let mut replica = Redis::start(&["--replicaof", "127.0.0.1", &port]);
    replica.wait_for("Finished with success");
    let mut config = at(&replica, "");
    config.times.start = Duration::from_millis(300);
    has(&line_for_now(config).await, &["replica"]);
    let numbered = format!("redis://127.0.0.1:{}/99", master.port());
    has(&line(super::node::config(&numbered)).await, &["DB index"]);
    let numbered = format!("redis://127.0.0.1:{}/3", master.port());
    Node::of(redis::start(super::node::config(&numbered)).await.unwrap()).await;
}

/// Somebody who answers one thing after the other whatever is said, and then says the last for
/// ever.
async fn somebody(answers: &[&[u8]], endless: &[u8]) -> Config {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answers: Vec<Vec<u8>> = answers.iter().map(|answer| answer.to_vec()).collect();
    let endless = endless.to_vec();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (answers, endless) = (answers.clone(), endless.clone());
            tokio::spawn(async move {
                let mut asked = [0; 16 * 1024];
                for answer in answers {
                    if !matches!(stream.read(&mut asked).await, Ok(1..)) {
                        return;
                    }
                    if stream.write_all(&answer).await.is_err() {
                        return;
                    }
                }
                while !endless.is_empty() && stream.write_all(&endless).await.is_ok() {}
                let _ = stream.read(&mut asked).await;
            });
        }
    });
    let mut config = config(&format!("redis://127.0.0.1:{port}"));
    config.times.start = Duration::from_millis(300);
    config.times.connect = Duration::from_secs(2);
    config
}

/// To what the crate says of itself.
const GREETED: &[u8] = b"+OK\r\n+OK\r\n";

#[tokio::test]
async fn what_is_no_redis_or_too_old() {
    let http = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n";
    has(&line(somebody(&[http], b"").await).await, &["no Redis"]);
    // To INFO, ROLE, WAIT and GETRANGE.
    let old = b"$20\r\nredis_version:5.0.14\r\n*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n:0\r\n$0\r\n\r\n";
    let line = line(somebody(&[GREETED, old], b"").await).await;
    has(&line, &["5.0.14", "6.2"]);
}

#[tokio::test]
async fn who_says_more_than_was_asked_is_left() {
    let text = &b"$999999999\r\n"[..];
    let list = &b"*999999999\r\n"[..];
    let cases: [(&[u8], &[u8]); 5] = [
        (text, b"x"),
        (list, b":1\r\n"),
        (list, b"*4096\r\n"),
        (b"", b":1\r\n"),
        (b"*1\r\n", b"*1\r\n"),
    ];
    for (first, endless) in cases {
        let config = somebody(&[GREETED, first], &endless.repeat(4096)).await;
        let line = line_whatever(config).await;
        assert!(line.len() < 400, "{line}");
    }
}

/// An authority, and a server's certificate and key by it for 127.0.0.1, all as PEM.
fn authority() -> (String, String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    (issuer.pem(), certificate.pem(), key.serialize_pem())
}

#[tokio::test]
async fn tls_with_an_authority_of_ones_own() {
    let (ca, certificate, key) = authority();
    let server = Redis::start_with(|folder, port| {
        let file = |name: &str, text: &str| {
            let file = folder.join(name);
            std::fs::write(&file, text).unwrap();
            path(&file)
        };
        let flags = [
            "--port",
            "0",
            "--tls-port",
            &port.to_string(),
            "--tls-cert-file",
            &file("cert.pem", &certificate),
            "--tls-key-file",
            &file("key.pem", &key),
            "--tls-ca-cert-file",
            &file("ca.pem", &ca),
            "--tls-auth-clients",
            "no",
        ];
        flags.iter().map(|flag| (*flag).to_owned()).collect()
    });
    let url = format!("rediss://127.0.0.1:{}", server.port());
    let mut node = Node::of(
        redis::start(config_with(&url, Some(ca.as_bytes())))
            .await
            .unwrap(),
    )
    .await;
    node.beat(Incarnation(1), 1, &[]).await;
    let (stranger, ..) = authority();
    let line_of = line(config_with(&url, Some(stranger.as_bytes()))).await;
    has(&line_of, &["TLS"]);
    let mut plain = at(&server, "");
    plain.times.start = Duration::from_millis(300);
    line_whatever(plain).await;
    // And the other way round.
    let plain = Redis::start(&[]);
    let url = format!("rediss://127.0.0.1:{}", plain.port());
    let mut config = config_with(&url, Some(ca.as_bytes()));
    config.times.start = Duration::from_millis(300);
    config.times.connect = Duration::from_secs(1);
    line_whatever(config).await;
}

#[test]
fn files_that_are_no_authority() {
    for wrong in [
        "",
        "no certificate",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let file = (std::path::Path::new("ca.pem"), wrong.as_bytes());
        let error = crate::tls_client::believing(Some(file), "cluster-url", "cluster-ca-file")
            .unwrap_err()
            .to_string();
        let named = "cluster-ca-file ca.pem can't be used: ";
        assert!(error.starts_with(named), "{error}");
    }
}
