//! Nodes on virtual time with the engine's tables themselves, and workers that do as they are told
//! at once: what becomes of rooms. That no two nodes ever tick one is judged by the simulation of
//! ownership.

mod draining;

use std::collections::BTreeMap;
use std::time::Duration;

use tickwire::ids::{RoomId, Tick};

use super::*;
use crate::directory::engine::table::Table;
use crate::directory::engine::{Checkpoint, Put};
use crate::directory::ownership::Timing;

const STEP: Duration = Duration::from_millis(10);
const ROOM: RoomId = RoomId(7);

/// A node with its workers: its rooms, which stand still or not.
struct Machine {
    me: Incarnation,
    node: Node,
    rooms: BTreeMap<RoomId, bool>,
    /// Who was in rooms that went, and where they were sent.
    sent: Vec<(RoomId, Option<Incarnation>)>,
    ended: Vec<RoomId>,
    /// When its members were told last where a room will go, and where.
    announced: BTreeMap<RoomId, (Duration, Incarnation)>,
    is_dead: bool,
    /// It hears of no rooms that stop.
    is_slow: bool,
    /// Commands go out, and no answer comes back.
    is_deaf: bool,
    /// Its game can't say its rooms' state.
    is_mute: bool,
    /// Their states are too big.
    is_big: bool,
    /// What is written is not answered.
    is_unwritten: bool,
    /// Its games are others, or of another version.
    is_foreign: bool,
    /// Rooms that its workers have places for.
    places: usize,
}

struct World {
    now: Duration,
    table: Table,
    machines: Vec<Machine>,
}

fn name(n: usize) -> String {
    format!("node-{n}:1")
}

impl World {
    /// So many nodes that have known one another for a while.
    fn of(count: usize) -> World {
        World::with_places(&vec![100_000; count])
    }

    /// The same, each with so many places.
    fn with_places(places: &[usize]) -> World {
        let mut world = World {
            now: Duration::ZERO,
            table: Table::default(),
            machines: Vec::new(),
        };
        for (n, &places) in places.iter().enumerate() {
            let me = Incarnation(n as u64 + 1);
            let (url, timing) = (format!("ws://{n}/ws"), Timing::default());
            let own = Ownership::new(world.now, me, name(n), url, timing, n as u64);
            let mut node = Node::new(own.with_places(places));
            node.connected(world.now, Run(1));
            world.machines.push(Machine {
                me,
                node,
                rooms: BTreeMap::new(),
                sent: Vec::new(),
                ended: Vec::new(),
                announced: BTreeMap::new(),
                is_dead: false,
                is_slow: false,
                is_deaf: false,
                is_mute: false,
                is_big: false,
                is_unwritten: false,
                is_foreign: false,
                places,
            });
        }
        world.pass(20.0);
        world
    }

    fn pass(&mut self, seconds: f64) {
        let until = self.now + Duration::from_secs_f64(seconds);
        while self.now < until {
            self.now += STEP;
            for n in 0..self.machines.len() {
                self.work(n);
            }
        }
    }

