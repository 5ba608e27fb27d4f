//! The figures as a table for people and as JSON for programs.

use std::fmt;

use serde::Serialize;

use super::bars::{self, Missed};
use crate::calm::Ratio;

/// A way of sending a motion.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Row {
    /// `steered`, `wasd` or `forces`.
    pub motion: &'static str,
    /// `wire` is the one that ships.
    pub mode: &'static str,
    /// How positions are declared, for modes of the codec.
    pub predictor: Option<&'static str>,
    /// Bytes of the bodies, by entities that moved, keyframe apart.
    pub bytes_per_entity_tick: f64,
    /// Processor time of capture and encoding, by entity and tick.
    pub capture_encode_ns_per_entity: Option<f64>,
    /// Processor time of decoding in Rust.
    pub decode_ns_per_entity: Option<f64>,
    /// Processor time of decoding a frame of all entities in JavaScript.
    pub js_frame_ms: Option<f64>,
    /// Bytes of the keyframe by entity.
    pub keyframe_bytes_per_entity: Option<f64>,
    /// Capture and encoding beside the reference work's encoding of the same images, in nanoseconds
    /// an entity.
    pub capture_encode: Option<Ratio>,
    /// Decoding beside the reference's, in nanoseconds an entity.
    pub decode: Option<Ratio>,
    /// Decoding in JavaScript beside the reference's there, in ms a frame.
    pub js: Option<Ratio>,
}

/// A room of the arena.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Arena {
    /// How it was played.
    pub play: &'static str,
    /// Entities of an image, on average.
    pub entities: f64,
    /// See [`Row`].
    pub bytes_per_entity_tick: f64,
    /// Processor time of encoding alone.
    pub encode_ns_per_entity: f64,
    /// See [`Row`].
    pub decode_ns_per_entity: f64,
    /// See [`Row`].
    pub js_frame_ms: Option<f64>,
    /// See [`Row`].
    pub keyframe_bytes_per_entity: f64,
    /// Encoding beside the reference's, in nanoseconds an entity.
    pub encode: Ratio,
    /// See [`Row`].
    pub decode: Ratio,
    /// See [`Row`].
    pub js: Option<Ratio>,
}

/// All figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Motion by motion.
    pub rows: Vec<Row>,
    /// The arena, play by play.
    pub arena: Vec<Arena>,
}

impl Report {
    /// The ratios that are over their bars.
    pub fn missed(&self) -> Vec<Missed> {
        let mut missed = Vec::new();
        for row in &self.rows {
            let name = format!("{} {}", row.motion, row.mode);
            let times = [row.capture_encode, row.decode, row.js];
            bars::judge(&name, bars::of_mode(row.mode), times, &mut missed);
        }
        for arena in &self.arena {
            let times = [Some(arena.encode), Some(arena.decode), arena.js];
            bars::judge(arena.play, &bars::ARENA, times, &mut missed);
        }
        missed
    }

