//! The arena's server: settings, logging, signals, and then [`tickwire_server::run`]. The only
//! place that chooses a game.

use std::error::Error;
use std::future::Future;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use include_dir::{Dir, include_dir};
use tickwire_server::arena::Arena;
use tickwire_server::config::{self, Config, Start};
use tickwire_server::net::{Listeners, Site};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The arena's page.
static PAGE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../client-web/demo");

/// Status of a server that could not start because of what it was told.
const BAD_SETTINGS: u8 = 2;

fn main() -> ExitCode {
    let config = match config::read(std::env::args_os()) {
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
        .and_then(|runtime| runtime.block_on(serve(config)))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error.as_ref(), 1),
    }
}

async fn serve(config: Config) -> Result<(), Box<dyn Error>> {
    let stop = stop_signal()?;
    let listeners = Listeners::bind(&config)?;
    let (public, ops) = (listeners.public.local_addr()?, listeners.ops.local_addr()?);
    tracing::info!(%public, %ops, workers = config.workers, "listening");
    let mut out = std::io::stdout();
    // Whoever started this may not read it; that is no reason to end.
    let _ =
        writeln!(out, "LISTENING {public}\nplay at http://{public}/").and_then(|()| out.flush());
    tickwire_server::run::<Arena>(listeners, config, Site::new().with_dir(&PAGE), stop).await?;
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
    let filter = EnvFilter::try_new(&config.log)
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
