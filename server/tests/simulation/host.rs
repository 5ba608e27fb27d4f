//! The server's end without its sockets: the room, the outboxes and the turn in which members are read, the
//! room ticks and each of them is written to once, as a worker does it; and as much of a lobby as
//! lets clients in. What goes over a link and what comes out of the room is checked against the limits here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::ChaCha8Rng;
use tickwire::codec::{decode_client, encode_server};
use tickwire::ids::{LayerId, PlayerId, Tick};
use tickwire::limits::{UNACKED_BYTES_MAX, UNACKED_SNAPSHOTS_MAX};
use tickwire::protocol::frame::{InputHead, SectionKind, SnapshotHead, decode_ack};
use tickwire::protocol::server_message::Limits;
use tickwire::protocol::{ClientMessage, CloseCode, Kind, ServerMessage, VERSION};
use tickwire::snapshot::delta::decode_head;
use tickwire_server::config::Config;
use tickwire_server::game::{GameDef, RoomOptions};
use tickwire_server::net::outbox::{Draft, Outbox, WAITING_BYTES_MAX};
use tickwire_server::room::{Effect, Room, RoomStats};

use crate::broken::{Broken, Check};
use crate::link::{Link, Quality};
use crate::oracle::Oracle;
use crate::tamper::Tamper;
use crate::trace::Trace;
use crate::yard::{Diary, Yard};

/// Bodies of a layer and image for clients that are in step with no lane.
const CATCH_UPS_MAX: usize = 4;
/// Images from one to the next in the slowest lane.
const LANE_MAX: u32 = 32;

/// A connection's number. Never given twice.
pub(crate) type LineId = u32;

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Hello,
    Lobby,
    Room(PlayerId),
    Closed,
}

/// A connection.
pub(crate) struct Line {
    pub(crate) link: Link,
    outbox: Outbox,
    stage: Stage,
    /// When a cut link is noticed.
    pub(crate) noticed_at_us: u64,
    /// The room's tick when its player joined.
    pub(crate) joined_at: Tick,
    /// What its player's actions came to, in order.
    pub(crate) answers: VecDeque<Result<(), String>>,
    in_flight: VecDeque<(Tick, u32)>,
}

