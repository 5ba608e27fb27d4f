//! Rooms that are made of what is kept of them. What `--state-file` keeps, at the start: the folder,
//! and the rooms of a process that is no more, which are there again before
//! anybody is let in; what can't be used is set aside, counted, and named in a line, and who had a
//! seat there is told that there is none. And, one by one, those that a cluster's engine keeps: what
//! is no fault of theirs leaves them there, for later or for another node.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tickwire::ids::RoomId;

use crate::checkpoint::envelope::{self, Head, Unreadable};
use crate::checkpoint::folder::Folder;
use crate::config::{Config, ConfigError, TICK_RATE_MAX};
use crate::date::Date;
use crate::directory::claims::Claim;
use crate::directory::code::read_code;
use crate::directory::{Directory, Restored};
use crate::game::RoomOptions;
use crate::metrics::Metrics;
use crate::room::RestoreError;
use crate::text::room_name;
use crate::worker::{HostedGame, Worker};

/// Between two tries to give a room to a worker whose inbox is full, and how many there are: a
/// worker that takes nothing for two seconds is stuck.
const TRY_AGAIN: Duration = Duration::from_millis(5);
const TRIES: u32 = 400;

/// Takes the folder that the settings name, if they do.
///
/// # Errors
/// One line: it is another process', or can't be used.
pub(super) fn take_folder(config: &Config) -> Result<Option<Folder>, ConfigError> {
    config.state_file.as_deref().map(Folder::take).transpose()
}

/// Why a room can't be made of what is kept of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotRestored {
    /// The worker for it has a lot to do: later it can.
    Busy,
    /// There is no place for it here, or it was saved by other games or another version of them, in
    /// a line. Another node may have it.
    NotHere(String),
    /// It can be used nowhere, in a line.
    Unusable(String),
}

impl fmt::Display for NotRestored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotRestored::Busy => f.write_str("its worker takes nothing more"),
            NotRestored::NotHere(why) | NotRestored::Unusable(why) => f.write_str(why),
        }
    }
}

impl From<Unreadable> for NotRestored {
    fn from(why: Unreadable) -> NotRestored {
        match why {
            Unreadable::Format(_) => NotRestored::NotHere(why.to_string()),
            _ => NotRestored::Unusable(why.to_string()),
        }
    }
}

impl From<RestoreError> for NotRestored {
    fn from(why: RestoreError) -> NotRestored {
        match why {
            RestoreError::OtherGame | RestoreError::Format(_) => {
                NotRestored::NotHere(why.to_string())
            }
            _ => NotRestored::Unusable(why.to_string()),
        }
    }
}

/// Who has rooms made of what is kept, and where they go.
pub(super) struct Restoring<'a> {
    pub(super) games: &'a [Arc<HostedGame>],
    pub(super) workers: &'a [Worker],
    pub(super) registry: &'a dyn Directory,
    pub(super) metrics: &'a Metrics,
}

