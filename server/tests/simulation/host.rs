//! The server's end without its sockets: the room, the outboxes and the turn in which members are read, the
//! room ticks and each of them is written to once, as a worker does it; and as much of a lobby as
//! lets clients in. What goes over a link and what comes out of the room is checked against the limits here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::ChaCha8Rng;
use tickwire::codec::{decode_client, encode_server};
use tickwire::ids::{LayerId, PlayerId, Tick};
use tickwire::protocol::frame::{SectionKind, SnapshotHead};
use tickwire::protocol::server_message::{Limits, Refusal};
use tickwire::protocol::{ClientMessage, CloseCode, Kind, ServerMessage, VERSION};
use tickwire::session::Seen as Known;
use tickwire::snapshot::delta::decode_head;
use tickwire_server::config::Config;
use tickwire_server::game::{GameDef, Identity, RoomOptions};
use tickwire_server::room::{Effect, Room, RoomStats};
use tickwire_server::transport::SendBuffers;

use crate::broken::{Broken, Check};
use crate::line::{Line, LineId, Stage};
use crate::link::{Link, Quality};
use crate::oracle::Oracle;
use crate::seats::Seats;
use crate::tamper::Tamper;
use crate::trace::Trace;
use crate::yard::{Diary, Yard};

/// Bodies of a layer and image for clients that are in step with no rate tier.
const CATCH_UPS_MAX: usize = 4;
/// Images from one to the next in the slowest rate tier.
const LANE_MAX: u32 = 32;

/// What a run has seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) ticks: u64,
    pub(crate) stalled: u64,
    pub(crate) cut_writes: u64,
    pub(crate) vacated: u64,
    /// Seats given up at once, because nobody had answered there.
    pub(crate) unanswered: u64,
    /// Seats that their players took over by joining anew.
    pub(crate) taken_over: u64,
    pub(crate) room: RoomStats,
}

/// See the module's description.
pub(crate) struct Host {
    pub(crate) room: Room<Yard>,
    pub(crate) game: Arc<GameDef<Yard>>,
    pub(crate) lines: BTreeMap<LineId, Line>,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) trace: Trace,
    pub(crate) seen: Seen,
    tamper: Option<Tamper>,
    /// Whose connection is there.
    seats: BTreeMap<PlayerId, LineId>,
    /// What seats are taken again with.
    passes: Seats,
    lines_opened: LineId,
    /// The ticks of all images.
    images: Vec<Tick>,
    /// Baselines of the newest image's bodies, of everyone's layer, that no rate tier has.
    bodies: BTreeSet<u32>,
    send_buffers: SendBuffers,
    message: Vec<u8>,
    /// What `now_us` 0 is to the outboxes, which only compare times.
    start: Instant,
    stall_timeout: Duration,
}

impl Host {
    pub(crate) fn new(
        game: Arc<GameDef<Yard>>,
        options: RoomOptions,
        rng: ChaCha8Rng,
        tamper: Option<Tamper>,
    ) -> Host {
        Host {
            room: Room::new(game.clone(), options),
            game,
            lines: BTreeMap::new(),
            rng,
            trace: Trace::default(),
            seen: Seen::default(),
            tamper,
            seats: BTreeMap::new(),
            passes: Seats::default(),
            lines_opened: 0,
            images: Vec::new(),
            bodies: BTreeSet::new(),
            send_buffers: SendBuffers::default(),
            message: Vec::new(),
            start: Instant::now(),
            stall_timeout: Config::default().stall_timeout,
        }
    }

    /// Whether clients' memories fail now and then.
    pub(crate) fn plants(&self) -> bool {
        self.tamper.as_ref().is_some_and(Tamper::plants)
    }

    fn instant(&self, now_us: u64) -> Instant {
        self.start + Duration::from_micros(now_us)
    }

    /// A client connects.
    pub(crate) fn open(&mut self, quality: Quality, now_us: u64) -> LineId {
        self.lines_opened += 1;
        let line = Line::new(Link::new(quality, now_us));
        self.lines.insert(self.lines_opened, line);
        self.lines_opened
    }

