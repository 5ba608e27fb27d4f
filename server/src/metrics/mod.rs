//! What the server counts: the text that Prometheus reads, and [`Metrics`] for all who count. Each
//! server has its own recorder, so several can live in one process (tests do).

mod figures;
mod games;
mod process;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use metrics::Counter;
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder};
use tickwire::protocol::CloseCode;

pub(crate) use self::figures::API_ROUTES;
pub use self::figures::Metrics;
use self::figures::ORDERS;
#[cfg(test)]
pub(crate) use self::figures::RECORDS;
pub use self::games::GameMetrics;
use crate::logging::LOST;

/// Upper bounds of the histograms of a tick's time and lateness, in seconds: a period at 30 Hz is
/// 0.033.
const TICK_SECONDS: [f64; 12] = [
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0,
];

impl Metrics {
    /// A set of figures, all zero.
    ///
    /// # Errors
    /// Not in practice: only if the histogram's bounds were empty.
    pub fn new() -> Result<Metrics, BuildError> {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&TICK_SECONDS)?
            .build_recorder();
        let metrics = Metrics::register(Arc::new(recorder));
        for version in &metrics.build_info {
            version.set(1.0);
        }
        Ok(metrics)
    }

    /// The counter of WebSockets that ended with `code`; `None`: the peer went without one.
    pub fn sockets_closed(&self, code: Option<CloseCode>) -> &Counter {
        let lost = CloseCode::ALL.len();
        let index = code.and_then(|code| CloseCode::ALL.iter().position(|c| *c == code));
        &self.sockets_closed[index.unwrap_or(lost)]
    }

    /// The counter of an operator's orders of this kind.
    pub(crate) fn moderated(&self, action: &str) -> &Counter {
        let index = ORDERS.iter().position(|word| *word == action);
        // Every order has one; the first is as good as a panic would be bad.
        &self.moderated[index.unwrap_or(0)]
    }

    /// Counts an answer of the programs' port, of this HTTP status.
    pub(crate) fn api_answered(&self, route: &str, status: u16) {
        let route = API_ROUTES.iter().position(|name| *name == route);
        // The last is for what is none of the others.
        let route = route.unwrap_or(API_ROUTES.len() - 1);
        self.api_requests[route].increment(1);
        let outcome = match status {
            401 => 1,
            429 => 2,
            400..500 => 3,
            500.. => 4,
            _ => 0,
        };
        self.api_answers[outcome].increment(1);
    }

    /// All figures in Prometheus' text format.
    pub fn render(&self) -> String {
        if let Some(bytes) = process::resident_bytes() {
            self.resident_memory.set(bytes as f64);
        }
        if let Some(seconds) = process::cpu_seconds() {
            self.cpu_seconds.set(seconds);
        }
        let lost = [&LOST.queue, &LOST.write, &LOST.repeated];
        for (counter, lost) in self.log_lines_dropped.iter().zip(lost) {
            counter.absolute(lost.load(Ordering::Relaxed));
        }
        self.recorder.handle().render()
    }

    /// Folds the histogram's fresh samples into its buckets. Call every few seconds: without it
    /// they would pile up for as long as nobody reads the figures.
    pub fn upkeep(&self) {
        self.recorder.handle().run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_of_one_server() {
        let (one, other) = (Metrics::new().unwrap(), Metrics::new().unwrap());
        let (game, another) = (one.game("chess"), one.game("go"));
        other.game("chess");
        game.ticks.increment(2);
        one.game("chess").ticks.increment(1);
        another.ticks.increment(1);
        one.sockets_closed(Some(CloseCode::TooMany)).increment(1);
        one.sockets_closed(None).increment(2);
        game.tick_seconds.record(0.002);
        let text = one.render();
        for ticks in ["{game=\"chess\"} 3", "{game=\"go\"} 1"] {
            let line = format!("\ntickwire_ticks_total{ticks}\n");
            assert!(text.contains(&line), "{text}");
        }
        assert!(
            text.contains("tickwire_sockets_closed_total{code=\"4008\"} 1"),
            "{text}"
        );
        assert!(
            text.contains("tickwire_sockets_closed_total{code=\"none\"} 2"),
            "{text}"
        );
        assert!(
            text.contains("tickwire_tick_seconds_bucket{game=\"chess\",le=\"0.0025\"} 1"),
            "{text}"
        );
        let other = other.render();
        assert!(
            other.contains("\ntickwire_ticks_total{game=\"chess\"} 0\n"),
            "{other}"
        );
    }

    /// The table of `docs/figures.md`, read off what Prometheus reads.
    #[test]
    fn every_figure_is_described_and_in_the_docs() {
        let metrics = Metrics::new().unwrap();
        let game = metrics.game("any");
        game.tick_seconds.record(0.0);
        metrics.tick_lateness_seconds.record(0.0);
        let text = metrics.render();
        let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let mut table = String::new();
        for kind in kinds.collect::<std::collections::BTreeSet<_>>() {
            let (name, kind) = kind.split_once(' ').unwrap();
            let help = format!("# HELP {name} ");
            let help = text.lines().find_map(|line| line.strip_prefix(&help));
            let help = help.unwrap_or_else(|| panic!("{name} is not described"));
            let labels = text.lines().filter_map(|line| line.strip_prefix(name));
            // A histogram's are at each of its lines.
            let labels = labels.map(|rest| rest.strip_prefix("_count").unwrap_or(rest));
            let labels = labels.filter_map(|rest| rest.strip_prefix('{')?.split_once('}'));
            let labels = labels.map(|(label, _)| format!("`{}`", label.replace('"', "")));
            let mut labels: Vec<String> = labels.collect();
            labels.sort();
            let labels = match labels.join(" ") {
                version if version.contains("version=") => "`version`".to_owned(),
                game if game.contains("game=any") => "`game`".to_owned(),
                labels => labels,
            };
            table += &format!("| `{name}` | {kind} | {labels} | {help} |\n");
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/figures.md");
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            page.ends_with(&table),
            "docs/figures.md must end with\n{table}"
        );
    }
}
