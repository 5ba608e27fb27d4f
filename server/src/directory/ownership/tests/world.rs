//! A cluster on virtual time: one seed is one history. Messages take their time, are late, lost or
//! held up; what happens to whom beside that is [`super::faults`]'s.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

use tickwire::ids::RoomId;

use super::super::Timing;
use super::super::messages::{Command, Run};
use super::checker::Checker;
use super::engine::Engine;
use super::faults::Fault;
use super::planted::Bug;
use super::process::{Input, Machine, Order};
use super::rnd::Rnd;
use super::store::Bulk;

/// The engine, as an end of a link.
pub(super) const ENGINE: usize = usize::MAX;
/// Between two ticks of a room.
pub(super) const TICK: Duration = Duration::from_millis(50);

/// What a history is like beside its faults.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mode {
    pub(super) bug: Bug,
    pub(super) timing: Timing,
    /// Messages on a connection overtake each other, and a cut loses them. Else it holds them up.
    pub(super) is_lossy: bool,
    /// One message in fifty is up to 5 s late.
    pub(super) is_late: bool,
    /// Without an answer for longer a connection is given up.
    pub(super) patience: Duration,
    /// What may go wrong.
    pub(super) faults: &'static [Fault],
}

#[derive(Debug)]
pub(super) enum ToEngine {
    Command(Command),
    Bulk(Bulk),
}

impl ToEngine {
    /// It goes over the connection of checkpoints.
    pub(super) fn is_bulk(&self) -> bool {
        matches!(self, ToEngine::Bulk(_))
    }
}

#[derive(Debug)]
pub(super) enum Event {
    Tick(usize, u64),
    Wake(usize, u64, u64),
    Input(usize, u64, Input),
    Order(usize, u64, Order),
    Connect(usize, u64),
    AtEngine {
        node: usize,
        life: u64,
        run: Run,
        master: usize,
        sent: Duration,
        what: ToEngine,
    },
    AskArrives {
        from: usize,
        life: u64,
        to: usize,
        asked: Duration,
    },
    Resume(usize),
    Unstick(usize, u64),
    /// A node that drains ends once it has, or at that time.
    Retire(usize, u64, Duration),
    Restart(usize),
    Snapshot,
    Fault,
    Play,
}

struct Scheduled {
    at: Duration,
    seq: u64,
    event: Event,
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Scheduled) -> bool {
        self.seq == other.seq
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Scheduled) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Scheduled) -> std::cmp::Ordering {
        (self.at, self.seq).cmp(&(other.at, other.seq))
    }
}

/// What happened, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) adoptions: u64,
    pub(super) failovers: u64,
    pub(super) kills: u64,
    pub(super) freezes: u64,
    pub(super) thaws: u64,
    pub(super) anew: u64,
    pub(super) handed_over: u64,
    pub(super) created: u64,
    pub(super) detached_ticks: u64,
    pub(super) refused_writes: u64,
    pub(super) ended: u64,
    pub(super) drained: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: &Counts) {
        self.adoptions += other.adoptions;
        self.failovers += other.failovers;
        self.kills += other.kills;
        self.freezes += other.freezes;
        self.thaws += other.thaws;
        self.anew += other.anew;
        self.handed_over += other.handed_over;
        self.created += other.created;
        self.detached_ticks += other.detached_ticks;
        self.refused_writes += other.refused_writes;
        self.ended += other.ended;
        self.drained += other.drained;
    }
}

/// A cluster.
pub(super) struct World {
    pub(super) t: Duration,
    seq: u64,
    queue: BinaryHeap<Reverse<Scheduled>>,
    pub(super) rnd: Rnd,
    pub(super) mode: Mode,
    pub(super) engine: Engine,
    pub(super) nodes: Vec<Machine>,
    /// A node to which answers of the engine take longer and longer: since when, until when.
    pub(super) slowed: Option<(usize, Duration, Duration)>,
    /// Links that are cut, and until when.
    pub(super) cuts: BTreeMap<(usize, usize), Duration>,
    pub(super) checker: Checker,
    pub(super) counts: Counts,
    pub(super) ids: u64,
    pub(super) rooms: u32,
    /// Rooms that nobody is in any more.
    pub(super) closed: BTreeSet<RoomId>,
    /// Rooms that were made, and when.
    pub(super) made: BTreeMap<RoomId, Duration>,
}

