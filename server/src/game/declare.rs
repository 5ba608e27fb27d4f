//! What a game declares beside its components: requests and their answers, options of rooms and
//! players, and what rooms tell of themselves.

use bevy_ecs::component::Mutable;
use bevy_ecs::prelude::*;
use tickwire::schema::{self as wire, Field, Message};

use super::Game;
use super::action::{ActionFields, Answer, Handler};
use super::backend::{AskedFields, BackendHandler};
use super::metadata::MetadataReader;
use super::schema::{Declaration, Schema};
use crate::queue::Mode;
use crate::replication::value::Accessor;

impl<G: Game> Schema<G> {
    /// Declares a request that a client may make with its `act`, and what is done with it. The
    /// handler runs between ticks, on the room's world; its error is the client's answer.
    pub fn action<A: Default + Send + Sync + 'static>(
        &mut self,
        name: &str,
        declare: impl FnOnce(Declaration<A>) -> Declaration<A>,
        handler: Handler<A>,
    ) -> &mut Self {
        self.action_with_answer(name, declare, |nothing| nothing, handler)
    }

    /// The same of a request that gives something back: the answer that the handler returns has
    /// fields and perhaps a payload like the request, and is what the SDK's `act` resolves to.
    ///
    /// An entity in it that clients were never shown is none. Where the payload is too long, or is
    /// to be JSON and is not, the client is told that there is no answer; what the handler did is
    /// done.
    pub fn action_with_answer<A: Default + Send + Sync + 'static, R: Send + Sync + 'static>(
        &mut self,
        name: &str,
        declare: impl FnOnce(Declaration<A>) -> Declaration<A>,
        answer: impl FnOnce(Declaration<R>) -> Declaration<R>,
        handler: Handler<A, R>,
    ) -> &mut Self {
        let (mut declared, mut answer) = (declare(Declaration::new()), answer(Declaration::new()));
        let (payload, accessor) = declared.payload.take().unzip();
        let (answer_payload, answer_accessor) = answer.payload.take().unzip();
        let (fields, accessors) = self.resolve(name, declared).into_iter().unzip();
        let answer = self.resolve(&format!("the answer of {name}"), answer);
        let (answer_fields, answer_accessors): (Vec<Field>, _) = answer.into_iter().unzip();
        self.wire.actions.push(wire::Action {
            request: Message {
                name: name.to_owned(),
                fields,
                payload,
            },
            answer: answer_fields.clone(),
            answer_payload,
        });
        self.actions.push(Box::new(ActionFields {
            accessors,
            payload: accessor,
            answer: Answer {
                fields: answer_fields,
                accessors: answer_accessors,
                payload: answer_accessor,
            },
            handler,
        }));
        self
    }

    /// Declares what a program of the operator's may ask of a room: an event of this name that it
    /// sends there (`POST /api/v1/events`) comes to the handler instead of to the room's players,
    /// who are told what the game tells them. The handler runs between ticks, on the room's world;
    /// its error, of 200 characters at most, is the program's answer. Fields and payload are
    /// checked as an action's; there are no entities in them, and clients know nothing of it.
    pub fn on_backend<A: Default + Send + 'static>(
        &mut self,
        name: &str,
        declare: impl FnOnce(Declaration<A>) -> Declaration<A>,
        handler: BackendHandler<A>,
    ) -> &mut Self {
        let mut declared = declare(Declaration::new());
        let (payload, accessor) = declared.payload.take().unzip();
        let (fields, accessors) = self.resolve(name, declared).into_iter().unzip();
        self.backend.schema.events.push(Message {
            name: name.to_owned(),
            fields,
            payload,
        });
        self.backend.asked.push(Box::new(AskedFields {
            accessors,
            payload: accessor,
            handler,
        }));
        self
    }

    /// Declares how a room may be made: what the SDK's `create`, and a quick join that makes one,
    /// may bring as `options`. [`Game::setup`] finds them in
    /// [`RoomOptions::options`](super::RoomOptions::options); a room that nobody chose anything for
    /// has `T::default()`. At most [`OPTIONS_BYTES_MAX`](tickwire::limits::OPTIONS_BYTES_MAX) bytes
    /// when packed, without entities.
    pub fn room_options<T: Default + Send + Sync + 'static>(
        &mut self,
        declare: impl FnOnce(Declaration<T>) -> Declaration<T>,
    ) -> &mut Self {
        let (fields, accessors) = self.fields_of("room options", declare);
        self.wire.room_options.clone_from(&fields);
        if !self.room_options.declare(fields, accessors) {
            self.errors.push("room options are declared twice".into());
        }
        self
    }

    /// Declares what a player may bring to a room, like a colour or a character: what the SDK's
    /// `join` takes as `options`. [`Game::join`] and [`Game::resumed`] find it in
    /// [`Player::options`](super::Player::options); who brings nothing has `T::default()`. Limits
    /// as for [`Schema::room_options`].
    pub fn player_options<T: Default + Send + Sync + 'static>(
        &mut self,
        declare: impl FnOnce(Declaration<T>) -> Declaration<T>,
    ) -> &mut Self {
        let (fields, accessors) = self.fields_of("player options", declare);
        self.wire.player_options.clone_from(&fields);
        if !self.player_options.declare(fields, accessors) {
            self.errors.push("player options are declared twice".into());
        }
        self
    }

    /// Declares what a room tells of itself: lists of rooms show it, a quick join may ask for it.
    /// `R` is a resource that [`Game::setup`] puts into the world and systems change; what it says
    /// then is told when the room is made, and from then on when it has changed, at most once a
    /// second. At most [`OPTIONS_BYTES_MAX`](tickwire::limits::OPTIONS_BYTES_MAX) bytes when
    /// packed, without entities. Everyone in the lobby reads it.
    pub fn metadata<R: Resource + Component<Mutability = Mutable>>(
        &mut self,
        declare: impl FnOnce(Declaration<R>) -> Declaration<R>,
    ) -> &mut Self {
        let (fields, accessors) = self.fields_of("metadata", declare);
        self.wire.metadata.clone_from(&fields);
        let reader = MetadataReader::of(fields, accessors);
        if self.metadata.replace(reader).is_some() {
            self.errors.push("metadata is declared twice".into());
        }
        self
    }

    /// Declares a way to play for which the lobby's queue finds players: what a page calls `name`,
    /// 1 to 32 characters. A match gets a private room with a seat for each of its players, which
    /// finds in [`RoomOptions::matched`](super::RoomOptions::matched) who plays with whom.
    pub fn mode(&mut self, name: &str, mode: Mode) -> &mut Self {
        self.modes.push(name, mode);
        self
    }

    /// Declares where players may want to play, at most
    /// [`REGIONS_MAX`](crate::queue::REGIONS_MAX) names: who names other regions is not matched
    /// with them.
    pub fn regions(&mut self, names: &[&str]) -> &mut Self {
        self.modes.set_regions(names);
        self
    }

    fn fields_of<T>(
        &mut self,
        of: &str,
        declare: impl FnOnce(Declaration<T>) -> Declaration<T>,
    ) -> (Vec<Field>, Vec<Accessor<T>>) {
        let resolved = self.resolve(of, declare(Declaration::new()));
        resolved.into_iter().unzip()
    }
}
