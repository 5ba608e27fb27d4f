//! What a member has been told of the others and of themselves. Kept with the member; `notices`
//! says what there is to tell, `spread` when.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tickwire::codec::encode_server;
use tickwire::ids::{PlayerId, Tick};
use tickwire::protocol::ServerMessage;
use tickwire::protocol::server_message::Member;

/// Bytes of chat a second for one member, on average: ten full lines. Beyond: later, as far as the
/// room still remembers the lines by then; older ones are lost to that member, and the numbers of
/// the lines tell.
pub(super) const CHAT_BYTES_PER_SECOND: u32 = 2048;

/// What can change of a member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Flags {
    pub(super) ready: bool,
    pub(super) host: bool,
    pub(super) connected: bool,
}

impl Flags {
    /// With whose they are: a member as others see them.
    pub(super) fn of(self, player: PlayerId, name: &str) -> Member {
        Member {
            player,
            name: name.to_owned(),
            ready: self.ready,
            host: self.host,
            connected: self.connected,
        }
    }

    /// As they go out.
    pub(super) fn encode(self, player: PlayerId) -> Bytes {
        encode_server(&ServerMessage::MemberState {
            player,
            ready: self.ready,
            host: self.host,
            connected: self.connected,
        })
        .into()
    }
}

/// The members of whom somebody was not told yet: those of higher numbers, but for the host of
/// then, who was on the first page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Untold {
    pub(super) after: PlayerId,
    pub(super) host: Option<PlayerId>,
}

impl Untold {
    /// Whether this member is one of them.
    pub(super) fn has(self, player: PlayerId) -> bool {
        player > self.after && Some(player) != self.host
    }
}

/// What a member has got of what is passed on to all.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Told {
    /// The number of the newest news.
    pub(super) news: u64,
    /// The newest line of chat.
    pub(super) chat: u32,
    /// How they are themselves.
    pub(super) own: Flags,
    /// The members of whom they were not told yet, while there are pages to come.
    pub(super) untold: Option<Untold>,
    /// Bytes of chat that they were sent and that have not leaked away.
    pub(super) chat_bytes: u32,
    chat_at: Tick,
}

impl Told {
    /// Of who was just told everything, at `tick`, but for some members.
    pub(super) fn all(
        news: u64,
        chat: u32,
        own: Flags,
        untold: Option<Untold>,
        tick: Tick,
    ) -> Told {
        Told {
            news,
            chat,
            own,
            untold,
            chat_bytes: 0,
            chat_at: tick,
        }
    }

    /// Whether they know of a member, or learn of them as news.
    pub(super) fn knows(&self, player: PlayerId) -> bool {
        self.untold.is_none_or(|untold| !untold.has(player))
    }

    pub(super) fn leak(&mut self, tick: Tick, tick_rate: u16) {
        let ticks = u64::from(tick.since(self.chat_at));
        let leaked = ticks * u64::from(CHAT_BYTES_PER_SECOND) / u64::from(tick_rate.max(1));
        self.chat_bytes = u64::from(self.chat_bytes).saturating_sub(leaked) as u32;
        self.chat_at = tick;
    }
}
