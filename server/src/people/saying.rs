//! A line, from who says it to those who hear it.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tickwire::protocol::people::Line;
use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{CHANNEL_LOBBY, ServerMessage};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
use tokio::time::timeout;

use super::channel::{Channel, Said, first_number};
use super::{People, SETTLE, Where, busy, encoded, of_party, of_two};
use crate::auth::Identity;
use crate::date::{self, Date};
use crate::presence::{Online, PartyChannel, Standing, Window};
use crate::store::record::Record;
use crate::text::chat_line;

/// Times that a number is tried that another server may have given as well.
const TRIES_MAX: usize = 5;
/// Lines of a channel that are followed at once: what others said since. Beyond: they are later.
const FOLLOWED_PAGES_MAX: usize = 20;

/// With whom a channel is.
pub(super) enum With {
    /// All in the lobby.
    Lobby,
    /// This other one.
    Peer(Identity),
    /// All in the party.
    Party(PartyChannel),
}

/// A channel, and with whom it is.
pub(super) struct Meant {
    pub(super) key: String,
    pub(super) with: With,
    pub(super) channel: OwnedMutexGuard<Channel>,
}

impl People {
    /// Says a line; its number.
    pub(super) async fn say(
        &self,
        from: &Arc<Online>,
        to: Where,
        nonce: u32,
        text: &str,
        now: Instant,
    ) -> Result<u32, Refusal> {
        let mut meant = match self.meant(from, to, now).await {
            Ok(meant) => meant,
            Err(reason) => {
                // Who tries handles may do so no faster than who has something to say.
                let may = reason != Refusal::NoSuchPlayer || self.may_talk(&from.identity);
                return Err(if may { reason } else { Refusal::TooOften });
            }
        };
        let who = &from.identity;
        if let Some(id) = meant.channel.said_once(who, nonce) {
            return Ok(id);
        }
        if from.muted_s(Date::now()) > 0 {
            self.metrics.people_muted.increment(1);
            return Err(Refusal::Muted);
        }
        let is_lobby = matches!(meant.with, With::Lobby);
        if !self.may_talk(who) || is_lobby && !meant.channel.may_grow(now) {
            return Err(Refusal::TooOften);
        }
        let text = chat_line(text).ok_or(Refusal::BadText)?;
        let said = Said {
            id: 0,
            at_ms: date::now_ms(),
            from: Some(who.clone()),
            name: from.name.to_string(),
            text,
            nonce: Some(nonce),
        };
        let said = self.keep(&mut meant, who, said).await?;
        self.remember(who, &from.name);
        self.tell(from, &meant, &said, now);
        Ok(said.id)
    }

    /// The channel that somebody means, once it is their turn there, with what is stored of it.
    pub(super) async fn meant(
        &self,
        who: &Online,
        to: Where,
        now: Instant,
    ) -> Result<Meant, Refusal> {
        let (key, with) = match to {
            Where::Lobby => (format!("lobby:{}", who.game), With::Lobby),
            Where::Party(party) if who.party() == Some(party) => {
                (format!("party:{party}"), With::Party(party))
            }
            Where::Party(_) => return Err(Refusal::NotInRoom),
            Where::Two(handle) => {
                let (peer, _) = self.find(handle).await?;
                if peer == who.identity {
                    return Err(Refusal::NoSuchPlayer);
                }
                let key = self.key.channel_of_two(&who.identity, &peer);
                (key, With::Peer(peer))
            }
        };
        let channel = {
            let mut channels = self.channels.lock();
            let new = || Arc::new(Turn::new(Channel::new(now)));
            channels.entry(&key, new).clone()
        };
        let mut channel = channel.lock_owned().await;
        self.load(&key, &mut channel).await?;
        Ok(Meant { key, with, channel })
    }

    /// Looks up what is stored of a channel: once, or each time where others may have said
    /// something.
    async fn load(&self, key: &str, channel: &mut Channel) -> Result<(), Refusal> {
        if channel.is_loaded {
            return match self.store.is_shared() {
                true => self.follow(key, channel).await,
                false => Ok(()),
            };
        }
        if self.store.is_there() {
            // One that was forgotten may have lines on their way to the store.
            let was_known = self.channels.lock().has_forgotten;
            if was_known && !timeout(SETTLE, self.store.settled()).await.unwrap_or(false) {
                return Err(Refusal::Busy);
            }
            let stored = self.store.messages_before(key, None).await;
            let stored = stored.map_err(|error| busy(&error))?;
            for said in stored.into_iter().filter_map(Said::read) {
                channel.push(said);
            }
        }
        channel.leave_out(first_number(date::now_ms()));
        channel.is_loaded = true;
        Ok(())
    }

