//! The scripts against the plain table: random commands of four nodes on ten rooms, answered by
//! both, whose epochs are compared by when they were given out.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tickwire::ids::{RoomId, Tick};
use tickwire_harness::Redis;

use super::super::messages::{Command, Epoch, Incarnation, Reply, RoomRecord};
use super::super::table::Table;
use super::super::{Checkpoint, Put};
use super::node::{Node, checkpoint, record};

const SEEDS: u64 = 8;
const STEPS: usize = 600;

/// An epoch by its place among those given out.
type Place = usize;

#[tokio::test]
async fn both_engines_answer_alike() {
    let server = Redis::start(&[]);
    for seed in 0..SEEDS {
        println!("seed {seed}");
        super::node::order(&server, &["FLUSHALL"]);
        let node = Node::redis(&server).await;
        Pair::new(seed, node).run().await;
    }
}

struct Pair {
    random: ChaCha8Rng,
    node: Node,
    table: Table,
    /// What both call the epochs that were given out, rising.
    epochs: Vec<(Epoch, Epoch)>,
    beats: u64,
}

impl Pair {
    fn new(seed: u64, node: Node) -> Pair {
        Pair {
            random: ChaCha8Rng::seed_from_u64(seed),
            node,
            table: Table::default(),
            // What nodes assert that no engine gave out.
            epochs: (1..=4).map(|epoch| (Epoch(epoch), Epoch(epoch))).collect(),
            beats: 0,
        }
    }

    async fn run(&mut self) {
        let keeper = self.node.engine.checkpoints();
        for step in 0..STEPS {
            if self.random.random_ratio(1, 5) {
                let (ours, theirs) = self.checkpoint();
                let room = ours.room;
                let put = keeper.put(vec![theirs]).await;
                assert_eq!(put, [self.table.put(ours)], "step {step}");
                assert!(!matches!(put[0], Put::Failed(_)));
                let kept = keeper.get(room).await.expect("it is one");
                let kept = kept.map(|kept| (self.place(kept.epoch, false), kept.tick, kept.blob));
                let here = self.table.get(room);
                let here = here.map(|here| (self.place(here.epoch, true), here.tick, here.blob));
                assert_eq!(kept, here, "step {step}");
                continue;
            }
            let (ours, theirs) = self.command();
            let said = format!("step {step}: {theirs:?}");
            let here = self.table.carry_out(ours, 1_000_000).expect("few nodes");
            let there = self.node.ask(theirs).await;
            self.learn(&here, &there);
            assert_eq!(self.told(here, true), self.told(there, false), "{said}");
        }
    }

    fn who(&mut self) -> Incarnation {
        // Fenced ones are followed by new ones.
        let life = self.beats / 100;
        Incarnation(life * 10 + self.random.random_range(1..=4))
    }

    fn room(&mut self) -> RoomId {
        RoomId(self.random.random_range(1..=10))
    }

    /// Mostly one of the last, which records have.
    fn epoch(&mut self) -> (Epoch, Epoch) {
        let count = self.epochs.len();
        let from = match self.random.random_ratio(1, 4) {
            true => 0,
            false => count.saturating_sub(6),
        };
        self.epochs[self.random.random_range(from..count)]
    }

    /// The record that the table has, mostly.
    fn seen(&mut self, room: RoomId) -> ((Epoch, Epoch), Incarnation) {
        let stored = self.table.record(room);
        match stored {
            Some(RoomRecord { epoch, owner }) if self.random.random_ratio(4, 5) => {
                (self.epochs[self.place(epoch, true)], owner)
            }
            _ => (self.epoch(), self.who()),
        }
    }

