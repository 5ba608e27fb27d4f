//! What was said in a room: the last lines, for those who join later.

use std::collections::VecDeque;

use tickwire::ids::PlayerId;
use tickwire::limits::CHAT_HISTORY_MAX;
use tickwire::protocol::server_message::ChatLine;

use crate::text::chat_line;

/// The last [`CHAT_HISTORY_MAX`] lines, oldest first.
#[derive(Debug, Default)]
pub(super) struct Chat {
    lines: VecDeque<ChatLine>,
    said: u32,
}

impl Chat {
    /// Takes a line, tidied; unless nothing is left of it or it is too long.
    pub(super) fn say(&mut self, from: PlayerId, name: &str, text: &str) -> Option<ChatLine> {
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
        self.lines.push_back(line.clone());
        Some(line)
    }

    /// The lines that are newer than line `seen`, oldest first.
    pub(super) fn after(&self, seen: u32) -> Vec<ChatLine> {
        let newer = self.lines.iter().filter(|line| line.id > seen);
        newer.cloned().collect()
    }
}
