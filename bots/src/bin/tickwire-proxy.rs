//! The program around [`tickwire_bots::proxy`]: flags in, one line with the address out, runs until
//! it is stopped.

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use tickwire_bots::proxy::{Proxy, ProxyFlags};

/// Files besides the connections' two sockets each.
const FILES: u64 = 20_000;

fn main() -> ExitCode {
    let flags = ProxyFlags::parse();
    let conditions = match flags.conditions() {
        Ok(conditions) => conditions,
        Err(what) => ProxyFlags::command()
            .error(clap::error::ErrorKind::ValueValidation, what)
            .exit(),
    };
    // What it can't have shows when connections are refused.
    let _ = rlimit::increase_nofile_limit(FILES);
    let run = async {
        let proxy = Proxy::bind(flags.listen, &flags.to, conditions, flags.seed).await?;
        println!("LISTENING {}", proxy.address()?);
        proxy
            .serve(|error| eprintln!("tickwire-proxy: {error}"))
            .await;
        Ok::<(), std::io::Error>(())
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    match runtime.and_then(|runtime| runtime.block_on(run)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tickwire-proxy: {error}");
            ExitCode::FAILURE
        }
    }
}
