//! People of several nodes: what a connection asks of a node that is not the home goes there as it is
//! wanted, and what comes here of other nodes, to the home, is served as if they were here.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tickwire::limits::WATCHED_MAX;
use tickwire::protocol::server_message::Refusal;

use super::{People, Wants};
use crate::auth::Handle;
use crate::lending::wire::{append, read};
use crate::lending::{Do, Key, Lasting, PEOPLE, Place};
use crate::presence::Online;

impl Wants {
    /// By what the answer is known to be one.
    fn key(&self) -> Option<Key> {
        match self {
            Wants::Say(_, nonce, _) => Some(Key::Said(*nonce)),
            Wants::Read(_, nonce, _) => Some(Key::Past(*nonce)),
            Wants::Enter(nonce, _) => Some(Key::Entered(*nonce)),
            Wants::Block(_, nonce, _) => Some(Key::Answer(*nonce)),
            Wants::Greet(_) | Wants::Saw(..) | Wants::Watch(_) | Wants::Typing(_) => None,
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

    /// The same of what holds for a moment; whether it is served here.
    pub(super) fn hints_home(&self, who: &Online, wants: &Wants) -> bool {
        let Some(lending) = &self.lending else {
            return true;
        };
        let mut body = vec![PEOPLE];
        append(wants, &mut body);
        who.is_lent() || lending.hint(who, &body) == Place::Here
    }

    /// Whom a connection watches the home is to know, and another one after it; they are given back
    /// where that is here.
    pub(super) fn watches_home(
        &self,
        who: &Arc<Online>,
        mut handles: Vec<String>,
        now: Instant,
    ) -> Option<Vec<String>> {
        let Some(lending) = &self.lending else {
            return Some(handles);
        };
        // And the lobby.
        handles.truncate(WATCHED_MAX + 1);
        who.watch_only(&handles.iter().filter_map(|of| Handle::read(of)).collect());
        let mut body = vec![PEOPLE];
        let wants = Wants::Watch(handles);
        append(&wants, &mut body);
        let body = Bytes::from(body);
        lending.lasts(who, Lasting::Watch, body.clone());
        let is_here = lending.request(who, None, body, now) == Place::Here;
        match wants {
            Wants::Watch(handles) if is_here => Some(handles),
            _ => None,
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
                match body.get(1..).and_then(read::<Wants>) {
                    // Now: of two lists of a connection the later one must not be served first.
                    Some(Wants::Watch(handles)) => self.watching.ask(&who, &handles),
                    Some(Wants::Typing(to)) => self.hint(&who, to, now),
                    Some(wants) => self.serve_lent(&who, wants, now),
                    None => {}
                }
            }
            Do::Forget => {
                self.watching.forget();
                return Some(Do::Forget);
            }
            Do::Know { player, name } => drop(self.remember(&player, &name)),
            what => return Some(what),
        }
        None
    }

    fn serve_lent(&self, who: &Arc<Online>, wants: Wants, now: Instant) {
        let key = wants.key();
        if !self.put(who, wants, now)
            && let Some(key) = key
        {
            key.refuse(who, Refusal::Busy, now);
        }
    }
}
