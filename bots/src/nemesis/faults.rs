//! What can be done to a cluster, as words: kinds to choose from, faults with their places and
//! lengths, and the single steps that a fault is made of. Drawn by `schedule`, carried out by
//! `course`, read again by the judges as what may explain a loss.

use std::fmt;
use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
pub enum Kind {
    /// kill -9 of a node, which is started again after a while
    Kill,
    /// SIGSTOP of a node, and SIGCONT
    Pause,
    /// SIGTERM of a node, which gives its rooms away and ends, and its start
    Drain,
    /// A node's connections to the engine break, and none can be made
    Cut,
    /// What goes between a node and the engine is held, and comes late
    Stall,
    /// The same, each way, by a fixed time
    Delay,
    /// Connections of the others to a node break, and none can be made
    PeerCut,
    /// What the others say to a node, and it answers, is held, and comes late
    PeerStall,
    /// SIGSTOP of the engine, and SIGCONT
    EnginePause,
    /// The engine is killed and starts empty on its port
    EngineEmpty,
    /// A replica that lags takes the engine's place
    EngineFailover,
}

/// What a fault is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The engine's process.
    Engine,
    /// A node's process.
    Process(NodeNumber),
    /// A node's way to the engine.
    Way(NodeNumber),
    /// The others' way to a node.
    Peers(NodeNumber),
}

/// A node, by number from 0. Shown from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NodeNumber(pub usize);

/// One fault: what, where, for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// What.
    pub kind: Kind,
    /// To which node; the engine's faults name one too, and mean none.
    pub node: NodeNumber,
    /// For how long: until the start, the going on, the open link.
    pub lasts: Duration,
    /// By how much messages are late, or a replica lags.
    pub by: Duration,
}

/// What a way does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Link {
    /// It passes everything on.
    Open,
    /// Connections break.
    Cut,
    /// Bytes are held.
    Stalled,
    /// Bytes come so much later.
    Delayed(Duration),
}

/// A single deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Step {
    /// SIGKILL.
    Kill(NodeNumber),
    /// Starts it, once it has ended.
    Start(NodeNumber),
    /// SIGSTOP.
    Pause(NodeNumber),
    /// SIGCONT.
    GoOn(NodeNumber),
    /// SIGTERM.
    Drain(NodeNumber),
    /// Its way to the engine.
    Link(NodeNumber, Link),
    /// The others' way to it.
    Peers(NodeNumber, Link),
    /// SIGSTOP of the engine.
    PauseEngine,
    /// SIGCONT of it.
    EngineGoesOn,
    /// SIGKILL of it.
    KillEngine,
    /// It starts, empty.
    StartEngine,
    /// Its replica stops following.
    HoldReplica,
    /// The engine ends, and its replica is the engine.
    FailOver,
    /// All is well for a while: everything has to be in order.
    Look,
}

impl Fault {
    /// Its steps, by time since it begins.
    pub fn steps(&self) -> Vec<(Duration, Step)> {
        let (node, end) = (self.node, self.lasts);
        let way = |link| Step::Link(node, link);
        let peers = |link| Step::Peers(node, link);
        let pair = |first, then| vec![(Duration::ZERO, first), (end, then)];
        match self.kind {
            Kind::Kill => pair(Step::Kill(node), Step::Start(node)),
            Kind::Pause => pair(Step::Pause(node), Step::GoOn(node)),
            Kind::Drain => pair(Step::Drain(node), Step::Start(node)),
            Kind::Cut => pair(way(Link::Cut), way(Link::Open)),
            Kind::Stall => pair(way(Link::Stalled), way(Link::Open)),
            Kind::Delay => pair(way(Link::Delayed(self.by)), way(Link::Open)),
            Kind::PeerCut => pair(peers(Link::Cut), peers(Link::Open)),
            Kind::PeerStall => pair(peers(Link::Stalled), peers(Link::Open)),
            Kind::EnginePause => pair(Step::PauseEngine, Step::EngineGoesOn),
            Kind::EngineEmpty => pair(Step::KillEngine, Step::StartEngine),
            Kind::EngineFailover => vec![
                (Duration::ZERO, Step::HoldReplica),
                (self.by, Step::FailOver),
            ],
        }
    }
}

impl Fault {
    /// What it is done to.
    pub fn place(&self) -> Place {
        match self.kind {
            Kind::EnginePause | Kind::EngineEmpty | Kind::EngineFailover => Place::Engine,
            Kind::Kill | Kind::Pause | Kind::Drain => Place::Process(self.node),
            Kind::Cut | Kind::Stall | Kind::Delay => Place::Way(self.node),
            Kind::PeerCut | Kind::PeerStall => Place::Peers(self.node),
        }
    }
}

impl fmt::Display for NodeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {}", self.0 + 1)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.kind.to_possible_value();
        let name = name.as_ref().map_or("fault", |name| name.get_name());
        let seconds = self.lasts.as_secs_f64();
        let by = self.by.as_secs_f64();
        match self.kind {
            Kind::EngineFailover => write!(f, "{name}, {by:.2} s behind"),
            _ if self.place() == Place::Engine => write!(f, "{name} for {seconds:.1} s"),
            Kind::Delay => write!(f, "{name} by {by:.2} s, {} for {seconds:.1} s", self.node),
            _ => write!(f, "{name} of {} for {seconds:.1} s", self.node),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Kill(node) => write!(f, "{node}: SIGKILL"),
            Step::Start(node) => write!(f, "{node}: start"),
            Step::Pause(node) => write!(f, "{node}: SIGSTOP"),
            Step::GoOn(node) => write!(f, "{node}: SIGCONT"),
            Step::Drain(node) => write!(f, "{node}: SIGTERM"),
            Step::Link(node, link) => write!(f, "{node}: its way to the engine: {link:?}"),
            Step::Peers(node, link) => write!(f, "{node}: the others' way to it: {link:?}"),
            Step::PauseEngine => f.write_str("engine: SIGSTOP"),
            Step::EngineGoesOn => f.write_str("engine: SIGCONT"),
            Step::KillEngine => f.write_str("engine: SIGKILL"),
            Step::StartEngine => f.write_str("engine: start, empty"),
            Step::HoldReplica => f.write_str("engine: its replica stops following"),
            Step::FailOver => f.write_str("engine: its replica takes over"),
            Step::Look => f.write_str("look whether all is in order"),
        }
    }
}
