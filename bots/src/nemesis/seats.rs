//! Whether each bot kept its seat, or its loss is explained by what was done; how long it went
//! without snapshots, and how often it was sent on. Pure.
//!
//! What explains a seat that is lost: its room went with the only two that knew of it, the owner and
//! the engine. Either the engine was emptied and the owner ticked no longer than it takes to write
//! a checkpoint anew, or the room was too young to have one.

use std::collections::BTreeMap;

use tickwire::ids::{PlayerId, RoomId, Tick};

use super::history::{BotNote, History, Span};
use super::owners::Takeover;
use super::play_log::RoomTick;
use crate::journal::SeatEvent;

const SECOND_NS: u64 = 1_000_000_000;
/// From when the engine can be reached again until a room's checkpoint is there again: another
/// connection at growing distances, a beat, the next checkpoint.
const REWRITTEN_NS: u64 = 10 * SECOND_NS;
/// From a room's first tick until its first checkpoint is in the engine.
const YOUNG_NS: u64 = 3 * SECOND_NS;
/// Behind a fault, for what follows of it: a lease's end, and what waits for it.
const AFTERMATH_NS: u64 = 12 * SECOND_NS;
/// Redirects on the way back from one loss, while the room stays where it is.
const REDIRECTS_MAX: usize = 2;

/// What became of the bots' seats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seats {
    /// Connections that ended without the bots' doing.
    pub losses: u64,
    /// Bots that were sent out of their rooms to another node.
    pub moves: u64,
    /// From the last snapshot before a loss or a move to the first one after, in microseconds.
    pub gaps_us: Vec<u64>,
    /// Seats that went with their rooms.
    pub explained: u64,
    /// Seats that are lost without a reason, in words.
    pub lost: Vec<String>,
    /// Another player's number, or another figure, in words.
    pub strayed: Vec<String>,
    /// Who was sent on too often, in words.
    pub redirected: Vec<String>,
    /// Connections that ended while nothing was wrong with a node, in words.
    pub without_cause: Vec<String>,
    /// Who has no seat, or is away from it, at the history's end.
    pub away: Vec<usize>,
    /// The rooms in which the others are, rising.
    pub rooms: Vec<RoomId>,
}

/// A bot, as the notes tell.
#[derive(Clone, Default)]
struct Bot {
    seat: Option<Seat>,
    away: Option<Away>,
}

#[derive(Clone, Copy)]
struct Seat {
    room: RoomId,
    you: Option<PlayerId>,
    /// The room's tick when it was taken, and when that was.
    tick: Tick,
    since_ns: u64,
}

#[derive(Clone, Copy)]
struct Away {
    since_ns: u64,
    redirects: usize,
}

/// Judges all notes.
pub fn judge(history: &History, takeovers: &[Takeover]) -> Seats {
    let mut judge = Judge {
        history,
        takeovers,
        faults: history.nodes_faults(),
        seats: Seats::default(),
    };
    let mut bots: BTreeMap<usize, Bot> = BTreeMap::new();
    for note in &history.notes {
        judge.note(note, bots.entry(note.bot).or_default());
    }
    let mut seats = judge.seats;
    for (number, bot) in bots {
        match (bot.seat, bot.away) {
            (Some(seat), None) => seats.rooms.push(seat.room),
            _ => seats.away.push(number),
        }
    }
    seats.rooms.sort();
    seats.rooms.dedup();
    seats
}

struct Judge<'a> {
    history: &'a History,
    takeovers: &'a [Takeover],
    faults: Vec<Span>,
    seats: Seats,
}

