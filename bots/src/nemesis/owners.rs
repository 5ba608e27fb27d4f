//! Whether at most one owner ticked each room at any time, and what it cost to change owners, by
//! the play logs of all processes. Pure.
//!
//! The one exception: a process that is stopped between its look at the lease and the tick makes
//! that tick when it goes on, however long that is. So of each room one tick is excused behind each
//! stop, if it comes at once and a newer owner ticked the room before.

use std::collections::BTreeMap;

use super::history::History;
use super::play_log::RoomTick;

/// Behind SIGCONT, within which the tick comes that was under way.
const SLIP_NS: u64 = 1_000_000_000;

/// What the ticks of a run come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    /// Ticks that were judged.
    pub ticks: u64,
    /// Rooms that were ticked.
    pub rooms: u64,
    /// Ticks of an older owner behind a stop.
    pub excused: u64,
    /// Changes of owner.
    pub takeovers: Vec<Takeover>,
    /// An older owner ticked when a newer one had, in words.
    pub two_at_once: Vec<String>,
    /// An epoch that did not rise, or was given to two.
    pub epochs: Vec<String>,
    /// A tick that did not rise under one owner.
    pub ticks_back: Vec<String>,
}

/// A room got another owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takeover {
    /// Which room.
    pub room: u32,
    /// The new owner's first tick.
    pub at_ns: u64,
    /// From the old owner's last tick until then.
    pub still_ns: u64,
    /// Ticks of the old owner that were played in vain.
    pub lost_ticks: u32,
    /// The number of the new owner's first tick.
    pub first_tick: u32,
}

/// Judges all ticks.
pub fn judge(history: &History) -> Owners {
    let mut rooms: BTreeMap<u32, Vec<&RoomTick>> = BTreeMap::new();
    for tick in &history.ticks {
        rooms.entry(tick.room).or_default().push(tick);
    }
    let mut owners = Owners {
        rooms: rooms.len() as u64,
        ..Owners::default()
    };
    for ticks in rooms.values_mut() {
        ticks.sort_by_key(|tick| (tick.at_ns, tick.epoch));
        judge_room(history, ticks, &mut owners);
    }
    owners
}

fn judge_room(history: &History, ticks: &[&RoomTick], owners: &mut Owners) {
    let Some((first, others)) = ticks.split_first() else {
        return;
    };
    owners.ticks += 1;
    let mut last: RoomTick = **first;
    // When the newest owner ticked first, and the stops that had their tick.
    let mut since_ns = last.at_ns;
    let mut slipped: Vec<(usize, u64)> = Vec::new();
    for tick in others {
        owners.ticks += 1;
        if tick.epoch < last.epoch {
            match stop_before(history, tick, since_ns) {
                Some(stop) if !slipped.contains(&stop) => {
                    slipped.push(stop);
                    owners.excused += 1;
                }
                _ => owners.two_at_once.push(format!(
                    "{}, {:.3} s after the first of {}",
                    shown(tick),
                    (tick.at_ns - since_ns) as f64 / 1e9,
                    shown(&last)
                )),
            }
            continue;
        }
        if tick.epoch == last.epoch && tick.incarnation != last.incarnation {
            let both = format!("{} and {}", shown(&last), shown(tick));
            owners.epochs.push(both);
        } else if tick.epoch == last.epoch {
            if tick.tick <= last.tick {
                let both = format!("{} after {}", shown(tick), last.tick);
                owners.ticks_back.push(both);
            }
        } else {
            since_ns = tick.at_ns;
            // A room that is new gets its epoch while it is ticked.
            if tick.incarnation == last.incarnation {
                last = **tick;
                continue;
            }
            owners.takeovers.push(Takeover {
                room: tick.room,
                at_ns: tick.at_ns,
                still_ns: tick.at_ns - last.at_ns,
                lost_ticks: (last.tick + 1).saturating_sub(tick.tick),
                first_tick: tick.tick,
            });
        }
        last = **tick;
    }
}

/// The stop of a tick's process during which the newest owner, `since_ns`, began, if the tick came
/// right behind it.
fn stop_before(history: &History, tick: &RoomTick, since_ns: u64) -> Option<(usize, u64)> {
    let pauses = history.pauses(tick.process);
    let stop = pauses.iter().find(|pause| {
        let is_behind = pause.to_ns <= tick.at_ns && tick.at_ns - pause.to_ns < SLIP_NS;
        // What is written down as the signal is sent may be the tick's time as well.
        let is_within = (pause.from_ns..=pause.to_ns).contains(&tick.at_ns);
        since_ns >= pause.from_ns && (is_behind || is_within)
    })?;
    Some((tick.process, stop.from_ns))
}

fn shown(tick: &RoomTick) -> String {
    let RoomTick {
        room,
        epoch,
        incarnation,
        tick,
        process,
        ..
    } = tick;
    format!("room {room} tick {tick} of epoch {epoch}, {incarnation:016x}, process {process}")
}

#[cfg(test)]
mod tests {
    use super::super::faults::{NodeNumber, Step};
    use super::super::history::Deed;
    use super::*;

    const MS: u64 = 1_000_000;

    /// Ticks of a room every 33 ms.
    fn ticks(
        epoch: u64,
        process: usize,
        from_ms: u64,
        ticks: std::ops::Range<u32>,
    ) -> Vec<RoomTick> {
        let at = |n: usize| (from_ms + 33 * n as u64) * MS;
        let ticked = ticks.enumerate().map(|(n, tick)| RoomTick {
            room: 7,
            epoch,
            incarnation: epoch * 11,
            tick,
            at_ns: at(n),
            process,
        });
        ticked.collect()
    }

