//! Who comes to a worker's rooms: to a seat, back to one, to look on, or to a room that is made for
//! them. The registry has taken a place for each; who gets it is `seating`'s to say.

use std::cmp::Reverse;
use std::time::Instant;

use tickwire::codec::encode_server;
use tickwire::ids::RoomId;
use tickwire::protocol::CloseCode;
use tickwire::protocol::server_message::Refusal;

use super::EventLoop;
use super::running::{Running, Still};
use crate::date;
use crate::game::RoomOptions;
use crate::store::record::{self, Record};
use crate::transport::End;
use crate::worker::room_host::Failed;
use crate::worker::schedule::TickSchedule;
use crate::worker::seating::refuse;
use crate::worker::{Client, ResumeRequest};

impl EventLoop {
    /// A room in which a seat is held is not asleep, so its turns go on as they are.
    pub(super) fn resume(
        &mut self,
        room: RoomId,
        resume_request: ResumeRequest,
        client: Client,
        now: Instant,
    ) {
        let game = client.session.game;
        let running = self.rooms.get_mut(&room);
        let running = running.filter(|running| running.game.index == game);
        let Some(running) = running else {
            self.missed(room, client, Refusal::NoSuchSeat);
            return;
        };
        running.wake(&mut self.queue, now);
        if let Err(Failed) = running
            .room_host
            .resume(client, resume_request, &mut self.ctx)
        {
            self.fail(room);
        }
    }

    /// A room that sleeps has no players and stays asleep: it takes no spectators.
    pub(super) fn watch(&mut self, room: RoomId, client: Client) {
        let Some(running) = self.rooms.get_mut(&room) else {
            self.missed(room, client, Refusal::NoSuchRoom);
            return;
        };
        if let Err(Failed) = running.room_host.watch(client, &mut self.ctx) {
            self.fail(room);
        }
    }

    /// A room of the game that `maker` is of, unless somebody who asked for it by name at the same
    /// time was faster, or it is gone already.
    pub(super) fn open(
        &mut self,
        maker: &Client,
        options: RoomOptions,
        now: Instant,
    ) -> Result<(), Failed> {
        let (id, rate) = (options.id, options.tick_rate);
        let registry = &self.ctx.common.registry;
        if self.rooms.contains_key(&id) || registry.worker_of(id).is_none() {
            return Ok(());
        }
        let game = self.ctx.common.game(maker.session.game);
        let game = game.ok_or(Failed)?.clone();
        game.metrics.rooms_opened.increment(1);
        self.ctx.common.store.put(Record::Room(record::Room {
            room: options.key(),
            game: game.def.name().to_owned(),
            number: id.0,
            opened_at_ms: date::now_ms(),
        }));
        let room_host = game.clone().open(options).inspect_err(|Failed| {
            game.metrics.rooms_failed.increment(1);
        })?;
        let (metadata, locked) = room_host.described();
        self.ctx.common.registry.describe(id, metadata, locked);
        game.metrics.rooms.increment(1);
        let schedule = TickSchedule::new(self.state.started, self.opened, rate, now);
        self.opened = self.opened.wrapping_add(1);
        let claims = self.ctx.common.claims.as_ref();
        let claim = claims.map(|claims| claims.opened(id));
        self.rooms
            .insert(id, Running::new(room_host, game, schedule, claim, now));
        Ok(())
    }

    pub(super) fn join(&mut self, room: RoomId, client: Client, now: Instant) {
        let Some(running) = self.rooms.get_mut(&room) else {
            // It failed, or left, while the newcomer was on the way.
            self.missed(room, client, Refusal::NoSuchRoom);
            return;
        };
        if running.still == Some(Still::Stopped) {
            // Its state has been taken: a seat that is given now would not be in it.
            self.held.push((room, client));
            return;
        }
        running.wake(&mut self.queue, now);
        if let Some(saves) = &mut running.saves {
            saves.comes();
        }
        let joined = running.room_host.join(client, &mut self.ctx);
        if running.asleep && joined.is_ok() {
            if running.room_host.is_empty() {
                running.due = now + running.game.room_linger;
            } else {
                running.asleep = false;
                running.schedule.restart(now);
                running.due = running.schedule.due();
            }
            self.queue.push(Reverse((running.due, room)));
        }
        if let Err(Failed) = joined {
            self.fail(room);
        }
    }

    /// Looks again at who came to a room that stands still.
    pub(super) fn join_held(&mut self, now: Instant) {
        for (room, client) in std::mem::take(&mut self.held) {
            self.join(room, client, now);
        }
    }

    /// Who wanted something in a room that is not here is told so, or goes where the room went, like
    /// its members.
    fn missed(&self, room: RoomId, mut client: Client, reason: Refusal) {
        let Some(to) = self.left.way_to(room) else {
            return refuse(client, reason, &self.ctx);
        };
        match to(&client.session) {
            Some(there) => {
                client.conn.send(&encode_server(&there));
                self.ctx.send_back(client);
            }
            None => self.ctx.end(client, End::Close(CloseCode::Restart)),
        }
    }
}
