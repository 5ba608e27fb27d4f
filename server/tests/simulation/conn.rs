//! A client's connection: its session, and what it was told, which is judged at once.

use std::collections::VecDeque;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use tickwire::ids::{LayerId, PlayerId, RoomId, Tick};
use tickwire::limits::{CHAT_HISTORY_MAX, PLAYER_NUMBERS};
use tickwire::protocol::client_message::JoinAs;
use tickwire::protocol::frame::{SectionKind, SnapshotHead};
use tickwire::protocol::server_message::{LeaveReason, Refusal};
use tickwire::session::{Event, Seen as Known, Session, Ticket};
use tickwire::snapshot::delta::decode_head;

use crate::broken::{Broken, Check};
use crate::host::Host;
use crate::line::LineId;
use crate::oracle::{Ear, Got, Oracle};
use crate::peer::Seen;
use crate::planted::Planted;

/// Numbers of lines that a room leaves out when it is made of a save, at most, and what is left of
/// them for who has seen some of what was said since.
const LEFT_OUT_MAX: u32 = 100_000;
const LEFT_OUT_MIN: u32 = LEFT_OUT_MAX / 2;

/// A connection that is open.
pub(crate) struct Conn {
    pub(crate) line: LineId,
    pub(crate) session: Session,
    pub(crate) incoming: Vec<u8>,
    pub(crate) heard: Vec<Event>,
    /// It asks to look on, not for a seat.
    pub(crate) looks_on: bool,
    /// By which number the server has it in the room, or had it there last.
    pub(crate) number: Option<PlayerId>,
    /// The newest snapshot that was judged, or the tick of joining.
    pub(crate) judged: Tick,
    /// Up to what ticks it has got events, or one of several up to which the server may take it that
    /// it has.
    pub(crate) got: Vec<Got>,
    /// The room's tick when it took its seat, maybe on an earlier connection.
    pub(crate) seated_at: Tick,
    /// It has asked for its seat again, of which it saw so much.
    pub(crate) asking: Option<Known>,
    pub(crate) acts: u32,
    pub(crate) asked: VecDeque<u32>,
    pub(crate) pings: VecDeque<u32>,
    pub(crate) chat_next: Option<u32>,
    /// Something happened for which a server may close it.
    pub(crate) excused: bool,
    /// It was sent away from the room, and comes back as somebody else.
    pub(crate) sent_away: bool,
    /// The last player went where it looked on.
    pub(crate) was_dismissed: bool,
    /// Its memory fails now and then.
    pub(crate) planted: Option<Planted>,
}

impl Conn {
    pub(crate) fn open(
        line: LineId,
        who: &str,
        held: Option<(Ticket, Tick)>,
        looks_on: bool,
        plants: bool,
    ) -> Conn {
        let session = || match &held {
            Some((ticket, _)) => Session::resume("somebody", who, ticket),
            None => Session::new("somebody", who),
        };
        let (session, planted) = (session(), plants.then(|| Planted::new(session())));
        Conn {
            line,
            session,
            asking: held.as_ref().map(|(ticket, _)| ticket.seen),
            seated_at: held.map_or(Tick(0), |(_, seated_at)| seated_at),
            got: Vec::new(),
            incoming: Vec::new(),
            heard: Vec::new(),
            looks_on,
            number: None,
            judged: Tick(0),
            acts: 0,
            asked: VecDeque::new(),
            pings: VecDeque::new(),
            chat_next: None,
            excused: false,
            sent_away: false,
            was_dismissed: false,
            planted,
        }
    }

    /// The session whose images are judged.
    pub(crate) fn judged(&self) -> &Session {
        let twin = self.planted.as_ref().map(|planted| &planted.twin);
        twin.unwrap_or(&self.session)
    }

    /// Asks to be let into the room.
    pub(crate) fn join(&mut self, room: RoomId) {
        let who = JoinAs {
            spectator: self.looks_on,
            ..JoinAs::default()
        };
        // Not in the lobby any more: it is asked again when it is there.
        let _ = self.session.join_as(room, &who);
    }