    fn history(ticks: &[Vec<RoomTick>]) -> History {
        History {
            ticks: ticks.concat(),
            processes: vec![NodeNumber(0), NodeNumber(1), NodeNumber(2)],
            ..History::default()
        }
    }

    /// The first owner's process is stopped so, by times in milliseconds.
    fn stopped(history: &mut History, from_ms: u64, to_ms: u64) {
        let node = NodeNumber(0);
        for (ms, step) in [(from_ms, Step::Pause(node)), (to_ms, Step::GoOn(node))] {
            history.deeds.push(Deed {
                at_ns: ms * MS,
                step,
                process: Some(0),
            });
        }
    }

    #[test]
    fn a_room_that_changes_owners_in_order_is_fine() {
        let run = [
            ticks(5, 0, 0, 1..31),
            ticks(9, 1, 2000, 25..40),
            ticks(10, 0, 4000, 40..50),
        ];
        let owners = judge(&history(&run));
        assert_eq!((owners.ticks, owners.rooms, owners.excused), (55, 1, 0));
        assert!(owners.two_at_once.is_empty() && owners.epochs.is_empty());
        assert!(owners.ticks_back.is_empty());
        let [killed, drained] = owners.takeovers[..] else {
            panic!("{owners:?}");
        };
        // It had ticked to 30, and was at 24 when it was saved last.
        assert_eq!(
            (killed.lost_ticks, killed.still_ns),
            (6, (2000 - 29 * 33) * MS)
        );
        assert_eq!((drained.lost_ticks, drained.first_tick), (0, 40));
    }

    #[test]
    fn an_older_owner_that_still_ticks_is_found() {
        let run = [ticks(5, 0, 0, 1..31), ticks(9, 1, 900, 25..40)];
        let owners = judge(&history(&run));
        assert_eq!(owners.two_at_once.len(), 2, "{owners:?}");
        // Also when it was slow, but not stopped.
        let late = [
            ticks(5, 0, 0, 1..31),
            ticks(9, 1, 2000, 25..40),
            ticks(5, 0, 2400, 31..32),
        ];
        assert_eq!(judge(&history(&late)).two_at_once.len(), 1);
    }

    #[test]
    fn one_tick_behind_a_stop_is_excused_and_no_second_one() {
        let late = |count: u32| {
            let mut run = history(&[
                ticks(5, 0, 0, 1..31),
                ticks(9, 1, 9000, 25..99),
                ticks(5, 0, 10_001, 31..31 + count),
            ]);
            stopped(&mut run, 990, 10_000);
            judge(&run)
        };
        assert_eq!((late(1).excused, late(1).two_at_once.len()), (1, 0));
        assert_eq!((late(2).excused, late(2).two_at_once.len()), (1, 1));
    }

    #[test]
    fn a_stop_explains_nothing_that_is_not_right_behind_it() {
        let judged = |from_ms, to_ms, at_ms| {
            let mut run = history(&[
                ticks(5, 0, 0, 1..31),
                ticks(9, 1, 9000, 25..99),
                ticks(5, 0, at_ms, 31..32),
            ]);
            stopped(&mut run, from_ms, to_ms);
            judge(&run).two_at_once.len()
        };
        assert_eq!(judged(990, 9500, 9501), 0);
        assert_eq!(judged(990, 9500, 10_600), 1, "too late");
        assert_eq!(judged(9400, 9500, 9501), 1, "it could have known");
        // Another process's stop.
        let mut run = history(&[
            ticks(5, 1, 0, 1..31),
            ticks(9, 2, 9000, 25..99),
            ticks(5, 1, 9501, 31..32),
        ]);
        stopped(&mut run, 990, 9500);
        assert_eq!(judge(&run).two_at_once.len(), 1);
    }

    #[test]
    fn an_epoch_that_two_have_is_found() {
        let mut second = ticks(5, 1, 2000, 31..35);
        second.iter_mut().for_each(|tick| tick.incarnation = 3);
        let owners = judge(&history(&[ticks(5, 0, 0, 1..31), second]));
        assert_eq!(owners.epochs.len(), 1, "{owners:?}");
    }

    #[test]
    fn an_epoch_that_falls_is_an_older_owner() {
        let owners = judge(&history(&[
            ticks(9, 0, 0, 1..31),
            ticks(5, 1, 2000, 31..35),
        ]));
        assert_eq!(owners.two_at_once.len(), 4, "{owners:?}");
    }

    #[test]
    fn a_tick_that_comes_twice_under_one_owner_is_found() {
        let owners = judge(&history(&[
            ticks(5, 0, 0, 1..31),
            ticks(5, 0, 2000, 30..35),
        ]));
        assert_eq!(owners.ticks_back.len(), 1, "{owners:?}");
    }

    #[test]
    fn a_new_rooms_first_epoch_is_no_change_of_owner() {
        let mut new = ticks(0, 0, 0, 1..4);
        new.iter_mut().for_each(|tick| tick.incarnation = 55);
        let owners = judge(&history(&[new, ticks(5, 0, 99, 4..31)]));
        assert_eq!(
            (owners.ticks, owners.takeovers.len()),
            (30, 0),
            "{owners:?}"
        );
        assert!(owners.epochs.is_empty() && owners.two_at_once.is_empty());
    }

    #[test]
    fn rooms_are_judged_apart() {
        let mut other = ticks(9, 1, 10, 1..31);
        other.iter_mut().for_each(|tick| tick.room = 8);
        let owners = judge(&history(&[ticks(5, 0, 0, 1..31), other]));
        assert_eq!((owners.rooms, owners.two_at_once.len()), (2, 0));
        assert!(owners.takeovers.is_empty());
    }
}
