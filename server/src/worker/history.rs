//! A member who wants to read what was said in their room: the room has said what it remembers, the
//! rest is [`crate::history`]'s, and the answer comes by the member's mailbox.

use tickwire::codec::encode_server;
use tickwire::protocol::ServerMessage;
use tickwire::protocol::server_message::PastLine;

use super::room_host::{RoomHost, TurnContext};
use crate::date;
use crate::game::Game;
use crate::history::Ask;
use crate::room::{Remembered, Wanted};

impl<G: Game> RoomHost<G> {
    /// Has a page read for a member, or tells them why not.
    pub(super) fn read_chat(&mut self, wanted: Wanted, ctx: &TurnContext) {
        let Wanted {
            reader,
            nonce,
            before,
            newest,
            remembered,
        } = wanted;
        let options = self.room.options();
        let (channel, tick_rate) = (options.key(), options.tick_rate);
        let Some(client) = self.members.client(reader) else {
            return;
        };
        let Some(online) = &client.session.online else {
            return;
        };
        let now_ms = date::now_ms();
        let dated = |of: Remembered| PastLine {
            id: of.line.id,
            at: said_at(now_ms, of.ticks_ago, tick_rate),
            own: of.line.from == reader,
            name: of.line.name,
            text: of.line.text,
        };
        let ask = Ask {
            reader: online.handle(),
            nonce,
            channel,
            before,
            newest,
            remembered: remembered.into_iter().map(dated).collect(),
        };
        if let Err(reason) = ctx.common.history.ask(ask, ctx.now) {
            let result = Err(reason);
            let refused = encode_server(&ServerMessage::Lines { nonce, result });
            client.conn.send(&refused);
        }
    }
}

/// When something was said so many ticks ago, in seconds since 1970. Ticks count as time goes by;
/// while the room was not in any process they did not.
fn said_at(now_ms: u64, ticks_ago: u32, tick_rate: u16) -> u32 {
    let ago_ms = u64::from(ticks_ago) * 1000 / u64::from(tick_rate.max(1));
    u32::try_from(now_ms.saturating_sub(ago_ms) / 1000).unwrap_or(u32::MAX)
}
