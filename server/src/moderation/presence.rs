//! Who is connected: every connection that said hello, wherever it is, with what operators know it
//! by, and what they ordered about it. One table under one lock, taken when a connection says
//! hello, when it ends and when an operator or a program of theirs asks, never on the tick path.
//! What stands in an [`Online`] itself is read without it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use parking_lot::Mutex;
use serde::Serialize;
use tickwire::ids::RoomId;
use tickwire::protocol::CloseCode;
use tokio::sync::Notify;

use super::target::Target;
use crate::auth::Identity;
use crate::date::Date;

/// Connections that are remembered when they are gone, so that who did something and went can still
/// be named. Beyond: the one that went first is forgotten.
const GONE_MAX: usize = 1000;

/// A connection that said hello.
pub(crate) struct Online {
    game: &'static str,
    name: Box<str>,
    pub(super) identity: Identity,
    pub(super) address: IpAddr,
    since: Instant,
    /// 0: in the lobby.
    room: AtomicU32,
    expelled: OnceLock<CloseCode>,
    /// Seconds since 1970, 0: may chat.
    muted_until: AtomicU64,
    ordered: Notify,
}

impl Online {
    /// With which code an operator wants it closed.
    pub(crate) fn expelled(&self) -> Option<CloseCode> {
        self.expelled.get().copied()
    }

    /// Done when an operator wants it closed.
    pub(crate) async fn ordered(&self) {
        self.ordered.notified().await;
    }

    /// Seconds for which it may not chat, from `now` on.
    pub(crate) fn muted_s(&self, now: Date) -> u64 {
        let until = Date(self.muted_until.load(Ordering::Relaxed));
        until.seconds_after(now)
    }

    /// Tells operators where it is; `None`: in the lobby.
    pub(crate) fn set_room(&self, room: Option<RoomId>) {
        let room = room.map_or(0, |room| room.0);
        self.room.store(room, Ordering::Relaxed);
    }

    pub(super) fn mute(&self, until: Option<Date>) {
        let until = until.map_or(0, |until| until.0);
        self.muted_until.store(until, Ordering::Relaxed);
    }

    /// The connection is closed with `code` by whoever has it.
    pub(super) fn expel(&self, code: CloseCode) {
        // The first order counts: it is on its way out.
        let _ = self.expelled.set(code);
        self.ordered.notify_one();
    }

    fn whereabouts(&self) -> Whereabouts {
        let room = RoomId(self.room.load(Ordering::Relaxed));
        Whereabouts {
            game: self.game,
            room: (room.0 != 0).then_some(room),
        }
    }

    fn line(&self, now: Instant, gone: Option<Instant>, today: Date) -> PlayerLine {
        let seconds = |from: Instant| now.saturating_duration_since(from).as_secs();
        let Whereabouts { game, room } = self.whereabouts();
        PlayerLine {
            game,
            player: self.identity.to_string(),
            name: self.name.clone(),
            address: self.address,
            room,
            connected_s: seconds(self.since),
            gone_s: gone.map(seconds),
            muted_s: self.muted_s(today),
        }
    }
}

/// A connection as operators see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct PlayerLine {
    /// The game that the connection is of.
    game: &'static str,
    /// Its identity, as orders name it.
    player: String,
    name: Box<str>,
    address: IpAddr,
    /// The room that it is or last was in.
    room: Option<RoomId>,
    /// Since it said hello.
    connected_s: u64,
    /// Since it ended, if it has.
    gone_s: Option<u64>,
    muted_s: u64,
}

/// The table. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Presence(Arc<Mutex<Table>>);

/// Where a connection is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Whereabouts {
    /// The game that it is of.
    pub(crate) game: &'static str,
    /// None: the lobby.
    pub(crate) room: Option<RoomId>,
}

#[derive(Default)]
struct Table {
    here: HashMap<u64, Arc<Online>>,
    newest: u64,
    /// With when they went, latest last.
    gone: VecDeque<(Arc<Online>, Instant)>,
}

impl Presence {
    /// Enters a connection; it is there until the guard is dropped.
    pub(super) fn enter(
        &self,
        game: &'static str,
        name: &str,
        identity: &Identity,
        address: IpAddr,
    ) -> Present {
        let online = Arc::new(Online {
            game,
            name: name.into(),
            identity: identity.clone(),
            address: address.to_canonical(),
            since: Instant::now(),
            room: AtomicU32::new(0),
            expelled: OnceLock::new(),
            muted_until: AtomicU64::new(0),
            ordered: Notify::new(),
        });
        let mut table = self.0.lock();
        table.newest += 1;
        let number = table.newest;
        table.here.insert(number, online.clone());
        Present {
            presence: self.clone(),
            number,
            online,
            is_welcome: false,
        }
    }

    /// Those whom `target` means.
    pub(super) fn meant_by(&self, target: &Target) -> Vec<Arc<Online>> {
        let table = self.0.lock();
        let here = table.here.values();
        here.filter(|online| target.includes(&online.identity, online.address))
            .cloned()
            .collect()
    }

