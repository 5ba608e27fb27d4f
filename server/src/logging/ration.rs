//! How often one kind of line, which is a place in the sources, may be written: a thousand rooms
//! that all have the same to say are ten lines and one that says how many more there were. Lines
//! below `info` are left alone, who asks for them wants them; so are operators' orders, which need
//! the token or are limited by address. The state is one entry a place that ever logged, so it is
//! bounded by the program.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::lost::Lost;

/// The target of what operators order and try: on unless `--log` turns it off by this name.
pub(crate) const AUDIT: &str = "audit";

/// Lines of one kind that are written within [`SPAN`]. Beyond: left out, counted, and told by
/// [`Ration::report`].
const LINES: u32 = 10;
const SPAN: Duration = Duration::from_secs(10);
/// Characters by which a kind is named.
const NAME_CHARS: usize = 80;

/// See the module's description.
pub(super) struct Ration {
    kinds: Mutex<HashMap<Identifier, Kind>>,
    lost: &'static Lost,
}

/// One place in the sources.
struct Kind {
    target: &'static str,
    level: Level,
    since: Instant,
    written: u32,
    left_out: u64,
    /// What the first one that was left out said.
    name: String,
}

/// A kind of which something was left out.
#[derive(Debug, PartialEq)]
struct LeftOut {
    lines: u64,
    name: String,
    target: &'static str,
    level: Level,
}

impl Ration {
    pub(super) fn new(lost: &'static Lost) -> Ration {
        Ration {
            kinds: Mutex::default(),
            lost,
        }
    }

    /// Whether a line may be written; `name` is asked for what it says if it is the first that may
    /// not.
    fn admits(
        &self,
        about: &'static Metadata<'static>,
        now: Instant,
        name: impl FnOnce() -> String,
    ) -> bool {
        let mut kinds = self.kinds.lock();
        let kind = kinds.entry(about.callsite()).or_insert_with(|| Kind {
            target: about.target(),
            level: *about.level(),
            since: now,
            written: 0,
            left_out: 0,
            name: String::new(),
        });
        if kind.admits(now) {
            return true;
        }
        self.lost.repeated.fetch_add(1, Ordering::Relaxed);
        if kind.left_out == 1 {
            drop(kinds);
            // Outside of the lock: what a line shows may be anybody's code, and log in turn.
            let name = name();
            if let Some(kind) = self.kinds.lock().get_mut(&about.callsite()) {
                kind.name = name;
            }
        }
        false
    }

    /// A line for each kind of which some were left out, once its span is over.
    pub(super) fn report(&self, now: Instant) {
        let left_out = self.take(|kind| now.saturating_duration_since(kind.since) >= SPAN);
        left_out.into_iter().for_each(LeftOut::tell);
    }

    /// The same for all kinds: the last chance.
    pub(super) fn report_all(&self) {
        self.take(|_| true).into_iter().for_each(LeftOut::tell);
    }

    fn take(&self, is_due: impl Fn(&Kind) -> bool) -> Vec<LeftOut> {
        let mut kinds = self.kinds.lock();
        let due = kinds.values_mut();
        let due = due.filter(|kind| kind.left_out > 0 && is_due(kind));
        due.map(|kind| LeftOut {
            lines: std::mem::take(&mut kind.left_out),
            name: std::mem::take(&mut kind.name),
            target: kind.target,
            level: kind.level,
        })
        .collect()
    }
}

impl Kind {
    fn admits(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= SPAN {
            self.since = now;
            self.written = 0;
        }
        let is_written = self.written < LINES;
        self.written += u32::from(is_written);
        self.left_out += u64::from(!is_written);
        is_written
    }
}

impl LeftOut {
    fn tell(self) {
        // As loud as the lines themselves; the filter lets all of this module's through.
        macro_rules! tell {
            ($level:ident) => {
                tracing::$level!(lines = self.lines, kind = ?self.name, of = self.target, "more lines of a kind, left out")
            };
        }
        match self.level {
            Level::ERROR => tell!(error),
            Level::WARN => tell!(warn),
            _ => tell!(info),
        }
    }
}

