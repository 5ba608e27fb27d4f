//! What was said in a room: the last lines, for those who join later and those who can't take them
//! yet. Who gets them when is `spread`'s business.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use serde::{Deserialize, Serialize, Serializer};
use tickwire::codec::encode_server;
use tickwire::ids::{PlayerId, Tick};
use tickwire::limits::{CHAT_CHARS_MAX, CHAT_HISTORY_MAX, NAME_CHARS_MAX, PLAYERS_PER_ROOM_MAX};
use tickwire::protocol::ServerMessage;
use tickwire::protocol::server_message::ChatLine;

use super::hidden::{Hidden, veiled};
use crate::game::Identity;
use crate::text::chat_line;

/// Lines that may have been said after a room was saved: in a full one 1,000 a second, for a minute
/// and a half. Beyond: who has seen them does not get the next ones of the same numbers.
const UNREMEMBERED: u32 = 100_000;

/// The last [`CHAT_HISTORY_MAX`] lines, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Chat {
    lines: VecDeque<Line>,
    pub(super) said: u32,
    /// Up to which line everyone present was sent them.
    everyone: u32,
    /// Of each member the nonce of the newest line that had one, and that line's number: what they
    /// say of this nonce again they have said.
    once: BTreeMap<PlayerId, (u32, u32)>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(from = "(ChatLine, Tick)")]
pub(super) struct Line {
    pub(super) line: ChatLine,
    /// When it was said.
    tick: Tick,
    /// As it goes out.
    pub(super) message: Bytes,
    /// Who said it. Not saved: after that it is known of those who are still there.
    pub(super) who: Option<Identity>,
}

impl From<(ChatLine, Tick)> for Line {
    fn from((line, tick): (ChatLine, Tick)) -> Line {
        let message = encode_server(&ServerMessage::Chat { line: line.clone() }).into();
        Line {
            line,
            tick,
            message,
            who: None,
        }
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (&self.line, self.tick).serialize(to)
    }
}

impl Chat {
    /// Takes a line, tidied; `None` if nothing is left of it or it is too long.
    pub(super) fn say(
        &mut self,
        tick: Tick,
        (from, who): (PlayerId, &Identity),
        name: &str,
        text: &str,
    ) -> Option<&ChatLine> {
        let text = chat_line(text)?;
        self.said += 1;
        let line = ChatLine {
            id: self.said,
            from,
            name: name.to_owned(),
            text,
        };
        if self.lines.len() == CHAT_HISTORY_MAX {
            self.lines.pop_front();
        }
        let mut said = Line::from((line, tick));
        said.who = Some(who.clone());
        self.lines.push_back(said);
        self.lines.back().map(|said| &said.line)
    }

    /// The line that a member's newest one with a nonce was, if it was this nonce.
    pub(super) fn said_once(&self, from: PlayerId, nonce: u32) -> Option<u32> {
        let (of, line) = self.once.get(&from)?;
        (*of == nonce).then_some(*line)
    }

    /// A member's line had this nonce.
    pub(super) fn note(&mut self, from: PlayerId, nonce: u32, line: u32) {
        self.once.insert(from, (nonce, line));
    }

    /// Whoever had this number is gone.
    pub(super) fn forget(&mut self, player: PlayerId) {
        self.once.remove(&player);
    }

    /// The lines that are newer than line `seen`, oldest first, as somebody is shown them.
    pub(super) fn after(&self, seen: u32, hidden: Option<&Hidden>) -> Vec<ChatLine> {
        let newer = self.lines.iter().filter(|said| said.line.id > seen);
        let shown = newer.filter_map(|said| match hidden {
            Some(hidden) if hidden.has(said.who.as_ref()) => {
                hidden.is_told.then(|| veiled(&said.line))
            }
            _ => Some(said.line.clone()),
        });
        shown.collect()
    }

    /// Who said the lines of which that is not known: those who are there now under these numbers.
    pub(super) fn name_speakers<'a>(&mut self, who: impl Fn(PlayerId) -> Option<&'a Identity>) {
        for said in &mut self.lines {
            if said.who.is_none() {
                said.who = who(said.line.from).cloned();
            }
        }
    }

    /// The lines that are older than line `before`, or all of them for 0, oldest first, each with
    /// the tick in which it was said, but for those that somebody is not shown.
    pub(super) fn before(
        &self,
        before: u32,
        hidden: Option<&Hidden>,
    ) -> impl Iterator<Item = (&ChatLine, Tick)> {
        let older = self
            .lines
            .iter()
            .take_while(move |said| before == 0 || said.line.id < before);
        let shown =
            older.filter(move |said| hidden.is_none_or(|hidden| !hidden.has(said.who.as_ref())));
        shown.map(|said| (&said.line, said.tick))
    }

    /// The newer ones as they go out.
    pub(super) fn said_after(&self, seen: u32) -> impl Iterator<Item = &Line> {
        let from = self.lines.partition_point(|said| said.line.id <= seen);
        self.lines.range(from..)
    }

    /// Lines may have been said that are not remembered: their numbers are not given again. Nobody
    /// is there who could be told of lines.
    pub(super) fn leave_out_some(&mut self) {
        self.said = self.said.saturating_add(UNREMEMBERED);
        self.everyone = self.said;
    }

    /// Whether these are lines that may be said, by rising number.
    pub(super) fn is_sound(&self) -> bool {
        let fits = |line: &ChatLine| {
            line.text.len() <= 4 * CHAT_CHARS_MAX && line.name.len() <= 4 * NAME_CHARS_MAX
        };
        let ids = self.lines.iter().map(|said| said.line.id);
        self.lines.len() <= CHAT_HISTORY_MAX
            && self.once.len() <= usize::from(PLAYERS_PER_ROOM_MAX)
            && self.lines.iter().all(|said| fits(&said.line))
            && ids.clone().is_sorted_by(|a, b| a < b)
            && ids.last().is_none_or(|last| last <= self.said)
            && self.said <= u32::MAX / 2
    }

    /// Whether there may be members who were not sent the newest line.
    pub(super) fn is_pending(&self) -> bool {
        self.said > self.everyone
    }

    /// Everyone present was sent the lines up to this one.
    pub(super) fn all_told(&mut self, everyone: u32) {
        self.everyone = everyone;
    }
}
