//! How a player gets from one connection to the next: lost and come back, sent elsewhere, begun
//! anew. A part of [`Player`]; the connections themselves are `bot`'s.

use rand::RngExt;
use tickwire::ids::{RoomId, Tick};
use tickwire::limits::REDIRECTS_MAX;
use tickwire::session::{Redirect, Session, is_final};

use super::{JOIN_WITHIN, Player, RoomRequest, one_of};
use crate::ending::Cause;
use crate::journal::SeatEvent;
use crate::reconnects::Outage;

impl Player {
    /// When its connection is to be lost: in a room, with something to come back by.
    pub(crate) fn drop_us(&mut self, now_us: u64) -> Option<u64> {
        let run = &self.run;
        if !run.flags.cuts() || self.outage.is_some() || self.session.ticket().is_none() {
            return None;
        }
        self.drops.due_us(&run.tally.window, now_us, &mut self.rng)
    }

    /// Whether it comes back after a connection that ended so without its doing.
    pub(crate) fn comes_back(&self, code: u16) -> bool {
        self.run.flags.returns() && !is_final(code) && self.session.ticket().is_some()
    }

    /// Its connection is lost. Of every two losses the server is told of one, by the socket's end;
    /// true for the others.
    pub(crate) fn lose_connection(&mut self, code: u16, now_us: u64) -> bool {
        let Some(tick) = self.begin_outage(now_us) else {
            return false;
        };
        let lost = || SeatEvent::Lost { tick, code };
        self.run.note(self.bot, now_us, lost);
        self.drops.note_drop();
        self.run.reconnects.lock().drops += 1;
        self.rng.random()
    }

    /// It is without its seat from now on; the tick of the newest snapshot that it had. `None`: it
    /// has no seat to come back to.
    fn begin_outage(&mut self, now_us: u64) -> Option<Tick> {
        let (ticket, room) = (self.session.ticket()?, self.session.room()?);
        let token = self.session.token().unwrap_or_default();
        let tick = room.newest;
        self.outage = Some(Outage::new(ticket, token, room, self.shown_us, now_us));
        self.gauge.pause();
        Some(tick)
    }

    /// When it tries again to come back, at a random distance; `None` when it gives up.
    pub(crate) fn next_try_us(&mut self, now_us: u64) -> Option<u64> {
        let chance = self.rng.random();
        let wait_us = self
            .outage
            .as_mut()?
            .backoff
            .next_us(now_us, None, chance)?;
        Some(now_us + wait_us)
    }

    /// Another connection is open, on which the seat is asked for.
    pub(crate) fn resume(&mut self) {
        let Some(outage) = &self.outage else {
            return;
        };
        let session = Session::resume(&self.name, &outage.token, &outage.ticket);
        self.is_following = false;
        self.change(session);
    }

    /// Its seat is lost for good, or it never got one: it takes any from now on.
    pub(crate) fn start_over(&mut self, cause: &Cause, now_us: u64) {
        let why = format!("{cause:?}");
        self.run.note(self.bot, now_us, || SeatEvent::Gone { why });
        (self.outage, self.hops, self.asks) = (None, 0, true);
        self.join_until_us = now_us + JOIN_WITHIN.as_micros() as u64;
        self.request = RoomRequest::Any;
        self.go_home();
    }

    /// It is sent elsewhere: the session of the connection there brings the ticket, and takes the
    /// seat that it has in that room, or asks for one.
    ///
    /// # Errors
    /// That was once too often in a row.
    pub(crate) fn follow(&mut self, redirect: &Redirect, now_us: u64) -> Result<(), Cause> {
        let is_there = self.is_in(redirect.room);
        match &mut self.outage {
            Some(outage) => {
                outage.redirects += 1;
                self.run.note(self.bot, now_us, || SeatEvent::Redirected);
            }
            None if is_there => {
                if let Some(tick) = self.begin_outage(now_us) {
                    let moved = || SeatEvent::Moved { tick };
                    self.run.note(self.bot, now_us, moved);
                    self.run.reconnects.lock().moves += 1;
                }
            }
            None => {}
        }
        if self.hops == REDIRECTS_MAX {
            return Err(Cause::Failed("it was redirected time and again".to_owned()));
        }
        self.hops += 1;
        self.is_following = true;
        let lost = self.outage.as_ref();
        let lost = lost.filter(|outage| outage.is_of(redirect.room));
        let seat = lost.map(|outage| outage.ticket.clone());
        // What they are is no other there.
        let who = self.chosen().map(|chosen| chosen.who).unwrap_or_default();
        let session = redirect.follow(&self.name, seat.as_ref(), &who);
        self.change(session);
        Ok(())
    }

    fn is_in(&self, room: RoomId) -> bool {
        let here = self.session.room();
        here.is_some_and(|here| here.info.id == room)
    }

    /// Whether it asks at another door after a connection that ended so before it had a seat.
    pub(crate) fn asks_elsewhere(&self, code: u16) -> bool {
        self.asks && self.run.doors.len() > 1 && !is_final(code)
    }

    /// Where it was sent nobody answers: it begins anew where it came from.
    pub(crate) fn go_home(&mut self) {
        self.is_following = false;
        self.change(Session::new(&self.name, "").of_game(&self.run.flags.game));
    }

    /// Goes on with the session of another connection.
    fn change(&mut self, session: Session) {
        self.desyncs += self.session.stats().desyncs;
        self.gauge.pause();
        self.talk.pause();
        self.session = one_of(&self.run, session);
        self.prepare = None;
        (self.retry_us, self.pinged_us, self.shown_us) = (None, None, None);
    }

    /// The first snapshot of a connection that took the seat again is there.
    pub(super) fn note_return(&mut self, now_us: u64) {
        if let (Some(outage), Some(room)) = (self.outage.take(), self.session.room()) {
            self.run
                .reconnects
                .lock()
                .note_return(&outage, room, now_us);
            self.run.note(self.bot, now_us, || SeatEvent::Back {
                room: room.info.id,
                you: room.you,
                tick: room.newest,
                same_figure: outage.has_its_figure(room),
                gap_us: outage.gap_us(now_us),
            });
        }
    }
}
