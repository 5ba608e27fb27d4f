//! What the players of several nodes have in common, as the cluster carries it: frames of
//! [`crate::lending`] come and go here, and what comes of them is done.

use std::time::Instant;

use bytes::Bytes;
use tickwire::ids::RoomId;

use super::of_node::NodeLobby;
use super::shared::Shared;
use crate::auth::Identity;
use crate::directory::ownership::messages::Incarnation;
use crate::lending::wire::FrameError;
use crate::lending::{Answer, Audience, Do, NodeId, Question};
use crate::notices::{Reached, To};
use crate::presence::{Letter, Whereabouts};

/// Connections of a player that are told to another node: more than anybody is shown.
const CONNECTIONS_MAX: usize = 16;

impl Shared {
    /// This node is this incarnation, and these others live.
    pub(super) fn meet(&self, me: Incarnation, others: &[(Incarnation, String)], now: Instant) {
        if let Some(nodes) = self.nodes.get() {
            nodes.live(me, others);
        }
        let others = others.iter().map(|(Incarnation(other), _)| NodeId(*other));
        self.do_lent(self.lending.live(NodeId(me.0), others, now), now);
    }

    /// A second passed.
    pub(super) fn tend_lending(&self, now: Instant) {
        self.do_lent(self.lending.tend(now), now);
    }

    /// A frame came from a node.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn lent(
        &self,
        Incarnation(from): Incarnation,
        frame: &[u8],
        now: Instant,
    ) -> Result<(), FrameError> {
        let done = self.lending.came(NodeId(from), frame, now)?;
        self.do_lent(done, now);
        Ok(())
    }

    /// The next frame for one of the nodes that take one now.
    pub(super) fn next_lent(
        &self,
        takes: impl Fn(Incarnation) -> bool,
    ) -> Option<(Incarnation, Bytes)> {
        let takes = |NodeId(node)| takes(Incarnation(node));
        let (NodeId(to), frame) = self.lending.next_frame(takes)?;
        Some((Incarnation(to), frame))
    }

    pub(super) fn do_lent(&self, done: Vec<Do>, now: Instant) {
        for what in done {
            if let Do::Greet {
                who,
                party,
                channel,
                ..
            } = &what
            {
                self.greet_lent(who, (party, *channel), now);
            }
            let left = self.people.do_lent(what, now);
            let left = left.and_then(|what| self.do_joint(what, now));
            if let Some(Do::Ask { from, id, what }) = left {
                let answer = self.answered(what).unwrap_or(Answer::None);
                self.lending.answer(from, id, answer);
            }
        }
    }

    /// What a node asks; `None`: that is none that this version asks.
    fn answered(&self, what: Question) -> Option<Answer> {
        match what {
            Question::Tell { to, game, letter } => {
                let to = match to {
                    Audience::All => To::Everybody,
                    Audience::Room(room) => To::Room(RoomId(room)),
                    Audience::Player(player) => To::Player(Identity::read(&player)?),
                };
                let letter = Letter {
                    number: 0,
                    bytes: letter.into(),
                };
                let Reached { now, later } = self.notices.tell(&to, game.as_deref(), &letter);
                Some(Answer::Told { now, later })
            }
            Question::Where { players } => {
                let players = players.iter().map(|player| Identity::read(player));
                let players: Vec<Identity> = players.collect::<Option<_>>()?;
                let there = self.moderation.presence().whereabouts(&players);
                let of_one = |connections: Vec<Whereabouts>| {
                    let shown = connections.into_iter().take(CONNECTIONS_MAX);
                    shown
                        .map(|of| (of.game.to_owned(), of.room.map_or(0, |room| room.0)))
                        .collect()
                };
                Some(Answer::There(there.into_iter().map(of_one).collect()))
            }
        }
    }
}

impl NodeLobby {
    /// This node is this incarnation, and these others live.
    pub(crate) fn meet(&self, me: Incarnation, others: &[(Incarnation, String)], now: Instant) {
        self.shared.meet(me, others, now);
    }

    /// See [`Shared::lent`].
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn lent(
        &self,
        from: Incarnation,
        frame: &[u8],
        now: Instant,
    ) -> Result<(), FrameError> {
        self.shared.lent(from, frame, now)
    }

    /// See [`Shared::next_lent`].
    pub(crate) fn next_lent(
        &self,
        takes: impl Fn(Incarnation) -> bool,
    ) -> Option<(Incarnation, Bytes)> {
        self.shared.next_lent(takes)
    }

    /// Done when there may be some.
    pub(crate) async fn has_lent(&self) {
        self.shared.lending.has_frames().await;
    }
}