    /// Takes the session's news of a message.
    pub(crate) fn hear(
        &mut self,
        message: &[u8],
        host: &mut Host,
        oracle: &mut Oracle,
        seen: &mut Seen,
    ) -> Result<(), Broken> {
        let wrong = |what: String| Err(Broken::new(Check::Messages, what));
        let restarts = host.restarts;
        let is_next = |line: u32, before: u32| follows(line, before, restarts);
        let Some(line) = host.lines.get_mut(&self.line) else {
            return Ok(());
        };
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Welcome if self.asking.is_some() => {}
                Event::Welcome => self.join(host.room_id),
                Event::Left {
                    reason: LeaveReason::Kicked,
                }
                | Event::Refused {
                    reason: Refusal::KeptOut,
                } => {
                    self.sent_away = true;
                }
                Event::Refused { .. } if self.asking.take().is_some() => {
                    seen.seats_lost += 1;
                    self.join(host.room_id);
                }
                // No place is left, or nobody plays.
                Event::Refused {
                    reason: Refusal::RoomFull | Refusal::NoSuchRoom,
                } if self.looks_on => {
                    seen.not_let_in += 1;
                    self.looks_on = false;
                }
                Event::Joined => {
                    self.judged = line.joined_at;
                    let looked_on = self.number.is_some_and(is_spectator);
                    self.number = line.number;
                    let looks_on = self.number.is_some_and(is_spectator);
                    seen.watched += u64::from(looks_on);
                    seen.moved_to_play += u64::from(looked_on && !looks_on);
                    let room = self.session.room();
                    let said = room.map_or(&[][..], |room| &room.chat);
                    if let Some(before) = self.asking.take() {
                        seen.returns += 1;
                        let seen_max = line.seen_max.iter();
                        let from_the_seat = |most: &Tick| Got {
                            momentary: line.joined_at,
                            durable: before.tick.min(*most),
                        };
                        self.got = seen_max.map(from_the_seat).collect();
                        // Where the connection before was still there they go on from what they have
                        // seen.
                        self.got.push(Got {
                            momentary: before.tick,
                            durable: before.tick,
                        });
                        // All that was said since, or as much of it as is remembered.
                        let first = said.first().map_or(before.chat + 1, |line| line.id);
                        if !is_next(first, before.chat) && said.len() < CHAT_HISTORY_MAX {
                            return wrong(format!("line {first} after {}", before.chat));
                        }
                        self.chat_next = Some(before.chat + 1);
                    } else {
                        seen.joins += 1;
                        self.got = vec![Got {
                            momentary: line.joined_at,
                            durable: Tick(0),
                        }];
                        self.seated_at = line.seated_at;
                        self.chat_next = None;
                    }
                    self.chat_next = said.last().map(|line| line.id + 1).or(self.chat_next);
                    self.asked.clear();
                    self.heard.clear();
                }
                Event::Game { .. } => self.heard.push(event),
                Event::Snapshot { head } => {
                    seen.snapshots += 1;
                    seen.events += self.heard.len() as u64;
                    let judged = self.judged();
                    if let (Some(room), Some(layout)) = (judged.room(), judged.layout()) {
                        let Some(player) = self.number else {
                            return wrong(format!("{:?} for who is gone", head.tick));
                        };
                        if room.you != Some(player).filter(|player| !is_spectator(*player)) {
                            return wrong(format!("{:?} is told to {player}", room.you));
                        }
                        seen.spectated += u64::from(is_spectator(player));
                        let ear = Ear {
                            player,
                            seated_at: self.seated_at,
                            judged: self.judged,
                            got: self.got.clone(),
                        };
                        let bare = keyframes(message);
                        seen.durable +=
                            oracle.judge(layout, room, &bare, &ear, head.tick, &self.heard)?;
                    }
                    self.judged = head.tick;
                    self.got = vec![Got {
                        momentary: head.tick,
                        durable: head.tick,
                    }];
                    self.heard.clear();
                }
                Event::Desync { layer } if self.planted.is_some() => {
                    if let Some(planted) = &mut self.planted {
                        planted.on_desync(layer)?;
                    }
                }
                Event::Desync { layer } => {
                    let what = format!("the checksum of {layer} differs");
                    return Err(Broken::new(Check::Image, what));
                }
                Event::Reply { id, result } => {
                    seen.answers += 1;
                    let expected = self.asked.pop_front().zip(line.answers.pop_front());
                    if expected != Some((id, result.clone().map(drop))) {
                        return wrong(format!("{id} was answered {result:?}, not {expected:?}"));
                    }
                }
                Event::Chat { line } => {
                    seen.chats += 1;
                    if self
                        .chat_next
                        .is_some_and(|next| !is_next(line.id, next - 1))
                    {
                        return wrong(format!("line {} for {:?}", line.id, self.chat_next));
                    }
                    self.chat_next = Some(line.id + 1);
                }
                Event::Pong { nonce, .. } => {
                    let asked = self.pings.pop_front();
                    if asked != Some(nonce) {
                        return wrong(format!("pong {nonce} for ping {asked:?}"));
                    }
                }
                // What was asked of the room came too late; a ping is answered in the lobby as
                // well.
                Event::Left { reason } => {
                    self.asked.clear();
                    // Nobody plays any more: somebody must.
                    if reason == LeaveReason::RoomClosed {
                        self.was_dismissed = true;
                        self.looks_on = false;
                        self.join(host.room_id);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What is due: inputs, acknowledgements.
    pub(crate) fn play(
        &mut self,
        rests: bool,
        now_us: u64,
        rng: &mut ChaCha8Rng,
    ) -> Result<(), Broken> {
        if !rests {
            while let Some(tick) = self.session.next_input(now_us) {
                let values = [rng.random_range(0..=32), i32::from(rng.random_ratio(1, 30))];
                self.session.send_input(tick, &values, 0).map_err(|error| {
                    Broken::new(Check::Protocol, format!("an input was refused: {error}"))
                })?;
            }
        }
        self.session.handle_timeout(now_us);
        Ok(())
    }

    /// Asks something of the game about a thing that it sees.
    pub(crate) fn act(&mut self, rng: &mut ChaCha8Rng) {
        let Some(image) = self
            .session
            .room()
            .and_then(|room| room.layer(LayerId::ROOM))
        else {
            return;
        };
        let whom = match image.entities.len() {
            0 => return,
            len => image.entities[rng.random_range(0..len)].handle().to_field(),
        };
        self.acts += 1;
        let asked = if rng.random() {
            self.session.act(self.acts, 0, &[whom], &[])
        } else {
            self.session.act(self.acts, 1, &[whom, 3], &[])
        };
        if asked.is_ok() {
            self.asked.push_back(self.acts);
        }
    }
}

/// Whether a line of chat is the next one after another, in a room that was made of a save so
/// often: each time it leaves out as many numbers as may have been said since.
fn follows(line: u32, before: u32, restarts: u32) -> bool {
    let left_out = line.checked_sub(before + 1);
    left_out.is_some_and(|left_out| {
        left_out == 0 || (LEFT_OUT_MIN..=restarts * LEFT_OUT_MAX).contains(&left_out)
    })
}

/// Whether a number is of those who look on.
fn is_spectator(number: PlayerId) -> bool {
    number.0 >= PLAYER_NUMBERS
}

/// Which layers a snapshot brings as keyframes.
fn keyframes(message: &[u8]) -> Vec<LayerId> {
    let (_, sections) = SnapshotHead::decode(message).expect("the session took it");
    let layers = sections.flatten().filter_map(|(kind, bytes)| {
        let SectionKind::Layer(layer) = kind else {
            return None;
        };
        let (head, _) = decode_head(layer, bytes).expect("the session took it");
        (head.back == 0).then_some(layer)
    });
    layers.collect()
}
