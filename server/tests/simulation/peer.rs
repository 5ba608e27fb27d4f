//! A client: a connection after the other, and what it does with it by chance. It joins, plays or
//! looks on, asks, stalls, stops reading, leaves, is cut off and comes back, to its seat or as a
//! newcomer.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use tickwire::ids::{LayerId, PlayerId, Tick};
use tickwire::protocol::CloseCode;
use tickwire::session::{Seen as Known, State, Ticket};

use crate::broken::{Broken, Check};
use crate::conn::Conn;
use crate::frames::{Frame, take_frame};
use crate::host::Host;
use crate::link::Quality;
use crate::oracle::Oracle;
use crate::planted;

/// Between two whims, on average, in microseconds.
const WHIM_US: u64 = 900_000;

/// What its number grows by when a peer comes as somebody else.
const ANEW: usize = 1_000;
/// The share of connections that break at about the time of the first answer in the room.
const DOOMED: f64 = 0.15;
/// Images from one to the next of a client that had nothing to complain of for a while.
const LANE_WHEN_CALM: u32 = 16;

/// See the module's description.
pub(crate) struct Peer {
    /// Its number, for the model of whose seat is whose: another one when it comes as somebody
    /// else.
    number: usize,
    /// The token that it says hello with: what the server gave it.
    who: String,
    /// What its links are like when nothing is wrong with them.
    quality: Quality,
    /// It sends no inputs.
    rests: bool,
    /// How likely it is to look on, whenever it comes into the room.
    fond_of_watching: f64,
    conn: Option<Conn>,
    /// What it may come back to its seat with, and when it took that.
    held: Option<(Ticket, Tick)>,
    back_at_us: u64,
    whim_at_us: u64,
    /// It does nothing until then: a frozen tab.
    frozen_until_us: u64,
    /// When its connection breaks, most likely before it can answer in the room.
    doomed_at_us: Option<u64>,
    /// When its link is well again.
    well_at_us: u64,
    /// No whims but to be in the room.
    calm: bool,
    /// Since when it is calm and gets every image.
    well_since_us: u64,
    seen: Seen,
}

/// What a client has seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) snapshots: u64,
    pub(crate) events: u64,
    pub(crate) answers: u64,
    pub(crate) joins: u64,
    /// Times that it came to look on, snapshots that it got then, times that it was not let in for
    /// that, and that it went from there to a seat on the same connection.
    pub(crate) watched: u64,
    pub(crate) spectated: u64,
    pub(crate) not_let_in: u64,
    pub(crate) moved_to_play: u64,
    pub(crate) closed: u64,
    pub(crate) chats: u64,
    /// Durable events among the events.
    pub(crate) durable: u64,
    /// Seats taken again, and those that were gone.
    pub(crate) returns: u64,
    pub(crate) seats_lost: u64,
    pub(crate) planted: planted::Seen,
}

impl Peer {
    pub(crate) fn new(number: usize, rng: &mut ChaCha8Rng) -> Peer {
        let far = rng.random_bool(0.3);
        let small = rng.random_bool(0.3);
        Peer {
            number,
            who: String::new(),
            quality: Quality {
                delay_us: rng.random_range(0..if far { 150_000 } else { 20_000 }),
                jitter_us: rng.random_range(0..if far { 60_000 } else { 5_000 }),
                capacity: rng.random_range(if small { 700..4_000 } else { 8_000..200_000 }),
                cut_one_in: rng.random_range(3..200),
                read_bytes_per_s: u64::from(u32::MAX),
            },
            rests: rng.random_bool(0.1),
            fond_of_watching: [0., 0., 0.3, 0.8][rng.random_range(0..4)],
            conn: None,
            held: None,
            back_at_us: rng.random_range(0..2_000_000),
            whim_at_us: 0,
            frozen_until_us: 0,
            doomed_at_us: None,
            well_at_us: 0,
            calm: false,
            well_since_us: 0,
            seen: Seen::default(),
        }
    }

    /// The oldest tick that it may still apply, or be told of.
    pub(crate) fn needs(&self, host: &Host) -> Option<Tick> {
        // Of a seat that it comes back for, from where it has seen.
        let held = self.held.as_ref().map(|(ticket, _)| ticket.seen.tick);
        let of_conn = self.conn.as_ref().and_then(|conn| {
            let joined_at = host.lines.get(&conn.line).map(|line| line.joined_at);
            let applied = match conn.session.room() {
                Some(_) => Some(conn.judged),
                None => joined_at.filter(|tick| *tick > Tick(0)),
            };
            let asked = conn.asking.map(|before| before.tick);
            let told = conn.got.iter().map(|got| got.momentary);
            applied.into_iter().chain(asked).chain(told).min()
        });
        held.into_iter().chain(of_conn).min()
    }