    /// Reads what other servers stored of it since.
    async fn follow(&self, key: &str, channel: &mut Channel) -> Result<(), Refusal> {
        for _ in 0..FOLLOWED_PAGES_MAX {
            let after = channel.before(0).last().map_or(0, |said| said.id);
            let newer = self.store.messages_after(key, after.into()).await;
            let newer = newer.map_err(|error| busy(&error))?;
            let is_last = (newer.len() as u64) < crate::store::PAGE;
            for said in newer.into_iter().filter_map(Said::read) {
                channel.push(said);
            }
            if is_last {
                return Ok(());
            }
        }
        Err(Refusal::Busy)
    }

    /// Gives a line its number, and stores it.
    async fn keep(
        &self,
        meant: &mut Meant,
        who: &Identity,
        mut said: Said,
    ) -> Result<Said, Refusal> {
        let Meant { key, channel, .. } = meant;
        let next = |channel: &Channel| channel.newest().checked_add(1).ok_or(Refusal::Busy);
        if !self.store.is_shared() {
            said.id = next(channel)?;
            self.store.put(Record::Message(said.stored(key, who)));
            channel.push(said.clone());
            return Ok(said);
        }
        let nonce = said.nonce.unwrap_or(0);
        for _ in 0..TRIES_MAX {
            said.id = next(channel)?;
            let record = Record::Message(said.stored(key, who));
            let stored = self.store.put_acknowledged(record);
            if !matches!(timeout(SETTLE, stored).await, Ok(Ok(()))) {
                // It may be there later: whoever says it again finds it.
                return Err(Refusal::Busy);
            }
            // Another server's line may have the number.
            self.follow(key, channel).await?;
            if let Some(id) = channel.said_once(who, nonce) {
                said.id = id;
                return Ok(said);
            }
        }
        Err(Refusal::Busy)
    }

    /// Tells those who hear the channel here.
    fn tell(&self, from: &Online, meant: &Meant, said: &Said, now: Instant) {
        let who = &from.identity;
        let peer = match &meant.with {
            With::Lobby => {
                self.metrics.lines_lobby.increment(1);
                let is_there = |of: &Online| of.game == from.game && of.hears(Window::Lobby);
                let here = self.presence.all(is_there);
                return self.tell_all(&here, (Window::Lobby, CHANNEL_LOBBY), said, who, now);
            }
            With::Party(party) => {
                self.metrics.lines_party.increment(1);
                let mut here = self.presence.of_party(*party);
                here.retain(|online| online.attends(Standing::Talk));
                let channel = of_party(*party);
                return self.tell_all(&here, (Window::Party, &channel), said, who, now);
            }
            With::Peer(peer) => peer,
        };
        self.metrics.lines_direct.increment(1);
        self.mark(peer, who, said.id, 0);
        let channel = |of: &Identity| of_two(&self.key.handle(of));
        let own = self.line(channel(peer), said, true);
        for online in self.presence.of_player(who) {
            self.hand(&online, Window::Two, &own, now);
        }
        let theirs = self.line(channel(who), said, false);
        for online in self.presence.of_player(peer) {
            if online.has_blocked(who) {
                let nothing = nothing(channel(who), said);
                self.hand(&online, Window::Two, &nothing, now);
            } else {
                self.hand(&online, Window::Two, &theirs, now);
            }
        }
    }

    /// Tells these all the same.
    fn tell_all(
        &self,
        here: &[Arc<Online>],
        (window, channel): (Window, &str),
        said: &Said,
        who: &Identity,
        now: Instant,
    ) {
        let own = self.line(channel.to_owned(), said, true);
        let others = self.line(channel.to_owned(), said, false);
        let nothing = nothing(channel.to_owned(), said);
        for online in here {
            let line = match online.identity == *who {
                true => &own,
                false if online.has_blocked(who) => &nothing,
                false => &others,
            };
            self.hand(online, window, line, now);
        }
    }

    fn hand(&self, to: &Online, window: Window, line: &Bytes, now: Instant) {
        if to.hears(window) {
            let lost = to.tell_line(window, line.clone(), now);
            self.metrics.lines_dropped.increment(lost.into());
        }
    }

    fn line(&self, channel: String, said: &Said, own: bool) -> Bytes {
        let line = self.shown(said, own);
        encoded(&ServerMessage::Line { channel, line })
    }

    /// A line as somebody is shown it.
    pub(super) fn shown(&self, said: &Said, own: bool) -> Line {
        let from = said.from.as_ref().map(|from| self.key.handle(from));
        Line {
            id: said.id,
            at: u32::try_from(said.at_ms / 1000).unwrap_or(u32::MAX),
            from: from.map_or_else(String::new, |from| from.to_string()),
            own,
            name: said.name.clone(),
            text: said.text.clone(),
        }
    }
}

/// What they are told of a line who do not want to hear whoever said it: that its number is one.
fn nothing(channel: String, said: &Said) -> Bytes {
    let line = Line {
        id: said.id,
        at: u32::try_from(said.at_ms / 1000).unwrap_or(u32::MAX),
        from: String::new(),
        own: false,
        name: String::new(),
        text: String::new(),
    };
    encoded(&ServerMessage::Line { channel, line })
}
