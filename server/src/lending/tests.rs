//! Several nodes on virtual time, whose frames are lost, which end, come and leave: whatever happens,
//! each request has one answer, and once all is well the home knows of everybody where they are.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use tickwire::codec::{decode_server, encode_server};
use tickwire::exact::Xorshift32;
use tickwire::protocol::ServerMessage;

use super::*;
use crate::lending::wire::{BackMail, BackWhat};
use crate::presence::{Present, Window};

const STEP: Duration = Duration::from_millis(50);
/// Longer than anything waits.
const CALM: u32 = 400;

struct Node {
    id: NodeId,
    presence: Presence,
    lending: Arc<Lending>,
    here: BTreeMap<u32, Present>,
    leaves: bool,
}

struct World {
    nodes: Vec<Node>,
    now: Instant,
    steps: u32,
    newest: u32,
    /// What each request was answered, with the connection that asked.
    asked: BTreeMap<u32, (u32, Vec<Result<u32, Refusal>>)>,
    /// Frames that carry lines, by where they went.
    lines: BTreeMap<NodeId, usize>,
    /// In a hundred frames.
    lost: u32,
    dice: Xorshift32,
}

impl World {
    fn new(seed: u32, count: u64) -> World {
        let mut world = World {
            nodes: Vec::new(),
            now: Instant::now(),
            steps: 0,
            newest: 0,
            asked: BTreeMap::new(),
            lines: BTreeMap::new(),
            lost: 0,
            dice: Xorshift32::new(seed),
        };
        (0..count).for_each(|_| world.start());
        world
    }

    fn draw(&mut self, of: usize) -> usize {
        self.dice.draw() as usize % of
    }

    fn start(&mut self) {
        let presence = Presence::default();
        let metrics = Arc::new(Metrics::new().unwrap());
        let lending = Lending::new(&presence, vec!["chess"], metrics);
        self.nodes.push(Node {
            id: NodeId(u64::from(self.dice.draw()) + 1),
            presence,
            lending,
            here: BTreeMap::new(),
            leaves: false,
        });
        self.meet();
    }

    fn end(&mut self, node: usize) {
        let node = self.nodes.remove(node);
        // Who was there is nobody's any more.
        self.asked.retain(|_, (by, _)| !node.here.contains_key(by));
        self.meet();
    }

    fn leave(&mut self, node: usize) {
        self.nodes[node].leaves = true;
        let done = self.nodes[node].lending.leave(self.now);
        self.carry_out(node, done);
    }

    fn meet(&mut self) {
        let all: Vec<NodeId> = self.nodes.iter().map(|node| node.id).collect();
        for at in 0..self.nodes.len() {
            let me = self.nodes[at].id;
            let others = all.iter().copied().filter(|other| *other != me);
            let done = self.nodes[at].lending.live(me, others, self.now);
            self.carry_out(at, done);
        }
    }

    fn come(&mut self, node: usize) -> u32 {
        self.newest += 1;
        let number = self.newest;
        let identity = Identity::read(&format!("user:{number}")).unwrap();
        let node = &mut self.nodes[node];
        let address = Ipv4Addr::LOCALHOST.into();
        let present = node.presence.enter("chess", "name", &identity, address);
        node.lending.enter(&present.handle(), false);
        node.here.insert(number, present);
        number
    }

    fn ask(&mut self, node: usize, by: u32) {
        self.newest += 1;
        let nonce = self.newest;
        self.asked.insert(nonce, (by, Vec::new()));
        let who = self.nodes[node].here[&by].handle();
        let (key, body) = (
            Key::Said(nonce),
            Bytes::copy_from_slice(&nonce.to_le_bytes()),
        );
        match self.nodes[node]
            .lending
            .request(&who, Some(key), body, self.now)
        {
            Place::Here => serve(&who, nonce, self.now),
            Place::Home => {}
            Place::Nowhere => panic!("too much waits"),
        }
    }

    fn carry_out(&mut self, node: usize, done: Vec<Do>) {
        for what in done {
            match what {
                Do::Serve { who, body } => {
                    assert!(self.nodes[node].lending.serves(&who));
                    let nonce = u32::from_le_bytes(body[..].try_into().unwrap());
                    serve(&who, nonce, self.now);
                }
                Do::Ask { from, id, .. } => {
                    let answer = Answer::Told { now: 1, later: 0 };
                    self.nodes[node].lending.answer(from, id, answer);
                }
                Do::Greet { .. } | Do::Know { .. } | Do::Entered { .. } => {}
                Do::Forget | Do::Settled | Do::Asked => {}
            }
        }
    }

