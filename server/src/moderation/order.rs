//! What an operator orders, and what came of it. `http::admin` reads orders, `lobby` carries them
//! out.

use std::time::Duration;

use serde::Serialize;

use super::target::Target;
use crate::date::Date;

/// Characters of a reason.
pub(crate) const REASON_CHARS_MAX: usize = 200;
/// The longest that a ban or mute may last: ten years. What shall last longer is ordered again.
pub(crate) const SPAN_MAX: Duration = Duration::from_secs(3650 * 24 * 3600);
/// The shortest: dates have whole seconds.
pub(crate) const SPAN_MIN: Duration = Duration::from_secs(1);

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Connections end and seats are given up; they may come again.
    Kick,
    /// The same, and they may not come again for so long.
    Ban(Duration),
    /// A ban ends now.
    Unban,
    /// They may not chat for so long.
    Mute(Duration),
    /// A mute ends now.
    Unmute,
}

impl Verb {
    /// The word for it, in paths, figures and the log.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Verb::Kick => "kick",
            Verb::Ban(_) => "ban",
            Verb::Unban => "unban",
            Verb::Mute(_) => "mute",
            Verb::Unmute => "unmute",
        }
    }
}

/// See the module's description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// What.
    pub(crate) verb: Verb,
    /// To whom.
    pub(crate) target: Target,
    /// Why, in the operator's words, at most [`REASON_CHARS_MAX`] characters. For the log and the
    /// list: the player is not told.
    pub(crate) reason: String,
}

/// What came of an order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Outcome {
    /// Whom it was taken for.
    pub(crate) target: Target,
    /// When it ends by itself.
    pub(crate) until: Option<Date>,
    /// Connections that it concerned.
    pub(crate) connections: usize,
    /// Seats of players whose connection was lost already, which were given up.
    pub(crate) seats: u32,
    /// Whether the file of sanctions has it; `None` without a file, or if nothing in it changed.
    pub(crate) saved: Option<bool>,
}

/// Why nothing came of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The list is full; nothing has changed.
    Full,
    /// There is no such ban or mute.
    NotThere,
    /// It holds from now on, but a worker did not take it up in time for those who are in its
    /// rooms.
    Busy,
}
