//! When members get what is passed on to all of them: once a tick, as far as their in-flight window
//! goes, before the tick's snapshot. It counts in the same window as snapshots do, so that what
//! others do never piles up at somebody who can't take it: they get it later, as it is then. What
//! there is to tell is kept by `notices` and `chat`.

use std::mem;

use bytes::Bytes;
use tickwire::limits::MEMBERS_PER_PAGE;
use tickwire::protocol::ServerMessage;

use super::send_rate::in_flight::InFlightWindow;
use super::told::{CHAT_BYTES_PER_SECOND, Told};
use super::{Effect, Room};
use crate::game::Game;

/// And at once: what a room remembers of ordinary lines.
const CHAT_BYTES_BURST: u32 = 4 * CHAT_BYTES_PER_SECOND;
/// Of a message in a frame: its header.
const HEADER_BYTES: u32 = 4;

impl<G: Game> Room<G> {
    /// Sends every member what they lack, as far as they can take it.
    pub(super) fn spread(&mut self) {
        let (tick, tick_rate) = (self.tick, self.options.tick_rate);
        self.notices.compare(&self.members, tick, tick_rate);
        if !self.notices.is_pending() && !self.chat.is_pending() {
            return;
        }
        let cadence = self.cadence;
        let host = self.members.host();
        // What those lack who take nothing is not even made.
        let takers = self
            .members
            .receivers()
            .filter(|receiver| receiver.in_flight.left_for_control(tick, cadence) > 0);
        let (newest, said) = (self.notices.newest, self.chat.said);
        let from = takers
            .map(|receiver| receiver.told.news)
            .min()
            .unwrap_or(newest);
        let mut news = mem::take(&mut self.workspace.news);
        self.notices.pending(&self.members, from, &mut news);
        let mut everyone = (newest, said);
        let mut own_left = false;
        for (own, receiver) in self.members.told_mut(host) {
            let to = receiver.player;
            let mut told = receiver.told;
            let mut left = receiver.in_flight.left_for_control(tick, cadence);
            let mut send = |bytes: Bytes, in_flight: &mut InFlightWindow| {
                let size = bytes.len() as u32 + HEADER_BYTES;
                in_flight.told(size);
                self.effects.push_back(Effect::Control { to, bytes });
                size
            };
            if left > 0 {
                let from = mem::replace(&mut told.news, newest);
                for news in &news {
                    if news.number <= from {
                        continue;
                    }
                    if left == 0 {
                        told.news = news.number - 1;
                        break;
                    }
                    let bytes = match news.about == to {
                        // As they are now, whatever the others were told.
                        true if told.own != own => {
                            told.own = own;
                            own.encode(to)
                        }
                        false if news.concerns(from) => news.bytes.clone(),
                        _ => continue,
                    };
                    left = left.saturating_sub(send(bytes, &mut receiver.in_flight));
                }
                if told.own != own && left > 0 {
                    left = left.saturating_sub(send(own.encode(to), &mut receiver.in_flight));
                    told.own = own;
                }
            }
            own_left |= told.own != own;
            told.leak(tick, tick_rate);
            for (line, message) in self.chat.messages_after(told.chat) {
                if left == 0 || told.chat_bytes >= CHAT_BYTES_BURST {
                    break;
                }
                self.stats.chat_lost += u64::from(line - told.chat - 1);
                let size = send(message.clone(), &mut receiver.in_flight);
                left = left.saturating_sub(size);
                told.chat_bytes += size;
                told.chat = line;
            }
            self.stats.told_late += u64::from(told.news < newest || told.chat < said);
            receiver.told = told;
            everyone = (everyone.0.min(told.news), everyone.1.min(told.chat));
        }
        let members = &self.members;
        let unheard = |came: u64, went: u64| {
            members
                .receivers()
                .any(|receiver| (came..went).contains(&receiver.told.news))
        };
        self.notices.all_told(everyone.0, own_left, unheard);
        self.chat.all_told(everyone.1);
        news.clear();
        self.workspace.news = news;
    }

    /// Tells a player that they have a seat, and all that there is to know; `seen` is the last line
    /// of chat that they know of.
    pub(super) fn tell_joined(&mut self, player: tickwire::ids::PlayerId, seen: u32) {
        let (tick, tick_rate) = (self.tick, self.options.tick_rate);
        self.notices.compare(&self.members, tick, tick_rate);
        let host = self.members.host();
        if let Some(member) = self.members.get_mut(player) {
            let own = member.flags(host);
            member.receiver.told = Told::all(self.notices.newest, self.chat.said, own, tick);
        }
        let mut members = self.notices.members(&self.members, player);
        // The first page has the player.
        members.sort_by_key(|member| member.player != player);
        let mut pages = members.chunks(MEMBERS_PER_PAGE);
        let joined = ServerMessage::Joined {
            room: self.info(),
            code: self.options.code.clone(),
            you: Some(player),
            tick_rate,
            snapshot_every: self.options.snapshot_every,
            tick,
            members: pages.next().unwrap_or_default().to_vec(),
            more: pages.len() > 0,
            chat: self.chat.after(seen),
            options: Vec::new(),
        };
        self.tell(player, &joined);
        while let Some(page) = pages.next() {
            let members = page.to_vec();
            let more = pages.len() > 0;
            self.tell(player, &ServerMessage::Members { members, more });
        }
    }
}
