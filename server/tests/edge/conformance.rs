//! Autobahn's cases against the server's own accept and read path, by `kosoku`, which runs them
//! natively. `make test` installs it; this asks for it by `KOSOKU`.

use std::process::{Command, Stdio};

use crate::support::{get, serve, serve_with_echo};

/// Cases without permessage-deflate, which the server never agrees to: all of 1 to 7, 9 and 10.
const CASES: u32 = 301;

#[tokio::test]
#[ignore = "needs kosoku 0.1.0 from PyPI; `make test` installs it and runs this"]
async fn autobahns_cases_pass() {
    let server = serve_with_echo();
    let kosoku = std::env::var_os("KOSOKU").expect("KOSOKU: the path of kosoku");
    let reports = std::env::temp_dir().join(format!("tickwire-autobahn-{}", std::process::id()));
    let mut command = Command::new(kosoku);
    command
        .arg(format!("ws://{}/echo", server.public))
        .args(["-x", "12.*", "-x", "13.*", "-p", "4", "-o"])
        .arg(&reports)
        .stdin(Stdio::null());
    // The server lives on this thread's runtime.
    let run = tokio::task::spawn_blocking(move || command.output());
    let output = run.await.unwrap().unwrap();
    let _ = std::fs::remove_dir_all(&reports);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("{CASES} cases passed")), "{said}");
    let opened = server.figure("tickwire_connections_accepted_total").await;
    assert!(opened >= f64::from(CASES), "{opened} connections");
}

#[tokio::test]
async fn players_have_no_echo() {
    let server = serve(|_| {});
    assert_eq!(get(server.public, "/echo").await.status, 404);
}