    /// The network fails for all, and for each in its own way.
    pub(crate) fn weather_a_storm(&mut self, host: &mut Host, now_us: u64, rng: &mut ChaCha8Rng) {
        if let Some(conn) = &mut self.conn
            && let Some(line) = host.lines.get_mut(&conn.line)
        {
            conn.excused = true;
            let start = now_us + rng.random_range(0..300_000);
            let until = start + rng.random_range(0..2_000_000);
            line.ends.link().stall_until(until);
        }
    }

    /// The server is gone from one moment to the next, and with it what was under way.
    pub(crate) fn lose(&mut self, host: &mut Host, now_us: u64, rng: &mut ChaCha8Rng) {
        self.let_go(host, now_us, now_us + rng.random_range(0..3_000_000));
    }

    /// From now on nothing goes wrong and it wants nothing.
    pub(crate) fn calm_down(&mut self, host: &mut Host, now_us: u64) {
        self.calm = true;
        self.well_since_us = now_us;
        self.doomed_at_us = None;
        self.back_at_us = self.back_at_us.min(now_us);
        self.frozen_until_us = 0;
        self.quality.jitter_us = 0;
        self.quality.capacity = self.quality.capacity.max(65_536);
        self.quality.cut_one_in = u32::MAX;
        if let Some(line) = self
            .conn
            .as_ref()
            .and_then(|conn| host.lines.get_mut(&conn.line))
        {
            line.ends.link().becomes(self.quality);
        }
    }

    /// Lives until `now_us`.
    pub(crate) fn step(
        &mut self,
        host: &mut Host,
        oracle: &mut Oracle,
        now_us: u64,
        rng: &mut ChaCha8Rng,
    ) -> Result<(), Broken> {
        if now_us < self.frozen_until_us {
            return Ok(());
        }
        if self.conn.is_none() {
            if now_us < self.back_at_us {
                return Ok(());
            }
            let held = self.held.take().and_then(|held| bring(held, rng));
            let asks = held.as_ref().and_then(|(ticket, seated_at)| {
                let seat = seat_of(&ticket.token)?;
                Some((seat, *seated_at))
            });
            let line = host.open(self.quality, self.number, asks, now_us);
            let looks_on = rng.random_bool(self.fond_of_watching);
            let mut conn = Conn::open(line, &self.who, held, looks_on, host.plants());
            let doom_us = rng.random_range(0..4 * self.quality.delay_us + 100_000);
            let is_doomed = rng.random_bool(DOOMED) && !self.calm;
            self.doomed_at_us = is_doomed.then_some(now_us + doom_us);
            // So little may be under way that a far client falls behind.
            conn.excused = self.quality.capacity < 8_000;
            self.conn = Some(conn);
            self.whim_at_us = now_us + rng.random_range(0..2 * WHIM_US);
        }
        if self.well_at_us != 0 && self.well_at_us <= now_us {
            self.well_at_us = 0;
            if let Some(line) = self
                .conn
                .as_ref()
                .and_then(|conn| host.lines.get_mut(&conn.line))
            {
                line.ends.link().quality = self.quality;
            }
        }
        if self.doomed_at_us.is_some_and(|at| at <= now_us) {
            let noticed = [0, 500_000, 3_000_000][rng.random_range(0..3)];
            self.let_go(
                host,
                now_us + noticed,
                now_us + rng.random_range(0..2_000_000),
            );
            return Ok(());
        }
        let ended = self.read(host, oracle, now_us)?;
        if let Some(code) = ended {
            self.seen.closed += 1;
            self.let_go(host, now_us, now_us);
            return match code {
                CloseCode::Stalled => Ok(()),
                code => Err(Broken::new(Check::Protocol, format!("closed with {code}"))),
            };
        }
        if self.conn.as_ref().is_some_and(|conn| conn.sent_away) {
            self.let_go(host, now_us, now_us + 1_000_000);
            return Ok(());
        }
        if self.whim_at_us <= now_us {
            self.whim_at_us = now_us + rng.random_range(1..2 * WHIM_US);
            self.follow_a_whim(host, now_us, rng);
        }
        self.plant(host, now_us, rng)?;
        if let Some(conn) = &mut self.conn {
            conn.play(self.rests, now_us, rng)?;
            while let Some(message) = conn.session.poll_transmit() {
                host.send(conn.line, message, now_us);
            }
        }
        Ok(())
    }