impl Judge<'_> {
    fn note(&mut self, note: &BotNote, bot: &mut Bot) {
        let (at_ns, number) = (note.at_ns, note.bot);
        match &note.event {
            SeatEvent::Seated { room, you, tick } => {
                bot.away = None;
                bot.seat = Some(Seat {
                    room: *room,
                    you: *you,
                    tick: *tick,
                    since_ns: at_ns,
                });
            }
            SeatEvent::Lost { code, .. } => {
                self.seats.losses += 1;
                bot.away = Some(Away {
                    since_ns: at_ns,
                    redirects: 0,
                });
                let before = Span {
                    from_ns: at_ns.saturating_sub(AFTERMATH_NS),
                    to_ns: at_ns,
                };
                if !self.faults.iter().any(|fault| fault.meets(before)) {
                    let room = bot.seat.map_or(0, |seat| seat.room.0);
                    let what = format!("bot {number} in room {room}, code {code}");
                    self.seats.without_cause.push(what);
                }
            }
            SeatEvent::Moved { .. } => {
                self.seats.moves += 1;
                bot.away = Some(Away {
                    since_ns: at_ns,
                    redirects: 1,
                });
            }
            SeatEvent::Redirected => {
                if let Some(away) = &mut bot.away {
                    away.redirects += 1;
                }
            }
            SeatEvent::Back { .. } => self.back(note, bot),
            SeatEvent::Gone { why } => {
                bot.away = None;
                if let Some(seat) = bot.seat.take() {
                    self.gone(number, seat, at_ns, why);
                }
            }
        }
    }

    fn back(&mut self, note: &BotNote, bot: &mut Bot) {
        let SeatEvent::Back {
            room,
            you,
            same_figure,
            gap_us,
            ..
        } = &note.event
        else {
            return;
        };
        let number = note.bot;
        self.seats.gaps_us.push(*gap_us);
        let Some(seat) = bot.seat else {
            return;
        };
        if (seat.room, seat.you) != (*room, *you) {
            self.seats.strayed.push(format!(
                "bot {number} was {:?} of room {}, is {you:?} of room {}",
                seat.you, seat.room.0, room.0
            ));
        } else if !same_figure && !self.fell_back_behind(seat) {
            let what = format!("bot {number} in room {}: another figure", room.0);
            self.seats.strayed.push(what);
        }
        if let Some(away) = bot.away.take() {
            let meanwhile = self.takeovers.iter().filter(|takeover| {
                takeover.room == room.0 && (away.since_ns..=note.at_ns).contains(&takeover.at_ns)
            });
            // Each further owner is one more to be sent to.
            let allowed = REDIRECTS_MAX + meanwhile.count().saturating_sub(1);
            if away.redirects > allowed {
                let times = away.redirects;
                let what = format!("bot {number} to room {}, {times} times", room.0);
                self.seats.redirected.push(what);
            }
        }
    }

    /// Whether the room was restored as it was before the seat was taken: the seat's token opens
    /// it, and its figure is a new one.
    fn fell_back_behind(&self, seat: Seat) -> bool {
        self.takeovers.iter().any(|takeover| {
            takeover.room == seat.room.0
                && takeover.at_ns >= seat.since_ns
                && takeover.first_tick <= seat.tick.0 + 1
        })
    }

    fn gone(&mut self, number: usize, seat: Seat, at_ns: u64, why: &str) {
        if self.room_is_lost(seat.room, at_ns) {
            self.seats.explained += 1;
        } else {
            let what = format!("bot {number} in room {}: {why}", seat.room.0);
            self.seats.lost.push(what);
        }
    }

    /// Whether a room's owner and the engine could not but lose it, by `at_ns`.
    fn room_is_lost(&self, room: RoomId, at_ns: u64) -> bool {
        let of_it = |tick: &&RoomTick| tick.room == room.0 && tick.at_ns <= at_ns;
        let ticks = self.history.ticks.iter().filter(of_it);
        let Some(last) = ticks.clone().max_by_key(|tick| tick.at_ns) else {
            return false;
        };
        let first_ns = ticks.map(|tick| tick.at_ns).min().unwrap_or(last.at_ns);
        let node = self.history.processes.get(last.process).copied();
        let away = node.map(|node| self.history.out_of_reach(node));
        let away = away.unwrap_or_default();
        let lived = Span {
            from_ns: first_ns,
            to_ns: last.at_ns,
        };
        if within_reach_ns(lived, &away) < YOUNG_NS {
            return true;
        }
        let emptied = self.history.emptyings();
        emptied
            .iter()
            .filter(|span| span.from_ns <= at_ns)
            .any(|span| {
                let written_ns = reached_again_ns(*span, &away).saturating_add(REWRITTEN_NS);
                last.at_ns <= written_ns
            })
    }
}

