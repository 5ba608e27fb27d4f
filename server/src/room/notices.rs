//! What members are told of one another: who came or went, who is ready, away, or the host now.
//! Once a tick the room's members are compared with what was last told; what differs gets a number,
//! and each member is sent what is newer than the newest that they were sent. So a change and its
//! taking back in between are nothing, several changes are one, and for who can't take any more
//! nothing is kept: there is one entry a seat, whoever still lacks it. When they get it is
//! `spread`'s business, lines of chat are `chat`'s.

use super::durable::COUNT_MAX;
use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tickwire::codec::encode_server;
use tickwire::ids::{PlayerId, Tick};
use tickwire::protocol::ServerMessage;
use tickwire::protocol::server_message::Member as Public;

use super::members::{Member, Members};
use super::told::Flags;

/// Changes of one member that are told at once. Beyond: told when there is one more, if it is still
/// a change. Somebody who flips a switch thirty times a second costs the others 4 bytes a second.
const CHANGES_BURST: u8 = 4;
/// Seconds until there is one more.
const CHANGE_SECONDS: u32 = 2;

/// What everyone was told of a number, or is being told.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Seat {
    /// Who has it, by their number of joining; 0: nobody.
    order: u32,
    told: Flags,
    /// The number of the news that they came, and that they changed last.
    came: u64,
    changed: u64,
    /// Who had it before and went: the number of their coming and of their going.
    gone: (u64, u64),
    /// Changes that may be told at once, and since when they are counted.
    left: u8,
    counted: Tick,
}

impl Seat {
    /// Whether a change of the member may be told at `tick`.
    fn may_change(&mut self, tick: Tick, tick_rate: u16) -> bool {
        let earned = tick.since(self.counted) / (CHANGE_SECONDS * u32::from(tick_rate.max(1)));
        if earned > 0 {
            let left = u32::from(self.left) + earned;
            self.left = left.min(u32::from(CHANGES_BURST)) as u8;
            self.counted = tick;
        }
        let may = self.left > 0;
        self.left -= u8::from(may);
        may
    }
}

/// See the module's description.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Notices {
    /// By player number: those of members, and of who went while somebody who knew them has not
    /// heard it. No more of these than there are members, for each member who is behind.
    seats: BTreeMap<PlayerId, Seat>,
    /// Of the newest news.
    pub(super) newest: u64,
    /// Up to which everyone who is present was told.
    everyone: u64,
    /// Whether the members may differ from what was told.
    stale: bool,
    /// Whether somebody may not know yet what became of themselves.
    own: bool,
    /// Whether there are pages of members that somebody was not sent yet.
    pub(super) paging: bool,
}

/// One message of the news, for who has not got it.
pub(super) struct News {
    /// Its number.
    pub(super) number: u64,
    /// Only who was told up to this hears it: of somebody whose coming they know that they changed
    /// or went.
    known: u64,
    /// Whom it is about.
    pub(super) about: PlayerId,
    /// The message.
    pub(super) bytes: Bytes,
}

impl News {
    /// Whether it is anything to who has got the news up to `told`.
    pub(super) fn concerns(&self, told: u64) -> bool {
        self.number > told && self.known <= told
    }
}

impl Notices {
    /// Whether these can have come to be.
    pub(super) fn are_sound(&self) -> bool {
        self.newest < COUNT_MAX && self.everyone <= self.newest
    }

    /// Something about a member may have changed.
    pub(super) fn mark(&mut self) {
        self.stale = true;
    }

    /// Compares the members with what was told of them, at `tick`.
    pub(super) fn compare<I: Default + Clone>(
        &mut self,
        members: &Members<I>,
        tick: Tick,
        tick_rate: u16,
    ) {
        if !self.stale {
            return;
        }
        // Each is told at once of themselves, whatever the others are told of them.
        (self.stale, self.own) = (false, true);
        let host = members.host();
        for (player, seat) in &mut self.seats {
            let order = members.get(*player).map_or(0, |member| member.order);
            if seat.order != 0 && seat.order != order {
                self.newest += 1;
                // Somebody may not know yet of one before them who went.
                let unheard = seat.gone.1 > self.everyone;
                let came = if unheard { seat.gone.0 } else { seat.came };
                seat.gone = (came, self.newest);
                seat.order = 0;
            }
        }
        for member in members.iter() {
            let seat = self.seats.entry(member.player()).or_default();
            let flags = member.flags(host);
            if seat.order == 0 {
                self.newest += 1;
                (seat.order, seat.came) = (member.order, self.newest);
                (seat.left, seat.counted) = (CHANGES_BURST, tick);
            } else if flags == seat.told {
                continue;
            } else if seat.may_change(tick, tick_rate) {
                self.newest += 1;
            } else {
                self.stale = true;
                continue;
            }
            (seat.told, seat.changed) = (flags, self.newest);
        }
    }

    /// Whether there may be members who lack any.
    pub(super) fn is_pending(&self) -> bool {
        self.newest > self.everyone || self.own || self.paging
    }

    /// Everyone present has got the news up to this number, and unless `own` knows how they are
    /// themselves. Of who went is forgotten what nobody has to hear, which `unheard` says for the
    /// numbers of their coming and going.
    pub(super) fn all_told(
        &mut self,
        everyone: u64,
        own: bool,
        unheard: impl Fn(u64, u64) -> bool,
    ) {
        (self.everyone, self.own) = (everyone, own);
        self.seats
            .retain(|_, seat| seat.order != 0 || unheard(seat.gone.0, seat.gone.1));
    }

    /// All that somebody may lack who has got the news up to `told`, in the order in which it is
    /// told: at most three messages a seat.
    pub(super) fn pending<I: Default + Clone>(
        &self,
        members: &Members<I>,
        told: u64,
        news: &mut Vec<News>,
    ) {
        news.clear();
        for (&about, seat) in &self.seats {
            let (came, number) = seat.gone;
            if number > told {
                news.push(News {
                    number,
                    known: came,
                    about,
                    bytes: encode_server(&ServerMessage::MemberLeft { player: about }).into(),
                });
            }
            let member = members.get(about).filter(|_| seat.came > told);
            if let Some(member) = member.and_then(|member| self.public(member)) {
                news.push(News {
                    number: seat.came,
                    known: 0,
                    about,
                    bytes: encode_server(&ServerMessage::MemberChanged { member }).into(),
                });
            }
            if seat.order != 0 && seat.changed > seat.came.max(told) {
                news.push(News {
                    number: seat.changed,
                    known: seat.came,
                    about,
                    bytes: seat.told.encode(about),
                });
            }
        }
        news.sort_unstable_by_key(|news| news.number);
    }

    /// A member as everyone is told; `None` if nobody was told of them yet.
    pub(super) fn public<I: Default + Clone>(&self, member: &Member<I>) -> Option<Public> {
        let seat = self.seats.get(&member.player())?;
        (seat.order == member.order).then(|| seat.told.of(member.player(), &member.name))
    }
}
