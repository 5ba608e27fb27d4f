//! A bot's life: a session driven by a socket, the clock and a pair of hands, on one connection after the other.
//! What it sees goes to its `Gauge`; `bot` begins and ends it.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tickwire::ids::RoomId;
use tickwire::protocol::CloseCode;
use tickwire::protocol::server_message::Refusal;
use tickwire::session::{Event, RequestError, Session, is_final};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::behaviours::{Behaviour, Hands};
use crate::bot::{Bot, Cause, Ending};
use crate::drops::{Absence, Drops, Fate};
use crate::measure::Gauge;
use crate::rooms::Way;
use crate::slow::{Pace, Reader};
use crate::socket::{Incoming, Socket};
use crate::swarm::{News, Swarm};

/// From the connection to the room.
const JOIN_WITHIN: Duration = Duration::from_secs(15);
/// Between attempts when the server is too busy, on average.
const RETRY_AFTER_US: u64 = 500_000;
/// How much later than due an input may leave. The snapshot that comes at about the same time
/// then wakes the bot for both, which halves the swarm's own load; the clock's lead absorbs it.
const INPUT_GRACE_US: u64 = 2_000;

/// How a connection came to an end.
enum End {
    /// The bot's life with it.
    Over(Cause),
    /// The bot cuts it.
    Cut,
}

impl From<Cause> for End {
    fn from(cause: Cause) -> End {
        End::Over(cause)
    }
}

/// The room that a bot is after.
pub(crate) enum Goal {
    /// One of this name, which it makes.
    Make(String),
    /// A listed one.
    Join(RoomId),
    /// The one with this code.
    Code(String),
}

/// A bot with a connection.
pub(crate) struct Life {
    swarm: Arc<Swarm>,
    room: usize,
    goal: Goal,
    name: String,
    session: Session,
    behaviour: Behaviour,
    /// Once in a room.
    hands: Option<Hands>,
    rng: ChaCha8Rng,
    gauge: Gauge,
    reader: Reader,
    joined: bool,
    retry_us: Option<u64>,
    join_until_us: u64,
    /// When its ping left, until the answer.
    pinged_us: Option<u64>,
    /// When it loses its connection.
    drops: Drops,
    /// It lost it and is not back yet.
    absence: Option<Absence>,
    /// The connection that it lost, where the server was not told.
    left: Option<Socket>,
    /// Of the connections before this one.
    desyncs: u64,
}

impl Life {
    /// That of a bot whose first socket is open.
    pub(crate) fn new(bot: &Bot, goal: Goal) -> Life {
        let seed = bot.swarm.flags.seed ^ (bot.index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let name = format!("bot {}", bot.index + 1);
        let first_of_room = !matches!(bot.way, Way::Follow);
        Life {
            swarm: Arc::clone(&bot.swarm),
            room: bot.room,
            goal,
            session: Session::new(&name, "").among(&bot.swarm.games),
            name,
            behaviour: bot.swarm.flags.honest(bot.index),
            hands: None,
            rng: ChaCha8Rng::seed_from_u64(seed),
            gauge: Gauge::new(bot.index, first_of_room),
            reader: Reader::new(Pace::of(&bot.swarm.flags, bot.index, bot.room), bot.room),
            joined: false,
            retry_us: None,
            join_until_us: bot.swarm.now_us() + JOIN_WITHIN.as_micros() as u64,
            pinged_us: None,
            drops: Drops::new(Fate::of(&bot.swarm.flags)),
            absence: None,
            left: None,
            desyncs: 0,
        }
    }

    /// Lives until the swarm stops or something ends it.
    pub(crate) async fn lead(mut self, socket: Socket, stop: &mut watch::Receiver<bool>) -> Ending {
        let (socket, cause) = self.go_on(socket, stop).await;
        if self.reader.pace == Pace::Keen {
            let now_us = self.swarm.now_us();
            self.gauge.finish(&self.swarm.tally, now_us);
        }
        let goodbye = match cause {
            Cause::Closed(_) => None,
            Cause::Failed(_) => Some(CloseCode::Malformed),
            Cause::Stopped | Cause::SentOut => Some(CloseCode::Normal),
        };
        if let (Some(socket), Some(code)) = (socket, goodbye) {
            socket.close(code).await;
        }
        Ending {
            joined: self.joined,
            cause,
            desyncs: self.desyncs + self.session.stats().desyncs,
        }
    }

    /// On one connection after the other. The last one is returned if it was opened.
    async fn go_on(
        &mut self,
        mut socket: Socket,
        stop: &mut watch::Receiver<bool>,
    ) -> (Option<Socket>, Cause) {
        loop {
            match self.drive(&mut socket, stop).await {
                End::Cut => self.cut(socket),
                End::Over(Cause::Closed(code)) if self.absence.is_some() && !is_final(code) => {
                    self.swarm.returns.note_retry();
                }
                End::Over(cause) => return (Some(socket), cause),
            }
            socket = match self.come_back(stop).await {
                Ok(socket) => socket,
                Err(cause) => return (None, cause),
            };
        }
    }

    /// Loses the connection. Of every two one is left open, unread: to the server its player just falls silent.
    fn cut(&mut self, socket: Socket) {
        let now_us = self.swarm.now_us();
        let (Some(ticket), Some(room)) = (self.session.ticket(), self.session.room()) else {
            return;
        };
        let token = self.session.token().unwrap_or_default();
        self.absence = Some(Absence::new(ticket, token, room, now_us));
        self.left = self.rng.random::<bool>().then_some(socket);
        self.drops.suffer();
        self.gauge.pause();
        self.swarm.returns.note_drop();
    }

    /// Opens another connection, in which the seat is asked for, however often that takes.
    async fn come_back(&mut self, stop: &mut watch::Receiver<bool>) -> Result<Socket, Cause> {
        let swarm = Arc::clone(&self.swarm);
        loop {
            let chance = self.rng.random();
            let now_us = swarm.now_us();
            let next = self.absence.as_mut().and_then(|absence| {
                let wait_us = absence.backoff.next_us(now_us, None, chance)?;
                Some((now_us + wait_us, absence))
            });
            let Some((at_us, absence)) = next else {
                return Err(Cause::Failed("it could not come back".to_owned()));
            };
            let try_it = async {
                sleep_until(swarm.instant(at_us)).await;
                Socket::connect(&swarm.flags.url).await
            };
            let opened = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Err(Cause::Stopped),
                opened = try_it => opened,
            };
            let Ok(socket) = opened else {
                swarm.returns.note_retry();
                continue;
            };
            self.desyncs += self.session.stats().desyncs;
            let session = Session::resume(&self.name, &absence.token, &absence.ticket);
            self.session = session.among(&swarm.games);
            (self.retry_us, self.pinged_us) = (None, None);
            return Ok(socket);
        }
    }

