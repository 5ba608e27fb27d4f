//! What a server's control messages, but the welcome, change, and what the driver is told of it.

use super::{Event, NoticeOf, Redirect, RoomSession, Session, SessionError, State};
use crate::limits::{
    CHAT_HISTORY_MAX, MEMBERS_PER_PAGE, NOTICE_CHARS_MAX, PAGE_LINES_MAX, PEERS_PER_PAGE,
    PRESENCES_PER_PAGE, ROOMS_LISTED_MAX, UNREAD_MAX,
};
use crate::protocol::server_message::Member;
use crate::protocol::{PeopleNews, ServerMessage};

impl Session {
    /// Takes a message in.
    pub(super) fn on_control(&mut self, message: ServerMessage) -> Result<(), SessionError> {
        if !within_limits(&message) {
            return Err(SessionError::Control);
        }
        if let welcome @ ServerMessage::Welcome { .. } = message {
            return self.on_welcome(welcome);
        }
        let event = match (self.state(), message) {
            (State::Hello, ServerMessage::Stopping { retry_after_ms }) => {
                Event::Stopping { retry_after_ms }
            }
            (State::Hello | State::Failed, _) => return Err(SessionError::Unexpected),
            (State::Lobby, message @ ServerMessage::Joined { .. }) => {
                let seen = self.resuming.take().unwrap_or_default();
                self.room = RoomSession::new(message, seen);
                if let (Some(room), Some(rtt_us)) = (&mut self.room, self.round_trip_us) {
                    room.on_round_trip(rtt_us);
                }
                Event::Joined
            }
            (State::Room, ServerMessage::Left { reason }) => {
                self.room = None;
                Event::Left { reason }
            }
            (_, message) => self.on_member_message(message)?,
        };
        self.events.push_back(event);
        Ok(())
    }

    /// What does not change the state.
    fn on_member_message(&mut self, message: ServerMessage) -> Result<Event, SessionError> {
        let event = match (&mut self.room, message) {
            (_, ServerMessage::Refused { reason }) => {
                self.resuming = None;
                Event::Refused { reason }
            }
            (_, ServerMessage::Rooms { rooms }) => Event::Rooms { rooms },
            (_, ServerMessage::Pong { nonce, tick }) => Event::Pong { nonce, tick },
            (_, ServerMessage::Stopping { retry_after_ms }) => Event::Stopping { retry_after_ms },
            (_, ServerMessage::Prepare { url, valid_ms }) => Event::Prepare { url, valid_ms },
            (_, ServerMessage::Reply { id, result }) => Event::Reply { id, result },
            (
                _,
                ServerMessage::Notice {
                    number,
                    at,
                    text,
                    event,
                },
            ) => {
                let welcome = self.welcome.as_ref().ok_or(SessionError::Unexpected)?;
                let schema = &welcome.game.schema;
                let event = event.map(|event| NoticeOf::read(&event, schema));
                Event::Notice {
                    number,
                    at,
                    text,
                    event: event.transpose()?,
                }
            }
            (_, ServerMessage::Said { nonce, result }) => Event::Said { nonce, result },
            (_, ServerMessage::Lines { nonce, result }) => Event::Lines { nonce, result },
            (_, ServerMessage::Line { channel, line }) => Event::Line { channel, line },
            (_, ServerMessage::Past { nonce, result }) => Event::Past { nonce, result },
            (_, ServerMessage::People(news)) => Event::People(news),
            (_, ServerMessage::Presence { peers }) => Event::Presence { peers },
            (_, ServerMessage::Lobby(news)) => Event::Lobby(news),
            (_, ServerMessage::PeerTyping { channel, peer }) => Event::PeerTyping { channel, peer },
            (_, ServerMessage::Queue { nonce, state }) => Event::Queue { nonce, state },
            (_, ServerMessage::Party { nonce, state }) => Event::Party { nonce, state },
            (Some(room), ServerMessage::MemberChanged { member }) => {
                room.on_member_changed(&member);
                Event::MemberChanged { member }
            }
            (
                Some(room),
                ServerMessage::MemberState {
                    player,
                    ready,
                    host,
                    connected,
                },
            ) => {
                let known = room.members.iter().find(|known| known.player == player);
                let member = Member {
                    ready,
                    host,
                    connected,
                    ..known.cloned().ok_or(SessionError::Unexpected)?
                };
                room.on_member_changed(&member);
                Event::MemberChanged { member }
            }
            (Some(room), ServerMessage::Members { members, more }) => {
                if !room.more_members {
                    return Err(SessionError::Unexpected);
                }
                room.more_members = more;
                for member in &members {
                    room.on_member_changed(member);
                }
                Event::Members { members, more }
            }
            (
                _,
                ServerMessage::Redirect {
                    url,
                    ticket,
                    room,
                    valid_ms,
                },
            ) => Event::Redirect(Redirect {
                game: self
                    .welcome
                    .as_ref()
                    .map_or_else(String::new, |welcome| welcome.game_name.clone()),
                url,
                ticket,
                room,
                valid_ms,
            }),
            (Some(room), ServerMessage::MemberLeft { player }) => {
                room.on_member_left(player);
                Event::MemberLeft { player }
            }
            (Some(room), ServerMessage::Chat { line }) => {
                room.seen.chat = room.seen.chat.max(line.id);
                Event::Chat { line }
            }
            (Some(_), ServerMessage::Typing { player }) => Event::Typing { player },
            (Some(room), ServerMessage::ResumeToken { token, grace_ms }) => {
                room.on_resume_token(token, grace_ms);
                Event::Resumable { grace_ms }
            }
            // Joined twice, Left or Members outside a room.
            _ => return Err(SessionError::Unexpected),
        };
        Ok(event)
    }
}

/// Whether a message has no more than the protocol allows, and no rate of 0.
fn within_limits(message: &ServerMessage) -> bool {
    match message {
        ServerMessage::Rooms { rooms } => rooms.len() <= ROOMS_LISTED_MAX,
        ServerMessage::Joined {
            tick_rate,
            snapshot_every,
            members,
            chat,
            ..
        } => {
            *tick_rate != 0
                && *snapshot_every != 0
                && members.len() <= MEMBERS_PER_PAGE
                && chat.len() <= CHAT_HISTORY_MAX
        }
        ServerMessage::Members { members, .. } => members.len() <= MEMBERS_PER_PAGE,
        ServerMessage::Lines { result, .. } => {
            let lines = result.as_ref().map_or(0, |page| page.lines.len());
            lines <= PAGE_LINES_MAX
        }
        ServerMessage::Past { result, .. } => {
            let lines = result.as_ref().map_or(0, |page| page.lines.len());
            lines <= PAGE_LINES_MAX
        }
        ServerMessage::People(PeopleNews::You { unread, .. }) => unread.len() <= UNREAD_MAX,
        ServerMessage::People(PeopleNews::Blocked { peers, .. }) => peers.len() <= PEERS_PER_PAGE,
        ServerMessage::Presence { peers } => peers.len() <= PRESENCES_PER_PAGE,
        ServerMessage::Lobby(news) => {
            news.here.len() <= PEERS_PER_PAGE && news.gone.len() <= PRESENCES_PER_PAGE
        }
        ServerMessage::Notice { text, event, .. } => {
            let chars = text.chars().count();
            chars <= NOTICE_CHARS_MAX && (chars > 0 || event.is_some())
        }
        _ => true,
    }
}