    fn ratios(&self) -> impl Iterator<Item = Ratio> {
        let rows = self.rows.iter();
        let of_rows = rows.flat_map(|row| [row.capture_encode, row.decode, row.js]);
        let arena = self.arena.iter();
        let of_arena = arena.flat_map(|arena| [Some(arena.encode), Some(arena.decode), arena.js]);
        of_rows.chain(of_arena).flatten()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:12} {:16} {:10} {:>8} {:>15} {:>6} {:>9} {:>6} {:>9} {:>6} {:>10}",
            "motion",
            "mode",
            "predictor",
            "B/entity",
            "capture+enc ns",
            "ratio",
            "decode ns",
            "ratio",
            "JS ms",
            "ratio",
            "keyframe B"
        )?;
        for row in &self.rows {
            writeln!(
                f,
                "{:12} {:16} {:10} {:>8.3} {:>15} {:>6} {:>9} {:>6} {:>9} {:>6} {:>10}",
                row.motion,
                row.mode,
                row.predictor.unwrap_or("-"),
                row.bytes_per_entity_tick,
                figure(row.capture_encode_ns_per_entity, 1),
                ratio(row.capture_encode),
                figure(row.decode_ns_per_entity, 1),
                ratio(row.decode),
                figure(row.js_frame_ms, 4),
                ratio(row.js),
                figure(row.keyframe_bytes_per_entity, 2),
            )?;
        }
        for arena in &self.arena {
            writeln!(
                f,
                "{:12} {:16} {:10} {:>8.3} {:>15} {:>6} {:>9.1} {:>6} {:>9} {:>6} {:>10.2}",
                arena.play,
                "wire",
                "declared",
                arena.bytes_per_entity_tick,
                format!("encode {:.1}", arena.encode_ns_per_entity),
                ratio(Some(arena.encode)),
                arena.decode_ns_per_entity,
                ratio(Some(arena.decode)),
                figure(arena.js_frame_ms, 4),
                ratio(arena.js),
                arena.keyframe_bytes_per_entity,
            )?;
        }
        writeln!(
            f,
            "ratios are to the encoding and decoding of plain varint deltas of the same images, in the same language, measured in turn"
        )?;
        self.write_machine(f)?;
        for missed in self.missed() {
            writeln!(f, "{missed}")?;
        }
        Ok(())
    }
}

impl Report {
    /// How busy the machine was.
    fn write_machine(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_all = |of: fn(&Ratio) -> usize| self.ratios().map(|ratio| of(&ratio)).sum::<usize>();
        let (repeats, disturbed) = (
            of_all(|ratio| ratio.repeats),
            of_all(|ratio| ratio.disturbed),
        );
        let most = self.ratios().filter_map(|ratio| ratio.others);
        match most.max_by(f64::total_cmp) {
            Some(most) => write!(f, "others had up to {:.0} % of the cores", 100.0 * most)?,
            None => write!(f, "this system does not say what others had of the cores")?,
        }
        writeln!(
            f,
            "; {repeats} samples were taken again, {disturbed} count though they were disturbed"
        )
    }
}

/// With a mark where most samples were disturbed.
fn ratio(of: Option<Ratio>) -> String {
    of.map_or_else(
        || "-".to_owned(),
        |of| format!("{:.2}{}", of.ratio, if of.calm { "" } else { "?" }),
    )
}

fn figure(value: Option<f64>, places: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.places$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_is_null_and_a_dash() {
        let report = Report {
            rows: vec![Row {
                motion: "steered",
                mode: "wire",
                predictor: Some("linear"),
                bytes_per_entity_tick: 0.5,
                decode_ns_per_entity: Some(12.34),
                ..Row::default()
            }],
            arena: Vec::new(),
        };
        let json = serde_json::to_value(&report).expect("it is plain");
        let row = &json["rows"][0];
        assert_eq!(row["bytes_per_entity_tick"], 0.5);
        assert!(row["js_frame_ms"].is_null());
        let table = report.to_string();
        assert!(table.contains("0.500"), "{table}");
        assert!(table.contains(" 12.3 "), "{table}");
        assert!(table.contains("0 samples were taken again"), "{table}");
        assert_eq!(report.missed(), []);
    }

    #[test]
    fn a_ratio_over_its_bar_is_missed_and_on_a_busy_machine_marked() {
        let over = Ratio {
            ratio: bars::of_mode("wire").decode * 1.1,
            others: Some(0.5),
            repeats: 3,
            ..Ratio::default()
        };
        let of = |calm| Report {
            rows: vec![Row {
                motion: "steered",
                mode: "wire",
                decode: Some(Ratio { calm, ..over }),
                ..Row::default()
            }],
            arena: Vec::new(),
        };
        let missed = of(true).missed();
        assert!(missed.len() == 1 && missed[0].fails(), "{missed:?}");
        let busy = of(false);
        assert!(busy.missed().len() == 1 && !busy.missed()[0].fails());
        let table = busy.to_string();
        assert!(table.contains("? "), "{table}");
        assert!(
            table.contains("others had up to 50 % of the cores; 3 samples"),
            "{table}"
        );
    }
}
