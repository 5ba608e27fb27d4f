//! Answers to what peers asked, on their way back to the connection that it came over. One that is
//! dropped says so, so that nobody waits for it and its place is free again.

use std::fmt;
use std::mem;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::wire::Head;
use crate::directory::ownership::messages::{Answer, Incarnation};

/// What goes back: a message, or only a place.
pub(super) type Said = Option<(Head, Bytes)>;

/// The place of one answer.
struct Place {
    id: u64,
    /// Has room for each that was asked.
    back: mpsc::Sender<Said>,
}

impl Place {
    fn say(&self, said: Said) {
        // A connection that is gone has no use for it.
        let _ = self.back.try_send(said);
    }
}

/// Answers a question about this node's contact.
pub(crate) struct ContactReply(Place, Said);

impl ContactReply {
    pub(super) fn new(id: u64, back: &mpsc::Sender<Said>) -> ContactReply {
        let back = back.clone();
        ContactReply(Place { id, back }, None)
    }

    /// The answer, of this moment. [`Answer::Refused`] can't be said and is none.
    pub(crate) fn send(mut self, answer: Answer) {
        let (has, who) = match answer {
            Answer::Contact(who) => (true, who),
            Answer::NoContact(who) => (false, who),
            Answer::Refused => return,
        };
        let (id, Incarnation(who)) = (self.0.id, who);
        self.1 = Some((Head::ContactIs { id, has, who }, Bytes::new()));
    }
}

impl Drop for ContactReply {
    fn drop(&mut self) {
        self.0.say(mem::take(&mut self.1));
    }
}

impl fmt::Debug for ContactReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ContactReply").field(&self.0.id).finish()
    }
}

/// Answers what a node asked. Dropped, it answers nothing.
pub(crate) struct Reply(Place, Option<Bytes>);

impl Reply {
    pub(super) fn new(id: u64, back: &mpsc::Sender<Said>) -> Reply {
        let back = back.clone();
        Reply(Place { id, back }, None)
    }

    /// The answer, at most [`super::wire::ASK_BYTES_MAX`]; more is none.
    pub(crate) fn send(mut self, body: Bytes) {
        self.1 = Some(body).filter(|body| body.len() <= super::wire::ASK_BYTES_MAX);
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        let id = self.0.id;
        let body = self.1.take();
        let is_some = body.is_some();
        let said = (Head::Answer { id, is_some }, body.unwrap_or_default());
        self.0.say(Some(said));
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reply").field(&self.0.id).finish()
    }
}
