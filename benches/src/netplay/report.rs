//! The figures as a table for people and as JSON for programs.

use std::fmt;

use serde::Serialize;

/// What players felt over links of one kind. Rates are for each player and minute.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Round trip without jitter, in milliseconds.
    pub rtt_ms: u32,
    /// Jitter each way, in milliseconds.
    pub jitter_ms: u32,
    /// How long both ways stand still, every five seconds, in milliseconds.
    pub stall_ms: u32,
    /// Median distance between the predicted and the server's place of the own entity, in units;
    /// but for the second after a fall or a rise.
    pub error_p50: f64,
    /// 99th percentile of the same.
    pub error_p99: f64,
    /// The greatest of them.
    pub error_max: f64,
    /// Corrections of the own entity by a tenth of a unit or more.
    pub corrections_per_min: f64,
    /// Times that the view of the others went ahead of the newest snapshot.
    pub underruns_per_min: f64,
    /// Inputs that reached the room after their tick.
    pub late_inputs_per_min: f64,
    /// Share of the shots that clearly hit on the shooter's screen which hit on the server.
    pub fair_hit_rate: f64,
    /// Shots that clearly hit on the shooter's screen.
    pub fair_shots: u64,
    /// The greatest speed at which another was seen to move from frame to frame, as a share of its
    /// top speed.
    pub speed_max: f64,
    /// How late the others were shown, median: their distance from where they were at the tick that
    /// the view means to show, in the milliseconds that they need for it at their top speed. Of
    /// everybody in every frame of the two seconds after a stall; without stalls of every frame.
    pub late_p50_ms: f64,
    /// 99th percentile of the same.
    pub late_p99_ms: f64,
    /// Lead of the inputs at the end, in milliseconds.
    pub lead_ms: f64,
    /// Delay of the view at the end, in milliseconds.
    pub delay_ms: f64,
}

/// All figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Link by link.
    pub rows: Vec<Row>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| RTT, ms | jitter, ms | stall, ms | error p50 | p99 | max | corrections/min | underruns/min | late inputs/min | fair hits | greatest speed | late p50, ms | p99 | lead, ms | delay, ms |"
        )?;
        writeln!(
            f,
            "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
        )?;
        for row in &self.rows {
            writeln!(
                f,
                "| {} | {} | {} | {:.2} | {:.2} | {:.2} | {:.1} | {:.1} | {:.1} | {:.1} % of {} | {:.2} | {:.0} | {:.0} | {:.0} | {:.0} |",
                row.rtt_ms,
                row.jitter_ms,
                row.stall_ms,
                row.error_p50,
                row.error_p99,
                row.error_max,
                row.corrections_per_min,
                row.underruns_per_min,
                row.late_inputs_per_min,
                row.fair_hit_rate * 100.0,
                row.fair_shots,
                row.speed_max,
                row.late_p50_ms,
                row.late_p99_ms,
                row.lead_ms,
                row.delay_ms,
            )?;
        }
        Ok(())
    }
}
