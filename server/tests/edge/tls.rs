//! TLS in the server's own process: pages and games over it, certificates that change, and peers
//! that don't speak it. What the kernel cuts is `transport::tls`'s own test.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tickwire::protocol::{ClientMessage, Kind};
use tickwire_server::config::Config;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{
    GOOD, Server, exchange_raw, hello, read_head, read_message, read_to_end, say, serve, until,
};

/// The index of `Pong` among the messages of a server.
const PONG: u8 = 8;

/// A certificate for localhost in two files that are gone when this is dropped.
struct Files {
    folder: PathBuf,
}

impl Files {
    fn new(name: &str) -> (Files, CertificateDer<'static>) {
        let folder = std::env::temp_dir().join(format!("tickwire-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let files = Files { folder };
        let certificate = files.renew();
        (files, certificate)
    }

    /// Writes another certificate and key.
    fn renew(&self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(self.folder.join("cert.pem"), made.cert.pem()).unwrap();
        let key = made.signing_key.serialize_pem();
        std::fs::write(self.folder.join("key.pem"), key).unwrap();
        made.cert.der().clone()
    }

    fn start(&self, change: impl FnOnce(&mut Config)) -> Server {
        serve(|config| {
            config.tls_cert = Some(self.folder.join("cert.pem"));
            config.tls_key = Some(self.folder.join("key.pem"));
            change(config);
        })
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A TLS connection, if the server's certificate is this one.
async fn connect(
    server: &Server,
    root: &CertificateDer<'static>,
) -> std::io::Result<TlsStream<TcpStream>> {
    connect_to(server.public, root).await
}

async fn connect_to(
    port: SocketAddr,
    root: &CertificateDer<'static>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(port).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

#[tokio::test]
async fn a_page_and_a_game_are_served() {
    let (files, root) = Files::new("game");
    let server = files.start(|_| {});
    let mut stream = connect(&server, &root).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let get = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(get).await.unwrap();
    assert!(read_to_end(&mut stream).await.ends_with(b"</title>"));
    // Browsers come back over TLS alone; at an address, or where a developer works, nothing of the
    // kind is said.
    for (host, said) in [
        ("play.example:7777", true),
        ("localhost:7777", false),
        ("127.0.0.1", false),
        ("[::1]:7777", false),
    ] {
        let mut stream = connect(&server, &root).await.unwrap();
        let get = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(get.as_bytes()).await.unwrap();
        let head = read_head(&mut stream).await;
        let policy = head.header("strict-transport-security");
        assert_eq!(policy, said.then_some("max-age=2592000"), "{host}");
    }

    // What comes with the handshake is kept here as well.
    let mut player = connect(&server, &root).await.unwrap();
    let head = format!("GET /ws HTTP/1.1\r\nHost: a\r\n{GOOD}\r\n");
    let quick_join = say(&ClientMessage::quick_join());
    let together = [head.as_bytes(), &hello("ann"), &quick_join].concat();
    player.write_all(&together).await.unwrap();
    assert_eq!(read_head(&mut player).await.status, 101);
    assert_eq!(
        read_message(&mut player).await[..2],
        [Kind::Control as u8, 0],
        "Welcome"
    );
    assert_eq!(
        read_message(&mut player).await[..2],
        [Kind::Control as u8, 3],
        "Joined"
    );
    let mut snapshots = 0;
    let mut nonce = 0;
    while nonce < 20 {
        nonce += 1;
        player
            .write_all(&say(&ClientMessage::Ping { nonce }))
            .await
            .unwrap();
        loop {
            let message = read_message(&mut player).await;
            if message[0] == Kind::Control as u8 {
                if message[1] == PONG {
                    assert_eq!(message[2], nonce as u8, "in order");
                    break;
                }
                continue;
            }
            snapshots += 1;
            let mut ack = vec![0x82, 0x85, 0, 0, 0, 0, Kind::Ack as u8];
            ack.extend_from_slice(&message[1..5]);
            player.write_all(&ack).await.unwrap();
        }
    }
    assert!(snapshots > 0);
    // The close is answered, then TLS ends in order.
    player
        .write_all(&[0x88, 0x82, 0, 0, 0, 0, 3, 0xE8])
        .await
        .unwrap();
    let rest = read_to_end(&mut player).await;
    assert!(rest.ends_with(&[0x88, 2, 3, 0xE8]), "{rest:?}");
}

#[tokio::test]
async fn a_new_certificate_is_taken_up_while_players_play() {
    let (files, first) = Files::new("renewal");
    let server = files.start(|_| {});
    let mut player = connect(&server, &first).await.unwrap();
    let head = format!("GET /ws HTTP/1.1\r\nHost: a\r\n{GOOD}\r\n");
    player
        .write_all(&[head.as_bytes(), &hello("ann")].concat())
        .await
        .unwrap();
    assert_eq!(read_head(&mut player).await.status, 101);
    read_message(&mut player).await;

    std::fs::write(files.folder.join("cert.pem"), "not a certificate").unwrap();
    until(async || server.figure("tickwire_certificate_errors_total").await > 0.0).await;
    connect(&server, &first).await.expect("the old one stays");
    let second = files.renew();
    until(async || connect(&server, &second).await.is_ok()).await;
    connect(&server, &first)
        .await
        .expect_err("the old one is gone");
    player
        .write_all(&say(&ClientMessage::Ping { nonce: 7 }))
        .await
        .unwrap();
    assert_eq!(
        read_message(&mut player).await[..3],
        [Kind::Control as u8, PONG, 7]
    );
}

#[tokio::test]
async fn who_speaks_no_tls_or_says_nothing_is_closed() {
    let (files, _) = Files::new("plain");
    let server = files.start(|config| config.header_timeout = Duration::from_millis(100));
    let answer = exchange_raw(server.public, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    let mut silent = TcpStream::connect(server.public).await.unwrap();
    assert_eq!(read_to_end(&mut silent).await, b"");
    until(async || server.figure("tickwire_tls_handshakes_failed_total").await == 2.0).await;
}

#[tokio::test]
async fn the_programs_port_speaks_it_unless_it_is_of_this_machine_alone() {
    let (files, root) = Files::new("programs");
    let keys = crate::api::keys();
    for (host, by_tls) in [("0.0.0.0", true), ("127.0.0.1", false)] {
        let server = files.start(|config| {
            config.api_listen = Some(format!("{host}:0").parse().unwrap());
            config.api_keys_file = Some(keys.path().into());
        });
        let port = SocketAddr::from(([127, 0, 0, 1], server.api.unwrap().port()));
        let get = crate::api::text("GET", "/api/v1/rooms", crate::api::ALL, "");
        let plain = exchange_raw(port, get.as_bytes()).await;
        assert_eq!(plain.starts_with(b"HTTP/1.1 200"), !by_tls, "{host}");
        if by_tls {
            let mut stream = connect_to(port, &root).await.unwrap();
            stream.write_all(get.as_bytes()).await.unwrap();
            let answer = read_to_end(&mut stream).await;
            assert!(answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
        }
    }
}
