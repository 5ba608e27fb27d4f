//! Figures of each game of a server, so that its operator sees which of them has the players, takes
//! the time and fails. The label `game` is the game's name: as many values as the process has
//! games, of which none comes from outside. What all games share is in `figures`. The workers
//! count.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use super::Metrics;
use super::figures::{handle, register};

/// Figures as `kind name { handle } help`.
macro_rules! figures {
    ($($kind:ident $name:ident { $field:ident } $help:literal)+) => {
        /// Every figure of one game of a server.
        pub struct GameMetrics {
            $(
                #[doc = $help]
                pub $field: handle!($kind),
            )+
        }

        impl GameMetrics {
            /// Handles of whatever recorder is the thread's now, all zero.
            fn register(game: &'static str) -> GameMetrics {
                GameMetrics {
                    $($field: register!($kind $name $help game = game),)+
                }
            }
        }
    };
}

figures! {
    gauge tickwire_rooms { rooms }
        "rooms that exist"
    gauge tickwire_rooms_idle { rooms_idle }
        "rooms in which nobody does anything, which are simulated once a second"
    counter tickwire_rooms_opened_total { rooms_opened }
        "rooms opened"
    counter tickwire_rooms_failed_total { rooms_failed }
        "rooms closed because the game panicked"
    gauge tickwire_players { players }
        "players in rooms, those included whose seat is held"
    gauge tickwire_spectators { spectators }
        "who looks on in rooms without a seat"
    counter tickwire_ticks_total { ticks }
        "ticks of all its rooms"
    counter tickwire_ticks_late_total { ticks_late }
        "ticks that began over half a period late"
    counter tickwire_ticks_skipped_total { ticks_skipped }
        "ticks left out because a room was too far behind"
    histogram tickwire_tick_seconds { tick_seconds }
        "time that one room's tick took, its sockets included"
    counter tickwire_snapshots_sent_total { snapshots_sent }
        "snapshots handed to sockets"
    counter tickwire_snapshot_bytes_total { snapshot_bytes }
        "bytes of snapshots handed to sockets"
    gauge tickwire_queue_players { queue_players }
        "players in the matchmaking queue, those on their way into a match included"
    counter tickwire_queue_matches_played_total { queue_played }
        "matches of the queue to which those came who were needed"
    counter tickwire_queue_matches_called_off_total { queue_called_off }
        "matches of the queue that came to nothing after they were offered"
    counter tickwire_queue_ratings_unread_total { queue_ratings_unread }
        "players who queued as new ones, because their rating was not read in time"
    gauge tickwire_parties { parties }
        "parties of players in the lobby and its rooms"
    gauge tickwire_party_players { party_players }
        "players in parties, those included whose connection is away"
    counter tickwire_parties_made_total { parties_made }
        "parties that were made"
    counter tickwire_party_moves_total { party_moves }
        "rooms to which a party could follow its leader"
    counter tickwire_party_codes_wrong_total { party_codes_wrong }
        "codes of parties that no party had"
    counter tickwire_desyncs_total { desyncs }
        "images that differed at a client; must stay 0"
}

impl Metrics {
    /// The figures of the game of this name, all zero if they are asked for for the first time.
    pub fn game(&self, name: &'static str) -> GameMetrics {
        metrics::with_local_recorder(&*self.recorder, || GameMetrics::register(name))
    }
}
