//! What is counted: rooms of the arena that play themselves, in memory, one room and a worker's
//! forty, each stage of a tick by itself. Runs under callgrind, which `run` starts.

use std::ffi::CString;

use serde::{Deserialize, Serialize};
use tickwire_server::room::{Room, Workspace};

use super::requests;
use crate::arena_play::ArenaPlay;
use crate::drift::{self, Drift};

/// Rooms that take turns.
const ROOMS: [usize; 2] = [1, 40];
/// Players of a room.
const PLAYERS: u16 = 50;
/// Drones of a room: so many make a snapshot about 300 B.
const DRONES: u16 = 270;
/// Turns of all rooms together for each stage, so that one room and forty are counted over as much
/// play.
const TURNS: usize = 120;
/// Ticks before anything is counted: past the keyframes and into the play.
const WARM_UP: usize = 60;
/// Every so many snapshots bring a checksum: rooms start at different ones, so that a few ticks of
/// all have their share.
const CHECKSUM_EVERY: usize = 30;
/// Ticks that fill the simulated caches, after the warm-up, in which nothing is simulated.
const SETTLING: usize = 2;

/// A part of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Reading an input of each player: decoded, acknowledged, queued.
    Input,
    /// The room's tick: the arena's rules and the image of what came of them.
    Tick,
    /// The image alone: the tick of a game without rules with as many entities, all of which move.
    Capture,
    /// The first player's snapshot of a tick, for which the body that all share is encoded.
    Encode,
    /// The other players' snapshots: a head, the shared body, layers and events of their own.
    Compose,
}

impl Stage {
    /// All, in the order of the tables.
    pub const ALL: [Stage; 5] = [
        Stage::Input,
        Stage::Tick,
        Stage::Capture,
        Stage::Encode,
        Stage::Compose,
    ];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Input => "input",
            Stage::Tick => "tick",
            Stage::Capture => "capture",
            Stage::Encode => "encode",
            Stage::Compose => "compose",
        }
    }
}

/// Over what a stage was counted. The same in every run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Which stage.
    pub stage: Stage,
    /// Rooms that took turns.
    pub rooms: usize,
    /// Snapshots that clients got in all its turns, in whichever stage; as many as the inputs that
    /// they sent. 0 where there are no clients.
    pub client_snapshots: u64,
    /// Entities of all images in it.
    pub entities: u64,
}

impl Load {
    /// What its counts are called: `tick/40`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.stage.name(), self.rooms)
    }
}

/// Plays all stages, has each counted under its [`Load::name`], and tells `done` of it.
pub(super) fn play(mut done: impl FnMut(&Load)) {
    for rooms in ROOMS {
        let mut arenas = Arenas::new(rooms);
        arenas.settle();
        for stage in [Stage::Input, Stage::Tick, Stage::Encode, Stage::Compose] {
            done(&arenas.count(stage));
        }
        requests::stop();
        done(&capture(rooms));
        requests::stop();
    }
}

fn named(load: Load) -> Load {
    let name = CString::new(load.name()).expect("a name without zeros");
    requests::dump(&name);
    load
}

/// Rooms of a worker, with the memory that it lends them.
struct Arenas {
    plays: Vec<ArenaPlay>,
    workspace: Box<Workspace>,
}

impl Arenas {
    fn new(rooms: usize) -> Arenas {
        let mut workspace = Box::default();
        let plays = (0..rooms).map(|number| {
            let mut play = ArenaPlay::new(PLAYERS, DRONES, number as u64);
            for _ in 0..WARM_UP + number % CHECKSUM_EVERY {
                turn(&mut play, &mut workspace, None);
            }
            play
        });
        Arenas {
            plays: plays.collect(),
            workspace,
        }
    }

    fn settle(&mut self) {
        requests::start();
        for _ in 0..SETTLING {
            for play in &mut self.plays {
                turn(play, &mut self.workspace, None);
            }
        }
    }

    fn count(&mut self, stage: Stage) -> Load {
        let rooms = self.plays.len();
        let mut load = Load {
            stage,
            rooms,
            client_snapshots: 0,
            entities: 0,
        };
        for _ in 0..TURNS / rooms {
            for play in &mut self.plays {
                turn(play, &mut self.workspace, Some(stage));
                load.entities += u64::from(PLAYERS + DRONES);
                load.client_snapshots += u64::from(PLAYERS);
            }
        }
        named(load)
    }
}

/// A turn of a room as a worker has it, in which one stage is counted.
fn turn(play: &mut ArenaPlay, workspace: &mut Box<Workspace>, counted: Option<Stage>) {
    let toggle_if = |stage| {
        if counted == Some(stage) {
            requests::toggle();
        }
    };
    play.room.borrow_workspace(workspace);
    play.steer();
    toggle_if(Stage::Input);
    play.send_inputs();
    toggle_if(Stage::Input);
    toggle_if(Stage::Tick);
    play.room.tick();
    toggle_if(Stage::Tick);
    play.drop_effects();
    toggle_if(Stage::Encode);
    play.compose_one(0);
    toggle_if(Stage::Encode);
    toggle_if(Stage::Compose);
    for index in 1..play.players.len() {
        play.compose_one(index);
    }
    toggle_if(Stage::Compose);
    play.acknowledge();
    play.room.return_workspace(workspace);
}

/// Rooms in which everything moves and nothing else happens.
fn capture(rooms: usize) -> Load {
    let entities = PLAYERS + DRONES;
    let mut workspace = Box::default();
    let mut drifting: Vec<Room<Drift>> = (0..rooms).map(|_| drift::room(entities)).collect();
    let mut all = |ticks, counted: bool| {
        for _ in 0..ticks {
            for room in &mut drifting {
                room.borrow_workspace(&mut workspace);
                if counted {
                    requests::toggle();
                }
                room.tick();
                if counted {
                    requests::toggle();
                }
                room.return_workspace(&mut workspace);
            }
        }
    };
    all(WARM_UP, false);
    requests::start();
    all(SETTLING, false);
    all(TURNS / rooms, true);
    named(Load {
        stage: Stage::Capture,
        rooms,
        client_snapshots: 0,
        entities: (TURNS / rooms * rooms) as u64 * u64::from(entities),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counted::Bars;

    #[test]
    fn a_stage_is_played_over_all_clients_and_entities_also_where_nobody_counts() {
        let mut arenas = Arenas::new(1);
        arenas.settle();
        let load = arenas.count(Stage::Compose);
        assert_eq!(load.name(), "compose/1");
        assert_eq!((load.client_snapshots, load.entities), (6000, 120 * 320));
        assert_eq!(
            usize::try_from(arenas.plays[0].room.tick_number().0),
            Ok(1 + WARM_UP + SETTLING + TURNS)
        );
    }

    #[test]
    fn the_bars_are_of_all_stages() {
        let bars: Bars =
            serde_json::from_str(include_str!("../../counts.json")).expect("it is of bars");
        let names = Stage::ALL.map(|stage| ROOMS.map(|rooms| format!("{}/{rooms}", stage.name())));
        let mut names: Vec<String> = names.into_iter().flatten().collect();
        names.sort_unstable();
        assert_eq!(bars.counts.into_keys().collect::<Vec<_>>(), names);
    }
}
