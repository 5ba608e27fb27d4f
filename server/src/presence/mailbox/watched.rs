//! How players stand whom a connection watches, as far as it was not told: of each the newest alone
//! waits, so that none of it grows however often one comes and goes. Who watches whom is
//! [`crate::people`]'s to know.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use bytes::Bytes;
use tickwire::codec::encode_server;
use tickwire::ids::RoomId;
use tickwire::limits::{PRESENCES_PER_PAGE, WATCHED_MAX};
use tickwire::protocol::{PeerAt, PeerPresence, ServerMessage};

use super::windows::may_go;
use crate::admission::limiter::Budget;
use crate::auth::Handle;

/// Where somebody is, as another one is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// That is not looked after.
    Unwatched,
    Offline,
    /// The lobby of this game.
    Lobby(&'static str),
    /// A room of this game: which, if lists show it.
    Room(&'static str, Option<RoomId>),
}

impl At {
    /// As it is told.
    pub(crate) fn shown(self) -> PeerAt {
        match self {
            At::Unwatched => PeerAt::Unwatched,
            At::Offline => PeerAt::Offline,
            At::Lobby(game) => PeerAt::Lobby { game: game.into() },
            At::Room(game, room) => PeerAt::Room {
                game: game.into(),
                room,
            },
        }
    }

    /// The inverse, where these are the games that there are.
    pub(crate) fn read(shown: &PeerAt, games: &[&'static str]) -> Option<At> {
        let known = |game: &str| games.iter().copied().find(|of| *of == game);
        Some(match shown {
            PeerAt::Unwatched => At::Unwatched,
            PeerAt::Offline => At::Offline,
            PeerAt::Lobby { game } => At::Lobby(known(game)?),
            PeerAt::Room { game, room } => At::Room(known(game)?, *room),
        })
    }
}

/// See the module's description.
#[derive(Debug)]
pub(super) struct Watched {
    untold: BTreeMap<Handle, At>,
    budget: Budget,
}

impl Watched {
    pub(super) fn new(now: Instant) -> Watched {
        Watched {
            untold: BTreeMap::new(),
            budget: Budget::new(now),
        }
    }

    /// Somebody is there now. Of more than may be watched none further is told: what another node says
    /// is bounded, too.
    pub(super) fn tell(&mut self, of: Handle, at: At) {
        if self.untold.len() < WATCHED_MAX || self.untold.contains_key(&of) {
            self.untold.insert(of, at);
        }
    }

    /// Of others it is not told any more.
    pub(super) fn only(&mut self, of: &BTreeSet<Handle>) {
        self.untold.retain(|handle, _| of.contains(handle));
    }

    pub(super) fn has_some(&self) -> bool {
        !self.untold.is_empty()
    }

    /// Hands out messages until `left` is used up; in a room, which says what time it is, no more
    /// than may go out by then.
    pub(super) fn take(&mut self, left: &mut usize, now: Option<Instant>, out: &mut Vec<Bytes>) {
        while *left > 0 && !self.untold.is_empty() {
            let page = self.untold.iter().take(PRESENCES_PER_PAGE);
            let peers = page.map(|(of, at)| shown(*of, *at)).collect();
            let bytes: Bytes = encode_server(&ServerMessage::Presence { peers }).into();
            if !may_go(&mut self.budget, now, bytes.len()) {
                return;
            }
            *left = left.saturating_sub(bytes.len());
            out.push(bytes);
            for _ in 0..PRESENCES_PER_PAGE {
                self.untold.pop_first();
            }
        }
    }
}

fn shown(of: Handle, at: At) -> PeerPresence {
    let (handle, at) = (of.to_string(), at.shown());
    PeerPresence { handle, at }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tickwire::codec::decode_server;

    use super::*;

    fn handle(number: usize) -> Handle {
        Handle::read(&format!("{number:016}")).unwrap()
    }

    fn taken(watched: &mut Watched, mut left: usize, now: Option<Instant>) -> Vec<PeerPresence> {
        let mut out = Vec::new();
        watched.take(&mut left, now, &mut out);
        let pages = out.iter().map(|bytes| {
            assert!(bytes.len() < 1024, "it goes out before a snapshot");
            match decode_server(bytes).unwrap() {
                Some(ServerMessage::Presence { peers }) => peers,
                other => panic!("{other:?}"),
            }
        });
        pages.flatten().collect()
    }

    #[test]
    fn of_each_the_newest_alone_is_told_and_once() {
        let mut watched = Watched::new(Instant::now());
        for at in [At::Lobby("chess"), At::Room("chess", None), At::Offline] {
            watched.tell(handle(1), at);
        }
        watched.tell(handle(2), At::Room("chess", Some(RoomId(7))));
        watched.tell(handle(3), At::Unwatched);
        watched.only(&[1, 2].map(handle).into());
        assert!(watched.has_some());
        let expected = [
            shown(handle(1), At::Offline),
            shown(handle(2), At::Room("chess", Some(RoomId(7)))),
        ];
        assert_eq!(taken(&mut watched, usize::MAX, None), expected);
        assert!(!watched.has_some());
        assert_eq!(taken(&mut watched, usize::MAX, None), []);
    }

    #[test]
    fn many_come_in_pages_at_a_pace_in_a_room() {
        let start = Instant::now();
        let mut watched = Watched::new(start);
        let all = |watched: &mut Watched| {
            for number in 0..WATCHED_MAX {
                watched.tell(handle(number), At::Room("the longest of names", None));
            }
        };
        all(&mut watched);
        assert_eq!(
            taken(&mut watched, 1, Some(start)).len(),
            PRESENCES_PER_PAGE
        );
        let rest = taken(&mut watched, usize::MAX, Some(start)).len();
        assert_eq!(rest, WATCHED_MAX - PRESENCES_PER_PAGE);
        let (mut told, mut seconds) = (0, 0);
        for _ in 0..3 {
            all(&mut watched);
            while watched.has_some() {
                seconds += 1;
                let now = start + Duration::from_secs(seconds);
                told += taken(&mut watched, usize::MAX, Some(now)).len();
            }
        }
        assert_eq!(told, 3 * WATCHED_MAX);
        assert!(seconds >= 3, "a flood of it waits");
        all(&mut watched);
        assert_eq!(taken(&mut watched, usize::MAX, None).len(), WATCHED_MAX);
    }
}
