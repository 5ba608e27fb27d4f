//! One bot: its player on one socket after the other, by the clock, from the first connection to
//! the end that the swarm is told of. Started by `swarm`.

use std::sync::Arc;
use std::time::Duration;

use tickwire::protocol::CloseCode;
use tickwire::session::{Backoff, Redirect, is_final};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::dial::Incoming;
use crate::doors::Way;
use crate::ending::{ABNORMAL, Cause, Ending};
use crate::player::{Player, RoomRequest};
use crate::prepared::Prepared;
use crate::rooms::{Entry, Place};
use crate::run::Run;
use crate::socket::Socket;
use crate::target::Target;

/// Before it asks at another door, or for another seat than the one that it lost.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Plays until the run stops or something ends the bot. The socket is given to the first bot, which
/// was used to find out whether there is a server.
pub(crate) async fn play(run: Arc<Run>, place: Place, socket: Option<Socket>) -> Ending {
    let mut stop = run.stop.subscribe();
    let mut way = Way::new(&run.doors, place.bot);
    let opened = tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => Err(Cause::Failed("the swarm stopped first".to_owned())),
        opened = open(&run, &place, &mut way, socket) => opened,
    };
    let ending = match opened {
        Err(cause) => Ending {
            joined: false,
            cause,
            desyncs: 0,
        },
        Ok((socket, request)) => {
            let player = Player::new(&run, &place, request, run.now_us());
            let run = Arc::clone(&run);
            Bot {
                way,
                run,
                player,
                stop,
                silent: None,
                prepared: None,
            }
            .play(socket)
            .await
        }
    };
    if place.entry == Entry::Create {
        run.rooms.fail(place.room);
    }
    ending
}

async fn open(
    run: &Run,
    place: &Place,
    way: &mut Way,
    socket: Option<Socket>,
) -> Result<(Socket, RoomRequest), Cause> {
    let request = match &place.entry {
        Entry::Create => RoomRequest::Create(format!("bots {}", place.room + 1)),
        Entry::Code(code) => RoomRequest::Code(code.clone()),
        Entry::Any => RoomRequest::Any,
        Entry::Join => match run.rooms.wait(place.room).await {
            Some(id) => RoomRequest::Join(id),
            None => return Err(Cause::Failed("its room was not made".to_owned())),
        },
    };
    let socket = match socket {
        Some(socket) => socket,
        None => connect(way).await.map_err(Cause::Failed)?,
    };
    Ok((socket, request))
}

/// A connection to its door, or to the next one where that can't be had.
///
/// # Errors
/// None can; why, of the last one, in a line.
async fn connect(way: &mut Way) -> Result<Socket, String> {
    for _ in 1..way.doors() {
        if let Ok(socket) = Socket::connect(way.target()).await {
            return Ok(socket);
        }
        way.go_on();
    }
    Socket::connect(way.target()).await
}

/// A bot with a connection.
struct Bot {
    run: Arc<Run>,
    player: Player,
    stop: watch::Receiver<bool>,
    /// The connection that it lost, left open where the server is not told, until it is back.
    silent: Option<Socket>,
    /// The connection to where it will probably be sent.
    prepared: Option<Prepared>,
    /// Where it is connected to, or will be.
    way: Way,
}

impl Bot {
    async fn play(mut self, socket: Socket) -> Ending {
        let (socket, cause) = self.over_connections(socket).await;
        self.player.finish(self.run.now_us());
        let goodbye = match cause {
            Cause::Closed(_) => None,
            Cause::Failed(_) => Some(CloseCode::Malformed),
            Cause::Stopped | Cause::SentOut | Cause::Redirected(_) => Some(CloseCode::Normal),
        };
        if let (Some(socket), Some(code)) = (socket, goodbye) {
            socket.close(code).await;
        }
        Ending {
            joined: self.player.joined,
            cause,
            desyncs: self.player.desyncs(),
        }
    }

