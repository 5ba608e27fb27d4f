//! Other nodes' rooms as they told of them last, by node, number and code. Pure: a node's batch
//! replaces the one before, and goes with the node. A second old, and trusted no more than what a
//! client says: it decides what is listed and where somebody is sent, never who gets a seat.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use tickwire::ids::RoomId;
use tickwire::protocol::server_message::RoomInfo;
use tickwire::schema::Field;
use tickwire::snapshot::fields::unpack;

use super::super::filter::Filter;
use super::super::game_index::GameIndex;
use super::super::kept_out::Repute;
use super::super::ownership::messages::Incarnation;
use super::super::ownership::placement::TAKES_NONE;
use super::super::rank::{Fit, Standing};
use super::batch::{Batch, Told};
use super::placement::ROOM_SENT;

/// Nodes tell something once a second; who was not heard for three times that is not heard.
const SILENT: Duration = Duration::from_secs(3);

/// A game as lobbies know it: its name, and what it says of its rooms.
pub(crate) struct KnownGame {
    pub(crate) name: String,
    pub(crate) metadata: Vec<Field>,
}

/// See the module's description.
pub(super) struct Mirror {
    /// By their index.
    games: Vec<KnownGame>,
    nodes: BTreeMap<Incarnation, Node>,
    /// Who told of a room last. Of a room that is handed over two may for a second.
    rooms: HashMap<RoomId, Incarnation>,
    codes: HashMap<String, RoomId>,
    /// Batches that were taken so far.
    batches: u64,
}

/// Another node.
struct Node {
    /// Where clients are sent.
    url: String,
    load: u16,
    /// Which batch its last one was, once it told of its rooms.
    told_at: Option<u64>,
    /// Whether it is still to do so.
    is_awaited: bool,
    /// Nobody hears it at present.
    is_doubted: bool,
    /// Whether it told something since it was last looked at, and when that was last so.
    is_fresh: bool,
    heard_at: Option<Instant>,
    /// It has rooms beside these.
    has_more: bool,
    rooms: BTreeMap<RoomId, Mirrored>,
}

/// A room of another node.
struct Mirrored {
    game: GameIndex,
    told: Told,
    /// Seats that were asked for since.
    coming: u16,
}

impl Node {
    /// Whether rooms may be made there, as far as it has told.
    fn takes_rooms(&self) -> bool {
        self.told_at.is_none() || self.load != TAKES_NONE
    }
}

impl Mirrored {
    fn standing(&self) -> Standing {
        let standing = self.told.standing();
        let taken = standing.taken.saturating_add(self.coming);
        Standing {
            taken,
            has_seat: taken < self.told.info.seats,
            ..standing
        }
    }

    fn fits(&self, filter: &Filter) -> bool {
        self.game == filter.game() && filter.fits(&self.told.info.metadata)
    }

    /// As [`super::super::entry::Entry::suits`]; what a room was made for its node keeps to itself.
    fn suits(&self, filter: &Filter) -> bool {
        self.fits(filter) || (self.game == filter.game() && filter.is_empty())
    }

    fn takes_anyone(&self) -> bool {
        let info = &self.told.info;
        !info.private && !info.kicks && !info.locked && self.standing().has_seat
    }

    fn takes_spectators(&self) -> bool {
        let info = &self.told.info;
        !info.private && info.players > 0 && info.spectators < self.told.spectators_max
    }
}

impl Mirror {
    pub(super) fn new(games: Vec<KnownGame>) -> Mirror {
        Mirror {
            games,
            nodes: BTreeMap::new(),
            rooms: HashMap::new(),
            codes: HashMap::new(),
            batches: 0,
        }
    }

    /// These are the other nodes that live, and where clients reach them. What was heard of any
    /// other one is forgotten.
    pub(super) fn live(&mut self, nodes: impl Iterator<Item = (Incarnation, String)>) {
        let mut before = std::mem::take(&mut self.nodes);
        for (incarnation, url) in nodes {
            let unheard = Node {
                url: String::new(),
                load: u16::MAX,
                told_at: None,
                is_awaited: true,
                is_doubted: false,
                is_fresh: false,
                heard_at: None,
                has_more: false,
                rooms: BTreeMap::new(),
            };
            let node = before.remove(&incarnation).unwrap_or(unheard);
            self.nodes.insert(incarnation, Node { url, ..node });
        }
        for (incarnation, node) in before {
            let known: Vec<RoomId> = node.rooms.keys().copied().collect();
            let codes = node.rooms.into_values().map(|room| room.told.code);
            self.unlist(incarnation, known.into_iter().zip(codes));
        }
    }