    /// Where each of these players is, by each of their connections, in the order in which they
    /// came.
    pub(super) fn whereabouts(&self, players: &[Identity]) -> Vec<Vec<Whereabouts>> {
        let asked: HashSet<&Identity> = players.iter().collect();
        let table = self.0.lock();
        let here = table.here.iter();
        let here = here.filter(|(_, online)| asked.contains(&online.identity));
        let mut here: Vec<(u64, Arc<Online>)> = here
            .map(|(number, online)| (*number, online.clone()))
            .collect();
        drop(table);
        here.sort_unstable_by_key(|(number, _)| *number);
        let of = |player: &Identity| {
            let own = here.iter().filter(|(_, online)| online.identity == *player);
            own.map(|(_, online)| online.whereabouts()).collect()
        };
        players.iter().map(of).collect()
    }

    /// Everybody, then those who went, the latest first.
    pub(super) fn lines(&self, today: Date) -> Vec<PlayerLine> {
        let table = self.0.lock();
        let here = table.here.iter();
        let mut here: Vec<_> = here
            .map(|(number, online)| (*number, online.clone()))
            .collect();
        let gone: Vec<(Arc<Online>, Instant)> = table.gone.iter().rev().cloned().collect();
        drop(table);
        here.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
        let now = Instant::now();
        let here = here.iter().map(|(_, online)| online.line(now, None, today));
        let gone = gone.iter();
        here.chain(gone.map(|(online, went)| online.line(now, Some(*went), today)))
            .collect()
    }
}

/// A connection's entry, which goes with it.
pub(crate) struct Present {
    presence: Presence,
    number: u64,
    online: Arc<Online>,
    is_welcome: bool,
}

impl Present {
    /// It was let in: it is remembered when it is gone.
    pub(super) fn welcome(mut self) -> Present {
        self.is_welcome = true;
        self
    }
}

impl std::ops::Deref for Present {
    type Target = Online;

    fn deref(&self) -> &Online {
        &self.online
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        let mut table = self.presence.0.lock();
        let Some(online) = table.here.remove(&self.number) else {
            return;
        };
        if !self.is_welcome {
            return;
        }
        if table.gone.len() == GONE_MAX {
            table.gone.pop_front();
        }
        table.gone.push_back((online, Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(presence: &Presence, subject: &str, address: &str) -> Present {
        let identity = Identity::read(subject).unwrap();
        let present = presence.enter("chess", "name", &identity, address.parse().unwrap());
        present.welcome()
    }

    fn shown(presence: &Presence) -> Vec<(String, bool)> {
        let lines = presence.lines(Date(0)).into_iter();
        lines
            .map(|line| (line.player, line.gone_s.is_some()))
            .collect()
    }

    #[test]
    fn who_went_is_shown_behind_those_who_are_here() {
        let presence = Presence::default();
        let ann = enter(&presence, "user:ann", "10.0.0.7");
        let _bo = enter(&presence, "user:bo", "10.0.0.8");
        drop(ann);
        let _cy = enter(&presence, "user:cy", "10.0.0.9");
        let expected = [("user:cy", false), ("user:bo", false), ("user:ann", true)];
        assert_eq!(
            shown(&presence),
            expected.map(|(who, gone)| (who.to_owned(), gone))
        );
        for _ in 0..GONE_MAX {
            drop(enter(&presence, "user:dee", "10.0.0.7"));
        }
        assert_eq!(
            shown(&presence).len(),
            2 + GONE_MAX,
            "the first is forgotten"
        );
    }

    #[test]
    fn a_player_is_where_their_connections_are() {
        let presence = Presence::default();
        let ann = [1, 2].map(|_| enter(&presence, "user:ann", "10.0.0.7"));
        let _bo = enter(&presence, "user:bo", "10.0.0.8");
        ann[1].set_room(Some(RoomId(7)));
        let players = ["user:cy", "user:ann", "guest:ann"];
        let players = players.map(|player| Identity::read(player).unwrap());
        let rooms = || -> Vec<Vec<Option<u32>>> {
            let found = presence.whereabouts(&players).into_iter();
            let rooms = |player: Vec<Whereabouts>| {
                let rooms = player.into_iter().map(|at| at.room.map(|room| room.0));
                rooms.collect()
            };
            found.map(rooms).collect()
        };
        assert_eq!(rooms(), [vec![], vec![None, Some(7)], vec![]]);
        drop(ann);
        assert_eq!(rooms(), [vec![], vec![], vec![]]);
    }

    #[test]
    fn orders_reach_those_who_are_meant() {
        let presence = Presence::default();
        let tabs = [1, 2].map(|_| enter(&presence, "user:ann", "10.0.0.7"));
        let neighbour = enter(&presence, "user:bo", "::ffff:10.0.0.7");
        let player = Target::player("user:ann").unwrap();
        let address = Target::address("10.0.0.7").unwrap();
        assert_eq!(presence.meant_by(&player).len(), 2);
        assert_eq!(presence.meant_by(&address).len(), 3);
        for online in presence.meant_by(&player) {
            online.expel(CloseCode::Kicked);
            online.expel(CloseCode::Banned);
            online.mute(Some(Date(60)));
        }
        assert!(
            tabs.iter()
                .all(|tab| tab.expelled() == Some(CloseCode::Kicked))
        );
        assert_eq!(
            (tabs[0].muted_s(Date(50)), tabs[0].muted_s(Date(60))),
            (10, 0)
        );
        assert_eq!(
            (neighbour.expelled(), neighbour.muted_s(Date(0))),
            (None, 0)
        );
    }
}