/// The ration as a layer that keeps events from all others.
pub(super) struct Rationed(pub(super) &'static Ration);

impl<S: Subscriber> Layer<S> for Rationed {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let about = event.metadata();
        if *about.level() > Level::INFO || [AUDIT, module_path!()].contains(&about.target()) {
            return true;
        }
        let name = || {
            let mut name = Name(String::new());
            event.record(&mut name);
            name.0
        };
        self.0.admits(about, Instant::now(), name)
    }
}

/// The beginning of an event's message.
struct Name(String);

impl Visit for Name {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Ends early by an error of its own, when there is enough.
            let _ = write!(self, "{value:?}");
        }
    }
}

impl Write for Name {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = NAME_CHARS.saturating_sub(self.0.chars().count());
        self.0.extend(text.chars().take(room));
        if text.chars().count() > room {
            return Err(fmt::Error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use tracing_subscriber::layer::SubscriberExt;

    /// Messages that were written.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Written {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            struct All(String);
            impl Visit for All {
                fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                    let _ = write!(self.0, "{}={value:?} ", field.name());
                }
            }
            let mut all = All(format!("{} ", event.metadata().level()));
            event.record(&mut all);
            self.0.lock().push(all.0);
        }
    }

    fn logged(work: impl FnOnce(&Ration)) -> (Vec<String>, u64) {
        let lost: &'static Lost = Box::leak(Box::new(Lost::none()));
        let ration: &'static Ration = Box::leak(Box::new(Ration::new(lost)));
        let written = Written::default();
        let subscriber = tracing_subscriber::registry()
            .with(Rationed(ration))
            .with(written.clone());
        tracing::subscriber::with_default(subscriber, || work(ration));
        let lines = std::mem::take(&mut *written.0.lock());
        (lines, lost.repeated.load(Ordering::Relaxed))
    }

    #[test]
    fn a_thousand_rooms_are_ten_lines_and_one_that_counts_the_others() {
        let (lines, repeated) = logged(|ration| {
            for room in 0..1000 {
                tracing::warn!(room, "snapshot rate changed");
            }
            tracing::error!("another kind");
            ration.report(Instant::now() + SPAN);
            ration.report(Instant::now() + 2 * SPAN);
        });
        assert_eq!(lines.len(), 12, "{lines:?}");
        assert!(lines[9].contains("room=9") && lines[10].contains("another kind"));
        assert!(lines[11].contains("lines=990"), "{}", lines[11]);
        assert!(lines[11].starts_with("WARN "), "as loud: {}", lines[11]);
        assert!(lines[11].contains("snapshot rate changed"), "{}", lines[11]);
        assert_eq!(repeated, 990);
    }

    #[test]
    fn each_span_has_its_lines() {
        let start = Instant::now();
        let mut kind = Kind {
            target: "",
            level: Level::INFO,
            since: start,
            written: 0,
            left_out: 0,
            name: String::new(),
        };
        for span in 0..3 {
            let now = start + span * SPAN;
            let written = (0..100).filter(|_| kind.admits(now)).count();
            assert_eq!(written, LINES as usize);
        }
        assert_eq!(kind.left_out, 270);
    }

    #[test]
    fn what_was_asked_for_and_operators_orders_are_written_always() {
        let (lines, repeated) = logged(|_| {
            for number in 0..100 {
                tracing::debug!(number, "asked for");
                tracing::info!(target: AUDIT, number, "an order");
            }
        });
        assert_eq!((lines.len(), repeated), (200, 0));
    }

    #[test]
    fn a_kind_is_named_by_the_beginning_of_its_message() {
        let long = "x".repeat(1000);
        let (lines, _) = logged(|ration| {
            (0..=LINES).for_each(|_| tracing::info!("{long}"));
            ration.report_all();
        });
        let last = lines.last().unwrap();
        assert!(last.contains(&"x".repeat(NAME_CHARS)), "{last}");
        assert!(!last.contains(&"x".repeat(NAME_CHARS + 1)), "{last}");
    }
}