    /// The lobby's part: reads and writes those who are in no room.
    pub(crate) fn serve_lobby(&mut self, now_us: u64) -> Result<(), Broken> {
        let outside = |line: &Line| !matches!(line.stage, Stage::Room(_));
        let ids: Vec<LineId> = self
            .lines
            .iter()
            .filter(|(_, line)| outside(line))
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.read(id, now_us)?;
            let now = self.instant(now_us);
            if let Some(line) = self.lines.get_mut(&id) {
                let (link, rng) = (&mut line.link, &mut self.rng);
                let write = |bytes: &[u8]| link.write(bytes, now_us, rng);
                line.outbox.flush(now, write).map_err(lost)?;
                let over = line.stage == Stage::Closed && line.outbox.backlog().waiting_bytes == 0;
                line.link.closed |= over;
                if line.link.cut && line.noticed_at_us <= now_us {
                    self.lines.remove(&id);
                }
            }
        }
        Ok(())
    }

    /// A turn: reads, ticks, writes.
    pub(crate) fn turn(&mut self, now_us: u64, oracle: &mut Oracle) -> Result<(), Broken> {
        for line in self.seats.values().copied().collect::<Vec<_>>() {
            self.read(line, now_us)?;
        }
        self.room.tick();
        self.seen.ticks += 1;
        oracle.witness(&mut self.room);
        self.settle(now_us);
        let due = self.room.snapshot_due();
        if due {
            self.images.push(self.room.tick_number());
        }
        self.bodies.clear();
        for (player, line) in self.seats.clone() {
            self.write(player, line, due, now_us)?;
        }
        self.settle(now_us);
        add(&mut self.seen.room, self.room.stats());
        Ok(())
    }

    fn read(&mut self, id: LineId, now_us: u64) -> Result<(), Broken> {
        while let Some(line) = self.lines.get_mut(&id) {
            if line.link.cut && line.noticed_at_us <= now_us {
                if let Stage::Room(player) = line.stage {
                    self.lines.remove(&id);
                    self.part(player)?;
                    self.settle(now_us);
                }
                break;
            }
            let Some(message) = line.link.receive(now_us) else {
                break;
            };
            self.trace.note(now_us, id, &message);
            self.hear(id, &message, now_us)?;
            self.settle(now_us);
            let stage = self.lines.get(&id).map(|line| line.stage);
            if let Some(Stage::Room(player)) = stage
                && self.room.has_heard(player)
            {
                self.passes.confirm(player);
            }
        }
        Ok(())
    }

    fn hear(&mut self, id: LineId, message: &[u8], now_us: u64) -> Result<(), Broken> {
        let Some(line) = self.lines.get_mut(&id) else {
            return Ok(());
        };
        match line.stage {
            Stage::Room(player) => {
                line.acknowledge(message);
                if line.answered {
                    self.passes.heard(player);
                }
                let received = self.room.receive(player, message);
                let diary = &mut self.room.world_mut().resource_mut::<Diary>();
                let answers = diary.answers.drain(..).map(|(_, answer)| answer);
                if let Some(line) = self.lines.get_mut(&id) {
                    line.answers.extend(answers);
                }
                received.map_err(|code| {
                    let what =
                        format!("{player}'s {message:?} was answered with {code} at {now_us} us");
                    Broken::new(Check::Protocol, what)
                })
            }
            // What was under way when the player left.
            Stage::Lobby if message.first() != Some(&(Kind::Control as u8)) => Ok(()),
            Stage::Closed => Ok(()),
            Stage::Hello | Stage::Lobby => {
                let request = decode_client(message)
                    .map_err(|_| Broken::new(Check::Protocol, format!("{message:?}")))?;
                self.answer(id, request, now_us)
            }
        }
    }

    fn answer(&mut self, id: LineId, request: ClientMessage, now_us: u64) -> Result<(), Broken> {
        let Some(line) = self.lines.get_mut(&id) else {
            return Ok(());
        };
        match (line.stage, request) {
            (Stage::Hello, ClientMessage::Hello { name, token, .. }) => {
                line.stage = Stage::Lobby;
                line.who = Identity {
                    subject: token.into(),
                    is_guest: true,
                };
                let welcome = ServerMessage::Welcome {
                    version: VERSION,
                    name,
                    token: String::new(),
                    schema: self.game.schema.clone(),
                    limits: Limits {
                        message_bytes: 4096,
                        messages_per_second: 100,
                        chat_chars: 200,
                        name_chars: 24,
                        seats: self.room.options().seats,
                    },
                };
                line.outbox.push_parts(&[&encode_server(&welcome)]);
            }
            (Stage::Lobby, ClientMessage::QuickJoin) => {
                let who = line.who.clone();
                self.join(id, who, now_us)?;
            }
            (Stage::Lobby, ClientMessage::Resume { token, chat, seen }) => {
                let seen = Known { chat, tick: seen };
                self.resume(id, &token, seen, now_us);
            }
            // What was meant for the room when the player left it.
            (Stage::Lobby, _) => {}
            (stage, request) => {
                let what = format!("{request:?} at {stage:?}");
                return Err(Broken::new(Check::Protocol, what));
            }
        }
        Ok(())
    }

    /// A seat is asked for, by somebody who may have one.
    fn join(&mut self, id: LineId, who: Identity, now_us: u64) -> Result<(), Broken> {
        let now = self.room.tick_number();
        let players = self.room.players();
        let is_away = |player: &PlayerId| !self.seats.contains_key(player);
        let theirs: Vec<PlayerId> = (self.room.clients().map(|client| client.player))
            .filter(|player| self.room.identity(*player) == Some(&who))
            .collect();
        let held = theirs.iter().any(is_away);
        if let Some(player) = self.room.seat_of(&who, false) {
            if !theirs.contains(&player) || (held && !is_away(&player)) {
                let what = format!("{who} got the seat of {player}, of {theirs:?}");
                return Err(Broken::new(Check::Seats, what));
            }
            if let Some(old) = self.seats.remove(&player) {
                self.close(old, CloseCode::Superseded);
            }
            if !self.room.take_over(player) || self.room.players() != players {
                let what = format!("{who} was not given the seat of {player}");
                return Err(Broken::new(Check::Seats, what));
            }
            self.seen.taken_over += 1;
            let token = self.passes.give(player, now);
            self.seat(id, player, token, now_us);
            return Ok(());
        }
        match self.room.join_as("somebody", who) {
            Ok(_) if held => {
                let what = format!("a second seat beside one that is held, of {theirs:?}");
                return Err(Broken::new(Check::Seats, what));
            }
            Ok(player) => {
                let token = self.passes.give(player, now);
                self.seat(id, player, token, now_us);
            }
            Err(reason) if !theirs.is_empty() && self.room.options().grace > 0 => {
                let what = format!("{reason:?} for who has {theirs:?}");
                return Err(Broken::new(Check::Seats, what));
            }
            Err(reason) => self.refuse(id, reason),
        }
        Ok(())
    }

    /// A seat is asked for again.
    fn resume(&mut self, id: LineId, token: &str, seen: Known, now_us: u64) {
        let Some(player) = self.passes.find(token) else {
            self.refuse(id, Refusal::NoSuchSeat);
            return;
        };
        if let Some(old) = self.seats.remove(&player) {
            self.close(old, CloseCode::Superseded);
        }
        let now = self.room.tick_number();
        let tamper = self.tamper.as_ref();
        let seen = tamper.map_or(seen, |tamper| tamper.spoil_claim(seen, now));
        if !self.room.resume(player, seen) {
            self.passes.forget(player);
            self.refuse(id, Refusal::NoSuchSeat);
            return;
        }
        let newest = self.passes.renew(player, token);
        self.seat(id, player, newest, now_us);
    }

    /// A line is a player's from now on, who is told what to come back with.
    fn seat(&mut self, id: LineId, player: PlayerId, token: String, now_us: u64) {
        let Some(line) = self.lines.get_mut(&id) else {
            return;
        };
        line.stage = Stage::Room(player);
        line.joined_at = self.room.tick_number();
        line.seated_at = self.passes.seated_at(player);
        line.answered = false;
        line.in_flight.clear();
        line.answers.clear();
        self.seats.insert(player, id);
        self.settle(now_us);
        let grace_ms = self.room.options().grace * 1000 / u32::from(self.room.options().tick_rate);
        let token = ServerMessage::ResumeToken { token, grace_ms };
        if let Some(line) = self.lines.get_mut(&id)
            && grace_ms > 0
        {
            line.outbox.push_parts(&[&encode_server(&token)]);
        }
    }

    fn refuse(&mut self, id: LineId, reason: Refusal) {
        if let Some(line) = self.lines.get_mut(&id) {
            let refused = encode_server(&ServerMessage::Refused { reason });
            line.outbox.push_parts(&[&refused]);
        }
    }

    fn write(
        &mut self,
        player: PlayerId,
        id: LineId,
        due: bool,
        now_us: u64,
    ) -> Result<(), Broken> {
        let now = self.instant(now_us);
        let Some(line) = self.lines.get_mut(&id) else {
            return Ok(());
        };
        let (link, rng) = (&mut line.link, &mut self.rng);
        let mut write = |bytes: &[u8]| link.write(bytes, now_us, rng);
        let outbox = &mut line.outbox;
        if outbox.backlog().is_blocked() {
            outbox.flush(now, &mut write).map_err(lost)?;
        }
        let writable = !outbox.backlog().is_blocked();
        self.message.clear();
        let tier = self.room.clients().find(|client| client.player == player);
        let tier = tier.map_or(1, |client| client.tier);
        if tier > LANE_MAX {
            return Err(Broken::new(Check::Limits, format!("a rate tier of {tier}")));
        }
        if due && self.room.compose(player, writable, &mut self.message) {
            line.in_flight
                .push_back((self.room.tick_number(), self.message.len() as u32));
            self.bodies
                .extend(off_tier(&self.message, tier, &self.images));
            if self.bodies.len() > CATCH_UPS_MAX {
                let what = format!("{:?} ticks back, all at once", self.bodies);
                return Err(Broken::new(Check::Limits, what));
            }
            if let Some(tamper) = &mut self.tamper {
                tamper.spoil(id, &self.game.layout, &mut self.message);
            }
            self.send_buffers.clear();
            self.send_buffers
                .begin(outbox.front_bytes())
                .extend_from_slice(&self.message);
            let send_buffer = self.send_buffers.end();
            outbox
                .flush_with(&mut self.send_buffers, send_buffer, now, &mut write)
                .map_err(lost)?;
        } else if writable {
            outbox.flush(now, &mut write).map_err(lost)?;
        }
        self.seen.cut_writes += u64::from(outbox.backlog().is_blocked());
        line.within_limits()?;
        if line.outbox.backlog().is_stalled(now, self.stall_timeout) {
            self.part(player)?;
            self.close(id, CloseCode::Stalled);
        }
        Ok(())
    }

    /// A player's connection is gone or closed: their seat is held, if the room does that and they ever answered.
    fn part(&mut self, player: PlayerId) -> Result<(), Broken> {
        self.seats.remove(&player);
        let answered = self.passes.has_answered(player);
        let to_be_held = self.room.options().grace > 0 && answered;
        if self.room.disconnect(player) != to_be_held || self.room.has_member(player) != to_be_held
        {
            let what = format!("{player}, who answered: {answered}, is not held: {to_be_held}");
            return Err(Broken::new(Check::Seats, what));
        }
        self.seen.unanswered += u64::from(!answered);
        if !to_be_held {
            self.passes.forget(player);
        }
        Ok(())
    }

    fn close(&mut self, id: LineId, code: CloseCode) {
        if let Some(line) = self.lines.get_mut(&id) {
            self.seen.stalled += u64::from(code == CloseCode::Stalled);
            line.outbox.push_close(code);
            line.stage = Stage::Closed;
        }
    }

    fn settle(&mut self, now_us: u64) {
        while let Some(effect) = self.room.poll_effect() {
            match effect {
                Effect::Control { to, bytes } => {
                    if let Some(line) = self.seats.get(&to).and_then(|id| self.lines.get_mut(id)) {
                        line.outbox.push_parts(&[&bytes]);
                    }
                }
                Effect::Depart { player, reason } => {
                    let id = self.seats.remove(&player);
                    self.passes.forget(player);
                    if let Some(line) = id.and_then(|id| self.lines.get_mut(&id)) {
                        line.outbox
                            .push_parts(&[&encode_server(&ServerMessage::Left { reason })]);
                        line.stage = Stage::Lobby;
                    }
                }
                // The lobby, which would turn them away, is not simulated.
                Effect::KeepOut { .. } => {}
                // Of a seat that was held for nobody's connection.
                Effect::Vacate { player } => {
                    self.seen.vacated += 1;
                    self.passes.forget(player);
                }
                Effect::Close { player, code } => {
                    if !self.room.has_member(player) {
                        self.passes.forget(player);
                    }
                    if let Some(id) = self.seats.remove(&player) {
                        self.trace.note(now_us, id, &code.number().to_le_bytes());
                        self.close(id, code);
                    }
                }
            }
        }
    }
}

