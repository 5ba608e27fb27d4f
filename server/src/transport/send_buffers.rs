//! Where clients' messages are composed, one after the other, before anything is known about their
//! lengths: each with room in front for what its transport sends before it, so that one plain write
//! sends it all. One arena serves all clients of a worker.

use std::ops::Range;

/// The arena.
#[derive(Debug, Default)]
pub struct SendBuffers {
    bytes: Vec<u8>,
    /// Where the last message starts, and the room in front of it.
    start: usize,
    room: usize,
}

/// A message among [`SendBuffers`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendBuffer(Range<usize>);

impl SendBuffer {
    /// Bytes of the message.
    pub fn message_bytes(&self) -> usize {
        self.0.len()
    }
}

impl SendBuffers {
    /// Forgets all messages.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Bytes of all messages, and of the room in front of them.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Starts a message behind so much room; append it to the result, then call `end` or `discard`.
    pub fn begin(&mut self, front_bytes: usize) -> &mut Vec<u8> {
        self.room = front_bytes;
        self.start = self.bytes.len() + self.room;
        self.bytes.resize(self.start, 0);
        &mut self.bytes
    }

    /// The message that was begun is whole.
    pub fn end(&self) -> SendBuffer {
        SendBuffer(self.start..self.bytes.len())
    }

    /// Takes back what was begun.
    pub fn discard(&mut self) {
        self.bytes.truncate(self.start - self.room);
    }

    /// The message.
    pub(super) fn message(&self, send_buffer: &SendBuffer) -> &[u8] {
        &self.bytes[send_buffer.0.clone()]
    }

    /// The message behind `front`, for which there must be room.
    pub(super) fn behind(&mut self, send_buffer: SendBuffer, front: &[&[u8]]) -> &[u8] {
        let Range { start, end } = send_buffer.0;
        let mut at = start;
        for part in front.iter().rev() {
            self.bytes[at - part.len()..at].copy_from_slice(part);
            at -= part.len();
        }
        &self.bytes[at..end]
    }
}
