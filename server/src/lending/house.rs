//! The connections that other nodes lend to this one, the home: each a stand-in in its table of who is
//! connected, for as long as its node says so. A state machine without clock and way:
//! [`super::Lending`] has one.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use tickwire::ids::RoomId;
use tokio::sync::Notify;

use super::done::Do;
use super::node_id::NodeId;
use super::wire::{BackMail, BackWhat, Entry, FRAME_BYTES_FULL, Frame, Item, Why};
use crate::auth::Identity;
use crate::date::Date;
use crate::presence::{
    Away, Blocked, Lent, Mail, Outgoing, Presence, Present, Sent, Standing, Window,
};
use crate::text::player_name;

/// A node that says nothing for so long is gone, or has another home; it says something once a second.
const SILENCE_MAX: Duration = Duration::from_secs(6);
/// Connections of one node. Beyond: they are not known here, and refused what they ask.
const GUESTS_MAX: usize = 65_536;
/// Nodes that are told that what they lend is over, at once. Beyond: they find out by silence.
const REFUSALS_MAX: usize = 256;

/// What one node lends.
struct Lending {
    number: u64,
    /// The number of the next frame there, and of the next one from there.
    sends: u32,
    expects: u32,
    heard: Instant,
    is_whole: bool,
    is_beat_due: bool,
    out: Arc<Outgoing>,
    guests: HashMap<u64, Present>,
}

/// Stand-ins that are no more, to be dropped where no lock is held.
pub(super) type Gone = Vec<HashMap<u64, Present>>;

/// See the module's description.
pub(super) struct House {
    presence: Presence,
    games: Vec<&'static str>,
    wake: Arc<Notify>,
    of: BTreeMap<NodeId, Lending>,
    refusals: VecDeque<(NodeId, Frame)>,
}

impl House {
    pub(super) fn new(presence: Presence, games: Vec<&'static str>, wake: Arc<Notify>) -> House {
        House {
            presence,
            games,
            wake,
            of: BTreeMap::new(),
            refusals: VecDeque::new(),
        }
    }

    /// How many are lent.
    pub(super) fn guests(&self) -> usize {
        self.of.values().map(|of| of.guests.len()).sum()
    }

    /// Whether a node has lent all that it has.
    pub(super) fn has_all_of(&self, node: NodeId) -> bool {
        self.of.get(&node).is_some_and(|of| of.is_whole)
    }

    /// That node's lending is none.
    pub(super) fn refuse(&mut self, node: NodeId, lending: u64, why: Why) {
        let refusal = (node, Frame::Over { lending, why });
        if self.refusals.len() < REFUSALS_MAX && !self.refusals.contains(&refusal) {
            self.refusals.push_back(refusal);
        }
        self.wake.notify_one();
    }

    /// This node is not the home: all that is lent is over.
    pub(super) fn close(&mut self, why: Why) -> Gone {
        let all = std::mem::take(&mut self.of);
        for (node, of) in &all {
            self.refuse(*node, of.number, why);
        }
        all.into_values().map(|of| of.guests).collect()
    }

    /// A frame of a node's lending came.
    pub(super) fn came(
        &mut self,
        node: NodeId,
        (lending, number): (u64, u32),
        items: Vec<Item>,
        now: Instant,
        gone: &mut Gone,
    ) -> Vec<Do> {
        if number == 0 {
            let begun = Lending {
                number: lending,
                sends: 0,
                expects: 0,
                heard: now,
                is_whole: false,
                is_beat_due: true,
                out: Arc::new(Outgoing::new(self.wake.clone())),
                guests: HashMap::new(),
            };
            gone.extend(self.of.insert(node, begun).map(|before| before.guests));
        }
        let of = self.of.get_mut(&node);
        let Some(of) = of.filter(|of| (of.number, of.expects) == (lending, number)) else {
            let former = self.of.remove(&node);
            gone.extend(former.map(|former| former.guests));
            self.refuse(node, lending, Why::Broken);
            return Vec::new();
        };
        of.expects = number.wrapping_add(1);
        of.heard = now;
        let mut done = Vec::new();
        for item in items {
            of.take(item, &self.presence, &self.games, &mut done);
        }
        done
    }

    /// A second passed.
    pub(super) fn tend(&mut self, now: Instant, gone: &mut Gone) {
        let is_silent = |of: &Lending| now.saturating_duration_since(of.heard) >= SILENCE_MAX;
        let silent = self.of.extract_if(.., |_, of| is_silent(of));
        gone.extend(silent.map(|(_, of)| of.guests));
        for of in self.of.values_mut() {
            of.is_beat_due = true;
        }
    }

    /// The next frame for one of those that take one now. How many lines are in it.
    pub(super) fn next_frame(
        &mut self,
        takes: &impl Fn(NodeId) -> bool,
        gone: &mut Gone,
    ) -> Option<(NodeId, Frame, usize)> {
        if let Some(at) = self.refusals.iter().position(|(node, _)| takes(*node)) {
            let (node, frame) = self.refusals.remove(at)?;
            return Some((node, frame, 0));
        }
        let has_some = |of: &Lending| of.is_beat_due || of.out.has_some();
        let (node, of) = self
            .of
            .iter_mut()
            .find(|(node, of)| has_some(of) && takes(**node))?;
        let node = *node;
        let lending = of.number;
        let Some(mail) = of.out.take(FRAME_BYTES_FULL) else {
            gone.extend(self.of.remove(&node).map(|of| of.guests));
            let why = Why::Broken;
            return Some((node, Frame::Over { lending, why }, 0));
        };
        of.is_beat_due = false;
        let number = of.sends;
        of.sends = number.wrapping_add(1);
        let is_line = |mail: &&Mail| matches!(mail.what, Sent::Line(..));
        let lines = mail.iter().filter(is_line).count();
        let mail = mail.into_iter().map(packed).collect();
        let frame = Frame::Back {
            lending,
            number,
            mail,
        };
        Some((node, frame, lines))
    }
}

