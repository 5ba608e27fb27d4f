//! What a member asks that is not their room's business: of other people, and of channels other than
//! the room's. It goes to [`crate::people`], and the answer comes by the member's mailbox; who a member
//! of the room is, the room knows.

use tickwire::codec::encode_server;
use tickwire::ids::PlayerId;
use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{ClientMessage, PeopleNews, PeopleRequest, ServerMessage, feature};

use super::room_host::{RoomHost, TurnContext};
use crate::game::Game;

impl<G: Game> RoomHost<G> {
    /// Hands over what a member asks, or answers it.
    pub(super) fn ask_beyond(
        &mut self,
        player: PlayerId,
        message: ClientMessage,
        ctx: &TurnContext,
    ) {
        let people = &ctx.common.people;
        let Some(client) = self.members.client(player) else {
            return;
        };
        let Some(online) = &client.session.online else {
            return;
        };
        let told = match message {
            ClientMessage::Watch { handles } => {
                if client.session.features & feature::WATCH != 0 {
                    people.watch(&online.handle(), handles, ctx.now);
                }
                None
            }
            _ if client.session.features & feature::PEOPLE == 0 => not_known(message),
            ClientMessage::People(PeopleRequest::Who {
                nonce,
                player: whom,
            }) => {
                let known = self.room.known(whom);
                let known = known.map(|(identity, name)| people.who(identity, name));
                let result = known.ok_or(Refusal::NoSuchPlayer);
                Some(ServerMessage::People(PeopleNews::Answer { nonce, result }))
            }
            message => people.ask(&online.handle(), message, ctx.now),
        };
        if let Some(told) = told {
            let bytes = encode_server(&told);
            ctx.common
                .metrics
                .control_bytes
                .increment(bytes.len() as u64);
            client.conn.send(&bytes);
        }
    }
}

/// What a client is told that knows of the room's channel alone.
fn not_known(message: ClientMessage) -> Option<ServerMessage> {
    let refused = Refusal::NoSuchRoom;
    match message {
        ClientMessage::Say { nonce, .. } => {
            let result = Err(refused);
            Some(ServerMessage::Said { nonce, result })
        }
        ClientMessage::History { nonce, .. } => {
            let result = Err(refused);
            Some(ServerMessage::Lines { nonce, result })
        }
        _ => None,
    }
}