    /// On one connection after the other. The last one is returned if it was opened.
    async fn over_connections(&mut self, mut socket: Socket) -> (Option<Socket>, Cause) {
        loop {
            let driven = self.drive(&mut socket).await;
            // Of whatever ends the connection only a redirect to there uses it.
            let prepared = self.prepared.take();
            match driven {
                Ok(()) => {
                    self.way.lost();
                    let is_silent = self.player.lose_connection(ABNORMAL, self.run.now_us());
                    self.silent = is_silent.then_some(socket);
                }
                Err(Cause::Closed(code)) if self.player.outage.is_some() && !is_final(code) => {
                    self.run.reconnects.lock().retries += 1;
                }
                Err(Cause::Closed(code)) if self.player.comes_back(code) => {
                    self.way.lost();
                    self.player.lose_connection(code, self.run.now_us());
                }
                Err(Cause::Closed(code)) if self.player.asks_elsewhere(code) => {
                    match self.ask_elsewhere().await {
                        Ok(other) => {
                            socket = other;
                            continue;
                        }
                        Err(cause) => return (None, cause),
                    }
                }
                Err(Cause::Redirected(redirect)) => {
                    if let Err(cause) = self.player.follow(&redirect, self.run.now_us()) {
                        match self.start_over(&cause).await {
                            Some(other) => socket = other,
                            None => return (Some(socket), cause),
                        }
                        continue;
                    }
                    tokio::spawn(socket.close(CloseCode::Normal));
                    match self.follow(&redirect, prepared).await {
                        Ok(Some(other)) => {
                            socket = other;
                            continue;
                        }
                        Ok(None) => {}
                        Err(cause) => return (None, cause),
                    }
                }
                Err(cause) => match self.start_over(&cause).await {
                    Some(other) => {
                        socket = other;
                        continue;
                    }
                    None => return (Some(socket), cause),
                },
            }
            socket = match self.reconnect().await {
                Ok(socket) => socket,
                Err(cause) => match self.start_over(&cause).await {
                    Some(socket) => socket,
                    None => return (None, cause),
                },
            };
        }
    }

    /// Its door closed before it had a seat: asks at the next one.
    async fn ask_elsewhere(&mut self) -> Result<Socket, Cause> {
        self.player.go_home();
        self.way.go_home();
        self.way.go_on();
        let opened = async {
            sleep(ASK_AGAIN_AFTER).await;
            connect(&mut self.way).await
        };
        tokio::select! {
            biased;
            _ = self.stop.wait_for(|stop| *stop) => Err(Cause::Stopped),
            opened = opened => opened.map_err(Cause::Failed),
        }
    }

    /// Its seat is lost for good: looks for another one, if the run is to go on so.
    async fn start_over(&mut self, cause: &Cause) -> Option<Socket> {
        if !self.run.goes_on() || *cause == Cause::Stopped {
            return None;
        }
        self.silent = None;
        self.player.start_over(cause, self.run.now_us());
        self.way.go_home();
        let opened = async {
            loop {
                sleep(ASK_AGAIN_AFTER).await;
                if let Ok(socket) = connect(&mut self.way).await {
                    return socket;
                }
            }
        };
        tokio::select! {
            biased;
            _ = self.stop.wait_for(|stop| *stop) => None,
            socket = opened => Some(socket),
        }
    }

    /// Opens a connection to where the server sent it, as often as that takes while the ticket is
    /// good; then to where it came from. `None`: who had a seat comes back to it as after any loss.
    async fn follow(
        &mut self,
        redirect: &Redirect,
        prepared: Option<Prepared>,
    ) -> Result<Option<Socket>, Cause> {
        let target = self.target_of(&redirect.url)?;
        if let Some(prepared) = prepared.filter(|prepared| prepared.is_for(&redirect.url)) {
            let taken = tokio::select! {
                biased;
                _ = self.stop.wait_for(|stop| *stop) => return Err(Cause::Stopped),
                taken = prepared.take() => taken,
            };
            if let Some(socket) = taken {
                self.run.reconnects.lock().prepared_used += 1;
                self.way.sent_to(target);
                return Ok(Some(socket));
            }
        }
        let until_us = self.run.now_us() + u64::from(redirect.valid_ms) * 1000;
        let mut backoff = Backoff::new(self.run.now_us());
        loop {
            let opened = tokio::select! {
                biased;
                _ = self.stop.wait_for(|stop| *stop) => return Err(Cause::Stopped),
                opened = Socket::connect(&target) => opened,
            };
            if let Ok(socket) = opened {
                self.way.sent_to(target);
                return Ok(Some(socket));
            }
            let now_us = self.run.now_us();
            let wait_us = backoff.next_us(now_us, None, rand::random());
            let at_us = wait_us.map(|wait_us| now_us + wait_us);
            let Some(at_us) = at_us.filter(|at_us| *at_us < until_us) else {
                break;
            };
            tokio::select! {
                biased;
                _ = self.stop.wait_for(|stop| *stop) => return Err(Cause::Stopped),
                () = sleep_until(self.run.instant(at_us)) => {}
            }
        }
        self.way.go_home();
        if self.player.outage.is_some() {
            return Ok(None);
        }
        self.player.go_home();
        let opened = connect(&mut self.way).await;
        opened.map(Some).map_err(Cause::Failed)
    }

