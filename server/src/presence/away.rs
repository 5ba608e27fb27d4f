//! A connection that another node of the cluster has and lends to this one: what is put into its
//! mailbox here waits for the way back to that node, whose own mailbox of it has the bounds that any
//! has. What is for many connections of one node goes there once, with whom it is for.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::mailbox::{STANDINGS, Shown};
use super::party_channel::PartyChannel;
use super::{At, Blocked, Standing, Window};
use crate::auth::Handle;

/// Bytes that wait for a node: seconds of what its link takes. Beyond: it does not take what it is
/// sent, so its connections are lent anew, and their clients ask again.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// While so many wait no hint is added: it would come late.
const HINTED_BYTES_MAX: usize = 32 * 1024;
/// Connections that one piece of mail is for: their numbers take less than half of a frame.
/// Beyond: it goes again, for the others.
const TO_MAX: usize = 1024;
/// So far back it is looked for the same mail: what a line is to its speaker, to who has blocked them
/// and to all others comes mixed.
const NEAR: usize = 4;
/// Bytes of a piece of mail beside its text, about.
const MAIL_BYTES: usize = 48;

/// For whom, by the numbers of who lends them, and what.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) to: Vec<u64>,
    pub(crate) what: Sent,
}

/// What is put into a mailbox.
#[derive(Clone, Debug)]
pub(crate) enum Sent {
    /// A notice that is lost to who is away.
    Letter(Bytes),
    /// See [`super::Online::reply`].
    Reply(Bytes),
    /// A part of [`super::Online::answer`], and whether it is the last.
    Part(Bytes, bool),
    /// See [`super::Online::tell_line`].
    Line(Window, Bytes),
    /// See [`super::Online::show`].
    Stands(Standing, Bytes),
    /// See [`super::Online::tell_of`].
    At(Handle, At),
    /// See [`super::Online::hint`].
    Hint(Bytes),
    /// See [`super::Presence::set_party`].
    InParty(Option<PartyChannel>),
    /// See [`super::Online::show_crowd`].
    Crowd(Arc<Shown>),
    /// See [`super::Online::block`].
    Blocked(Arc<Blocked>),
    /// See [`super::Online::hear`].
    Hears(bool),
    /// What was asked is not answered: nobody knows the connection here.
    Unknown,
}

impl Sent {
    fn len(&self) -> usize {
        match self {
            Sent::Letter(bytes)
            | Sent::Reply(bytes)
            | Sent::Part(bytes, _)
            | Sent::Line(_, bytes)
            | Sent::Hint(bytes)
            | Sent::Stands(_, bytes) => bytes.len(),
            Sent::Blocked(blocked) => blocked.len() * 64,
            Sent::Crowd(shown) => shown.people.len() * 48,
            Sent::At(..) | Sent::InParty(_) | Sent::Hears(_) | Sent::Unknown => 0,
        }
    }

    /// Whether it is the very same, for somebody else.
    fn is_same(&self, other: &Sent) -> bool {
        let same = |a: &Bytes, b: &Bytes| a.as_ptr() == b.as_ptr() && a.len() == b.len();
        match (self, other) {
            (Sent::Letter(a), Sent::Letter(b)) => same(a, b),
            (Sent::Line(of, a), Sent::Line(with, b)) => of == with && same(a, b),
            (Sent::Crowd(a), Sent::Crowd(b)) => Arc::ptr_eq(a, b),
            (Sent::Hint(a), Sent::Hint(b)) => same(a, b),
            (Sent::Stands(of, a), Sent::Stands(with, b)) => of == with && same(a, b),
            _ => false,
        }
    }
}

/// What waits for the way to one node.
#[derive(Debug)]
pub(crate) struct Outgoing {
    waiting: Mutex<Waiting>,
    /// Wakes who carries it.
    wake: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Waiting {
    mail: VecDeque<Mail>,
    bytes: usize,
    /// Something was lost.
    is_over: bool,
}

impl Outgoing {
    pub(crate) fn new(wake: Arc<Notify>) -> Outgoing {
        Outgoing {
            waiting: Mutex::default(),
            wake,
        }
    }

    /// For a connection, behind all that was put in for it before.
    pub(crate) fn push(&self, to: u64, what: Sent) {
        let mut waiting = self.waiting.lock();
        let is_hint = matches!(what, Sent::Hint(_));
        if waiting.is_over || is_hint && waiting.bytes > HINTED_BYTES_MAX {
            return;
        }
        let near = waiting.mail.iter_mut().rev().take(NEAR);
        let mut same = near.filter(|mail| mail.to.len() < TO_MAX && mail.what.is_same(&what));
        match same.next() {
            Some(mail) => {
                mail.to.push(to);
                waiting.bytes += size_of::<u64>();
            }
            None => {
                waiting.bytes += MAIL_BYTES + what.len();
                let to = vec![to];
                waiting.mail.push_back(Mail { to, what });
            }
        }
        if waiting.bytes > WAITING_BYTES_MAX {
            *waiting = Waiting {
                is_over: true,
                ..Waiting::default()
            };
        }
        drop(waiting);
        self.wake.notify_one();
    }