/// How long of a span none of the others was.
fn within_reach_ns(span: Span, others: &[Span]) -> u64 {
    let mut others: Vec<Span> = others.to_vec();
    others.sort_by_key(|other| other.from_ns);
    let (mut at_ns, mut sum_ns) = (span.from_ns, 0);
    for other in others.iter().filter(|other| other.meets(span)) {
        sum_ns += other.from_ns.saturating_sub(at_ns);
        at_ns = at_ns.max(other.to_ns);
    }
    sum_ns + span.to_ns.saturating_sub(at_ns)
}

/// When a span is over, and all others that leave no time to write between them.
fn reached_again_ns(span: Span, others: &[Span]) -> u64 {
    let mut end_ns = span.to_ns;
    let mut others: Vec<Span> = others.to_vec();
    others.sort_by_key(|other| other.from_ns);
    for other in others {
        let follows = other.from_ns <= end_ns.saturating_add(REWRITTEN_NS);
        if follows && other.to_ns > span.from_ns {
            end_ns = end_ns.max(other.to_ns);
        }
    }
    end_ns
}

#[cfg(test)]
mod tests {
    use super::super::faults::{Link, NodeNumber, Step};
    use super::super::history::Deed;
    use super::*;

    const NODE: NodeNumber = NodeNumber(0);
    const ROOM: RoomId = RoomId(7);
    const YOU: Option<PlayerId> = Some(PlayerId(3));

    /// A bot that is in its room from the first second on, which is ticked once a second until
    /// `last_s`.
    fn history(last_s: u64) -> History {
        let ticks = (1..=last_s).map(|s| RoomTick {
            room: ROOM.0,
            epoch: 5,
            incarnation: 1,
            tick: s as u32,
            at_ns: s * SECOND_NS,
            process: 0,
        });
        let mut history = History {
            ticks: ticks.collect(),
            processes: vec![NODE],
            ..History::default()
        };
        let tick = Tick(1);
        note(
            &mut history,
            1,
            SeatEvent::Seated {
                room: ROOM,
                you: YOU,
                tick,
            },
        );
        history
    }

    fn note(history: &mut History, at_s: u64, event: SeatEvent) {
        history.notes.push(BotNote {
            at_ns: at_s * SECOND_NS,
            bot: 0,
            event,
        });
    }

    fn done(history: &mut History, at_s: u64, step: Step) {
        history.deeds.push(Deed {
            at_ns: at_s * SECOND_NS,
            step,
            process: Some(0),
        });
    }

    fn lost() -> SeatEvent {
        SeatEvent::Lost {
            tick: Tick(20),
            code: 1006,
        }
    }

    fn back(room: RoomId, you: Option<PlayerId>, same_figure: bool) -> SeatEvent {
        SeatEvent::Back {
            room,
            you,
            tick: Tick(19),
            same_figure,
            gap_us: 1_500_000,
        }
    }

    fn gone() -> SeatEvent {
        SeatEvent::Gone {
            why: "NoSuchSeat".to_owned(),
        }
    }

    fn takeover(at_s: u64, first_tick: u32) -> Takeover {
        Takeover {
            room: ROOM.0,
            at_ns: at_s * SECOND_NS,
            still_ns: SECOND_NS,
            lost_ticks: 1,
            first_tick,
        }
    }

    /// Its owner was killed and it came back so, to whom it was.
    fn killed(came: SeatEvent, takeovers: &[Takeover]) -> Seats {
        let mut run = history(20);
        done(&mut run, 20, Step::Kill(NODE));
        note(&mut run, 20, lost());
        note(&mut run, 22, came);
        judge(&run, takeovers)
    }

    #[test]
    fn who_is_back_in_its_seat_is_fine() {
        let seats = killed(back(ROOM, YOU, true), &[takeover(21, 20)]);
        let fine = Seats {
            losses: 1,
            gaps_us: vec![1_500_000],
            rooms: vec![ROOM],
            ..Seats::default()
        };
        assert_eq!(seats, fine);
    }

    #[test]
    fn another_number_room_or_figure_is_found() {
        for came in [
            back(ROOM, Some(PlayerId(4)), true),
            back(RoomId(8), YOU, true),
            back(ROOM, YOU, false),
        ] {
            let seats = killed(came, &[takeover(21, 20)]);
            assert_eq!(seats.strayed.len(), 1, "{seats:?}");
        }
        // The room is from before it came.
        assert!(
            killed(back(ROOM, YOU, false), &[takeover(21, 1)])
                .strayed
                .is_empty()
        );
    }