    /// What a node tells of its rooms and itself. Of one that does not live, or not yet, nothing is
    /// kept; nor of rooms of games that are not played here.
    pub(super) fn told(&mut self, incarnation: Incarnation, batch: Batch) {
        let Some(node) = self.nodes.get_mut(&incarnation) else {
            return;
        };
        let before = std::mem::take(&mut node.rooms);
        let mut words = Vec::new();
        for (name, mut told) in batch.rooms {
            let mut games = (0..=u8::MAX).map(GameIndex).zip(&self.games);
            let Some((game, known)) = games.find(|(_, game)| game.name == name) else {
                continue;
            };
            // Of another version of the game it may say other things: clients read it by theirs.
            let is_whole = unpack(&known.metadata, &told.info.metadata, &mut words);
            if !is_whole.is_ok_and(<[u8]>::is_empty) {
                told.info.metadata.clear();
            }
            let room = told.info.id;
            self.rooms.insert(room, incarnation);
            if self.codes.get(&told.code) != Some(&room) {
                self.codes.insert(told.code.clone(), room);
            }
            let coming = 0;
            node.rooms.insert(room, Mirrored { game, told, coming });
        }
        self.batches += 1;
        node.told_at = Some(self.batches);
        (node.is_awaited, node.is_doubted, node.is_fresh) = (false, false, true);
        (node.load, node.has_more) = (batch.load, batch.left_out > 0);
        let is_as_before = |(room, of): &(RoomId, Mirrored)| {
            let now = node.rooms.get(room);
            now.is_some_and(|now| now.told.code == of.told.code)
        };
        let gone = before.into_iter().filter(|entry| !is_as_before(entry));
        let gone: Vec<_> = gone.map(|(room, of)| (room, of.told.code)).collect();
        self.unlist(incarnation, gone.into_iter());
    }

    /// Nobody hears a node at present: its rooms are not led to until it tells of them again.
    pub(super) fn doubt(&mut self, incarnation: Incarnation) {
        if let Some(node) = self.nodes.get_mut(&incarnation) {
            node.is_doubted = true;
        }
    }

    /// Looks who told nothing for [`SILENT`]: nobody hears them. A link can be cut in one direction,
    /// and then what a node told last is not how it is: it may stand still.
    pub(super) fn doubt_the_silent(&mut self, now: Instant) {
        for node in self.nodes.values_mut() {
            if std::mem::take(&mut node.is_fresh) {
                node.heard_at = Some(now);
            }
            let silent = node.heard_at.map(|at| now.saturating_duration_since(at));
            node.is_doubted |= silent.is_some_and(|silent| silent >= SILENT);
        }
    }

    /// Whether somebody may be sent to a node: it lives and is heard.
    pub(super) fn is_reached(&self, incarnation: Incarnation) -> bool {
        let node = self.nodes.get(&incarnation);
        node.is_some_and(|node| !node.is_doubted)
    }

    /// Whether a node may have a room, whatever the engine's record says: one that stands still says
    /// that it has none, and one that has taken a room over tells of it at once.
    pub(super) fn may_have(&self, incarnation: Incarnation, room: RoomId) -> bool {
        let node = self.nodes.get(&incarnation);
        node.is_some_and(|node| node.has_more || node.rooms.contains_key(&room))
    }

    /// Rooms that a node has no longer, or not by these codes.
    fn unlist(&mut self, node: Incarnation, rooms: impl Iterator<Item = (RoomId, String)>) {
        for (room, code) in rooms {
            let of = self.nodes.get(&node);
            let is_told = of.is_some_and(|of| of.rooms.contains_key(&room));
            if !is_told && self.rooms.get(&room) == Some(&node) {
                self.rooms.remove(&room);
            }
            let is_its_code = |of: &Mirrored| of.told.code == code;
            let is_current = self.room(room).is_some_and(is_its_code);
            if !is_current && self.codes.get(&code) == Some(&room) {
                self.codes.remove(&code);
            }
        }
    }

    /// Whether all that live have told of their rooms, but for those that were given up.
    pub(super) fn is_whole(&self) -> bool {
        self.nodes.values().all(|node| !node.is_awaited)
    }

    /// Batches that were taken so far, to ask [`Mirror::have_told`] later.
    pub(super) fn batches(&self) -> u64 {
        self.batches
    }

    /// Whether all that live have told of their rooms since so many batches were taken, but for
    /// those that were given up.
    pub(super) fn have_told(&self, since: u64) -> bool {
        self.nodes.values().all(|node| match node.told_at {
            Some(at) => at > since,
            None => !node.is_awaited,
        })
    }

    /// Those that have told nothing yet are not waited for any longer.
    pub(super) fn give_up(&mut self) {
        let nodes = self.nodes.values_mut();
        nodes.for_each(|node| node.is_awaited = false);
    }

    /// The games' names, by their index.
    pub(super) fn games(&self) -> Vec<&str> {
        self.games.iter().map(|game| game.name.as_str()).collect()
    }

    /// Those where rooms may be made.
    pub(super) fn takers(&self) -> impl Iterator<Item = Incarnation> {
        let takers = self.nodes.iter().filter(|(_, node)| node.takes_rooms());
        takers.map(|(node, _)| *node)
    }

    /// What each of them has to do, of those that are heard.
    pub(super) fn loads(&self) -> Vec<(Incarnation, u16)> {
        let is_heard = |node: &Node| node.told_at.is_some() && !node.is_doubted;
        let heard = self.nodes.iter();
        let heard = heard.filter(|(_, node)| is_heard(node) && node.takes_rooms());
        heard.map(|(node, of)| (*node, of.load)).collect()
    }