    /// Compares what it holds with what its twin holds, and maybe changes something of it.
    fn plant(&mut self, host: &mut Host, now_us: u64, rng: &mut ChaCha8Rng) -> Result<(), Broken> {
        let Some(conn) = &mut self.conn else {
            return Ok(());
        };
        let Some(planted) = &mut conn.planted else {
            return Ok(());
        };
        let room = host.room();
        let options = room.options();
        let image_us = u64::from(options.snapshot_every) * 1_000_000 / u64::from(options.tick_rate);
        let mut clients = room.clients();
        let client = clients.find(|client| Some(client.player) == conn.number);
        if !self.calm || client.is_none_or(|client| client.tier > 1) {
            self.well_since_us = now_us;
        }
        planted.compare(&conn.session, (now_us, self.well_since_us), image_us)?;
        planted.plant(&mut conn.session, now_us, rng);
        Ok(())
    }

    /// Takes in what has arrived. The code is the server's, if it closed.
    fn read(
        &mut self,
        host: &mut Host,
        oracle: &mut Oracle,
        now_us: u64,
    ) -> Result<Option<CloseCode>, Broken> {
        let Some(conn) = &mut self.conn else {
            return Ok(None);
        };
        let Some(line) = host.lines.get_mut(&conn.line) else {
            return Err(Broken::new(
                Check::Liveness,
                "the server forgot a connection",
            ));
        };
        let is_over = line.ends.is_over();
        let (drained, gone) = {
            let mut link = line.ends.link();
            link.read(now_us, &mut conn.incoming);
            (link.is_drained(), is_over && link.is_empty())
        };
        let mut incoming = std::mem::take(&mut conn.incoming);
        let mut rest = &incoming[..];
        let mut closed = None;
        while let Some((frame, after)) = take_frame(rest)? {
            rest = after;
            match frame {
                Frame::Message(message) => {
                    let message = &message[..];
                    conn.session
                        .handle_message(message, now_us)
                        .map_err(|error| {
                            let player = conn.session.room().and_then(|room| room.you);
                            Broken::new(Check::Protocol, format!("{player:?} was sent {error}"))
                        })?;
                    if let Some(planted) = &mut conn.planted {
                        planted.hear(message, now_us)?;
                    }
                    conn.hear(message, host, oracle, &mut self.seen)?;
                }
                Frame::Close(code) => closed = Some(code),
            }
        }
        if closed.is_none() && gone && !drained {
            // It was told nothing, since it took nothing.
            closed = Some(CloseCode::Stalled);
        }
        if closed.is_some() && !conn.excused {
            let what = format!("line {} was closed without a reason", conn.line);
            return Err(Broken::new(Check::Liveness, what));
        }
        if closed.is_none() && drained && !rest.is_empty() {
            return Err(Broken::new(Check::Protocol, "the last frame is cut"));
        }
        let read = incoming.len() - rest.len();
        incoming.drain(..read);
        conn.incoming = incoming;
        Ok(closed)
    }

    /// The connection is over for the client; the server notices when it does.
    fn let_go(&mut self, host: &mut Host, noticed_at_us: u64, back_at_us: u64) {
        if let Some(conn) = self.conn.take()
            && let Some(line) = host.lines.get_mut(&conn.line)
        {
            line.ends.link().cut_at_us = Some(noticed_at_us);
            self.seen.planted.add(
                conn.planted
                    .map_or_else(planted::Seen::default, |planted| planted.seen),
            );
            let ticket = conn.session.ticket();
            self.held = ticket.map(|ticket| (ticket, conn.seated_at));
            self.who = conn.session.token().unwrap_or(&self.who).to_owned();
            if conn.sent_away {
                (self.held, self.who) = (None, String::new());
                self.number += ANEW;
            }
        }
        self.back_at_us = back_at_us;
        self.doomed_at_us = None;
    }