impl Lending {
    fn take(
        &mut self,
        item: Item,
        presence: &Presence,
        games: &[&'static str],
        done: &mut Vec<Do>,
    ) {
        match item {
            Item::Enter(entry) => self.enter(*entry, presence, games, done),
            Item::Whole => self.is_whole = true,
            Item::Moved {
                number,
                room,
                is_listed,
            } => {
                if let Some(guest) = self.guests.get(&number) {
                    let room = (room != 0).then_some(RoomId(room));
                    guest.set_room(room, is_listed);
                    if room.is_some() {
                        done.push(Do::Entered {
                            who: guest.handle(),
                        });
                    }
                }
            }
            Item::Gone { number } => drop(self.guests.remove(&number)),
            Item::Request {
                number,
                muted_until,
                body,
            } => match self.guests.get(&number) {
                Some(guest) => {
                    guest.mute(Some(Date(muted_until)));
                    let (who, body) = (guest.handle(), Bytes::from(body));
                    done.push(Do::Serve { who, body });
                }
                None => self.out.push(number, Sent::Unknown),
            },
            Item::Known { player, name } => {
                if let Some(player) = Identity::read(&player) {
                    let name = player_name(&name);
                    done.push(Do::Know { player, name });
                }
            }
        }
    }

    fn enter(
        &mut self,
        entry: Entry,
        presence: &Presence,
        games: &[&'static str],
        done: &mut Vec<Do>,
    ) {
        let game = games.iter().copied().find(|game| *game == entry.game);
        let player = Identity::read(&entry.player);
        let is_known = self.guests.contains_key(&entry.number);
        // A game that is not played here, or what no node of this version says.
        let (Some(game), Some(player), false) = (game, player, is_known) else {
            return;
        };
        if self.guests.len() >= GUESTS_MAX {
            return;
        }
        let away = Away {
            number: entry.number,
            takes_notices: entry.takes_notices,
            attends: entry.attends,
            is_queued: entry.is_queued,
            out: self.out.clone(),
            held: Mutex::default(),
        };
        let lent = Lent {
            room: (entry.room != 0).then_some(RoomId(entry.room)),
            is_listed: entry.is_listed,
            hears: entry.hears,
            takes_notices: entry.takes_notices,
            attends: entry.attends,
            muted_until: Date(entry.muted_until),
            // It is in that once the party says so.
            party: None,
        };
        let name = player_name(&entry.name);
        let guest = presence.lend(game, &name, &player, away, &lent);
        let blocked = entry.blocked.map(|them| Arc::new(unpack_blocked(them)));
        if let Some(blocked) = &blocked {
            guest.recall_blocked(blocked.clone());
            presence.stir(&player);
        }
        done.push(Do::Greet {
            who: guest.handle(),
            is_new: entry.is_new,
            blocked,
            party: entry.party.into(),
            channel: entry.party_channel,
        });
        self.guests.insert(entry.number, guest);
    }
}

/// Whom somebody has blocked, from identities and names.
pub(super) fn unpack_blocked(them: Vec<(String, String)>) -> Blocked {
    let read = |(who, name): (String, String)| Some((Identity::read(&who)?, name));
    them.into_iter().filter_map(read).collect()
}

fn packed(Mail { to, what }: Mail) -> BackMail {
    let what = match what {
        Sent::Letter(bytes) => BackWhat::Letter(bytes.into()),
        Sent::Reply(bytes) => BackWhat::Reply(bytes.into()),
        Sent::Part(bytes, is_last) => BackWhat::Part(bytes.into(), is_last),
        Sent::Line(Window::Two, bytes) => BackWhat::LineOfTwo(bytes.into()),
        Sent::Line(Window::Lobby, bytes) => BackWhat::LineOfLobby(bytes.into()),
        Sent::Line(Window::Party, bytes) => BackWhat::LineOfParty(bytes.into()),
        Sent::Crowd(shown) => BackWhat::Crowd(shown.count, shown.people.clone()),
        Sent::Hint(bytes) => BackWhat::Hint(bytes.into()),
        Sent::InParty(party) => BackWhat::InParty(party),
        Sent::Stands(Standing::Talk, bytes) => BackWhat::Talk(bytes.into()),
        Sent::Stands(Standing::Queue, bytes) => BackWhat::Queue(bytes.into()),
        Sent::Stands(Standing::Party, bytes) => BackWhat::Party(bytes.into()),
        Sent::Blocked(blocked) => {
            let them = blocked.iter();
            BackWhat::Blocked(
                them.map(|(who, name)| (who.to_string(), name.to_owned()))
                    .collect(),
            )
        }
        Sent::At(who, at) => BackWhat::At(who, at.shown()),
        Sent::Hears(lobby) => BackWhat::Hears(lobby),
        Sent::Unknown => BackWhat::Unknown,
    };
    BackMail { to, what }
}
