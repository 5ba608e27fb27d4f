//! What is asked of another node for somebody on the way there: a seat in a room of its, or a room
//! to be made; and where one is made. `leading` comes here for what it does not find.

use std::any::Any;

use tickwire::protocol::ClientMessage;
use tickwire::protocol::client_message::NewRoom;
use tickwire::protocol::server_message::Refusal;

use super::super::super::desk::load;
use super::super::super::waiting::{Event, Waiting};
use super::{Leading, Led, is_by_name, is_named};
use crate::directory::nodes::{Ask, What};
use crate::directory::ownership::messages::Incarnation;
use crate::directory::rank::NetworkMark;
use crate::text::room_name;

impl Leading<'_> {
    /// To a room that is made, on the node where it is to be.
    pub(super) fn made_somewhere(mut self) -> Result<Led, Refusal> {
        let defaults = self.desk.defaults;
        defaults.check(self.request)?;
        let (new, made_for) = match self.request {
            ClientMessage::CreateRoom(new) => {
                // What the player brings goes with them.
                let player = Vec::new();
                (
                    NewRoom {
                        player,
                        ..new.clone()
                    },
                    Vec::new(),
                )
            }
            ClientMessage::QuickJoin {
                filter, options, ..
            } => {
                let options = options.clone();
                let new = NewRoom {
                    options,
                    ..NewRoom::default()
                };
                (new, filter.clone())
            }
            _ => return self.here(),
        };
        let node = match is_by_name(&new) {
            true => {
                let name = room_name(&new.name, self.name());
                self.nodes.home(self.desk.game, &name)
            }
            false => self.placed()?,
        };
        let Some(node) = node else {
            return self.here();
        };
        let (registry, room_quotas) = (self.desk.registry, self.desk.room_quotas);
        let held = defaults.places(registry, room_quotas, self.session)?;
        let network = self.desk.network(self.session);
        let what = What::Room {
            new,
            made_for,
            network: network.map(|NetworkMark(network)| network),
        };
        self.tried.clear();
        self.asking(node, what, Some(held))
    }

    /// On which other node a room is to be made, if not here.
    fn placed(&self) -> Result<Option<Incarnation>, Refusal> {
        let registry = self.desk.registry;
        let fill = registry.fill(self.session.game);
        let load = (fill.taken < fill.limit).then(|| load(registry));
        Ok(self.nodes.place(load, registry.random()?))
    }

    /// Asks a node, and waits for what it answers.
    pub(super) fn asking(
        self,
        to: Incarnation,
        what: What,
        held: Option<Box<dyn Any + Send>>,
    ) -> Result<Led, Refusal> {
        let ask = Ask {
            game: self.desk.game.to_owned(),
            who: self.session.identity.to_string(),
            name: self.name().to_owned(),
            what,
        };
        match self.nodes.ask(to, ask) {
            Some(id) => self.later(Event::Answer { id, to, held }),
            None if is_named(self.request) => Err(Refusal::Busy),
            None => {
                drop(held);
                self.here()
            }
        }
    }

    /// Waits for something.
    pub(super) fn later(self, event: Event) -> Result<Led, Refusal> {
        let waiting = Waiting::new(self.nodes, self.request, event, self.tried, self.now);
        let waiting = waiting.ok_or(Refusal::Busy)?;
        Ok(Led::Later(Box::new(waiting)))
    }
}