    /// The same command as both are given it.
    fn command(&mut self) -> (Command, Command) {
        let (room, me, to) = (self.room(), self.who(), self.who());
        let (epoch, owner) = self.seen(room);
        let by = |make: &dyn Fn(Epoch) -> Command| (make(epoch.0), make(epoch.1));
        match self.random.random_range(0..10) {
            0..4 => {
                self.beats += 1;
                let mut rooms = std::collections::BTreeMap::new();
                for _ in 0..self.random.random_range(0..6) {
                    let room = self.room();
                    let (epoch, owner) = self.seen(room);
                    // One's own, and now and then another's.
                    if owner == me || self.random.random_ratio(1, 6) {
                        rooms.insert(room, epoch);
                    }
                }
                let record = record(me, self.beats);
                let beat = |of: fn(&(Epoch, Epoch)) -> Epoch| Command::Beat {
                    me,
                    record: record.clone(),
                    rooms: rooms
                        .iter()
                        .map(|(room, epoch)| (*room, of(epoch)))
                        .collect(),
                };
                (beat(|both| both.0), beat(|both| both.1))
            }
            4 => {
                let beat = self.table.beat_of(me).unwrap_or(1);
                let beat = beat + u64::from(self.random.random_ratio(1, 4));
                by(&|_| Command::Fence { who: me, beat })
            }
            5..7 => by(&|epoch| Command::Adopt {
                room,
                old: RoomRecord { epoch, owner },
                me,
            }),
            7 => by(&|_| Command::Create { room, me }),
            8 => by(&|epoch| Command::HandOver {
                room,
                epoch,
                me: owner,
                to,
            }),
            _ => by(&|epoch| Command::Forget {
                room,
                epoch,
                me: owner,
            }),
        }
    }

    fn checkpoint(&mut self) -> (Checkpoint, Checkpoint) {
        let room = self.room();
        let (epoch, _) = self.seen(room);
        let blob: [u8; 4] = self.random.random();
        // Some come late.
        let tick = Tick(self.random.random_range(5..15));
        let of = |epoch| Checkpoint {
            tick,
            ..checkpoint(room.0, epoch, &blob)
        };
        (of(epoch.0), of(epoch.1))
    }

    /// Remembers an epoch that both gave out.
    fn learn(&mut self, here: &Reply, there: &Reply) {
        let given = |reply: &Reply| match reply {
            Reply::Adopted(_, epoch) | Reply::Created(_, epoch) | Reply::HandedOver(_, epoch) => {
                *epoch
            }
            _ => None,
        };
        if let (Some(here), Some(there)) = (given(here), given(there)) {
            let (last_here, last_there) = self.epochs[self.epochs.len() - 1];
            assert!(here > last_here && there > last_there, "epochs rise");
            self.epochs.push((here, there));
        }
    }

    fn place(&self, epoch: Epoch, is_ours: bool) -> Place {
        let of = |both: &(Epoch, Epoch)| if is_ours { both.0 } else { both.1 };
        let found = self.epochs.iter().position(|both| of(both) == epoch);
        found.unwrap_or_else(|| panic!("{epoch:?} was given out by nobody"))
    }

    /// A reply with places for epochs, and in an order of its own.
    fn told(&self, reply: Reply, is_ours: bool) -> Reply {
        let place = |epoch: Epoch| Epoch(self.place(epoch, is_ours) as u64);
        match reply {
            Reply::Adopted(room, epoch) => Reply::Adopted(room, epoch.map(place)),
            Reply::Created(room, epoch) => Reply::Created(room, epoch.map(place)),
            Reply::HandedOver(room, epoch) => Reply::HandedOver(room, epoch.map(place)),
            Reply::Beat {
                lost,
                mut held,
                nodes,
                mut orphans,
            } => {
                held.sort();
                orphans.sort_by_key(|(room, _)| *room);
                let placed = |list: Vec<(RoomId, RoomRecord)>| {
                    let placed = list.into_iter().map(|(room, of)| {
                        let epoch = place(of.epoch);
                        (room, RoomRecord { epoch, ..of })
                    });
                    placed.collect()
                };
                Reply::Beat {
                    lost: placed(lost),
                    held: held.into_iter().map(|(room, e)| (room, place(e))).collect(),
                    nodes,
                    orphans: placed(orphans),
                }
            }
            other => other,
        }
    }
}