impl Restoring<'_> {
    /// All rooms that are kept in `folder`.
    ///
    /// # Errors
    /// One line: the folder can't be read.
    pub(super) fn restore_all(&self, folder: &Folder) -> Result<(), ConfigError> {
        let began = Instant::now();
        let rooms = folder.rooms().map_err(|error| {
            ConfigError::new(format!("the rooms of state-file can't be read: {error}"))
        })?;
        let (all, mut restored) = (rooms.len(), 0_u32);
        for room in rooms {
            let read = folder.read(room).map_err(|error| error.to_string());
            let restore = |bytes: Vec<u8>| {
                let restored = self.restore(room, &bytes, None, began);
                restored.map_err(|why| why.to_string())
            };
            match read.and_then(restore) {
                Ok(()) => restored += 1,
                Err(why) => self.refuse(folder, room, &why),
            }
        }
        self.metrics.rooms_restored.increment(restored.into());
        if all > 0 {
            let ms = began.elapsed().as_millis();
            tracing::info!(restored, of = all, ms, "rooms of before are there again");
        }
        Ok(())
    }

    fn refuse(&self, folder: &Folder, room: RoomId, why: &str) {
        self.metrics.checkpoints_refused.increment(1);
        match folder.set_aside(room) {
            Ok(aside) => {
                let aside = aside.display();
                tracing::error!(%room, why, %aside, "room of before can't be used, and is set aside");
            }
            Err(error) => {
                tracing::error!(%room, why, %error, "room of before can't be used, nor set aside");
            }
        }
    }

    /// A room of what is kept of it, ticked by `claim`.
    ///
    /// # Errors
    /// Why it can't be.
    pub(super) fn restore(
        &self,
        room: RoomId,
        bytes: &[u8],
        claim: Option<Arc<Claim>>,
        now: Instant,
    ) -> Result<(), NotRestored> {
        let (head, save) = envelope::open(bytes, Date::now())?;
        let Head {
            game,
            room: of,
            kept,
            ..
        } = head;
        if of != room {
            return Err(NotRestored::Unusable(format!("it is of room {of}")));
        }
        let hosted = self.games.iter().find(|hosted| hosted.def.name() == game);
        let no_game = || NotRestored::NotHere(format!("there is no game {game:?} here"));
        let hosted = hosted.ok_or_else(no_game)?;
        let made = hosted.restore(room, save, self.registry)?;
        let players = made.takers.len();
        let given_back = |rooms: u32| {
            hosted.metrics.players.decrement(players as f64);
            hosted.metrics.rooms.decrement(rooms);
        };
        if !is_sound(&made.options) {
            given_back(0);
            let why = "its options can't be".to_owned();
            return Err(NotRestored::Unusable(why));
        }
        let (metadata, locked) = made.described();
        let old = Restored {
            game: hosted.index,
            options: made.options.clone(),
            kept,
            takers: made.takers.clone(),
            metadata: metadata.into(),
            locked,
        };
        let started = self.workers.iter().map(Worker::started).max();
        let mut ready = Some(made.ready(hosted, claim, now.max(started.unwrap_or(now))));
        for _ in 0..TRIES {
            let sent = self.registry.restore(old.clone(), now, &mut |place| {
                let worker = self.workers.get(place.worker);
                let sent = worker
                    .zip(ready.take())
                    .map(|(worker, room)| worker.adopt(room));
                ready = sent.and_then(Result::err);
                ready.is_none()
            });
            match sent {
                Ok(true) => return Ok(()),
                // Its worker has a lot to do.
                Ok(false) => std::thread::sleep(TRY_AGAIN),
                Err(refusal) => {
                    given_back(1);
                    let why = format!("there is no place for it: {refusal:?}");
                    return Err(NotRestored::NotHere(why));
                }
            }
        }
        given_back(1);
        Err(NotRestored::Busy)
    }
}

/// Whether rooms are made so, whoever wrote it; the settings may have been others.
fn is_sound(options: &RoomOptions) -> bool {
    (1..=TICK_RATE_MAX).contains(&options.tick_rate)
        && (1..=options.tick_rate).contains(&options.snapshot_every)
        && room_name(&options.name, "") == options.name
        && read_code(&options.code).as_ref() == Some(&options.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What another node may read is kept for it; the rest is read by none.
    #[test]
    fn what_another_version_saved_is_kept() {
        for why in [
            NotRestored::from(RestoreError::OtherGame),
            RestoreError::Format(9).into(),
            Unreadable::Format(9).into(),
        ] {
            assert!(matches!(why, NotRestored::NotHere(_)), "{why:?}");
        }
        for why in [
            NotRestored::from(RestoreError::Damaged),
            RestoreError::Foreign.into(),
            RestoreError::Unsound("it").into(),
            RestoreError::Game("no".to_owned()).into(),
            Unreadable::Torn.into(),
            Unreadable::Foreign.into(),
            Unreadable::TooBig.into(),
        ] {
            assert!(matches!(why, NotRestored::Unusable(_)), "{why:?}");
        }
    }
}