fn lost(error: std::io::Error) -> Broken {
    Broken::new(Check::Protocol, format!("a link in memory broke: {error}"))
}

/// The baseline of everyone's layer in a snapshot, in ticks back, unless it is the rate tier's or it is
/// a keyframe.
fn off_tier(snapshot: &[u8], tier: u32, images: &[Tick]) -> Option<u32> {
    let (head, sections) = SnapshotHead::decode(snapshot).ok()?;
    let bodies = sections
        .flatten()
        .filter(|(kind, _)| *kind == SectionKind::Layer);
    let mut heads = bodies.filter_map(|(_, body)| decode_head(body).ok());
    let (body, _) = heads.find(|(head, _)| head.layer == LayerId::ROOM)?;
    let before = images.len().checked_sub(1 + tier as usize);
    let in_step = before.is_some_and(|at| head.tick.since(images[at]) == body.back);
    (body.back > 0 && !in_step).then_some(body.back)
}

fn add(sum: &mut RoomStats, stats: RoomStats) {
    sum.snapshots_sent += stats.snapshots_sent;
    sum.keyframes += stats.keyframes;
    sum.skipped_credit += stats.skipped_credit;
    sum.skipped_unwritable += stats.skipped_unwritable;
    sum.skipped_rationed += stats.skipped_rationed;
    sum.catch_ups += stats.catch_ups;
    sum.probes += stats.probes;
    sum.tiers_slower += stats.tiers_slower;
}