    /// The first snapshot of a connection that took the seat again is there.
    fn note_return(&mut self, now_us: u64) {
        if let (Some(absence), Some(room)) = (self.absence.take(), self.session.room()) {
            self.swarm.returns.note_return(&absence, room, now_us);
            self.left = None;
        }
    }

    async fn drive(&mut self, socket: &mut Socket, stop: &mut watch::Receiver<bool>) -> End {
        let timer = sleep_until(Instant::now());
        tokio::pin!(timer);
        let swarm = Arc::clone(&self.swarm);
        let mut slow = swarm.slowness.is_on.subscribe();
        loop {
            let now_us = self.swarm.now_us();
            if let Err(cause) = self.act(now_us) {
                return cause.into();
            }
            if self.cut_us().is_some_and(|us| us <= now_us) {
                return End::Cut;
            }
            let sent = socket
                .send(std::iter::from_fn(|| self.session.poll_transmit()))
                .await;
            let due_us = self.due_us().into_iter().chain(self.cut_us()).min();
            if let Some(us) = due_us {
                timer.as_mut().reset(self.swarm.instant(us));
            }
            let reads = self.reader.reads(self.swarm.now_us());
            let incoming = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Cause::Stopped.into(),
                Ok(()) = slow.changed() => {
                    let on = *slow.borrow_and_update();
                    self.reader.turn(on, &swarm.slowness, swarm.now_us());
                    continue;
                }
                incoming = socket.next(), if reads => incoming,
                () = &mut timer, if due_us.is_some() && sent => continue,
            };
            match incoming {
                Incoming::Closed(code) => return Cause::Closed(code).into(),
                Incoming::Message(bytes, arrived_us) => {
                    self.gauge.on_arrival(arrived_us);
                    let now_us = self.swarm.now_us();
                    self.reader.read(bytes.len(), now_us);
                    if self.reader.pace == Pace::Keen {
                        self.gauge.on_bytes(&self.swarm.tally, bytes.len(), now_us);
                    }
                    if let Err(error) = self.session.handle_message(&bytes, now_us) {
                        return Cause::Failed(error.to_string()).into();
                    }
                    if let Err(cause) = self.hear(bytes.len(), now_us).await {
                        return cause.into();
                    }
                }
            }
        }
    }

    /// Does what is due.
    fn act(&mut self, now_us: u64) -> Result<(), Cause> {
        if !self.joined && now_us >= self.join_until_us {
            return Err(Cause::Failed("it got no seat in time".to_owned()));
        }
        if self.retry_us.is_some_and(|us| us <= now_us) {
            self.retry_us = None;
            self.ask_for_room()?;
        }
        if let Some(hands) = self.hands.as_mut().filter(|hands| hands.play()) {
            while let Some(tick) = self.session.next_input(now_us) {
                let values = hands.next(&mut self.rng);
                // What it decides by is the newest snapshot, so it lags by nothing.
                self.session
                    .send_input(tick, values, 0)
                    .map_err(|error| Cause::Failed(error.to_string()))?;
                if self.reader.pace == Pace::Keen {
                    self.gauge.on_input(&self.swarm.tally, tick, now_us);
                }
            }
        }
        self.session.handle_timeout(now_us);
        Ok(())
    }

    /// When it loses its connection: in a room, with something to come back by.
    fn cut_us(&mut self) -> Option<u64> {
        let swarm = &self.swarm;
        if !swarm.flags.cuts() || self.absence.is_some() || self.session.ticket().is_none() {
            return None;
        }
        self.drops
            .due_us(&swarm.tally.window, swarm.now_us(), &mut self.rng)
    }

    /// When [`Life::act`] has something to do.
    fn due_us(&self) -> Option<u64> {
        let input = self
            .hands
            .as_ref()
            .filter(|hands| hands.play())
            .and_then(|_| self.session.next_input_us())
            .map(|us| us + INPUT_GRACE_US);
        let join = (!self.joined).then_some(self.join_until_us);
        let read = self.reader.reads_at_us(self.swarm.now_us());
        [
            self.session.poll_timeout(),
            input,
            join,
            self.retry_us,
            read,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Takes the session's news; `bytes` is the size of the message that brought them.
    async fn hear(&mut self, bytes: usize, now_us: u64) -> Result<(), Cause> {
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Welcome => {
                    // Inputs then leave in time from the first on.
                    let asked = self.session.ping(0);
                    self.pinged_us = asked.is_ok().then_some(now_us);
                    // Who comes back has asked already.
                    if self.absence.is_none() {
                        self.ask_for_room()?;
                    }
                }
                Event::Pong { .. } => {
                    if let Some(pinged_us) = self.pinged_us.take() {
                        self.session.on_round_trip(now_us - pinged_us);
                    }
                }
                Event::Joined => self.enter().await,
                Event::Left { .. } => return Err(Cause::SentOut),
                Event::Refused { reason } => self.refused(reason, now_us)?,
                Event::Snapshot { head } => {
                    self.note_return(now_us);
                    self.reader.applied(head.tick, &self.swarm.slowness);
                    if self.reader.pace != Pace::Keen {
                        continue;
                    }
                    self.gauge
                        .on_snapshot(&self.swarm.tally, &head, bytes, now_us);
                    if let Some(room) = self.session.room() {
                        self.gauge.survey(&self.swarm.tally, room, bytes, now_us);
                    }
                }
                // Counted by the session, or of no use to a bot.
                Event::Desync { .. }
                | Event::Game { .. }
                | Event::Rooms { .. }
                | Event::MemberChanged { .. }
                | Event::MemberLeft { .. }
                | Event::Chat { .. }
                | Event::Reply { .. }
                | Event::Resumable { .. }
                | Event::Stopping { .. } => {}
            }
        }
        Ok(())
    }

    fn ask_for_room(&mut self) -> Result<(), Cause> {
        let asked: Result<(), RequestError> = match (&self.absence, &self.goal) {
            (Some(absence), _) => self.session.ask_again(&absence.ticket),
            (None, Goal::Make(name)) => self.session.create(name, false, 0, false),
            (None, Goal::Join(id)) => self.session.join(*id),
            (None, Goal::Code(code)) => self.session.join_code(code),
        };
        asked.map_err(|error| Cause::Failed(error.to_string()))
    }

    fn refused(&mut self, reason: Refusal, now_us: u64) -> Result<(), Cause> {
        let is_outside = !self.joined || self.absence.is_some();
        match reason {
            Refusal::Busy | Refusal::TooOften if is_outside => {
                let spread = self.rng.random_range(0..RETRY_AFTER_US);
                self.retry_us = Some(now_us + RETRY_AFTER_US / 2 + spread);
                if self.absence.is_some() {
                    self.swarm.returns.note_retry();
                }
                Ok(())
            }
            _ if is_outside => Err(Cause::Failed(format!("it was refused a seat: {reason:?}"))),
            _ => Ok(()),
        }
    }

    async fn enter(&mut self) {
        if self.joined {
            return;
        }
        let (Some(room), Some(schema)) = (self.session.room(), self.session.schema()) else {
            return;
        };
        self.hands = Some(Hands::new(self.behaviour, &schema.input, room.tick_rate));
        self.joined = true;
        if matches!(self.goal, Goal::Make(_)) {
            self.swarm.doors.open(self.room, room.info.id);
        }
        let news = News::Joined {
            tick_rate: room.tick_rate,
            snapshot_every: room.snapshot_every,
        };
        // Nobody listens any more once the swarm is stopping.
        let _ = self.swarm.news.send(news).await;
    }
}