    fn step(&mut self) {
        self.now += STEP;
        self.steps += 1;
        if self.steps.is_multiple_of(20) {
            for at in 0..self.nodes.len() {
                let done = self.nodes[at].lending.tend(self.now);
                self.carry_out(at, done);
            }
        }
        while let Some((from, to, frame)) = self.next_frame() {
            let is_lost = self.draw(100) < self.lost as usize;
            let there = self.nodes.iter().position(|node| node.id == to);
            if let Some(at) = there.filter(|_| !is_lost) {
                let came = self.nodes[at].lending.came(from, &frame, self.now);
                self.carry_out(at, came.unwrap());
            }
        }
        for node in &self.nodes {
            for (number, present) in &node.here {
                let mut told = Vec::new();
                present.take(usize::MAX, None, &mut told);
                for told in told {
                    match decode_server(&told).unwrap() {
                        Some(ServerMessage::Said { nonce, result }) => {
                            let (by, results) = self.asked.get_mut(&nonce).unwrap();
                            assert_eq!(by, number, "it is another's");
                            results.push(result);
                        }
                        Some(ServerMessage::Line { .. }) => {}
                        other => panic!("{other:?}"),
                    }
                }
            }
        }
    }

    fn next_frame(&mut self) -> Option<(NodeId, NodeId, Bytes)> {
        let frame = self.nodes.iter().find_map(|node| {
            let (to, frame) = node.lending.next_frame(|_| true)?;
            Some((node.id, to, frame))
        })?;
        if let Ok(Frame::Back { mail, .. }) = wire::decode(&frame.2) {
            let is_line = |mail: &&BackMail| matches!(mail.what, BackWhat::LineOfLobby(_));
            *self.lines.entry(frame.1).or_default() += mail.iter().filter(is_line).count();
        }
        Some(frame)
    }

    fn run(&mut self, steps: u32) {
        (0..steps).for_each(|_| self.step());
    }

    /// What is served, and where.
    fn home(&self) -> usize {
        let all = self.nodes.iter().enumerate();
        let home = all.min_by_key(|(_, node)| (node.leaves, node.id));
        home.unwrap().0
    }

    /// The home knows of all where they are, and no other one knows of any but its own.
    fn check(&self, what: &str) {
        let home = self.home();
        let known = |node: &Node| {
            let all = node.presence.all(|_| true).into_iter();
            let mut all: Vec<(String, Option<RoomId>)> = all
                .map(|online| (online.identity.to_string(), online.room()))
                .collect();
            all.sort_unstable();
            all
        };
        let own = |node: &Node| -> Vec<(String, Option<RoomId>)> {
            let theirs = node.here.values();
            theirs
                .map(|present| (present.identity.to_string(), present.room()))
                .collect()
        };
        let mut all: Vec<_> = self.nodes.iter().flat_map(own).collect();
        all.sort_unstable();
        assert_eq!(known(&self.nodes[home]), all, "{what}");
        for (at, node) in self.nodes.iter().enumerate().filter(|(at, _)| *at != home) {
            let mut own = own(node);
            own.sort_unstable();
            assert_eq!(known(node), own, "{what}, node {at}");
        }
        for (nonce, (_, results)) in &self.asked {
            assert_eq!(results.len(), 1, "{what}: {nonce}: {results:?}");
        }
    }
}

fn serve(who: &Arc<Online>, nonce: u32, now: Instant) {
    let result = Ok(nonce);
    let said = ServerMessage::Said { nonce, result };
    who.reply(encode_server(&said).into(), now);
}