/// What a run has seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) ticks: u64,
    pub(crate) stalled: u64,
    pub(crate) cut_writes: u64,
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
    seats: BTreeMap<PlayerId, LineId>,
    lines_opened: LineId,
    /// The ticks of all images.
    images: Vec<Tick>,
    /// Baselines of the newest image's bodies, of everyone's layer, that no lane has.
    bodies: BTreeSet<u32>,
    draft: Draft,
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
            lines_opened: 0,
            images: Vec::new(),
            bodies: BTreeSet::new(),
            draft: Draft::default(),
            message: Vec::new(),
            start: Instant::now(),
            stall_timeout: Config::default().stall_timeout,
        }
    }

    fn instant(&self, now_us: u64) -> Instant {
        self.start + Duration::from_micros(now_us)
    }

    /// A client connects.
    pub(crate) fn open(&mut self, quality: Quality, now_us: u64) -> LineId {
        self.lines_opened += 1;
        let line = Line {
            link: Link::new(quality, now_us),
            outbox: Outbox::default(),
            stage: Stage::Hello,
            noticed_at_us: u64::MAX,
            joined_at: Tick(0),
            answers: VecDeque::new(),
            in_flight: VecDeque::new(),
        };
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
                let over = line.stage == Stage::Closed && line.outbox.is_empty();
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
                    self.part(player);
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
        }
        Ok(())
    }

    fn hear(&mut self, id: LineId, message: &[u8], now_us: u64) -> Result<(), Broken> {
        let Some(line) = self.lines.get_mut(&id) else {
            return Ok(());
        };
        match line.stage {
            Stage::Room(player) => {
                acknowledge(line, message);
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
                self.answer(id, request)
            }
        }
    }

    fn answer(&mut self, id: LineId, request: ClientMessage) -> Result<(), Broken> {
        let Some(line) = self.lines.get_mut(&id) else {
            return Ok(());
        };
        match (line.stage, request) {
            (Stage::Hello, ClientMessage::Hello { name, .. }) => {
                line.stage = Stage::Lobby;
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
                line.outbox.push(&encode_server(&welcome));
            }
            (Stage::Lobby, ClientMessage::QuickJoin) => match self.room.join("somebody") {
                Ok(player) => {
                    line.stage = Stage::Room(player);
                    line.joined_at = self.room.tick_number();
                    line.in_flight.clear();
                    line.answers.clear();
                    self.seats.insert(player, id);
                }
                Err(reason) => {
                    let refused = encode_server(&ServerMessage::Refused { reason });
                    line.outbox.push(&refused);
                }
            },
            // What was meant for the room when the player left it.
            (Stage::Lobby, _) => {}
            (stage, request) => {
                let what = format!("{request:?} at {stage:?}");
                return Err(Broken::new(Check::Protocol, what));
            }
        }
        Ok(())
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
        if outbox.is_blocked() {
            outbox.flush(now, &mut write).map_err(lost)?;
        }
        let writable = !outbox.is_blocked();
        self.message.clear();
        let lane = self.room.clients().find(|client| client.player == player);
        let lane = lane.map_or(1, |client| client.lane);
        if lane > LANE_MAX {
            return Err(Broken::new(Check::Limits, format!("a lane of {lane}")));
        }
        if due && self.room.compose(player, writable, &mut self.message) {
            line.in_flight
                .push_back((self.room.tick_number(), self.message.len() as u32));
            self.bodies
                .extend(off_lane(&self.message, lane, &self.images));
            if self.bodies.len() > CATCH_UPS_MAX {
                let what = format!("{:?} ticks back, all at once", self.bodies);
                return Err(Broken::new(Check::Limits, what));
            }
            if let Some(tamper) = &mut self.tamper {
                tamper.spoil(id, &self.game.layout, &mut self.message);
            }
            self.draft.begin(outbox).extend_from_slice(&self.message);
            outbox
                .flush_with(&mut self.draft, now, &mut write)
                .map_err(lost)?;
        } else if writable {
            outbox.flush(now, &mut write).map_err(lost)?;
        }
        self.seen.cut_writes += u64::from(outbox.is_blocked());
        within_limits(line)?;
        if line.outbox.is_stalled(now, self.stall_timeout) {
            self.part(player);
            self.close(id, CloseCode::Stalled);
        }
        Ok(())
    }

    /// A player's connection is gone or closed.
    fn part(&mut self, player: PlayerId) {
        self.seats.remove(&player);
        self.room.leave(player);
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
                        line.outbox.push(&bytes);
                    }
                }
                Effect::Depart { player, reason } => {
                    let id = self.seats.remove(&player);
                    if let Some(line) = id.and_then(|id| self.lines.get_mut(&id)) {
                        line.outbox
                            .push(&encode_server(&ServerMessage::Left { reason }));
                        line.stage = Stage::Lobby;
                    }
                }
                // Of a seat that was held for nobody's connection.
                Effect::Vacate { player } => drop(self.seats.remove(&player)),
                Effect::Close { player, code } => {
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

/// Follows the acknowledgements, which the room takes next.
fn acknowledge(line: &mut Line, message: &[u8]) {
    let ack = match message.first().copied().and_then(Kind::from_byte) {
        Some(Kind::State) => InputHead::decode(message).ok().map(|(head, _)| head.ack),
        Some(Kind::Ack) => decode_ack(message).ok(),
        _ => None,
    };
    if let Some(ack) = ack {
        while line.in_flight.front().is_some_and(|(tick, _)| *tick <= ack) {
            line.in_flight.pop_front();
        }
    }
}

/// The baseline of everyone's layer in a snapshot, in ticks back, unless it is the lane's or it is
/// a keyframe.
fn off_lane(snapshot: &[u8], lane: u32, images: &[Tick]) -> Option<u32> {
    let (head, sections) = SnapshotHead::decode(snapshot).ok()?;
    let bodies = sections
        .flatten()
        .filter(|(kind, _)| *kind == SectionKind::Layer);
    let mut heads = bodies.filter_map(|(_, body)| decode_head(body).ok());
    let (body, _) = heads.find(|(head, _)| head.layer == LayerId::ROOM)?;
    let before = images.len().checked_sub(1 + lane as usize);
    let in_step = before.is_some_and(|at| head.tick.since(images[at]) == body.back);
    (body.back > 0 && !in_step).then_some(body.back)
}

fn within_limits(line: &Line) -> Result<(), Broken> {
    // The close frame comes on top.
    let waiting = line.outbox.waiting_bytes();
    let bytes: u32 = line
        .in_flight
        .iter()
        .rev()
        .skip(1)
        .map(|(_, bytes)| bytes)
        .sum();
    let in_flight = line.in_flight.len();
    if waiting > WAITING_BYTES_MAX + 128
        || in_flight > UNACKED_SNAPSHOTS_MAX as usize
        || bytes >= UNACKED_BYTES_MAX
    {
        let what =
            format!("{waiting} B wait, {in_flight} snapshots in flight, {bytes} B before the last");
        return Err(Broken::new(Check::Limits, what));
    }
    Ok(())
}

fn add(sum: &mut RoomStats, stats: RoomStats) {
    sum.snapshots_sent += stats.snapshots_sent;
    sum.keyframes += stats.keyframes;
    sum.skipped_credit += stats.skipped_credit;
    sum.skipped_unwritable += stats.skipped_unwritable;
    sum.skipped_rationed += stats.skipped_rationed;
    sum.catch_ups += stats.catch_ups;
    sum.lanes_slower += stats.lanes_slower;
}