    #[test]
    fn a_seat_is_lost_without_a_reason_while_the_engine_has_the_room() {
        let seats = killed(gone(), &[]);
        assert_eq!((seats.lost.len(), seats.explained), (1, 0), "{seats:?}");
        assert_eq!(seats.away, [0]);
    }

    #[test]
    fn owner_and_engine_together_lose_it() {
        let judged = |killed_s, emptied_s, filled_s, gone_s| {
            let mut run = history(killed_s);
            done(&mut run, killed_s, Step::Kill(NODE));
            done(&mut run, emptied_s, Step::KillEngine);
            done(&mut run, filled_s, Step::StartEngine);
            note(&mut run, killed_s, lost());
            note(&mut run, gone_s, gone());
            run.deeds.sort_by_key(|deed| deed.at_ns);
            let seats = judge(&run, &[]);
            (seats.lost.len(), seats.explained)
        };
        assert_eq!(judged(20, 22, 24, 40), (0, 1), "nobody had it yet");
        assert_eq!(judged(25, 20, 22, 40), (0, 1), "it was not written anew");
        assert_eq!(judged(60, 20, 22, 80), (1, 0), "it was");
        assert_eq!(judged(20, 50, 52, 40), (1, 0), "it was there all the time");
    }

    #[test]
    fn an_engine_that_stays_out_of_reach_is_not_written_to() {
        let judged = |open_s| {
            let mut run = history(45);
            done(&mut run, 20, Step::KillEngine);
            done(&mut run, 21, Step::Link(NODE, Link::Stalled));
            done(&mut run, 22, Step::StartEngine);
            done(&mut run, open_s, Step::Link(NODE, Link::Open));
            done(&mut run, 45, Step::Kill(NODE));
            run.deeds.sort_by_key(|deed| deed.at_ns);
            note(&mut run, 45, lost());
            note(&mut run, 60, gone());
            judge(&run, &[]).explained
        };
        assert_eq!(judged(40), 1);
        assert_eq!(judged(30), 0);
    }

    #[test]
    fn a_room_without_a_checkpoint_yet_goes_with_its_owner() {
        let mut run = history(3);
        done(&mut run, 3, Step::Kill(NODE));
        note(&mut run, 3, lost());
        note(&mut run, 12, gone());
        assert_eq!(judge(&run, &[]).explained, 1);
        // As long as the engine is away it has none either.
        let mut run = history(15);
        done(&mut run, 2, Step::PauseEngine);
        done(&mut run, 16, Step::EngineGoesOn);
        note(&mut run, 15, gone());
        assert_eq!(judge(&run, &[]).explained, 1);
    }

    #[test]
    fn who_is_sent_on_more_often_than_there_are_owners_is_found() {
        let judged = |redirects, takeovers: &[Takeover]| {
            let mut run = history(20);
            done(&mut run, 20, Step::Kill(NODE));
            note(&mut run, 20, lost());
            for _ in 0..redirects {
                note(&mut run, 21, SeatEvent::Redirected);
            }
            note(&mut run, 30, back(ROOM, YOU, true));
            judge(&run, takeovers).redirected.len()
        };
        assert_eq!(judged(2, &[takeover(21, 20)]), 0);
        assert_eq!(judged(3, &[takeover(21, 20)]), 1);
        assert_eq!(judged(3, &[takeover(21, 20), takeover(25, 20)]), 0);
    }

    #[test]
    fn a_loss_needs_something_that_was_done_to_a_node() {
        let judged = |step, at_s| {
            let mut run = history(60);
            done(&mut run, 20, step);
            done(&mut run, 22, Step::Start(NODE));
            done(&mut run, 22, Step::EngineGoesOn);
            note(&mut run, at_s, lost());
            judge(&run, &[]).without_cause.len()
        };
        assert_eq!(judged(Step::Drain(NODE), 25), 0);
        assert_eq!(judged(Step::Drain(NODE), 50), 1);
        assert_eq!(judged(Step::PauseEngine, 25), 1);
    }
}
