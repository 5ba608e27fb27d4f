//! The server as it is, but for threads, tasks, sockets and clock: lobby, worker, room host and the
//! transport of browsers, stepped on virtual time. What goes over its links is judged here against
//! the limits, and whose seat is whose.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use tickwire::codec::{decode_client, decode_server, encode_client};
use tickwire::ids::{LayerId, PlayerId, RoomId, Tick};
use tickwire::protocol::client_message::NewRoom;
use tickwire::protocol::frame::{SectionKind, SnapshotHead};
use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{ClientMessage, CloseCode, Kind, ServerMessage};
use tickwire::session::{Event, Seen as Known, Session};
use tickwire::snapshot::delta::decode_head;
use tickwire_server::config::Config;
use tickwire_server::game::GameDef;
use tickwire_server::lobby::Stepped;
use tickwire_server::metrics::Metrics;
use tickwire_server::room::Room;
use tickwire_server::transport::memory;
use tickwire_server::transport::websocket::WebSocket;

use crate::audience::{self, Audience};
use crate::broken::{Broken, Check};
use crate::folder::Folder;
use crate::frames::Frame;
use crate::line::{Line, LineId, Stage};
use crate::link::{Ends, Link, Quality};
use crate::oracle::Oracle;
use crate::seats::Seats;
use crate::tamper::{Bug, Tamper};
use crate::trace::Trace;
use crate::yard::{Diary, Yard};

/// Bodies of a layer and image for clients that are in step with no rate tier.
const CATCH_UPS_MAX: usize = 4;
/// Every so many images are for the slowest of the tiers, each of which halves the rate of the one
/// before.
const TIER_MAX: u32 = 32;

/// See the module's description.
pub(crate) struct Host {
    pub(crate) lines: BTreeMap<LineId, Line>,
    pub(crate) seats: Seats,
    audience: Audience,
    pub(crate) room_id: RoomId,
    pub(crate) game: Arc<GameDef<Yard>>,
    pub(crate) trace: Trace,
    pub(crate) stalled: u64,
    pub(crate) cut_writes: u64,
    server: Stepped<Yard>,
    metrics: Arc<Metrics>,
    rng: ChaCha8Rng,
    tamper: Option<Tamper>,
    lines_opened: LineId,
    /// The ticks of all images.
    images: Vec<Tick>,
    /// Baselines of the newest image's bodies, of everyone's layer, that no tier has.
    bodies: BTreeSet<u32>,
    newest: Tick,
    /// What `now_us` 0 is.
    start: Instant,
    /// Times that the process was killed.
    pub(crate) restarts: u32,
    /// Ticks that were lost so, together.
    pub(crate) lost_ticks: u32,
    config: Config,
    seed: u64,
    folder: Option<Folder>,
}

impl Host {
    /// `is_kept`: it outlives its process.
    pub(crate) fn new(
        mut config: Config,
        is_kept: bool,
        rng: ChaCha8Rng,
        seed: u64,
        bug: Option<Bug>,
    ) -> Host {
        let folder = is_kept.then(Folder::new);
        config.state_file = folder.as_ref().map(Folder::path);
        let game = GameDef::new(config.tick_rate).expect("the game is well declared");
        let game = Arc::new(game);
        let metrics = Arc::new(Metrics::new().expect("figures"));
        let start = Instant::now();
        let server = Stepped::new(&game, &config, metrics.clone(), seed, start);
        let mut server = server.expect("settings that hold");
        let room_id = open_a_room(&mut server, start);
        // It has ticked already, with nobody to see it.
        let newest = server
            .room(room_id)
            .map_or(Tick(0), |room| room.tick_number());
        let folder = folder.map(|folder| folder.with_first(room_id));
        Host {
            lines: BTreeMap::new(),
            seats: Seats::default(),
            audience: Audience::default(),
            room_id,
            game,
            trace: Trace::default(),
            stalled: 0,
            cut_writes: 0,
            server,
            metrics,
            rng,
            tamper: bug.map(Tamper::new),
            lines_opened: 0,
            images: Vec::new(),
            bodies: BTreeSet::new(),
            newest,
            start: start + OPENED,
            restarts: 0,
            lost_ticks: 0,
            config,
            seed,
            folder,
        }
    }

