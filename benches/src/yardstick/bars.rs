//! Bars of the codec's times: how much longer it may take than plain varint deltas of the same
//! images, measured in turn. Such a ratio holds on any machine, where nanoseconds double from one
//! hour to the next. Called by `report`.

use std::fmt;

use super::forms::{Exact, Form};
use crate::calm::Ratio;

/// Of one kind of images. About a fifth above what was measured, of which ratios on busy machines
/// were less than a tenth off.
pub(super) struct Bars {
    /// Capture and encoding, where the reference only encodes; in a played arena encoding alone.
    pub(super) encode: f64,
    /// Decoding in Rust.
    pub(super) decode: f64,
    /// Decoding in JavaScript.
    pub(super) js: f64,
}

/// Of recorded motion, sent as it ships or with more tolerance.
const SHIPPED: Bars = Bars {
    encode: 5.8,
    decode: 3.1,
    js: 8.5,
};
/// Of recorded motion that is sent exactly, which is more to send.
const EXACT: Bars = Bars {
    encode: 7.0,
    decode: 4.2,
    js: 10.0,
};
/// Of a played arena.
pub(super) const ARENA: Bars = Bars {
    encode: 3.4,
    decode: 3.6,
    js: 7.5,
};

/// Of a mode, by its name.
pub(super) fn of_mode(mode: &str) -> &'static Bars {
    if mode == Exact::NAME {
        &EXACT
    } else {
        &SHIPPED
    }
}

/// A ratio over its bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Missed {
    /// Of which row.
    pub row: String,
    /// Of what.
    pub what: &'static str,
    /// The ratio.
    pub ratio: f64,
    /// Its bar.
    pub bar: f64,
    /// Whether the machine was calm enough to say so.
    pub calm: bool,
}

impl Missed {
    /// Whether it counts as a failure.
    pub fn fails(&self) -> bool {
        self.calm
    }
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} takes {:.2} times the reference's time, above its bar of {:.2}{}",
            self.row,
            self.what,
            self.ratio,
            self.bar,
            if self.calm {
                ""
            } else {
                "; others were at work, so it is no failure"
            }
        )
    }
}

/// Holds a row's times to its bars, where they were measured.
pub(super) fn judge(
    row: &str,
    bars: &Bars,
    [encode, decode, js]: [Option<Ratio>; 3],
    missed: &mut Vec<Missed>,
) {
    for (what, bar, of) in [
        ("encoding", bars.encode, encode),
        ("decoding", bars.decode, decode),
        ("decoding in JavaScript", bars.js, js),
    ] {
        let over = of.filter(|of| of.ratio > bar);
        missed.extend(over.map(|of| Missed {
            row: row.to_owned(),
            what,
            ratio: of.ratio,
            bar,
            calm: of.calm,
        }));
    }
}