    /// The oldest of it, about so many bytes; `None`: some was lost, so that the rest is of no use.
    pub(crate) fn take(&self, most: usize) -> Option<Vec<Mail>> {
        let mut waiting = self.waiting.lock();
        if waiting.is_over {
            return None;
        }
        let (mut taken, mut bytes) = (Vec::new(), 0);
        while bytes < most
            && let Some(mail) = waiting.mail.pop_front()
        {
            bytes += MAIL_BYTES + mail.what.len() + mail.to.len() * size_of::<u64>();
            taken.push(mail);
        }
        waiting.bytes = match waiting.mail.is_empty() {
            true => 0,
            false => waiting.bytes.saturating_sub(bytes),
        };
        Some(taken)
    }

    /// Whether there is anything to take.
    pub(crate) fn has_some(&self) -> bool {
        let waiting = self.waiting.lock();
        waiting.is_over || !waiting.mail.is_empty()
    }
}

/// What a stand-in holds for as long as it is there.
pub(crate) type Held = Box<dyn Any + Send>;

/// Where the connection of a stand-in is: see the module's description.
pub(crate) struct Away {
    /// Its number where it is.
    pub(crate) number: u64,
    /// Whether its client understands notices.
    pub(crate) takes_notices: bool,
    /// What else it understands, by [`Standing`].
    pub(crate) attends: [bool; STANDINGS],
    /// Whether its client was told last that it is in the queue.
    pub(crate) is_queued: bool,
    pub(crate) out: Arc<Outgoing>,
    pub(crate) held: Mutex<Vec<Held>>,
}

impl Away {
    pub(super) fn send(&self, what: Sent) {
        self.out.push(self.number, what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(out: &Outgoing, to: u64, bytes: &Bytes) {
        out.push(to, Sent::Line(Window::Lobby, bytes.clone()));
    }

    #[test]
    fn what_many_hear_goes_once_and_in_order() {
        let out = Outgoing::new(Arc::default());
        let (all, own) = (Bytes::from_static(b"all"), Bytes::from_static(b"own"));
        for to in 0..10 {
            line(&out, to, if to == 4 { &own } else { &all });
        }
        // The same text that is said again is another line.
        line(&out, 1, &Bytes::from(b"all".to_vec()));
        let told = out.take(usize::MAX).unwrap();
        let to: Vec<Vec<u64>> = told.iter().map(|mail| mail.to.clone()).collect();
        assert_eq!(to, [vec![0, 1, 2, 3, 5, 6, 7, 8, 9], vec![4], vec![1]]);
        assert!(!out.has_some());
        for to in 0..2 * TO_MAX as u64 + 1 {
            line(&out, to, &all);
        }
        assert_eq!(out.take(usize::MAX).unwrap().len(), 3);
    }

    #[test]
    fn a_hint_goes_where_little_waits() {
        let out = Outgoing::new(Arc::default());
        let hint = Bytes::from_static(b"hint");
        (0..3).for_each(|to| out.push(to, Sent::Hint(hint.clone())));
        out.push(1, Sent::Reply(vec![7; HINTED_BYTES_MAX].into()));
        (3..6).for_each(|to| out.push(to, Sent::Hint(hint.clone())));
        line(&out, 9, &hint);
        let told = out.take(usize::MAX).unwrap();
        let to: Vec<Vec<u64>> = told.iter().map(|mail| mail.to.clone()).collect();
        assert_eq!(to, [vec![0, 1, 2], vec![1], vec![9]]);
    }

    #[test]
    fn what_is_not_taken_ends_it() {
        let out = Outgoing::new(Arc::default());
        let text = Bytes::from(vec![7; 16 * 1024]);
        for _ in 0..WAITING_BYTES_MAX / text.len() - 1 {
            out.push(1, Sent::Reply(text.clone()));
        }
        let taken = out.take(text.len()).unwrap();
        assert_eq!(taken.len(), 1);
        for _ in 0..3 {
            out.push(1, Sent::Reply(text.clone()));
        }
        assert!(out.has_some());
        assert!(out.take(1).is_none());
        out.push(1, Sent::Hears(true));
        assert!(out.take(1).is_none(), "it stays so");
    }
}
