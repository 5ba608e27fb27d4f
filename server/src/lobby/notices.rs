//! Notices as other parts of the server give them out: of games by their names. What becomes of
//! them is [`crate::notices`]'s.

use serde_json::{Map, Value};
use tickwire::ids::RoomId;

use super::Lobby;
use super::games::event;
use crate::auth::Identity;
use crate::date::Date;
use crate::lending::{Answer, Asked, Audience, Question};
use crate::notices::{Class, GameEvent, Notice, Reached, Refused, To};
use crate::presence::Whereabouts;
use crate::store::ReadError;
use crate::store::record;

/// Players of whom it is asked at once where they are: what is answered fits into a frame.
const PLAYERS_AT_ONCE: usize = 20;

impl Lobby {
    /// Says something to those who are meant, at whatever node they are. What is kept for who is away is
    /// on the disk when this is done, where there is a store, with what comes of `answer`;
    /// to be awaited to the end. Not for the tick path.
    ///
    /// # Errors
    /// See [`Refused`]; nothing was said then.
    pub(crate) async fn publish(
        &self,
        to: &To,
        notice: &Notice,
        answer: impl FnOnce(Reached) -> Option<record::Answer>,
    ) -> Result<Reached, Refused> {
        if let To::Game(game) = to {
            self.shared.game_named(game).ok_or(Refused::NoSuchGame)?;
        }
        let notices = &self.shared.notices;
        if notice.class == Class::NowOnly {
            return self.tell_all(to, notice).await;
        }
        if !notices.are_stored(notice.class) {
            return notices.publish(to, notice, Date::now());
        }
        let written = notices.store(to, notice, answer, Date::now())?;
        let reached = written.reached;
        written.done().await.map(|()| reached)
    }

    /// What is lost to who is away the home tells, which knows of all who are connected.
    async fn tell_all(&self, to: &To, notice: &Notice) -> Result<Reached, Refused> {
        let notices = &self.shared.notices;
        let (letter, game) = notices.letter(to, notice, Date::now())?;
        let question = Question::Tell {
            to: match to {
                To::Everybody | To::Game(_) => Audience::All,
                To::Room(room) => Audience::Room(room.0),
                To::Player(player) => Audience::Player(player.to_string()),
            },
            game: game.as_deref().map(str::to_owned),
            letter: letter.bytes.to_vec(),
        };
        let reached = match self.shared.lending.ask(question).await {
            Asked::Here => notices.tell(to, game.as_deref(), &letter),
            Asked::Answer(Answer::Told { now, later }) => Reached { now, later },
            Asked::Answer(_) | Asked::Nothing => return Err(Refused::NoHome),
        };
        notices.told(notice.class);
        Ok(reached)
    }

    /// Where each of these players is, at whatever node, by each of their connections. `None`: that is
    /// not known now.
    pub(crate) async fn whereabouts(&self, players: &[Identity]) -> Option<Vec<Vec<Whereabouts>>> {
        let mut all = Vec::with_capacity(players.len());
        for players in players.chunks(PLAYERS_AT_ONCE) {
            let question = Question::Where {
                players: players.iter().map(Identity::to_string).collect(),
            };
            let there = match self.shared.lending.ask(question).await {
                Asked::Here => self.moderation().presence().whereabouts(players),
                Asked::Answer(Answer::There(there)) if there.len() == players.len() => {
                    let of_one = |of: Vec<(String, u32)>| {
                        let known = of.into_iter().filter_map(|(game, room)| {
                            let game = self.game(&game)?;
                            let room = (room != 0).then_some(RoomId(room));
                            Some(Whereabouts { game, room })
                        });
                        known.collect()
                    };
                    there.into_iter().map(of_one).collect()
                }
                Asked::Answer(_) | Asked::Nothing => return None,
            };
            all.extend(there);
        }
        Some(all)
    }

    /// Reads the notices of before: before anybody is let in.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn recall_notices(&self) -> Result<(), ReadError> {
        match self.store().is_there() {
            true => self.shared.notices.follow().await,
            false => Ok(()),
        }
    }

    /// Drops the notices that wait for a player, who was erased from the store.
    pub(crate) fn forget_notices(&self, player: &Identity) {
        self.shared.notices.forget(player);
    }

    /// An event for a notice, of the game of this name, or of the first one: see
    /// [`GameEvent::read`].
    ///
    /// # Errors
    /// One line: there is no such game, or its schema has no such event.
    pub(crate) fn event(
        &self,
        game: Option<&str>,
        name: &str,
        fields: &Map<String, Value>,
    ) -> Result<GameEvent, String> {
        event(&self.shared.hosted, game, name, fields)
    }
}
