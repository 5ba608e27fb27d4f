//! Autobahn's cases against the server's own accept and read path, by `kosoku`, which runs them
//! natively. `make test` installs it; this asks for it by `KOSOKU`.

use std::future::{pending, ready};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};

use tickwire::protocol::SUBPROTOCOL;

use super::handshake::{self, Accepted};
use super::{http1, origin::Origins, upgrade};
use crate::transport::websocket::tests::echo;

/// Cases without permessage-deflate, which the server never agrees to: all of 1 to 7, 9 and 10.
const CASES: u32 = 301;

#[tokio::test]
#[ignore = "needs kosoku 0.1.0 from PyPI; `make test` installs it and runs this"]
async fn autobahns_cases_pass() {
    static OPENED: AtomicU32 = AtomicU32::new(0);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            OPENED.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(serve(stream, peer));
        }
    });
    let kosoku = std::env::var_os("KOSOKU").expect("KOSOKU: the path of kosoku");
    let reports = std::env::temp_dir().join(format!("tickwire-autobahn-{}", std::process::id()));
    let mut command = Command::new(kosoku);
    command
        .arg(format!("ws://{address}/echo"))
        .args(["-x", "12.*", "-x", "13.*", "-p", "4", "-o"])
        .arg(&reports)
        .stdin(Stdio::null());
    // The server lives on this thread's runtime.
    let run = tokio::task::spawn_blocking(move || command.output());
    let output = run.await.unwrap().unwrap();
    serving.abort();
    let _ = std::fs::remove_dir_all(&reports);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("{CASES} cases passed")), "{said}");
    let opened = OPENED.load(Ordering::Relaxed);
    assert!(opened >= CASES, "{opened} connections");
}

/// The handshake as a player's, but for the subprotocol; then what it sends comes back.
async fn serve(stream: TcpStream, peer: SocketAddr) {
    let (upgrade, origins) = (Mutex::new(None), Origins::new(&[]));
    let timeout = Duration::from_secs(2);
    http1::serve(stream, timeout, pending(), http1::NOTHING, |mut request| {
        *upgrade.lock() = Some(hyper::upgrade::on(&mut request));
        let key = handshake::check_rules(&request.into_parts().0, &origins);
        ready(upgrade::switch(&Accepted {
            accept: key.expect("it shakes hands by the rules"),
            subprotocol: SUBPROTOCOL.to_owned(),
        }))
    })
    .await;
    let on = upgrade.into_inner().expect("it was answered");
    echo(upgrade::web_socket(on, peer).await.unwrap()).await;
}
