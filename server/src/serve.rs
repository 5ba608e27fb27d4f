//! A game's whole program in one call: settings, logging, signals, and then the server. Each game's
//! `main` calls it, and that of a process with several games; who embeds the server in a program of
//! their own calls [`crate::Server::run`] instead.

use std::error::Error;
use std::future::{Future, pending};
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::config::{self, Config, Start, StorePlace};
use crate::game::Game;
use crate::games::Games;
use crate::http::{Listeners, Site};
use crate::logging;
use crate::vitals::PartEnded;

/// Status of a server that could not start because of what it was told: starting it again changes
/// nothing.
const BAD_SETTINGS: u8 = 2;
/// Status of a server that stopped because a part of it had ended: it should be started again.
/// Software that failed, by the `sysexits.h` of old.
const PART_ENDED: u8 = 70;

/// Serves the game `G` and its page until SIGTERM, SIGINT or SIGHUP: the body of a game's `main`.
///
/// Settings come from the process's flags, `TICKWIRE_*` variables and the TOML file that `--config`
/// names; `--help` lists them. All files that they name are read before it prints `LISTENING
/// <addr>` and the page's URL on stdout; logs go to stderr, panics among them, by a thread of their
/// own: no reader and no disk holds the server. What a game prints there itself is not spared that;
/// `tracing`'s macros are. A second signal ends the process at once.
///
/// The status is 0 after an orderly stop, 2 for settings, files or a schema that can't be used, 70
/// if a part of the server ended that must not (the rest stopped in order, and it should be started
/// again), 1 for anything else: a port that is taken. Why is one line on stderr.
pub fn serve<G: Game>(site: Site) -> ExitCode {
    Games::new().game::<G>(site).serve()
}

impl Games {
    /// Serves these games and their pages until SIGTERM, SIGINT or SIGHUP, as [`serve()`] does one.
    pub fn serve(self) -> ExitCode {
        let name = self.names().next().unwrap_or_default();
        let config = match config::read(name, std::env::args_os()) {
            Ok(Start::Run(mut config)) => {
                config.store.get_or_insert(StorePlace::Usual);
                *config
            }
            Ok(Start::Print(text)) => {
                // Who asked for it may have seen enough.
                let _ = io::stdout().write_all(text.as_bytes());
                return ExitCode::SUCCESS;
            }
            Err(error) => return fail(&error, BAD_SETTINGS),
        };
        if let Err(error) = logging::start(&config) {
            return fail(error.as_ref(), BAD_SETTINGS);
        }
        for name in config::unknown_variables() {
            tracing::warn!(name, "no setting has this variable");
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build();
        let served = runtime.and_then(|runtime| {
            let served = runtime.block_on(listen_and_run(config, self));
            // Not dropped, which would wait for a thread that joins a worker that is stuck.
            runtime.shutdown_background();
            served
        });
        match served {
            Ok(()) => {
                logging::finish();
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error, status(&error)),
        }
    }
}

async fn listen_and_run(config: Config, games: Games) -> io::Result<()> {
    let stop = stop_signal(Signals::watch()?, exit);
    let listeners = Listeners::bind(&config)?;
    let (public, ops) = (listeners.public.local_addr()?, listeners.ops.local_addr()?);
    let api = listeners.api.as_ref().map(|api| api.local_addr());
    let api = api.transpose()?.map(tracing::field::display);
    let workers = config.workers;
    let scheme = match config.tls_cert {
        Some(_) => "https",
        None => "http",
    };
    let names = games.names().collect::<Vec<_>>().join(", ");
    crate::run::start(listeners, config, games, stop, |_| {
        tracing::info!(games = names, %public, %ops, api, workers, "listening");
        let said = logging::print(&format!(
            "LISTENING {public}\nplay at {scheme}://{public}/\n"
        ));
        if let Err(error) = said {
            tracing::warn!(%error, "the address is on no stdout");
        }
    })
    .await
}

/// With which status the process ends for an error of [`crate::run`].
fn status(error: &io::Error) -> u8 {
    let has_ended = error.get_ref().is_some_and(|inner| inner.is::<PartEnded>());
    match error.kind() {
        _ if has_ended => PART_ENDED,
        ErrorKind::InvalidInput => BAD_SETTINGS,
        _ => 1,
    }
}

/// Done at the first signal. The second is `enough`'s: nothing is waited for any longer. In a
/// runtime's context.
fn stop_signal(
    mut signals: Signals,
    enough: impl FnOnce(i32) + Send + 'static,
) -> impl Future<Output = ()> {
    let (first, stop) = oneshot::channel();
    tokio::spawn(async move {
        signals.next().await;
        // Nobody waits for it where the server stops already, because a part of it ended.
        let _ = first.send(());
        enough(signals.next().await);
    });
    async move {
        // An error: the runtime is gone, and who waits with it.
        let _ = stop.await;
    }
}

/// Ends the process, which is stopping, by a signal of this number.
fn exit(number: i32) {
    tracing::warn!("second signal: not waiting any longer");
    logging::finish();
    std::process::exit(128 + number);
}

/// The signals that stop the server.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// A terminal that is closed. `None` if whoever started this has it ignored, as `nohup` does.
    hangup: Option<Signal>,
}

impl Signals {
    /// Those that come from now on. In a runtime's context.
    fn watch() -> io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: match is_ignored(SignalKind::hangup()) {
                true => None,
                false => Some(signal(SignalKind::hangup())?),
            },
        })
    }

    /// The number of the next one.
    async fn next(&mut self) -> i32 {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => pending().await,
            }
        };
        let kind = tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = hangup => SignalKind::hangup(),
        };
        kind.as_raw_value()
    }
}

/// Whether this process was started with a signal ignored. False where the kernel does not say.
fn is_ignored(signal: SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal.as_raw_value() - 1) & 1 == 1)
}

fn fail(error: &dyn Error, status: u8) -> ExitCode {
    logging::say(&format!("error: {error}"));
    logging::finish();
    ExitCode::from(status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// As it is when a part ended and the stop takes its time: nobody waits for the first one.
    #[tokio::test]
    async fn a_second_signal_is_enough_whatever_the_server_stops_for() {
        let (told, mut enough) = oneshot::channel();
        let stop = stop_signal(Signals::watch().unwrap(), |number| _ = told.send(number));
        drop(stop);
        let own = std::process::id().to_string();
        // More than two, for those that come too fast are one.
        for _ in 0..100 {
            let sent = std::process::Command::new("kill")
                .args(["-TERM", &own])
                .status();
            assert!(sent.unwrap().success());
            let told = tokio::time::timeout(Duration::from_millis(100), &mut enough);
            if let Ok(number) = told.await {
                assert_eq!(number, Ok(SignalKind::terminate().as_raw_value()));
                return;
            }
        }
        panic!("it is not heard");
    }

    #[test]
    fn only_a_start_that_could_go_well_later_is_worth_a_restart() {
        let ended = crate::vitals::PartEnded::of("worker-0");
        assert_eq!(status(&io::Error::other(ended)), PART_ENDED);
        assert_eq!(status(&config::invalid("a broken file")), BAD_SETTINGS);
        assert_eq!(status(&ErrorKind::AddrInUse.into()), 1);
    }
}
