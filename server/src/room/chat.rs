//! What was said in a room: the last lines, for those who join later and those who can't take them
//! yet. Who gets them when is `spread`'s business.

use std::collections::VecDeque;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tickwire::codec::encode_server;
use tickwire::ids::PlayerId;
use tickwire::limits::CHAT_HISTORY_MAX;
use tickwire::protocol::ServerMessage;
use tickwire::protocol::server_message::ChatLine;

use crate::text::chat_line;

/// The last [`CHAT_HISTORY_MAX`] lines, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Chat {
    lines: VecDeque<Line>,
    pub(super) said: u32,
    /// Up to which line everyone present was sent them.
    everyone: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "ChatLine", into = "ChatLine")]
struct Line {
    line: ChatLine,
    /// As it goes out.
    message: Bytes,
}

impl From<ChatLine> for Line {
    fn from(line: ChatLine) -> Line {
        let message = encode_server(&ServerMessage::Chat { line: line.clone() }).into();
        Line { line, message }
    }
}

impl From<Line> for ChatLine {
    fn from(said: Line) -> ChatLine {
        said.line
    }
}

impl Chat {
    /// Takes a line, tidied; false if nothing is left of it or it is too long.
    pub(super) fn say(&mut self, from: PlayerId, name: &str, text: &str) -> bool {
        let Some(text) = chat_line(text) else {
            return false;
        };
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
        self.lines.push_back(line.into());
        true
    }

    /// The lines that are newer than line `seen`, oldest first.
    pub(super) fn after(&self, seen: u32) -> Vec<ChatLine> {
        let newer = self.lines.iter().filter(|said| said.line.id > seen);
        newer.map(|said| said.line.clone()).collect()
    }

    /// The same as they go out, with their numbers.
    pub(super) fn messages_after(&self, seen: u32) -> impl Iterator<Item = (u32, &Bytes)> {
        // Their numbers have no gaps.
        let known = self.said.saturating_sub(seen) as usize;
        let from = self.lines.len().saturating_sub(known);
        let newer = self.lines.range(from..);
        newer.map(|said| (said.line.id, &said.message))
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
