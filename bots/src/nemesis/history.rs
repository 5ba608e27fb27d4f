//! What happened in a run, all by the machine's one monotonic clock in nanoseconds: room ticks, what
//! was done to the cluster, what became of bots' seats. Recorded by `course`; `owners` and `seats`
//! judge it, and ask here what may explain what they see. Pure.

use super::faults::{Link, NodeNumber, Step};
use super::play_log::RoomTick;
use crate::journal::SeatEvent;

/// See the module's description.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Of each process its ticks in their order; processes in any.
    pub ticks: Vec<RoomTick>,
    /// By time.
    pub deeds: Vec<Deed>,
    /// By time.
    pub notes: Vec<BotNote>,
    /// Which node each process is of, by its number in the run.
    pub processes: Vec<NodeNumber>,
}

/// Something that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When: before a step that harms, behind one that mends.
    pub at_ns: u64,
    /// What.
    pub step: Step,
    /// The process that it was done to, or that it started.
    pub process: Option<usize>,
}

/// Something that became of a bot's seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotNote {
    /// When the bot saw it.
    pub at_ns: u64,
    /// Its number.
    pub bot: usize,
    /// What.
    pub event: SeatEvent,
}

/// From when to when something was; the end is [`u64::MAX`] while it still is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from_ns: u64,
    pub(super) to_ns: u64,
}

impl Span {
    /// Whether it lasts into `other`, or the other way round.
    pub(super) fn meets(&self, other: Span) -> bool {
        self.from_ns <= other.to_ns && other.from_ns <= self.to_ns
    }
}

impl History {
    /// When a process was stopped by SIGSTOP.
    pub(super) fn pauses(&self, process: usize) -> Vec<Span> {
        let of_it = self
            .deeds
            .iter()
            .filter(|deed| deed.process == Some(process));
        spans(of_it, |step| match step {
            Step::Pause(_) => Some(true),
            // A stopped process can be killed, and is then not stopped any more.
            Step::GoOn(_) | Step::Kill(_) => Some(false),
            _ => None,
        })
    }

    /// When the engine was killed, until it was there again with nothing.
    pub(super) fn emptyings(&self) -> Vec<Span> {
        spans(self.deeds.iter(), |step| match step {
            Step::KillEngine => Some(true),
            Step::StartEngine => Some(false),
            _ => None,
        })
    }

    /// When a node could not reach the engine, or not as usual.
    pub(super) fn out_of_reach(&self, node: NodeNumber) -> Vec<Span> {
        let mut all = spans(self.deeds.iter(), |step| match step {
            Step::Link(other, link) if *other == node => Some(*link != Link::Open),
            _ => None,
        });
        all.extend(spans(self.deeds.iter(), |step| match step {
            Step::PauseEngine => Some(true),
            Step::EngineGoesOn => Some(false),
            _ => None,
        }));
        all.extend(self.emptyings());
        all.extend(self.failovers());
        all
    }

    /// Whether a node could not reach the engine at some time since then.
    pub(super) fn was_out_of_reach(&self, node: NodeNumber, since_ns: u64) -> bool {
        let away = self.out_of_reach(node);
        away.iter().any(|span| span.to_ns >= since_ns)
    }

    /// When a replica was behind, until it was the engine.
    fn failovers(&self) -> Vec<Span> {
        spans(self.deeds.iter(), |step| match step {
            Step::HoldReplica => Some(true),
            Step::FailOver => Some(false),
            _ => None,
        })
    }

    /// When something was wrong with one of the nodes, or with a way to or from it.
    pub(super) fn nodes_faults(&self) -> Vec<Span> {
        let nodes = self.processes.iter().map(|node| node.0).max();
        let nodes = (0..=nodes.unwrap_or(0)).map(NodeNumber);
        let process = |node| {
            spans(self.deeds.iter(), move |step| match step {
                Step::Kill(n) | Step::Pause(n) | Step::Drain(n) if *n == node => Some(true),
                Step::Start(n) | Step::GoOn(n) if *n == node => Some(false),
                _ => None,
            })
        };
        let way = |node| {
            spans(self.deeds.iter(), move |step| match step {
                Step::Link(n, link) if *n == node => Some(*link != Link::Open),
                _ => None,
            })
        };
        let peers = |node| {
            spans(self.deeds.iter(), move |step| match step {
                Step::Peers(n, link) if *n == node => Some(*link != Link::Open),
                _ => None,
            })
        };
        let all = nodes.map(|node| [process(node), way(node), peers(node)].concat());
        all.flatten().collect()
    }
}

/// From each deed that begins something (true) to the next one that ends it.
fn spans<'a>(
    deeds: impl Iterator<Item = &'a Deed>,
    begins: impl Fn(&Step) -> Option<bool>,
) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for deed in deeds {
        let open = spans.last_mut().filter(|span| span.to_ns == u64::MAX);
        match (begins(&deed.step), open) {
            (Some(true), None) => spans.push(Span {
                from_ns: deed.at_ns,
                to_ns: u64::MAX,
            }),
            (Some(false), Some(span)) => span.to_ns = deed.at_ns,
            _ => {}
        }
    }
    spans
}