    fn follow_a_whim(&mut self, host: &mut Host, now_us: u64, rng: &mut ChaCha8Rng) {
        let Some(conn) = &mut self.conn else { return };
        let Some(line) = host.lines.get_mut(&conn.line) else {
            return;
        };
        if conn.session.state() == State::Lobby {
            if conn.asking.is_some() {
                return;
            }
            // A full room may have a seat by now, and who left may come back.
            if !self.calm {
                conn.looks_on = rng.random_bool(self.fond_of_watching);
            }
            conn.join(host.room_id);
            return;
        }
        if self.calm {
            return;
        }
        let for_a_while = now_us + rng.random_range(100_000..8_000_000);
        match rng.random_range(0..100) {
            0..30 => conn.act(rng),
            30..40 => {
                let nonce = rng.random();
                if conn.session.ping(nonce).is_ok() {
                    conn.pings.push_back(nonce);
                }
            }
            40..48 => _ = conn.session.chat("hello"),
            48..52 => _ = conn.session.ready(rng.random()),
            52..58 => _ = conn.session.leave(),
            58..68 => {
                let until_us = now_us + rng.random_range(20_000..2_500_000);
                conn.excused |= until_us - now_us > 1_000_000;
                line.ends.link().stall_until(until_us);
            }
            68..76 => {
                conn.excused = true;
                line.ends.link().quality.read_bytes_per_s = rng.random_range(100..4_000);
                self.well_at_us = for_a_while;
            }
            76..82 => {
                conn.excused = true;
                line.ends.link().quality.read_bytes_per_s = 0;
                self.well_at_us = for_a_while + rng.random_range(0..20_000_000);
            }
            82..88 => {
                conn.excused = true;
                self.frozen_until_us = for_a_while + rng.random_range(0..20_000_000);
            }
            88..92 => {
                let members = conn.session.room().map_or(&[][..], |room| &room.members);
                let whom = members.get(rng.random_range(0..=members.len()));
                let whom = whom.map_or(PlayerId(0), |member| member.player);
                let _ = conn.session.kick(whom);
            }
            _ => {
                // A reset is noticed at once, a lost network hardly.
                let noticed = [0, for_a_while - now_us, 40_000_000][rng.random_range(0..3)];
                let back = now_us + rng.random_range(0..6_000_000);
                self.let_go(host, now_us + noticed, back);
            }
        }
    }

    /// What it has seen so far.
    pub(crate) fn seen(&self) -> Seen {
        let mut seen = self.seen;
        let planted = self.conn.as_ref().and_then(|conn| conn.planted.as_ref());
        seen.planted
            .add(planted.map_or_else(planted::Seen::default, |planted| planted.seen));
        seen
    }

    /// Whether it holds the newest state, after a while in which nothing went wrong.
    pub(crate) fn is_current(&self, host: &mut Host) -> Result<(), Broken> {
        let server = host.room();
        let now = server.tick_number();
        let options = server.options();
        let way_ticks = self.quality.delay_us * u64::from(options.tick_rate) / 1_000_000;
        let late = |what: String| Err(Broken::new(Check::Liveness, what));
        let conn = self.conn.as_ref();
        // It may have come to a seat just now: when the last player's was given up.
        if conn.is_some_and(|conn| conn.was_dismissed) {
            return Ok(());
        }
        let Some((number, room)) = conn.and_then(|conn| Some((conn.number, conn.judged().room()?)))
        else {
            return late("a client is in no room".to_owned());
        };
        let client = || {
            let mut clients = server.clients();
            clients.find(|client| Some(client.player) == number)
        };
        let tier = match client() {
            Some(client) if client.tier <= LANE_WHEN_CALM => client.tier,
            client => return late(format!("{client:?} after a calm while")),
        };
        // It may have come out of a slower rate tier with the snapshot that is under way.
        let may_lag = way_ticks as u32 + 3 + (1 + 2 * tier) * u32::from(options.snapshot_every);
        let private = [LayerId::OWNER, LayerId::TEAM];
        let private = private.into_iter().filter(|_| !room.spectates());
        for layer in [LayerId::ROOM].into_iter().chain(private) {
            match room.layer(layer) {
                Some(image) if now.since(image.tick) <= may_lag => {}
                image => {
                    let at = image.map(|image| image.tick);
                    return late(format!("{layer} of {at:?} at {now}: {:?}", client()));
                }
            }
        }
        Ok(())
    }
}

impl Seen {
    /// Adds what another client has seen.
    pub(crate) fn add(&mut self, other: Seen) {
        self.snapshots += other.snapshots;
        self.events += other.events;
        self.answers += other.answers;
        self.joins += other.joins;
        self.watched += other.watched;
        self.spectated += other.spectated;
        self.not_let_in += other.not_let_in;
        self.moved_to_play += other.moved_to_play;
        self.closed += other.closed;
        self.chats += other.chats;
        self.durable += other.durable;
        self.returns += other.returns;
        self.seats_lost += other.seats_lost;
        self.planted.add(other.planted);
    }
}

/// The seat that a token is for, which a client need not know.
fn seat_of(token: &str) -> Option<PlayerId> {
    let digits = token.get(8..12)?;
    u16::from_str_radix(digits, 16).ok().map(PlayerId)
}

/// What a client comes back with: all it had, its tokens alone, as a page that was reloaded, or
/// nothing.
fn bring((mut ticket, seated_at): (Ticket, Tick), rng: &mut ChaCha8Rng) -> Option<(Ticket, Tick)> {
    match rng.random_range(0..10) {
        0 => return None,
        1 | 2 => ticket.seen = Known::default(),
        _ => {}
    }
    Some((ticket, seated_at))
}