    /// A server says that it will probably send it there. One connection is held: one to elsewhere
    /// gives way, one to there stays.
    fn prepare(&mut self, url: String, valid: Duration) -> Result<(), Cause> {
        let held = self.prepared.as_ref();
        if held.is_none_or(|prepared| !prepared.is_for(&url)) {
            let target = self.target_of(&url)?;
            self.run.reconnects.lock().prepared += 1;
            self.prepared = Some(Prepared::open(url, target, valid));
        }
        Ok(())
    }

    fn target_of(&self, url: &str) -> Result<Target, Cause> {
        let target = Target::parse(url).map_err(Cause::Failed)?;
        Ok(target.trusting(&self.run.doors))
    }

    /// Opens another connection, however often that takes.
    async fn reconnect(&mut self) -> Result<Socket, Cause> {
        loop {
            let Some(at_us) = self.player.next_try_us(self.run.now_us()) else {
                return Err(Cause::Failed("it could not come back".to_owned()));
            };
            self.way.try_next();
            let attempt = async {
                sleep_until(self.run.instant(at_us)).await;
                Socket::connect(self.way.target()).await
            };
            let opened = tokio::select! {
                biased;
                _ = self.stop.wait_for(|stop| *stop) => return Err(Cause::Stopped),
                opened = attempt => opened,
            };
            match opened {
                Ok(socket) => {
                    self.player.resume();
                    return Ok(socket);
                }
                Err(_) => self.run.reconnects.lock().retries += 1,
            }
        }
    }

    /// Until the connection is to be lost.
    ///
    /// # Errors
    /// It ended by itself, or the bot with it.
    async fn drive(&mut self, socket: &mut Socket) -> Result<(), Cause> {
        let timer = sleep_until(Instant::now());
        tokio::pin!(timer);
        let run = Arc::clone(&self.run);
        let mut slow = run.slowness.is_on.subscribe();
        loop {
            let player = &mut self.player;
            let now_us = run.now_us();
            player.handle_timeout(now_us)?;
            let drop_us = player.drop_us(now_us);
            if drop_us.is_some_and(|us| us <= now_us) {
                return Ok(());
            }
            let messages = std::iter::from_fn(|| player.session.poll_transmit());
            let is_open = socket.send(messages).await;
            let now_us = run.now_us();
            let due_us = player.poll_timeout(now_us).into_iter().chain(drop_us).min();
            if let Some(us) = due_us {
                timer.as_mut().reset(run.instant(us));
            }
            let reads = player.reader.reads(now_us);
            let incoming = tokio::select! {
                biased;
                _ = self.stop.wait_for(|stop| *stop) => return Err(Cause::Stopped),
                Ok(()) = slow.changed() => {
                    let on = *slow.borrow_and_update();
                    player.reader.turn(on, &run.slowness, run.now_us());
                    continue;
                }
                incoming = socket.next(), if reads => incoming,
                () = &mut timer, if due_us.is_some() && is_open => continue,
            };
            let (bytes, arrived_us) = match incoming {
                Incoming::Closed(code) => return Err(Cause::Closed(code)),
                Incoming::Message(bytes, arrived_us) => (bytes, arrived_us),
            };
            if let Some(joined) = player.handle_message(&bytes, arrived_us, run.now_us())? {
                // Nobody listens any more once the run is stopping.
                let _ = run.joined.send(joined).await;
            }
            if player.outage.is_none() {
                self.silent = None;
            }
            if let Some((url, valid)) = player.prepare.take() {
                self.prepare(url, valid)?;
            }
        }
    }
}
