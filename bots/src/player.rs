//! How a bot plays, whatever carries its bytes: a session, the controls that make its inputs, and
//! what is measured of both. No socket and no clock: `now_us` is an argument, in microseconds since
//! the run's start. Driven by `bot`; what it does when its connection is lost, or leads elsewhere,
//! is `returning`'s.

mod returning;

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tickwire::ids::RoomId;
use tickwire::protocol::client_message::{Condition, JoinAs, NewRoom};
use tickwire::protocol::feature;
use tickwire::protocol::server_message::Refusal;
use tickwire::session::{Event, RequestError, Session};

use crate::chosen::{conditions, options};
use crate::controls::Controls;
use crate::drops::{DropPlan, DropSchedule};
use crate::ending::Cause;
use crate::gauge::Gauge;
use crate::journal::SeatEvent;
use crate::reconnects::Outage;
use crate::roles::Behaviour;
use crate::rooms::{Entry, Place};
use crate::run::{Joined, Run};
use crate::slow::{Pace, Reader};
use crate::talk::Talk;

/// From the connection to the room.
const JOIN_WITHIN: Duration = Duration::from_secs(15);
/// Between attempts when the server is too busy, on average.
const RETRY_AFTER_US: u64 = 500_000;
/// How much later than due an input may leave. The snapshot that comes at about the same time
/// then wakes the bot for both, which halves the swarm's own load; the clock's lead absorbs it.
const INPUT_GRACE_US: u64 = 2_000;

/// What a bot asks for after its welcome.
pub(crate) enum RoomRequest {
    /// A new room of this name.
    Create(String),
    /// A listed one.
    Join(RoomId),
    /// The one with this code.
    Code(String),
    /// One that is as `--filter` says.
    Any,
}

/// What the flags choose, as it is sent.
struct Chosen {
    room: Vec<u8>,
    who: JoinAs,
    filter: Vec<Condition>,
}

/// A bot without its socket.
pub(crate) struct Player {
    run: Arc<Run>,
    bot: usize,
    room: usize,
    request: RoomRequest,
    name: String,
    pub(crate) session: Session,
    behaviour: Behaviour,
    /// It has no seat.
    spectates: bool,
    /// Once in a room.
    controls: Option<Controls>,
    rng: ChaCha8Rng,
    gauge: Gauge,
    talk: Talk,
    pub(crate) reader: Reader,
    /// It was in a room at some time.
    pub(crate) joined: bool,
    /// It wants a seat, or a place, and never had this one.
    asks: bool,
    retry_us: Option<u64>,
    join_until_us: u64,
    /// When its ping left, until the answer.
    pinged_us: Option<u64>,
    drops: DropSchedule,
    /// When the newest snapshot came on the connection that it has.
    shown_us: Option<u64>,
    /// Its connection was lost, and it is not back yet.
    pub(crate) outage: Option<Outage>,
    /// Redirects since it was in a room, or asked for one.
    hops: u32,
    /// It was sent to where it is, and has no room there yet.
    is_following: bool,
    /// Where a server said last that it will probably send it, and for how long a connection there
    /// may be held, until `bot` opens one.
    pub(crate) prepare: Option<(String, Duration)>,
    /// Of the connections before this one.
    desyncs: u64,
}