    fn work(&mut self, n: usize) {
        loop {
            let (now, machine) = (self.now, &mut self.machines[n]);
            if machine.is_dead {
                return;
            }
            let Some(order) = machine.node.poll(now) else {
                return;
            };
            match order {
                Order::Send(run, command) => {
                    let reply = self.table.carry_out(command, now.as_millis() as u64);
                    if !machine.is_deaf {
                        machine.node.replied(now, now, run, reply.unwrap());
                    }
                }
                Order::Ask(node) => {
                    let to = self.machines.iter().position(|of| name_of(of) == node);
                    let answer = to.map_or(Answer::Refused, |to| match self.machines[to].is_dead {
                        true => Answer::Refused,
                        false => self.machines[to].node.contact(now),
                    });
                    self.machines[n].node.answered(now, now, &node, answer);
                }
                Order::Fetch { room, epoch } => {
                    let has_place = machine.rooms.len() < machine.places;
                    let what = match self.table.get(room) {
                        Some(_) if machine.is_foreign || !has_place => Fetched::NotHere,
                        Some(_) => {
                            machine.rooms.insert(room, true);
                            Fetched::Restored
                        }
                        None => Fetched::Nothing,
                    };
                    machine.node.fetched(now, room, epoch, what);
                }
                Order::Number { room, .. } => assert!(machine.rooms.contains_key(&room)),
                Order::Announce { room, to } => {
                    assert_eq!(machine.rooms.get(&room), Some(&true), "{room} is played");
                    machine.announced.insert(room, (now, to));
                }
                Order::Stop { room } => {
                    let (at, _) = machine.announced[&room];
                    assert!(now - at >= PREPARE, "{room} was announced just now");
                    if machine.is_slow {
                        continue;
                    }
                    let what = match machine.is_mute {
                        true => Stopped::Stays,
                        false => Stopped::Saved,
                    };
                    machine.rooms.insert(room, false);
                    machine.node.stopped(now, room, what);
                }
                Order::Write { room, epoch } => {
                    if machine.is_unwritten {
                        continue;
                    }
                    let is_big = machine.is_big;
                    let what = match !is_big && self.put(room, epoch) {
                        _ if is_big => Written::TooBig,
                        true => Written::Stored,
                        false => Written::Failed,
                    };
                    self.machines[n].node.written(now, room, epoch, what);
                }
                Order::GoOn { room } => drop(machine.rooms.insert(room, true)),
                Order::Drop { room, to } => {
                    machine.rooms.remove(&room).expect("it had it");
                    let announced = machine.announced.get(&room).map(|(_, to)| *to);
                    assert!(
                        announced.is_none() || announced == to,
                        "{room} went elsewhere"
                    );
                    machine.sent.push((room, to));
                }
                Order::End { room } => {
                    machine.rooms.remove(&room).expect("it had it");
                    machine.ended.push(room);
                }
                Order::Hurry(node) => {
                    let to = self.machines.iter().position(|of| name_of(of) == node);
                    self.machines[to.unwrap()].node.hurry(now);
                }
                Order::Freeze | Order::Thaw => {}
                Order::StartAnew(_) => machine.is_dead = true,
            }
        }
    }

    fn put(&mut self, room: RoomId, epoch: Epoch) -> bool {
        let (tick, blob) = (Tick(1), bytes::Bytes::new());
        let checkpoint = Checkpoint {
            room,
            epoch,
            tick,
            blob,
        };
        self.table.put(checkpoint) == Put::Stored
    }

    /// A worker of a node opens a room.
    fn open(&mut self, n: usize, room: RoomId) {
        self.machines[n].rooms.insert(room, true);
        self.machines[n].node.opened(self.now, room);
        self.work(n);
    }

    fn save_all(&mut self) {
        for room in self.table.rooms() {
            let epoch = self.table.record(room).unwrap().epoch;
            assert!(self.put(room, epoch));
        }
    }

    /// Where a room is, and that it is nowhere else.
    fn home(&self, room: RoomId) -> Option<usize> {
        let has = |n: &usize| {
            let machine = &self.machines[*n];
            !machine.is_dead && machine.rooms.contains_key(&room)
        };
        let mut homes = (0..self.machines.len()).filter(has);
        let home = homes.next();
        assert_eq!(homes.next(), None, "{room} is at two nodes");
        home
    }
}

fn name_of(machine: &Machine) -> String {
    name(machine.me.0 as usize - 1)
}

#[test]
fn a_room_that_a_worker_opens_is_in_the_tables_until_it_is_closed() {
    let mut world = World::of(2);
    world.open(0, ROOM);
    let record = world.table.record(ROOM).expect("it was created");
    assert_eq!(record.owner, Incarnation(1));
    assert_eq!(world.machines[0].node.counts().played, 1);
    world.pass(30.0);
    assert_eq!(world.table.record(ROOM), Some(record));
    world.machines[0].rooms.remove(&ROOM);
    world.machines[0].node.closed(world.now, ROOM);
    world.pass(1.0);
    assert_eq!(world.table.record(ROOM), None);
}