    /// The process is killed, and the next one goes on from what was kept. No line outlives it.
    pub(crate) fn restart(&mut self, now_us: u64, oracle: &mut Oracle) -> Result<(), Broken> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let now = self.start + Duration::from_micros(now_us);
        let begin = |config: &Config, metrics: Arc<Metrics>, seed: u64| {
            let server = Stepped::new(&self.game, config, metrics, seed, now);
            server.expect("settings that hold")
        };
        // One at a time has the folder.
        let elsewhere = Config {
            state_file: None,
            ..self.config.clone()
        };
        self.server = begin(&elsewhere, Arc::new(Metrics::new().expect("figures")), 0);
        let bug = self.tamper.as_ref().map(Tamper::bug);
        if bug == Some(Bug::OldCheckpoint) {
            folder.put_the_first_back();
        }
        self.restarts += 1;
        let seed = self.seed ^ u64::from(self.restarts) << 32;
        self.server = begin(&self.config, self.metrics.clone(), seed);
        // The worker takes the room, and it is not yet the room's turn.
        self.server.step(now - Duration::from_millis(1));
        self.lines.clear();
        let newest = self.newest;
        let tick_rate = u32::from(self.config.tick_rate);
        let room = self.server.room(self.room_id);
        let Some(room) = room else {
            let what = format!("the room of {newest} is none: {}", folder.why());
            return Err(Broken::new(Check::Restart, what));
        };
        let then = room.tick_number();
        // A second, and the rest of a tick at each end.
        if then > newest || newest.since(then) > tick_rate + 2 {
            let what = format!("the room of {newest} is that of {then}");
            return Err(Broken::new(Check::Restart, what));
        }
        self.lost_ticks += newest.since(then);
        let somebody = room.clients().map(|client| client.player).next();
        if let (Some(Bug::SeatLostInRestart), Some(player)) = (bug, somebody) {
            room.leave(player);
        }
        self.seats.fall_back(room)?;
        self.audience.fall_back();
        oracle.fall_back(then);
        self.images.retain(|tick| *tick <= then);
        self.bodies.clear();
        self.newest = then;
        Ok(())
    }

    /// Whether clients' memories fail now and then.
    pub(crate) fn plants(&self) -> bool {
        self.tamper.as_ref().is_some_and(Tamper::plants)
    }

    /// Whether the room outlives its process.
    pub(crate) fn is_kept(&self) -> bool {
        self.folder.is_some()
    }

    pub(crate) fn room(&mut self) -> &mut Room<Yard> {
        let room = self.server.room(self.room_id);
        room.expect("a room that nobody is in stays for longer than this")
    }

    /// The sum of the figures whose lines start with this.
    pub(crate) fn figure(&self, name: &str) -> u64 {
        let figures = self.metrics.render();
        let lines = figures.lines().filter(|line| line.starts_with(name));
        let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        values.sum::<f64>() as u64
    }

    /// A client connects, who is a peer of this number, and will ask for a seat if it had one.
    pub(crate) fn open(
        &mut self,
        quality: Quality,
        who: usize,
        asks: Option<(PlayerId, Tick)>,
        now_us: u64,
    ) -> LineId {
        let bug = self.tamper.as_ref().map(Tamper::bug);
        let ends = Ends::new(Link::new(quality, self.rng.random(), now_us, bug));
        let now = self.start + Duration::from_micros(now_us);
        let peer = (Ipv4Addr::LOCALHOST, 0).into();
        let way = WebSocket::new(ends.clone(), Vec::new(), peer, now);
        self.server.connect(way, now);
        self.lines_opened += 1;
        self.lines
            .insert(self.lines_opened, Line::new(ends, who, asks));
        self.lines_opened
    }

    /// A client sends a message.
    pub(crate) fn send(&mut self, id: LineId, mut message: Vec<u8>, now_us: u64) {
        if let Some(tamper) = &self.tamper
            && let Ok(Some(ClientMessage::Resume { token, chat, seen })) = decode_client(&message)
        {
            let seen = tamper.spoil_claim(Known { chat, tick: seen }, self.newest);
            message = encode_client(&ClientMessage::Resume {
                token,
                chat,
                seen: seen.tick,
            });
        }
        if let Some(line) = self.lines.get_mut(&id) {
            line.ends.link().send(message, now_us);
        }
    }

    /// The server's turn.
    pub(crate) fn step(&mut self, now_us: u64, oracle: &mut Oracle) -> Result<(), Broken> {
        for line in self.lines.values() {
            line.ends.link().now_us = now_us;
        }
        self.server.step(self.start + Duration::from_micros(now_us));
        let room = self.server.room(self.room_id).expect("the room");
        self.audience.note(room);
        if self.newest != room.tick_number() {
            self.newest = room.tick_number();
            oracle.witness(room);
            self.bodies.clear();
            if room.snapshot_due() {
                self.images.push(self.newest);
            }
        }
        let ids: Vec<LineId> = self.lines.keys().copied().collect();
        for id in ids {
            self.look(id, now_us)?;
        }
        let room = self.server.room(self.room_id).expect("the room");
        for (player, answer) in room.world_mut().resource_mut::<Diary>().answers.drain(..) {
            let line = self.seats.line(player);
            if let Some(line) = line.and_then(|id| self.lines.get_mut(&id)) {
                line.answers.push_back(answer);
            }
        }
        let lines = &self.lines;
        let may_be_over = |id| lines.get(&id).is_none_or(Line::may_be_over);
        self.seats.judge(room, may_be_over)?;
        let (listed, players) = (
            self.server.rooms(),
            room_players(&mut self.server, self.room_id),
        );
        let Some(listed) = listed
            .first()
            .filter(|room| usize::from(room.players) == players)
        else {
            let what = format!("{players} players, where the lobby has {listed:?}");
            return Err(Broken::new(Check::Seats, what));
        };
        let room = self.server.room(self.room_id).expect("the room");
        self.audience.judge(room, listed, &self.lines)?;
        self.lines.retain(|_, line| !line.ends.is_done());
        Ok(())
    }

    /// What the server has heard from a line, and what it wrote.
    fn look(&mut self, id: LineId, now_us: u64) -> Result<(), Broken> {
        let Some(line) = self.lines.get_mut(&id) else {
            return Ok(());
        };
        let (heard, lost) = {
            let mut link = line.ends.link();
            self.cut_writes += std::mem::take(&mut link.cut_writes);
            (std::mem::take(&mut link.heard), link.noticed)
        };
        for message in heard {
            let request = decode_client(&message).ok().flatten();
            // What it brings says what day it is.
            if !matches!(request, Some(ClientMessage::Hello { .. })) {
                self.trace.note(now_us, id, &message);
            }
            let acks = line.acknowledge(&message);
            line.is_asking |= match &request {
                Some(ClientMessage::JoinRoom { who, .. }) => !who.spectator,
                request => matches!(request, Some(ClientMessage::Resume { .. })),
            };
            let Stage::Room(player) = line.stage else {
                continue;
            };
            match request {
                _ if acks => self.seats.heard(id, player, line, self.newest),
                Some(ClientMessage::LeaveRoom) => self.seats.leaves(id, player),
                Some(ClientMessage::Kick { player }) => _ = self.seats.kicked.insert(player),
                _ => {}
            }
        }
        loop {
            let Some(line) = self.lines.get_mut(&id) else {
                return Ok(());
            };
            let Some(mut frame) = line.ends.link().take_written()? else {
                break;
            };
            match &mut frame {
                Frame::Message(message) => self.observe(id, message, now_us)?,
                Frame::Close(code) => {
                    self.stalled += u64::from(*code == CloseCode::Stalled);
                    self.trace.note(now_us, id, &code.number().to_le_bytes());
                    if let Stage::Room(player) = line.stage {
                        // It may have waited for long behind what did not get through.
                        let since = line.was_stuck_since().unwrap_or(self.newest);
                        self.seats.ended(id, player, Some(*code), since);
                    }
                    line.stage = Stage::Closed;
                }
            }
            if let Some(line) = self.lines.get_mut(&id) {
                line.ends.link().deliver(&frame, now_us);
            }
        }
        if let Some(line) = self.lines.get_mut(&id) {
            let stuck_since = line.stuck_since(self.newest);
            let is_over = line.ends.is_over();
            match line.stage {
                Stage::Room(player) if lost => {
                    let since = stuck_since.unwrap_or(self.newest);
                    self.seats.ended(id, player, None, since);
                }
                Stage::Room(player) if is_over => {
                    let since = stuck_since.unwrap_or(self.newest);
                    self.seats.ended_unheard(id, player, since, self.newest);
                }
                Stage::Lobby if line.is_asking => self.seats.on_the_way(line.who, self.newest),
                _ => {}
            }
            if is_over {
                line.stage = Stage::Closed;
            }
        }
        Ok(())
    }

    /// A message of the server's, which is spoiled if there is a bug that does it.
    fn observe(&mut self, id: LineId, message: &mut Vec<u8>, now_us: u64) -> Result<(), Broken> {
        let Some(line) = self.lines.get_mut(&id) else {
            return Ok(());
        };
        if message.first() != Some(&(Kind::Control as u8)) {
            let Ok((head, _)) = SnapshotHead::decode(message) else {
                return Err(Broken::new(Check::Protocol, format!("{message:?}")));
            };
            self.trace.note(now_us, id, message);
            line.sent(head.tick, message.len());
            line.within_limits()?;
            if head.tick == self.newest {
                self.bodies.extend(off_tier(message, &self.images));
            }
            if self.bodies.len() > CATCH_UPS_MAX {
                let what = format!("{:?} ticks back, all at once", self.bodies);
                return Err(Broken::new(Check::Limits, what));
            }
            if let Some(tamper) = &mut self.tamper {
                tamper.spoil(id, &self.game.layout, message);
            }
            return Ok(());
        }
        let told = decode_server(message).ok().flatten();
        let told = told.ok_or_else(|| Broken::new(Check::Protocol, format!("{message:?}")))?;
        // What it carries says what day it is.
        if !matches!(told, ServerMessage::Welcome { .. }) {
            self.trace.note(now_us, id, message);
        }
        match told {
            ServerMessage::Welcome { token, .. } => line.subject = audience::subject(&token),
            ServerMessage::Joined {
                you: None, tick, ..
            } => {
                let number = self.audience.joined(id, line, tick);
                line.watch(number, tick);
            }
            ServerMessage::Joined {
                you: Some(you),
                tick,
                ..
            } => {
                let grace = self
                    .server
                    .room(self.room_id)
                    .expect("the room")
                    .options()
                    .grace;
                let seated_at = self.seats.joined(id, line, you, tick, grace)?;
                line.seen_max = self.seats.seen_max(you);
                line.seat(you, tick, seated_at);
            }
            ServerMessage::Left { .. } => {
                if let Stage::Room(player) = line.stage {
                    self.seats.leaves(id, player);
                }
                line.stage = Stage::Lobby;
                line.ends.link().is_lost = true;
            }
            ServerMessage::Refused { reason } => {
                if reason == Refusal::NoSuchSeat {
                    self.seats.refused(line)?;
                }
                line.asks = None;
                line.is_asking = false;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Until the room is there and nobody in it.
const OPENED: Duration = Duration::from_secs(1);

/// Somebody makes the room, over the way that has no bytes, and goes.
fn open_a_room(server: &mut Stepped<Yard>, start: Instant) -> RoomId {
    let (way, far) = memory::pair(usize::MAX);
    server.connect(way, start);
    let mut session = Session::new("landlord", "");
    let mut room = None;
    let mut now = start;
    while room.is_none() {
        while let Some(message) = session.poll_transmit() {
            far.send(message);
        }
        now += OPENED / 100;
        server.step(now);
        while let Some(message) = far.receive() {
            session.handle_message(&message, 0).expect("a good message");
        }
        while let Some(event) = session.poll_event() {
            match event {
                Event::Welcome => {
                    let yard = NewRoom {
                        name: "yard".to_owned(),
                        kicks: true,
                        ..NewRoom::default()
                    };
                    session.create(&yard).expect("in the lobby");
                }
                Event::Joined => room = session.room().map(|room| room.info.id),
                _ => {}
            }
        }
    }
    far.goodbye();
    server.step(now.max(start + OPENED / 2));
    room.expect("it was made")
}

fn room_players(server: &mut Stepped<Yard>, room: RoomId) -> usize {
    server.room(room).map_or(0, |room| room.players())
}

/// The baseline of everyone's layer in a snapshot of the newest image, in ticks back, unless it is
/// one that a tier has or it is a keyframe.
fn off_tier(snapshot: &[u8], images: &[Tick]) -> Option<u32> {
    let (head, sections) = SnapshotHead::decode(snapshot).ok()?;
    let of_room = SectionKind::Layer(LayerId::ROOM);
    let (_, body) = sections.flatten().find(|(kind, _)| *kind == of_room)?;
    let (body, _) = decode_head(LayerId::ROOM, body).ok()?;
    let tiers = (0..=TIER_MAX.ilog2()).map(|tier| 1_usize << tier);
    let mut before = tiers.filter_map(|tier| images.len().checked_sub(1 + tier));
    let in_step = before.any(|at| head.tick.since(images[at]) == body.back);
    (body.back > 0 && !in_step).then_some(body.back)
}
