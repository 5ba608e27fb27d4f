//! What programs of the operator's ask of it, beside what operators do. `http::api` calls it.

use serde_json::{Map, Value};
use tickwire::ids::RoomId;
use tokio::sync::oneshot;

use super::for_programs::Answering;
use super::{GameIndex, ListedRoom, Lobby, OfGame};
use crate::game::Job;
use crate::notices::GameEvent;
use crate::worker::Order;

impl Lobby {
    /// From now on what programs say at other nodes to rooms of this one is served so. Once.
    pub(crate) fn serve_programs(
        &self,
        serve: impl Fn(Vec<u8>) -> Answering + Send + Sync + 'static,
    ) {
        // Who comes second would serve the same.
        let _ = self.shared.programs.set(Box::new(serve));
    }

    /// Brings what a program says to the node of a room that is not here. `None`: nobody answered,
    /// and whether it was done is not known.
    pub(crate) async fn say_elsewhere(&self, room: RoomId, said: Vec<u8>) -> Option<Vec<u8>> {
        let answer = self.shared.nodes.get()?.ask_for_program(room, said)?;
        answer.await.ok()
    }

    /// The listed rooms whose numbers come after `after`, by their numbers, so many at most, of the
    /// games whose names are `wanted`.
    pub(crate) fn listed_after(
        &self,
        after: RoomId,
        most: usize,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Vec<OfGame<ListedRoom>> {
        let of = |game: GameIndex| self.shared.games.get(usize::from(game.0));
        let wanted = |game| of(game).is_some_and(|game| wanted(game.name));
        let rooms = self.shared.registry.listed_after(after, most, &wanted);
        let rooms = rooms.into_iter();
        let shown = rooms.filter_map(|(game, room)| Some((game, of(game)?.rooms.shown(room))));
        shown.map(|(game, room)| self.named(game, room)).collect()
    }

    /// The name of a game, if there is one of this name.
    pub(crate) fn game(&self, name: &str) -> Option<&'static str> {
        let mut games = self.shared.games.iter();
        games.find(|game| game.name == name).map(|game| game.name)
    }

    /// The name of the game, if there is but one.
    pub(crate) fn only_game(&self) -> Option<&'static str> {
        match &self.shared.games[..] {
            [only] => Some(only.name),
            _ => None,
        }
    }

    /// The game of a room, listed or not, at whatever node.
    pub(crate) fn game_of(&self, room: RoomId) -> Option<&'static str> {
        let elsewhere = || self.shared.nodes.get()?.game_of(room);
        let game = self.shared.registry.game_of(room).or_else(elsewhere)?;
        self.shared
            .games
            .get(usize::from(game.0))
            .map(|game| game.name)
    }

    /// Whether a room is here.
    pub(crate) fn has_room(&self, room: RoomId) -> bool {
        self.shared.registry.game_of(room).is_some()
    }

    /// What a room's game is to do for what a program sends there by this name; `None` where the
    /// game does not ask for it, and players are to be told.
    ///
    /// # Errors
    /// One line: the game has asked for something else.
    pub(crate) fn job(
        &self,
        game: &str,
        name: &str,
        fields: &Map<String, Value>,
    ) -> Option<Result<Job, String>> {
        let mut games = self.shared.hosted.iter();
        let backend = games
            .find(|hosted| hosted.def.name() == game)?
            .def
            .backend();
        if !backend.has(name) {
            return None;
        }
        let read = GameEvent::read(game, &backend.schema, name, fields);
        Some(read.and_then(|event| {
            let (number, bytes) = event.packed();
            let job = backend.job(number, bytes);
            job.ok_or_else(|| format!("{name:?} is none of it"))
        }))
    }

    /// Has a room's game do it; the answer is what it says. `None`: the room takes nothing now.
    pub(crate) async fn take(&self, room: RoomId, job: Job) -> Option<Result<(), String>> {
        let worker = self.shared.registry.worker_of(room)?;
        let (reply, answer) = oneshot::channel();
        let order = Order::Take { room, job, reply };
        self.shared.workers.get(worker)?.order(order);
        answer.await.ok()
    }
}