/// Whatever happens, for some minutes.
fn simulate(seed: u32) {
    let mut world = World::new(seed, 3);
    for turn in 0..8 {
        world.lost = [0, 0, 1, 10][world.draw(4)];
        for _ in 0..200 {
            world.step();
            let nodes = world.nodes.len();
            let at = world.draw(nodes);
            let here: Vec<u32> = world.nodes[at].here.keys().copied().collect();
            let one = (!here.is_empty()).then(|| here[world.draw(here.len().max(1))]);
            match (world.draw(40), one) {
                (0..4, _) => drop(world.come(at)),
                (4..16, Some(by)) => world.ask(at, by),
                (16..20, Some(by)) => {
                    let room = world.draw(3) as u32;
                    world.nodes[at].here[&by].set_room((room > 0).then_some(RoomId(room)), true);
                }
                (20, Some(by)) => {
                    world.nodes[at].here.remove(&by);
                    world.asked.retain(|_, (of, _)| *of != by);
                }
                (21, _) if world.draw(4) == 0 && nodes > 1 => world.end(at),
                (22, _) if world.draw(4) == 0 && nodes < 5 => world.start(),
                (23, _) if world.draw(8) == 0 => world.leave(at),
                _ => {}
            }
        }
        world.lost = 0;
        world.run(CALM);
        world.check(&format!("seed {seed}, turn {turn}"));
    }
}

#[test]
fn whatever_happens_each_request_has_one_answer_and_the_home_knows_of_all() {
    let seeds = std::env::var("SEEDS").ok().and_then(|of| of.parse().ok());
    for seed in 1..=seeds.unwrap_or(40) {
        simulate(seed);
    }
}

#[test]
fn a_line_goes_once_to_nodes_that_hear_it_and_to_no_other() {
    let mut world = World::new(7, 4);
    let home = world.home();
    let others: Vec<usize> = (0..4).filter(|at| *at != home).collect();
    let hearers = [(others[0], 30), (others[1], 1), (home, 5)];
    for (at, count) in hearers {
        for _ in 0..count {
            let number = world.come(at);
            world.nodes[at].here[&number].hear(true);
        }
    }
    let deaf = world.come(others[2]);
    world.run(CALM);
    world.check("before");
    let line = Bytes::from_static(b"a line");
    let home = &world.nodes[home];
    let hear = home.presence.all(|online| online.hears(Window::Lobby));
    assert_eq!(hear.len(), 36);
    for online in &hear {
        online.tell_line(Window::Lobby, line.clone(), world.now);
    }
    while world.next_frame().is_some() {}
    let of = |at: usize| world.lines.get(&world.nodes[others[at]].id).copied();
    assert_eq!((of(0), of(1)), (Some(1), Some(1)));
    assert_eq!(of(2).unwrap_or(0), 0, "{deaf} does not hear it");
}

/// A home that is gone is not known to be for a while: what is asked meanwhile waits, and the next
/// one answers it.
#[test]
fn what_the_home_did_not_answer_the_next_one_does() {
    let mut world = World::new(3, 3);
    let home = world.home();
    let other = (home + 1) % 3;
    let ann = world.come(other);
    world.run(CALM);
    let dead = world.nodes.remove(home);
    let other = world
        .nodes
        .iter()
        .position(|node| node.here.contains_key(&ann));
    let other = other.unwrap();
    (0..5).for_each(|_| world.ask(other, ann));
    world.run(40);
    assert!(world.asked.values().all(|(_, results)| results.is_empty()));
    world.meet();
    world.run(CALM);
    world.check("after");
    let all = world.asked.iter();
    assert!(
        all.clone()
            .all(|(nonce, (_, results))| results[..] == [Ok(*nonce)])
    );
    drop(dead);
    // With nobody to answer it is refused, in time.
    let home = world.home();
    let other = 1 - home;
    let bo = world.come(other);
    world.run(CALM);
    world.nodes.remove(home);
    world.ask(0, bo);
    world.run(250);
    let last = world.asked.values().last().unwrap();
    assert_eq!(last.1, [Err(Refusal::Busy)]);
}

#[tokio::test]
async fn what_a_node_asks_the_home_answers_once() {
    let mut world = World::new(5, 2);
    world.run(CALM);
    let (home, other) = (world.home(), 1 - world.home());
    let question = Question::Where {
        players: Vec::new(),
    };
    let own = world.nodes[home].lending.ask(question.clone());
    assert_eq!(own.await, Asked::Here);
    let lending = world.nodes[other].lending.clone();
    let asking = tokio::spawn(async move { lending.ask(question).await });
    while !asking.is_finished() {
        tokio::task::yield_now().await;
        world.step();
    }
    let answer = Answer::Told { now: 1, later: 0 };
    assert_eq!(asking.await.unwrap(), Asked::Answer(answer));
}