#[test]
fn a_room_that_is_opened_and_closed_before_its_creation_is_answered_leaves_nothing() {
    let mut world = World::of(1);
    let now = world.now;
    world.machines[0].node.opened(now, ROOM);
    let Some(Order::Send(run, command)) = world.machines[0].node.poll(now) else {
        panic!("it is created");
    };
    world.machines[0].node.closed(now, ROOM);
    let reply = world.table.carry_out(command, 1).unwrap();
    world.machines[0].node.replied(now, now, run, reply);
    world.pass(1.0);
    assert_eq!(world.table.record(ROOM), None);
}

#[test]
fn a_room_is_opened_without_the_engine_and_created_once_it_is_there() {
    let mut world = World::of(1);
    let now = world.now;
    world.machines[0].node.disconnected(now);
    world.open(0, ROOM);
    world.pass(3.0);
    assert_eq!(world.machines[0].node.counts().new, 1);
    let now = world.now;
    world.machines[0].node.connected(now, Run(2));
    world.pass(1.0);
    assert_eq!(world.machines[0].node.counts().played, 1);
    assert!(world.table.record(ROOM).is_some());
}

/// The engine made it, and nobody heard: it is found in the tables, and is not taken for another's.
#[test]
fn a_room_whose_creation_was_done_without_an_answer_plays_on() {
    let mut world = World::of(1);
    world.machines[0].is_deaf = true;
    world.open(0, ROOM);
    assert!(world.table.record(ROOM).is_some());
    world.pass(0.9);
    world.machines[0].is_deaf = false;
    world.pass(20.0);
    assert_eq!(world.machines[0].node.counts().played, 1);
    assert_eq!(world.home(ROOM), Some(0));
    assert!(world.machines[0].ended.is_empty() && world.machines[0].sent.is_empty());
}

#[test]
fn a_room_whose_number_is_anothers_ends_and_the_other_does_not() {
    let mut world = World::of(2);
    world.open(0, ROOM);
    world.open(1, ROOM);
    assert_eq!(world.machines[1].ended, [ROOM]);
    world.pass(40.0);
    assert_eq!(world.home(ROOM), Some(0));
}

#[test]
fn rooms_of_a_node_that_died_are_fetched_by_the_others_and_those_without_a_state_are_closed() {
    let mut world = World::of(3);
    let rooms: Vec<RoomId> = (1..=30).map(RoomId).collect();
    rooms.iter().for_each(|room| world.open(0, *room));
    world.pass(1.0);
    world.save_all();
    world.open(0, RoomId(99));
    world.pass(1.0);
    world.machines[0].is_dead = true;
    let now = world.now;
    for n in [1, 2] {
        world.machines[n].node.unreachable(now, name(0));
    }
    world.pass(1.0);
    let homes: Vec<_> = rooms.iter().map(|room| world.home(*room)).collect();
    assert!(homes.iter().all(Option::is_some), "{homes:?}");
    assert!(homes.contains(&Some(1)) && homes.contains(&Some(2)));
    world.pass(5.0);
    assert_eq!(
        world.table.record(RoomId(99)),
        None,
        "nothing was kept of it"
    );
}

impl World {
    /// Nodes with so many places, of which the first dies with these rooms, all saved.
    fn orphaned(places: &[usize], rooms: &[RoomId], prepare: impl Fn(&mut World)) -> World {
        let mut world = World::with_places(places);
        prepare(&mut world);
        rooms.iter().for_each(|room| world.open(0, *room));
        world.pass(1.0);
        world.save_all();
        world.machines[0].is_dead = true;
        let now = world.now;
        for n in 1..places.len() {
            world.machines[n].node.unreachable(now, name(0));
        }
        world.pass(3.0);
        world
    }

    /// Rooms that are kept, and those of them that are played.
    fn kept(&self, rooms: &[RoomId]) -> (usize, usize) {
        let kept = rooms.iter().filter(|room| self.table.get(**room).is_some());
        let played = rooms.iter().filter(|room| self.home(**room).is_some());
        (kept.count(), played.count())
    }
}

