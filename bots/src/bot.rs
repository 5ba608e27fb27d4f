//! One bot: a session driven by a socket, the clock and a pair of hands, from the connection to
//! the goodbye. What it sees goes to its `Gauge`.

use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use tickwire::protocol::CloseCode;
use tickwire::protocol::server_message::Refusal;
use tickwire::session::{Event, RequestError, Session};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::behaviours::{Behaviour, Hands};
use crate::measure::Gauge;
use crate::rooms::Way;
use crate::slow::{Pace, Reader};
use crate::socket::{Incoming, Socket};
use crate::swarm::{News, Swarm};

/// From the connection to the room.
const JOIN_WITHIN: Duration = Duration::from_secs(15);
/// Between attempts when the server is too busy.
const RETRY_AFTER_US: u64 = 500_000;
/// How much later than due an input may leave. The snapshot that comes at about the same time
/// then wakes the bot for both, which halves the swarm's own load; the clock's lead absorbs it.
const INPUT_GRACE_US: u64 = 2_000;

/// A bot that has not started.
pub(crate) struct Bot {
    /// Its number in the swarm.
    pub(crate) index: usize,
    /// Its room's number in the swarm.
    pub(crate) room: usize,
    /// How it gets there.
    pub(crate) way: Way,
    /// What all bots share.
    pub(crate) swarm: Arc<Swarm>,
}

/// How a bot's life went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    /// Whether it was in a room at some time.
    pub(crate) joined: bool,
    /// What ended it.
    pub(crate) cause: Cause,
    /// Layers whose checksum disagreed.
    pub(crate) desyncs: u64,
}

/// What ended a bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The swarm's end: it said goodbye.
    Stopped,
    /// The server or the network, with this close code.
    Closed(u16),
    /// The server sent it out of the room.
    SentOut,
    /// It never connected, or could not go on; why.
    Failed(String),
}

impl Bot {
    /// Lives until the swarm stops or something ends it. The socket is given to the first bot,
    /// which was used to find out whether there is a server.
    pub(crate) async fn live(self, socket: Option<Socket>) -> Ending {
        let swarm = Arc::clone(&self.swarm);
        let mut stop = swarm.stop.subscribe();
        let opened = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => Err(Cause::Failed("the swarm stopped first".to_owned())),
            opened = self.open(socket) => opened,
        };
        let ending = match opened {
            Err(cause) => Ending {
                joined: false,
                cause,
                desyncs: 0,
            },
            Ok((mut socket, mut life)) => {
                let cause = life.drive(&mut socket, &mut stop).await;
                if life.reader.pace == Pace::Keen {
                    life.gauge.finish(&swarm.tally, swarm.now_us());
                }
                match cause {
                    Cause::Closed(_) => {}
                    Cause::Failed(_) => socket.close(CloseCode::Malformed).await,
                    Cause::Stopped | Cause::SentOut => socket.close(CloseCode::Normal).await,
                }
                Ending {
                    joined: life.joined,
                    cause,
                    desyncs: life.session.stats().desyncs,
                }
            }
        };
        if self.way == Way::Make {
            swarm.doors.lose(self.room);
        }
        ending
    }

    async fn open(&self, socket: Option<Socket>) -> Result<(Socket, Life), Cause> {
        let goal = match &self.way {
            Way::Make => Goal::Make(format!("bots {}", self.room + 1)),
            Way::Code(code) => Goal::Code(code.clone()),
            Way::Follow => match self.swarm.doors.wait(self.room).await {
                Some(id) => Goal::Join(id),
                None => return Err(Cause::Failed("its room was not made".to_owned())),
            },
        };
        let socket = match socket {
            Some(socket) => socket,
            None => Socket::connect(&self.swarm.flags.url)
                .await
                .map_err(Cause::Failed)?,
        };
        Ok((socket, Life::new(self, goal)))
    }
}

/// The room that a bot is after.
enum Goal {
    Make(String),
    Join(tickwire::ids::RoomId),
    Code(String),
}

/// A bot with a connection.
struct Life {
    swarm: Arc<Swarm>,
    room: usize,
    goal: Goal,
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
}

impl Life {
    fn new(bot: &Bot, goal: Goal) -> Life {
        let seed = bot.swarm.flags.seed ^ (bot.index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let first_of_room = !matches!(bot.way, Way::Follow);
        Life {
            swarm: Arc::clone(&bot.swarm),
            room: bot.room,
            goal,
            session: Session::new(&format!("bot {}", bot.index + 1), ""),
            behaviour: bot.swarm.flags.honest(bot.index),
            hands: None,
            rng: ChaCha8Rng::seed_from_u64(seed),
            gauge: Gauge::new(bot.index, first_of_room),
            reader: Reader::new(Pace::of(&bot.swarm.flags, bot.index, bot.room), bot.room),
            joined: false,
            retry_us: None,
            join_until_us: bot.swarm.now_us() + JOIN_WITHIN.as_micros() as u64,
            pinged_us: None,
        }
    }

    async fn drive(&mut self, socket: &mut Socket, stop: &mut watch::Receiver<bool>) -> Cause {
        let timer = sleep_until(Instant::now());
        tokio::pin!(timer);
        let swarm = Arc::clone(&self.swarm);
        let mut slow = swarm.slowness.is_on.subscribe();
        loop {
            if let Err(cause) = self.act(self.swarm.now_us()).await {
                return cause;
            }
            let sent = socket
                .send(std::iter::from_fn(|| self.session.poll_transmit()))
                .await;
            let due_us = self.due_us();
            if let Some(us) = due_us {
                timer.as_mut().reset(self.swarm.instant(us));
            }
            let reads = self.reader.reads(self.swarm.now_us());
            let incoming = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Cause::Stopped,
                Ok(()) = slow.changed() => {
                    let on = *slow.borrow_and_update();
                    self.reader.turn(on, &swarm.slowness, swarm.now_us());
                    continue;
                }
                incoming = socket.next(), if reads => incoming,
                () = &mut timer, if due_us.is_some() && sent => continue,
            };
            match incoming {
                Incoming::Closed(code) => return Cause::Closed(code),
                Incoming::Message(bytes) => {
                    let now_us = self.swarm.now_us();
                    self.reader.read(bytes.len(), now_us);
                    if self.reader.pace == Pace::Keen {
                        self.gauge.on_bytes(&self.swarm.tally, bytes.len(), now_us);
                    }
                    if let Err(error) = self.session.handle_message(&bytes, now_us) {
                        return Cause::Failed(error.to_string());
                    }
                    if let Err(cause) = self.hear(bytes.len(), now_us).await {
                        return cause;
                    }
                }
            }
        }
    }

    /// Does what is due.
    async fn act(&mut self, now_us: u64) -> Result<(), Cause> {
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
                    self.ask_for_room()?;
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
        let asked: Result<(), RequestError> = match &self.goal {
            Goal::Make(name) => self.session.create(name, false, 0),
            Goal::Join(id) => self.session.join(*id),
            Goal::Code(code) => self.session.join_code(code),
        };
        asked.map_err(|error| Cause::Failed(error.to_string()))
    }

    fn refused(&mut self, reason: Refusal, now_us: u64) -> Result<(), Cause> {
        match reason {
            Refusal::Busy | Refusal::TooOften if !self.joined => {
                self.retry_us = Some(now_us + RETRY_AFTER_US);
                Ok(())
            }
            _ if !self.joined => Err(Cause::Failed(format!("it was refused a seat: {reason:?}"))),
            _ => Ok(()),
        }
    }

    async fn enter(&mut self) {
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