    /// Where clients are sent who are to reach a node.
    pub(super) fn url(&self, node: Incarnation) -> Option<&str> {
        self.nodes.get(&node).map(|node| node.url.as_str())
    }

    /// Whose a room is.
    pub(super) fn owner(&self, room: RoomId) -> Option<Incarnation> {
        self.rooms.get(&room).copied()
    }

    /// Which game a room is of.
    pub(super) fn game_of(&self, room: RoomId) -> Option<GameIndex> {
        self.room(room).map(|room| room.game)
    }

    fn room(&self, room: RoomId) -> Option<&Mirrored> {
        self.nodes.get(&self.owner(room)?)?.rooms.get(&room)
    }

    /// Those to which somebody may be led: a doubted node's are not.
    fn led_to(&self) -> impl Iterator<Item = (RoomId, &Mirrored)> {
        let all = self.all();
        all.filter(|(room, _)| self.owner(*room).is_some_and(|node| self.is_reached(node)))
    }

    /// Each once, by its owner.
    fn all(&self) -> impl Iterator<Item = (RoomId, &Mirrored)> {
        self.nodes.iter().flat_map(|(node, of)| {
            let rooms = of.rooms.iter();
            let own = rooms.filter(|(room, _)| self.rooms.get(room) == Some(node));
            own.map(|(room, of)| (*room, of))
        })
    }

    /// A game's room that anyone may join who knows its number.
    pub(super) fn listed(&self, game: GameIndex, room: RoomId) -> bool {
        let found = self.room(room);
        found.is_some_and(|room| room.game == game && !room.told.info.private)
    }

    /// A game's room by its code, private or not.
    pub(super) fn by_code(&self, game: GameIndex, code: &str) -> Option<RoomId> {
        let room = *self.codes.get(code)?;
        let of = self.room(room)?;
        (of.game == game && of.told.code == code).then_some(room)
    }

    /// All that lists may show.
    pub(super) fn standings(&self, filter: &Filter) -> Vec<Standing> {
        let shown = |of: &Mirrored| !of.told.info.private && of.fits(filter);
        let rooms = self.led_to().filter(|(_, of)| shown(of));
        rooms.map(|(_, of)| of.told.standing()).collect()
    }

    /// A room as lists show it.
    pub(super) fn info(&self, room: RoomId) -> Option<RoomInfo> {
        self.room(room).map(|room| room.told.info.clone())
    }

    /// The best room for a quick join, but for these, and how good it is.
    pub(super) fn best_to_join(
        &self,
        filter: &Filter,
        except: impl Fn(RoomId) -> bool,
    ) -> Option<(Fit, RoomId)> {
        let rooms = self.led_to().filter(|(room, of)| {
            of.takes_anyone()
                && of.suits(filter)
                && of.told.repute() < Repute::Bad
                && !except(*room)
        });
        let rated = rooms.map(|(room, of)| (of.standing().to_join(of.told.repute()), room));
        rated.max_by_key(|(fit, room)| (*fit, Reverse(*room)))
    }

    /// The best room to look on, but for these.
    pub(super) fn best_to_watch(
        &self,
        filter: &Filter,
        except: impl Fn(RoomId) -> bool,
    ) -> Option<Standing> {
        let rooms = self
            .led_to()
            .filter(|(room, of)| of.takes_spectators() && of.suits(filter) && !except(*room));
        let rooms = rooms.map(|(_, of)| of.told.standing());
        rooms.max_by_key(|room| room.to_watch())
    }

    /// The listed room of this name, whether it lets others in, and when it was made. Of several
    /// one that lets them in, then the oldest.
    pub(super) fn named(&self, game: GameIndex, name: &str) -> Option<(RoomId, bool, u64)> {
        let rooms = self.all().filter(|(_, of)| {
            let info = &of.told.info;
            of.game == game && !info.private && info.name == name
        });
        let rooms = rooms.map(|(room, of)| {
            let is_open = !of.told.info.locked && of.standing().has_seat;
            (room, is_open, of.told.made)
        });
        rooms.min_by_key(|(room, is_open, made)| (!is_open, *made, *room))
    }

    /// So many seats in a room are asked for: it is taken to have as many fewer until its node
    /// tells of it again.
    pub(super) fn expect(&mut self, room: RoomId, seats: u16) {
        let owner = self.owner(room).and_then(|node| self.nodes.get_mut(&node));
        if let Some(of) = owner.and_then(|node| node.rooms.get_mut(&room)) {
            of.coming = of.coming.saturating_add(seats);
        }
    }

    /// A room is sent to a node: it is taken to have so much more to do until it tells again.
    pub(super) fn burden(&mut self, node: Incarnation) {
        if let Some(node) = self.nodes.get_mut(&node).filter(|node| node.takes_rooms()) {
            node.load = node.load.saturating_add(ROOM_SENT).min(TAKES_NONE - 1);
        }
    }
}

#[cfg(test)]
mod tests;
