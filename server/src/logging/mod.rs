//! What the process says on stderr, in a way that nothing there can hold or end it: lines go
//! through a bounded queue to a thread that writes them ([`sink`]), lines of one kind are rationed
//! ([`ration`]), panics are lines like others. [`crate::serve`] sets it up; who calls
//! [`crate::run`] brings a subscriber of their own.

mod lost;
mod ration;
mod sink;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::error::Error;
use std::io::{self, IsTerminal};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::Config;
pub(crate) use lost::LOST;
pub(crate) use ration::AUDIT;

use lost::Lost;
use ration::Ration;
use sink::Sink;

/// Time for the last lines to get out when the process ends. Who has not read them by then does
/// not.
const LAST_LINES: Duration = Duration::from_millis(500);
/// Characters of a panic's message and of its backtrace that are logged: a game may put anything
/// into it.
const PANIC_CHARS_SHOWN: usize = 1000;
const BACKTRACE_CHARS_SHOWN: usize = 16 * 1024;

static STDERR: OnceLock<Sink> = OnceLock::new();
static RATION: OnceLock<Ration> = OnceLock::new();

/// Logs from here on, as the settings say, until [`finish`]; panics too.
///
/// # Errors
/// One line: the filter is none, the system has no thread to give, or another subscriber is there.
pub(crate) fn start(config: &Config) -> Result<(), Box<dyn Error + Send + Sync>> {
    // What operators do is logged also where `--log` says `warn`, unless it names this target;
    // panics, and how many lines of a kind were left out, always.
    let own = module_path!();
    let filter = EnvFilter::try_new(format!("{AUDIT}=info,{own}=info,{}", config.log))
        .map_err(|e| format!("log {:?} is no filter: {e}", config.log))?;
    let writer = Lines(stderr()?);
    // The layer's own complaints would be printed to stderr directly, and wait there.
    let lines = tracing_subscriber::fmt::layer()
        .log_internal_errors(false)
        .with_writer(writer);
    let lines = if config.log_json {
        lines.json().boxed()
    } else {
        lines.with_ansi(io::stderr().is_terminal()).boxed()
    };
    let ration = RATION.get_or_init(|| Ration::new(&LOST));
    tracing_subscriber::registry()
        .with(filter)
        .with(ration::Rationed(ration))
        .with(lines)
        .try_init()?;
    log_panics();
    Ok(())
}

/// Says what was left out. Call every few seconds.
pub(crate) fn upkeep() {
    if let Some(ration) = RATION.get() {
        ration.report(Instant::now());
    }
}

/// A line that is no log line: why the process ends. Goes the same way, so that it can't be held
/// either.
pub(crate) fn say(line: &str) {
    if let Ok(sink) = stderr() {
        sink.push(format!("{line}\n").as_bytes(), true);
    }
}

/// Gives the last lines a moment to get out.
pub(crate) fn finish() {
    if let Some(ration) = RATION.get() {
        ration.report_all();
    }
    if let Some(sink) = STDERR.get() {
        sink.flush(LAST_LINES);
    }
}

/// Prints to stdout without waiting for who reads it. Who waits for it finds in the log what was
/// logged before.
///
/// # Errors
/// The system has no thread to give.
pub(crate) fn print(text: &str) -> io::Result<()> {
    stderr()?.flush(LAST_LINES);
    static UNCOUNTED: Lost = Lost::none();
    static STDOUT: OnceLock<Sink> = OnceLock::new();
    let sink = once(&STDOUT, || Sink::start("stdout", io::stdout(), &UNCOUNTED))?;
    sink.push(text.as_bytes(), true);
    sink.flush(LAST_LINES);
    Ok(())
}

fn stderr() -> io::Result<&'static Sink> {
    once(&STDERR, || Sink::start("stderr", io::stderr(), &LOST))
}

fn once(
    cell: &'static OnceLock<Sink>,
    start: impl FnOnce() -> io::Result<Sink>,
) -> io::Result<&'static Sink> {
    if let Some(sink) = cell.get() {
        return Ok(sink);
    }
    let sink = start()?;
    Ok(cell.get_or_init(|| sink))
}

/// Makes the log's lines go to the sink.
struct Lines(&'static Sink);

/// One line on its way: the layer writes it whole, in one call.
struct Line {
    sink: &'static Sink,
    is_important: bool,
}

impl MakeWriter<'_> for Lines {
    type Writer = Line;

    fn make_writer(&self) -> Line {
        Line {
            sink: self.0,
            is_important: false,
        }
    }

    /// What operators did and what went wrong has a part of the queue for itself.
    fn make_writer_for(&self, about: &Metadata<'_>) -> Line {
        Line {
            sink: self.0,
            is_important: about.target() == AUDIT || *about.level() == Level::ERROR,
        }
    }
}

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sink.push(bytes, self.is_important);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Panics become lines of the log. The usual hook writes to stderr, and waits there as long as it
/// takes.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        let at = panic.location().map(tracing::field::display);
        let text = panic.payload_as_str().unwrap_or("not a text");
        let text: String = text.chars().take(PANIC_CHARS_SHOWN).collect();
        // Only where RUST_BACKTRACE asks for it.
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| {
            let whole = backtrace.to_string();
            whole
                .chars()
                .take(BACKTRACE_CHARS_SHOWN)
                .collect::<String>()
        });
        tracing::error!(thread, at, backtrace, panic = ?text, "panicked");
    }));
}
