//! People of several nodes: what a connection asks of a node that is not the home goes there as it is
//! wanted, and what comes here of other nodes, to the home, is served as if they were here.

use std::sync::Arc;
use std::time::Instant;

use tickwire::protocol::server_message::Refusal;

use super::{People, Wants};
use crate::lending::wire::{append, read};
use crate::lending::{Do, Key, PEOPLE, Place};
use crate::presence::Online;

impl Wants {
    /// By what the answer is known to be one.
    fn key(&self) -> Option<Key> {
        match self {
            Wants::Say(_, nonce, _) => Some(Key::Said(*nonce)),
            Wants::Read(_, nonce, _) => Some(Key::Past(*nonce)),
            Wants::Enter(nonce, _) => Some(Key::Entered(*nonce)),
            Wants::Block(_, nonce, _) => Some(Key::Answer(*nonce)),
            Wants::Greet(_) | Wants::Saw(..) => None,
        }
    }
}

impl People {
    /// A connection said hello; whether the home looks up what is to be known of it.
    pub(super) fn lends(&self, who: &Arc<Online>, is_new: bool) -> bool {
        let Some(lending) = &self.lending else {
            return false;
        };
        lending.enter(who, is_new);
        !lending.serves(who)
    }

    /// Something goes to the home, whether it is taken there; `None`: it is served here.
    pub(super) fn goes_home(&self, who: &Arc<Online>, wants: &Wants, at: Instant) -> Option<bool> {
        let lending = self.lending.as_ref()?;
        if matches!(wants, Wants::Greet(_)) || lending.serves(who) {
            return None;
        }
        let mut body = vec![PEOPLE];
        append(wants, &mut body);
        match lending.request(who, wants.key(), body.into(), at) {
            Place::Here => None,
            Place::Home => Some(true),
            Place::Nowhere => Some(false),
        }
    }

    /// Does what comes of other nodes, at the home; what is not for people is left.
    pub(crate) fn do_lent(&self, what: Do, now: Instant) -> Option<Do> {
        match what {
            Do::Greet {
                who,
                blocked: Some(blocked),
                ..
            } => {
                if !self.store.is_there() {
                    self.unstored.lock().recall_block(&who.identity, blocked);
                }
            }
            Do::Greet { who, is_new, .. } => self.look_up(&who, is_new, now),
            Do::Serve { who, body } if body.first() == Some(&PEOPLE) => {
                // Else it is of another version, and waited for in vain.
                if let Some(wants) = body.get(1..).and_then(read::<Wants>) {
                    let key = wants.key();
                    if !self.put(&who, wants, now)
                        && let Some(key) = key
                    {
                        key.refuse(&who, Refusal::Busy, now);
                    }
                }
            }
            Do::Know { player, name } => drop(self.remember(&player, &name)),
            what => return Some(what),
        }
        None
    }
}
