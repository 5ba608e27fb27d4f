//! The figures as a table for people and as JSON for programs.

use std::fmt;

use serde::Serialize;

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
}

/// All figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Motion by motion.
    pub rows: Vec<Row>,
    /// The arena, play by play.
    pub arena: Vec<Arena>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:12} {:16} {:10} {:>8} {:>15} {:>9} {:>9} {:>10}",
            "motion",
            "mode",
            "predictor",
            "B/entity",
            "capture+enc ns",
            "decode ns",
            "JS ms",
            "keyframe B"
        )?;
        for row in &self.rows {
            writeln!(
                f,
                "{:12} {:16} {:10} {:>8.3} {:>15} {:>9} {:>9} {:>10}",
                row.motion,
                row.mode,
                row.predictor.unwrap_or("-"),
                row.bytes_per_entity_tick,
                figure(row.capture_encode_ns_per_entity, 1),
                figure(row.decode_ns_per_entity, 1),
                figure(row.js_frame_ms, 4),
                figure(row.keyframe_bytes_per_entity, 2),
            )?;
        }
        for arena in &self.arena {
            writeln!(
                f,
                "{:12} {:16} {:10} {:>8.3} {:>15} {:>9.1} {:>9} {:>10.2}",
                arena.play,
                "wire",
                "declared",
                arena.bytes_per_entity_tick,
                format!("encode {:.1}", arena.encode_ns_per_entity),
                arena.decode_ns_per_entity,
                figure(arena.js_frame_ms, 4),
                arena.keyframe_bytes_per_entity,
            )?;
        }
        Ok(())
    }
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
    }
}
