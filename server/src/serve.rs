//! A game's whole program in one call: settings, logging, signals, and then [`crate::run`]. Each
//! game's `main` calls it; who embeds the server in a program of their own calls `run` instead.

use std::error::Error;
use std::future::Future;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::config::{self, Config, Start};
use crate::game::Game;
use crate::moderation::audit::TARGET as AUDIT;
use crate::net::{Listeners, Site};

/// Status of a server that could not start because of what it was told.
const BAD_SETTINGS: u8 = 2;

/// Serves the game `G` and its page until SIGTERM or SIGINT: the body of a game's `main`.
///
/// Settings come from the process's flags, `TICKWIRE_*` variables and the TOML file that
/// `--config` names; `--help` lists them. Prints `LISTENING <addr>` and the page's URL on stdout;
/// logs go to stderr. A second signal ends the process at once.
///
/// The status is 0 after an orderly stop, 2 for settings that can't be used, 1 for anything else:
/// a port that is taken, a schema that can't be played. Why is one line on stderr.
pub fn serve<G: Game>(site: Site) -> ExitCode {
    let config = match config::read(G::NAME, std::env::args_os()) {
        Ok(Start::Run(config)) => *config,
        Ok(Start::Print(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(error) => return fail(&error, BAD_SETTINGS),
    };
    if let Err(error) = log_to_stderr(&config) {
        return fail(error.as_ref(), BAD_SETTINGS);
    }
    for name in config::unknown_variables() {
        tracing::warn!(name, "no setting has this variable");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    match runtime
        .map_err(Box::from)
        .and_then(|runtime| runtime.block_on(listen_and_run::<G>(config, site)))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error.as_ref(), 1),
    }
}

async fn listen_and_run<G: Game>(config: Config, site: Site) -> Result<(), Box<dyn Error>> {
    let stop = stop_signal()?;
    let listeners = Listeners::bind(&config)?;
    let (public, ops) = (listeners.public.local_addr()?, listeners.ops.local_addr()?);
    tracing::info!(game = G::NAME, %public, %ops, workers = config.workers, "listening");
    let scheme = match config.tls_cert {
        Some(_) => "https",
        None => "http",
    };
    let mut out = std::io::stdout();
    // Whoever started this may not read it; that is no reason to end.
    let _ = writeln!(out, "LISTENING {public}\nplay at {scheme}://{public}/")
        .and_then(|()| out.flush());
    crate::run::<G>(listeners, config, site, stop).await?;
    Ok(())
}

/// Done at the first SIGTERM or SIGINT. The second ends the process at once.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        either(&mut terminate, &mut interrupt).await;
        tokio::spawn(async move {
            let number = either(&mut terminate, &mut interrupt).await;
            tracing::warn!("second signal: not waiting any longer");
            std::process::exit(128 + number);
        });
    })
}

/// The number of the signal that came.
async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> i32 {
    tokio::select! {
        _ = terminate.recv() => SignalKind::terminate().as_raw_value(),
        _ = interrupt.recv() => SignalKind::interrupt().as_raw_value(),
    }
}

/// Logs go to stderr: stdout is for whoever waits for the address.
fn log_to_stderr(config: &Config) -> Result<(), Box<dyn Error + Send + Sync>> {
    // What operators do is logged also where `--log` says `warn`, unless it names this target.
    let filter = EnvFilter::try_new(format!("{AUDIT}=info,{}", config.log))
        .map_err(|e| format!("log {:?} is no filter: {e}", config.log))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if config.log_json {
        builder.json().try_init()
    } else {
        builder
            .with_ansi(std::io::stderr().is_terminal())
            .try_init()
    }
}

fn fail(error: &dyn Error, status: u8) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(status)
}
