//! What was said in a room: the last lines, for those who join later.

use std::collections::VecDeque;

use tickwire::ids::PlayerId;
use tickwire::limits::{CHAT_CHARS_MAX, CHAT_HISTORY_MAX};
use tickwire::protocol::server_message::ChatLine;

/// The last [`CHAT_HISTORY_MAX`] lines, oldest first.
#[derive(Debug, Default)]
pub(super) struct Chat {
    lines: VecDeque<ChatLine>,
    said: u32,
}

impl Chat {
    /// Takes a line, unless it is empty or too long.
    pub(super) fn say(&mut self, from: PlayerId, name: &str, text: &str) -> Option<ChatLine> {
        let text = text.trim();
        let chars = text.chars().count();
        if !(1..=CHAT_CHARS_MAX).contains(&chars) || text.chars().any(char::is_control) {
            return None;
        }
        self.said += 1;
        let line = ChatLine {
            id: self.said,
            from,
            name: name.to_owned(),
            text: text.to_owned(),
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