#[test]
fn rooms_that_nobody_has_a_place_for_are_kept_until_somebody_has() {
    let rooms: Vec<RoomId> = (1..=10).map(RoomId).collect();
    let mut world = World::orphaned(&[10, 3, 4], &rooms, |_| {});
    assert_eq!(world.kept(&rooms), (10, 7));
    for n in [1, 2] {
        assert_eq!(world.machines[n].rooms.len(), [10, 3, 4][n]);
        assert_eq!(world.machines[n].node.told_load(), TAKES_NONE);
    }
    world.pass(20.0);
    assert_eq!(world.kept(&rooms), (10, 7));
    // Some end.
    for n in [1, 2] {
        let gone: Vec<RoomId> = world.machines[n].rooms.keys().take(2).copied().collect();
        for room in gone {
            world.machines[n].rooms.remove(&room);
            let now = world.now;
            world.machines[n].node.closed(now, room);
        }
    }
    world.pass(10.0);
    assert_eq!(world.kept(&rooms), (6, 6));
}

/// By the tables alone it has them: as when others were made here since.
#[test]
fn a_room_that_there_is_no_place_for_goes_on_to_a_node_that_has_one() {
    let rooms: Vec<RoomId> = (1..=10).map(RoomId).collect();
    let fewer = |world: &mut World| world.machines[1].places = 2;
    let mut world = World::orphaned(&[10, 10, 10], &rooms, fewer);
    assert_eq!(world.kept(&rooms), (10, 10));
    assert!(world.machines[1].rooms.len() <= 2);
    // Nobody has one more: they wait, and none is lost.
    let none = |world: &mut World| (1..3).for_each(|n| world.machines[n].places = 2);
    world = World::orphaned(&[10, 10, 10], &rooms, none);
    world.pass(30.0);
    assert_eq!(world.kept(&rooms), (10, 4));
}

/// A game's new version can't read what the one before saved; who can gets it at last.
#[test]
fn a_room_of_another_version_waits_for_a_node_that_can_play_it() {
    let rooms: Vec<RoomId> = (1..=6).map(RoomId).collect();
    let foreign = |world: &mut World| (1..3).for_each(|n| world.machines[n].is_foreign = true);
    let mut world = World::orphaned(&[10, 10, 10], &rooms, foreign);
    world.pass(30.0);
    assert_eq!(world.kept(&rooms), (6, 0));
    world.machines[2].is_foreign = false;
    world.pass(30.0);
    assert_eq!(world.kept(&rooms), (6, 6));
    // A node that drains has nothing to wait for.
    let mut world = World::orphaned(&[10, 10, 10], &rooms, foreign);
    let now = world.now;
    (1..3).for_each(|n| world.machines[n].node.drain(now));
    world.pass(6.0);
    assert_eq!(world.machines[1].node.drained(), Drained::Done);
    assert_eq!(world.kept(&rooms), (6, 0));
}

#[test]
fn what_comes_of_a_fetch_whose_room_was_lost_meanwhile_is_dropped() {
    let mut world = World::of(1);
    let now = world.now;
    let node = &mut world.machines[0].node;
    node.act(
        now,
        Action::Start {
            room: ROOM,
            epoch: Epoch(3),
        },
    );
    let owner = Incarnation(9);
    node.act(
        now,
        Action::Drop {
            room: ROOM,
            why: Why::Lost { owner },
        },
    );
    let fetch = Order::Fetch {
        room: ROOM,
        epoch: Epoch(3),
    };
    assert_eq!(node.poll(now), Some(fetch));
    node.fetched(now, ROOM, Epoch(3), Fetched::Restored);
    assert_eq!(
        node.poll(now),
        Some(Order::Drop {
            room: ROOM,
            to: None
        })
    );
}

#[test]
fn a_fetch_that_the_engine_did_not_answer_is_tried_again() {
    let mut world = World::of(1);
    let (now, node) = (world.now, &mut world.machines[0].node);
    let (room, epoch) = (ROOM, Epoch(3));
    node.act(now, Action::Start { room, epoch });
    assert_eq!(node.poll(now), Some(Order::Fetch { room, epoch }));
    node.fetched(now, room, epoch, Fetched::NotYet);
    assert!(node.wakes_at() <= now + FETCH_AGAIN);
    let mut later = (0..).map(|n| now + FETCH_AGAIN + STEP * n);
    assert_eq!(
        node.poll(later.next().unwrap()),
        Some(Order::Fetch { room, epoch })
    );
}
