//! A room that outlived its process, or comes from another node, comes to a worker: made of its
//! save, with seats that nobody sits on. `lobby::restoring` has them made and sends them.

use std::sync::Arc;
use std::sync::mpsc::TrySendError;
use std::time::Instant;

use tickwire::ids::RoomId;

use super::event_loop::Running;
use super::host::Host;
use super::members::Members;
use super::room_host::{RoomHost, guarded};
use super::{Command, HostedGame, Worker};
use crate::directory::claims::Claim;
use crate::directory::{Directory, Mark};
use crate::game::{Game, GameDef, RoomOptions};
use crate::room::{RestoreError, Room, SaveError};

/// A room on its way.
pub(crate) struct RestoredRoom {
    pub(super) room_host: Box<dyn Host>,
    /// How it was made.
    pub(crate) options: RoomOptions,
    /// Whose its seats are.
    pub(crate) takers: Vec<Mark>,
}

impl RestoredRoom {
    /// What lists are to say of it, and whether it lets nobody new in.
    pub(crate) fn described(&self) -> (&[u8], bool) {
        self.room_host.described()
    }
}

impl RestoredRoom {
    /// Ready for a worker, to be ticked by `claim`.
    pub(crate) fn ready(
        self,
        game: &Arc<HostedGame>,
        claim: Option<Arc<Claim>>,
        now: Instant,
    ) -> Box<Running> {
        let rate = self.options.tick_rate;
        let running = Running::restored(self.room_host, game.clone(), rate, claim, now);
        Box::new(running)
    }
}

impl Worker {
    /// Gives a room to the worker.
    ///
    /// # Errors
    /// Its inbox is full, or it has ended: the room comes back.
    pub(crate) fn adopt(&self, room: Box<Running>) -> Result<(), Box<Running>> {
        let sent = self.inbox.try_send(Command::Adopt(room));
        match sent {
            Err(
                TrySendError::Full(Command::Adopt(room))
                | TrySendError::Disconnected(Command::Adopt(room)),
            ) => Err(room),
            _ => Ok(()),
        }
    }

    /// When it was started, by its own clock.
    pub(crate) fn started(&self) -> Instant {
        self.state.started
    }
}

impl<G: Game> RoomHost<G> {
    /// A room of the save that `bytes` are, of this number.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn restore(
        def: &Arc<GameDef<G>>,
        game: &Arc<HostedGame>,
        id: RoomId,
        bytes: &[u8],
        registry: &dyn Directory,
    ) -> Result<RestoredRoom, RestoreError> {
        let restored = guarded(id, || {
            let mut room = Room::restore(def.clone(), bytes)?;
            if room.options().id == id {
                room.begin_again();
                // Nobody is there to be told.
                while room.poll_effect().is_some() {}
            }
            Ok(room)
        });
        let panicked = |_| RestoreError::Game("it panicked".to_owned());
        let room = restored.map_err(panicked).flatten()?;
        let options = room.options().clone();
        if options.id != id {
            return Err(RestoreError::Unsound("it is of another room"));
        }
        let mut members = Members::for_seats(options.seats);
        let since = room.tick_number();
        let mut takers = Vec::new();
        for (player, identity) in room.seats() {
            let mark = registry.mark(identity);
            members.hold(player, mark, since);
            takers.push(mark);
        }
        game.metrics.players.increment(takers.len() as f64);
        Ok(RestoredRoom {
            room_host: Box::new(RoomHost {
                id,
                game: game.clone(),
                room,
                members,
                with_mail: Vec::new(),
            }),
            options,
            takers,
        })
    }
}

/// Whether rooms of a game can be saved: one is made for it, with a player, and let go.
///
/// # Errors
/// Why not, in a line.
pub(super) fn try_save<G: Game>(def: &Arc<GameDef<G>>) -> Result<(), String> {
    let tried = guarded(RoomId(0), || {
        let mut room = Room::new(def.clone(), RoomOptions::default());
        // Who finds no seat changes nothing about it.
        let _ = room.join("save");
        room.tick();
        while room.poll_effect().is_some() {}
        room.save_into(&mut Vec::new())
    });
    match tried {
        Ok(Err(
            error @ (SaveError::Undeclared(_)
            | SaveError::Bare
            | SaveError::Sparse(_)
            | SaveError::NonSend
            | SaveError::Value(..)),
        )) => Err(error.to_string()),
        Ok(_) => Ok(()),
        Err(_) => Err("a room of it panics".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use bevy_ecs::prelude::*;

    use super::*;
    use crate::game::still::Still;
    use crate::game::{Player, Schema};

    /// What its game does not declare.
    #[derive(Component)]
    struct Silent;

    struct Mute;

    impl Game for Mute {
        const NAME: &'static str = "mute";
        type Input = ();

        fn schema(_: &mut Schema<Mute>) {}

        fn setup(_: &mut World, _: &mut Schedule, _: &RoomOptions) {}

        fn join(world: &mut World, _: &Player) -> Entity {
            world.spawn(Silent).id()
        }
    }

    #[test]
    fn a_game_that_does_not_say_what_a_player_is_made_of_is_found_at_the_start() {
        let still = Arc::new(GameDef::<Still>::new(30).unwrap());
        assert_eq!(try_save(&still), Ok(()));
        let mute = Arc::new(GameDef::<Mute>::new(30).unwrap());
        let why = try_save(&mute).unwrap_err();
        assert!(
            why.contains("declares neither") && !why.contains('\n'),
            "{why}"
        );
    }
}