impl Player {
    /// One whose first connection opens at `now_us`.
    pub(crate) fn new(run: &Arc<Run>, place: &Place, request: RoomRequest, now_us: u64) -> Player {
        let (flags, index) = (&run.flags, place.bot);
        let seed = flags.seed ^ (index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let role = if place.spectates { "spectator" } else { "bot" };
        let name = format!("{role} {}", index + 1);
        Player {
            run: Arc::clone(run),
            bot: index,
            room: place.room,
            request,
            session: one_of(run, Session::new(&name, "").of_game(&flags.game)),
            name,
            behaviour: match place.spectates {
                true => Behaviour::Spectate,
                false => flags.honest(index),
            },
            spectates: place.spectates,
            controls: None,
            rng: ChaCha8Rng::seed_from_u64(seed),
            gauge: Gauge::new(index, place.entry != Entry::Join && !place.spectates),
            talk: Talk::new(index, flags.say.filter(|_| !place.spectates)),
            reader: Reader::new(Pace::of(flags, index, place.room), place.room),
            joined: false,
            asks: true,
            retry_us: None,
            join_until_us: now_us + JOIN_WITHIN.as_micros() as u64,
            pinged_us: None,
            drops: DropSchedule::new(DropPlan::of(flags)),
            shown_us: None,
            outage: None,
            hops: 0,
            is_following: false,
            prepare: None,
            desyncs: 0,
        }
    }

    /// Layers whose checksum disagreed, over all connections.
    pub(crate) fn desyncs(&self) -> u64 {
        self.desyncs + self.session.stats().desyncs
    }

    /// Its run is over: what it waited for in vain is counted.
    pub(crate) fn finish(&mut self, now_us: u64) {
        if self.is_measured() {
            self.gauge.finish(self.run.tally_of(self.spectates), now_us);
        }
    }

    fn is_measured(&self) -> bool {
        self.reader.pace == Pace::Full
    }

    /// When [`Player::handle_timeout`] has something to do.
    pub(crate) fn poll_timeout(&self, now_us: u64) -> Option<u64> {
        let plays = self.controls.as_ref().is_some_and(Controls::play);
        let input = plays.then(|| self.session.next_input_us()).flatten();
        let times = [
            self.session.poll_timeout(),
            input.map(|us| us + INPUT_GRACE_US),
            self.asks.then_some(self.join_until_us),
            self.retry_us,
            self.talk.due_us(),
            self.reader.reads_at_us(now_us),
        ];
        times.into_iter().flatten().min()
    }

    /// Does what is due: asks again, sends inputs.
    ///
    /// # Errors
    /// It got no seat in time, or could not send.
    pub(crate) fn handle_timeout(&mut self, now_us: u64) -> Result<(), Cause> {
        if self.asks && now_us >= self.join_until_us {
            return Err(Cause::Failed("it got no seat in time".to_owned()));
        }
        if self.retry_us.is_some_and(|us| us <= now_us) {
            self.retry_us = None;
            self.ask_for_room()?;
        }
        if let Some(line) = self.talk.next(now_us, &mut self.rng) {
            let said = self.session.chat(&line);
            said.map_err(|error| Cause::Failed(error.to_string()))?;
            self.talk.on_said(&self.run.tally, now_us);
        }
        let is_measured = self.is_measured();
        if let Some(controls) = self.controls.as_mut().filter(|controls| controls.play()) {
            while let Some(tick) = self.session.next_input(now_us) {
                let values = controls.next(&mut self.rng);
                // What it decides by is the newest snapshot, so it lags by nothing.
                self.session
                    .send_input(tick, values, 0)
                    .map_err(|error| Cause::Failed(error.to_string()))?;
                if is_measured {
                    self.gauge.on_input(&self.run.tally, tick, now_us);
                }
            }
        }
        self.session.handle_timeout(now_us);
        Ok(())
    }

    /// Takes a message, which came to the socket at `arrived_us` of the kernel's clock. Says so
    /// when it brought the bot into its room for the first time.
    ///
    /// # Errors
    /// The message, or what it says, ends the bot.
    pub(crate) fn handle_message(
        &mut self,
        bytes: &[u8],
        arrived_us: Option<u64>,
        now_us: u64,
    ) -> Result<Option<Joined>, Cause> {
        self.gauge.on_arrival(arrived_us);
        self.reader.read(bytes.len(), now_us);
        if self.is_measured() {
            let tally = self.run.tally_of(self.spectates);
            self.gauge.on_bytes(tally, bytes.len(), now_us);
        }
        self.session
            .handle_message(bytes, now_us)
            .map_err(|error| Cause::Failed(error.to_string()))?;
        let mut joined = None;
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Welcome => {
                    // Inputs then leave in time from the first on.
                    let asked = self.session.ping(0);
                    self.pinged_us = asked.is_ok().then_some(now_us);
                    // Who comes back, or was sent here, has asked already.
                    if self.outage.is_none() && !self.is_following {
                        self.ask_for_room()?;
                    }
                }
                Event::Pong { .. } => {
                    if let Some(pinged_us) = self.pinged_us.take() {
                        self.session.on_round_trip(now_us - pinged_us);
                    }
                }
                Event::Joined => {
                    (self.is_following, self.hops) = (false, 0);
                    self.talk.begin(now_us, &mut self.rng);
                    joined = self.enter(now_us).or(joined);
                }
                Event::Prepare { url, valid_ms } => {
                    let valid = Duration::from_millis(valid_ms.into());
                    self.prepare = Some((url, valid));
                }
                Event::Redirect(redirect) => return Err(Cause::Redirected(redirect)),
                Event::Left { .. } => return Err(Cause::SentOut),
                Event::Refused { reason } => self.on_refused(reason, now_us)?,
                Event::Snapshot { head } => {
                    self.note_return(now_us);
                    self.shown_us = Some(now_us);
                    self.reader.applied(head.tick, &self.run.slowness);
                    if !self.is_measured() {
                        continue;
                    }
                    let tally = self.run.tally_of(self.spectates);
                    let size = bytes.len();
                    self.gauge.on_snapshot(tally, &head, size, now_us);
                    if let Some(room) = self.session.room() {
                        self.gauge.survey(tally, room, size, now_us);
                    }
                }
                Event::Chat { line } => {
                    self.talk.on_heard(&self.run.tally, &line.text, now_us);
                }
                // Counted by the session, or of no use to a bot.
                Event::Desync { .. }
                | Event::Game { .. }
                | Event::Rooms { .. }
                | Event::MemberChanged { .. }
                | Event::MemberLeft { .. }
                | Event::Members { .. }
                | Event::Reply { .. }
                | Event::Said { .. }
                | Event::Lines { .. }
                | Event::Line { .. }
                | Event::Past { .. }
                | Event::People(_)
                | Event::Presence { .. }
                | Event::Typing { .. }
                | Event::PeerTyping { .. }
                | Event::Lobby(_)
                | Event::Queue { .. }
                | Event::Party { .. }
                | Event::Notice { .. }
                | Event::Resumable { .. }
                | Event::Stopping { .. } => {}
            }
        }
        Ok(joined)
    }

    fn ask_for_room(&mut self) -> Result<(), Cause> {
        let failed = |error: RequestError| Cause::Failed(error.to_string());
        if let Some(outage) = &self.outage {
            return self.session.ask_again(&outage.ticket).map_err(failed);
        }
        let chosen = self.chosen().map_err(Cause::Failed)?;
        let asked = match &self.request {
            RoomRequest::Create(name) => self.session.create(&NewRoom {
                name: name.clone(),
                options: chosen.room,
                player: chosen.who.options,
                ..NewRoom::default()
            }),
            RoomRequest::Join(id) => self.session.join_as(*id, &chosen.who),
            RoomRequest::Code(code) => self.session.join_code_as(code, &chosen.who),
            RoomRequest::Any => {
                let (filter, who) = (&chosen.filter, &chosen.who);
                self.session.quick_join_as(filter, who, &chosen.room)
            }
        };
        asked.map_err(failed)
    }

    /// What the flags choose, by the schema; the error says which is wrong.
    fn chosen(&self) -> Result<Chosen, String> {
        let (flags, schema) = (&self.run.flags, self.session.schema());
        let schema = schema.ok_or("there is no schema yet")?;
        let (option, player) = (&flags.option, &flags.player_option);
        Ok(Chosen {
            room: options("--option", &schema.room_options, option)?,
            who: JoinAs {
                spectator: self.spectates,
                options: options("--player-option", &schema.player_options, player)?,
            },
            filter: conditions("--filter", &schema.metadata, &flags.filter)?,
        })
    }

    fn on_refused(&mut self, reason: Refusal, now_us: u64) -> Result<(), Cause> {
        let is_away = self.outage.is_some();
        let is_busy = matches!(reason, Refusal::Busy | Refusal::TooOften);
        if self.is_following && !(is_away && is_busy) {
            return Err(Cause::Failed(format!(
                "it was refused where it was sent: {reason:?}"
            )));
        }
        if !self.asks && !is_away {
            return Ok(());
        }
        if !is_busy && !self.is_untold(reason) {
            return Err(Cause::Failed(format!("it was refused a seat: {reason:?}")));
        }
        let spread = self.rng.random_range(0..RETRY_AFTER_US);
        self.retry_us = Some(now_us + RETRY_AFTER_US / 2 + spread);
        if is_away {
            self.run.reconnects.lock().retries += 1;
        }
        Ok(())
    }

    /// A room that was just made on another node is told of there within a second.
    fn is_untold(&self, reason: Refusal) -> bool {
        let elsewhere = self.run.doors.len() > 1 && self.outage.is_none();
        let by_number = matches!(self.request, RoomRequest::Join(_));
        elsewhere && by_number && reason == Refusal::NoSuchRoom
    }

    fn enter(&mut self, now_us: u64) -> Option<Joined> {
        if !self.asks {
            return None;
        }
        let (room, schema) = (self.session.room()?, self.session.schema()?);
        self.run.note(self.bot, now_us, || SeatEvent::Seated {
            room: room.info.id,
            you: room.you,
            tick: room.joined_at,
        });
        self.asks = false;
        if self.joined {
            return None;
        }
        self.controls = Some(Controls::new(self.behaviour, &schema.input, room.tick_rate));
        self.joined = true;
        if matches!(self.request, RoomRequest::Create(_)) {
            self.run.rooms.made(self.room, room.info.id);
        }
        Some(Joined {
            tick_rate: room.tick_rate,
            snapshot_every: room.snapshot_every,
            spectates: self.spectates,
        })
    }
}

/// A session as all of a run's are.
fn one_of(run: &Run, session: Session) -> Session {
    let features = match run.flags.unprepared {
        true => feature::ALL & !feature::PREPARE,
        false => feature::ALL,
    };
    session.among(&run.games).with_features(features)
}
