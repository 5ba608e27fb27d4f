//! The program around [`tickwire_bots::nemesis`]: flags in, faults as they come on stderr, verdict
//! out, exit status. It needs signals, which only Unix has.

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    program::main()
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    eprintln!("tickwire-nemesis: only a Unix can stop processes and let them go on");
    ExitCode::FAILURE
}

#[cfg(unix)]
mod program {
    use std::path::Path;
    use std::process::ExitCode;

    use clap::{CommandFactory, Parser};
    use tickwire_bots::nemesis::verdict::Verdict;
    use tickwire_bots::nemesis::{self, NemesisFlags};

    /// Files: two sockets a bot, and what the ways to the engine take.
    const FILES: u64 = 8192;

    pub(super) fn main() -> ExitCode {
        let flags = NemesisFlags::parse();
        if let Err(what) = flags.check() {
            NemesisFlags::command()
                .error(clap::error::ErrorKind::ValueValidation, what)
                .exit();
        }
        // What it can't have shows when sockets are refused.
        let _ = rlimit::increase_nofile_limit(FILES);
        match run(&flags) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(what) => {
                eprintln!("tickwire-nemesis: {what}");
                ExitCode::FAILURE
            }
        }
    }

    /// Whether every invariant held.
    fn run(flags: &NemesisFlags) -> Result<bool, String> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| format!("the runtime can't start: {error}"))?;
        let verdict = runtime.block_on(nemesis::run(flags))?;
        write(&verdict, flags.json.as_deref())?;
        Ok(verdict.passed())
    }

    fn write(verdict: &Verdict, json: Option<&Path>) -> Result<(), String> {
        let Some(path) = json else {
            print!("{verdict}");
            return Ok(());
        };
        let mut text = serde_json::to_string_pretty(verdict)
            .map_err(|error| format!("the verdict is no JSON: {error}"))?;
        text.push('\n');
        if path == Path::new("-") {
            print!("{text}");
            return Ok(());
        }
        print!("{verdict}");
        std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    }
}