impl World {
    /// So many nodes, which start at once.
    pub(super) fn new(seed: u64, mode: Mode, nodes: usize) -> World {
        let mut world = World {
            t: Duration::ZERO,
            seq: 0,
            queue: BinaryHeap::new(),
            rnd: Rnd::new(seed),
            mode,
            engine: Engine::new(),
            nodes: Vec::new(),
            slowed: None,
            cuts: BTreeMap::new(),
            checker: Checker::default(),
            counts: Counts::default(),
            ids: 0,
            rooms: 0,
            closed: BTreeSet::new(),
            made: BTreeMap::new(),
        };
        for _ in 0..nodes {
            world.join();
        }
        world.after(Duration::ZERO, Event::Snapshot);
        world
    }

    /// Another node.
    pub(super) fn join(&mut self) {
        let n = self.nodes.len();
        let ppm = self.rnd.below(20_001) as i64 - 10_000;
        self.nodes.push(Machine {
            name: format!("n{n}:1"),
            ppm,
            life: 0,
            process: None,
            is_away: false,
            is_paused: false,
        });
        self.start(n);
    }

    pub(super) fn after(&mut self, span: Duration, event: Event) {
        self.seq += 1;
        self.queue.push(Reverse(Scheduled {
            at: self.t + span,
            seq: self.seq,
            event,
        }));
    }

    pub(super) fn at(&mut self, at: Duration, event: Event) {
        self.after(at.saturating_sub(self.t), event);
    }

    /// Runs until then, or until something is violated.
    pub(super) fn run_until(&mut self, end: Duration) {
        while self.checker.violation.is_none() {
            match self.queue.peek() {
                Some(Reverse(next)) if next.at <= end => {}
                _ => break,
            }
            let Some(Reverse(next)) = self.queue.pop() else {
                break;
            };
            self.t = next.at;
            self.happens(next.event);
        }
        self.t = self.t.max(end);
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Tick(n, life) => {
                if self.nodes[n].life == life && self.nodes[n].process.is_some() {
                    self.after(TICK, Event::Tick(n, life));
                    self.tick(n);
                }
            }
            Event::Wake(n, life, wake) => {
                let current = self.process(n, life).map(|process| process.wake);
                if current == Some(wake) && self.is_running(n) {
                    self.drain(n);
                }
            }
            Event::Input(n, life, input) => {
                let is_running = self.is_running(n);
                let Some(process) = self.process(n, life) else {
                    return;
                };
                if is_running {
                    self.take(n, input);
                    self.drain(n);
                } else {
                    process.inbox.push_back(input);
                }
            }
            Event::Order(n, life, order) => self.order(n, life, order),
            Event::Connect(n, life) => self.connect(n, life),
            Event::AtEngine {
                node,
                life,
                run,
                master,
                sent,
                what,
            } => self.arrives(node, life, run, master, sent, what),
            Event::AskArrives {
                from,
                life,
                to,
                asked,
            } => self.asked(from, life, to, asked),
            Event::Resume(n) => self.resume(n),
            Event::Unstick(n, life) => {
                if let Some(process) = self.process(n, life) {
                    process.is_stuck = false;
                    self.catch_up(n);
                }
            }
            Event::Retire(n, life, end) => self.retire(n, life, end),
            Event::Restart(n) => {
                if self.nodes[n].process.is_none() {
                    self.start(n);
                }
            }
            Event::Snapshot => {
                self.engine.snapshot();
                self.after(Duration::from_millis(500), Event::Snapshot);
            }
            Event::Fault => self.fault(),
            Event::Play => self.play(),
        }
    }
}
