//! When members get what is passed on to all of them: once a tick, as far as their in-flight window
//! goes, before the tick's snapshot. It counts in the same window as snapshots do, so that what
//! others do never piles up at somebody who can't take it: they get it later, as it is then. What
//! there is to tell is kept by `notices` and `chat`.

use std::mem;

use bytes::Bytes;
use tickwire::codec::encode_server;
use tickwire::ids::PlayerId;
use tickwire::protocol::ServerMessage;

use super::hidden::veil;
use super::receiver::Receiver;
use super::send_rate::in_flight::InFlightWindow;
use super::told::{CHAT_BYTES_PER_SECOND, Told};
use super::{Effect, Room};
use crate::by_player::is_spectator;
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
        if !self.notices.is_pending() && !self.chat.is_pending() && !self.typing.is_pending() {
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
        let typing = self.typing.take().into_iter();
        let typing = typing.map(|player| {
            let bytes = Bytes::from(encode_server(&ServerMessage::Typing { player }));
            let member = self.members.get(player);
            (player, member.map(|member| member.identity.clone()), bytes)
        });
        let typing: Vec<_> = typing.collect();
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
                        false if news.concerns(from) && told.knows(news.about) => {
                            news.bytes.clone()
                        }
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
            for said in self.chat.said_after(told.chat) {
                let line = said.line.id;
                if left == 0 || told.chat_bytes >= CHAT_BYTES_BURST {
                    break;
                }
                self.stats.chat_lost += u64::from(line - told.chat - 1);
                let hidden = receiver.hidden.as_ref();
                let hidden = hidden.filter(|hidden| hidden.has(said.who.as_ref()));
                let message = match hidden {
                    None => said.message.clone(),
                    Some(hidden) if hidden.is_told => veil(&said.line),
                    Some(_) => {
                        told.chat = line;
                        continue;
                    }
                };
                let size = send(message, &mut receiver.in_flight);
                left = left.saturating_sub(size);
                told.chat_bytes += size;
                told.chat = line;
            }
            // A hint is the first to go where not all can be told.
            let is_current = told.news == newest && told.chat == said;
            for (who, identity, bytes) in typing.iter().filter(|of| is_current && of.0 != to) {
                let hidden = receiver.hidden.as_ref();
                let is_hidden = hidden.is_some_and(|hidden| hidden.has(identity.as_ref()));
                if left == 0 || is_hidden || !told.knows(*who) {
                    continue;
                }
                left = left.saturating_sub(send(bytes.clone(), &mut receiver.in_flight));
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
        self.spread_pages();
    }

    /// Bytes of what others than the room have to say to a player or spectator that may go out now,
    /// 0 if they are not here.
    pub(crate) fn left_to_say(&mut self, to: PlayerId) -> u32 {
        let (tick, cadence) = (self.tick, self.cadence);
        let receiver = self.members.receiver_mut(to);
        receiver.map_or(0, |receiver| {
            receiver.in_flight.left_for_control(tick, cadence)
        })
    }

    /// So many bytes of it went out.
    pub(crate) fn said(&mut self, to: PlayerId, bytes: u32) {
        if let Some(receiver) = self.members.receiver_mut(to) {
            receiver.in_flight.told(bytes);
        }
    }

    /// Sends those who have got all news the next page of the members of whom they were not told,
    /// which then says how they are now.
    fn spread_pages(&mut self) {
        if !mem::take(&mut self.notices.paging) {
            return;
        }
        let (tick, cadence, newest) = (self.tick, self.cadence, self.notices.newest);
        let lacking = |receiver: &Receiver| {
            let untold = receiver.told.untold?;
            let left = receiver.in_flight.left_for_control(tick, cadence);
            let takes_it = receiver.told.news >= newest && left > 0;
            Some((receiver.player, untold, takes_it))
        };
        let lacking: Vec<_> = self.members.receivers().filter_map(lacking).collect();
        for (to, untold, takes_it) in lacking {
            if !takes_it {
                self.notices.paging = true;
                continue;
            }
            let (members, untold) = self.notices.next_page(&self.members, to, untold);
            let Some(receiver) = self.members.receiver_mut(to) else {
                continue;
            };
            let more = untold.is_some();
            let page = ServerMessage::Members { members, more };
            let bytes = Bytes::from(encode_server(&page));
            receiver.in_flight.told(bytes.len() as u32 + HEADER_BYTES);
            receiver.told.untold = untold;
            self.notices.paging |= more;
            self.effects.push_back(Effect::Control { to, bytes });
        }
    }

    /// Tells a player that they have a seat, or a spectator that they are in, and all that there is
    /// to know, of the members as many as go on a page; `seen` is the last line of chat that they
    /// know of.
    pub(super) fn tell_joined(&mut self, player: PlayerId, seen: u32) {
        let (tick, tick_rate) = (self.tick, self.options.tick_rate);
        self.notices.compare(&self.members, tick, tick_rate);
        let host = self.members.host();
        let own = self.members.get(player).map(|member| member.flags(host));
        let (members, untold) = self.notices.first_page(&self.members, player);
        let (news, chat) = (self.notices.newest, self.chat.said);
        self.notices.paging |= untold.is_some();
        let hidden = self.newcomer.take();
        let said = self.chat.after(seen, hidden.as_ref());
        if let Some(receiver) = self.members.receiver_mut(player) {
            receiver.hidden = hidden;
            receiver.told = Told::all(news, chat, own.unwrap_or_default(), untold, tick);
        }
        let joined = ServerMessage::Joined {
            room: self.info(),
            code: self.options.code.clone(),
            you: (!is_spectator(player)).then_some(player),
            tick_rate,
            snapshot_every: self.options.snapshot_every,
            tick,
            members,
            more: untold.is_some(),
            chat: said,
            options: self.options.options.bytes().to_vec(),
        };
        self.tell(player, &joined);
    }
}
