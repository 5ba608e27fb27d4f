//! A bot that looks at everything it is sent: a session, a socket, and what was seen. Inputs are
//! at random, by the schema.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use outside_game::{Stamp, secret_of};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tickwire::ids::{Handle, LayerId, RoomId};
use tickwire::protocol::SUBPROTOCOL;
use tickwire::protocol::client_message::NewRoom;
use tickwire::schema::words_text;
use tickwire::session::{Event, Session};
use tickwire::snapshot::column_set::ColumnSet;
use tickwire::snapshot::image::LayerImage;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

/// Longest that anything may take: far more than it does.
const WITHIN: Duration = Duration::from_secs(60);
/// Snapshots between two gifts.
const GIFT_EVERY: u64 = 5;

/// What a bot saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) snapshots: u64,
    pub(crate) desyncs: u64,
    /// Snapshots whose stamp was not that of their tick and room.
    pub(crate) wrong_stamps: u64,
    /// Ducks in the newest snapshot.
    pub(crate) ducks: usize,
    /// Boats whose name was not their player's.
    pub(crate) wrong_names: u64,
    /// Gifts that were taken, and refused.
    pub(crate) answers: (u64, u64),
    pub(crate) honks: u64,
    pub(crate) letters: u64,
    /// Snapshots in whose own layer the own secret stood.
    pub(crate) own_secrets: u64,
    /// Whose secrets stood in anything that was sent, if another's.
    pub(crate) leaks: Vec<u16>,
}

pub(crate) struct Bot {
    socket: WebSocketStream<TcpStream>,
    session: Session,
    rng: StdRng,
    start: Instant,
    seen: Seen,
    gifts: u32,
}

impl Bot {
    /// Connects, and goes into a room, or into one of its own.
    pub(crate) async fn enter(addr: SocketAddr, index: usize, room: Option<RoomId>) -> Bot {
        let stream = TcpStream::connect(addr).await.expect("a server");
        let mut request = format!("ws://{addr}/ws")
            .into_client_request()
            .expect("a good URL");
        let protocol = HeaderValue::from_static(SUBPROTOCOL);
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", protocol);
        let (socket, _) = tokio_tungstenite::client_async(request, stream)
            .await
            .expect("a WebSocket");
        let mut bot = Bot {
            socket,
            session: Session::new(&format!("boat {index}"), ""),
            rng: StdRng::seed_from_u64(index as u64),
            start: Instant::now(),
            seen: Seen::default(),
            gifts: 0,
        };
        bot.until(|session| session.schema().is_some()).await;
        let asked = match room {
            Some(room) => bot.session.join(room),
            None => bot.session.create(&NewRoom {
                name: "pond".to_owned(),
                ..NewRoom::default()
            }),
        };
        asked.expect("the lobby takes requests");
        bot.until(|session| session.room().is_some()).await;
        bot
    }

    pub(crate) fn room(&self) -> RoomId {
        self.session.room().expect("in a room").info.id
    }

    /// Plays until so many snapshots have come.
    pub(crate) async fn play(mut self, snapshots: u64) -> Seen {
        self.until(|session| session.stats().snapshots >= snapshots)
            .await;
        self.seen.desyncs = self.session.stats().desyncs;
        self.seen.snapshots = self.session.stats().snapshots;
        self.seen
    }

    async fn until(&mut self, done: impl Fn(&Session) -> bool) {
        let course = async {
            while !done(&self.session) {
                self.step().await;
            }
        };
        timeout(WITHIN, course).await.expect("it comes in time");
    }

    /// Sends what is due, and waits for the next message or moment.
    async fn step(&mut self) {
        let now_us = self.start.elapsed().as_micros() as u64;
        while let Some(tick) = self.session.next_input(now_us) {
            let schema = self.session.schema().expect("in a room");
            let fields = schema.input.iter();
            let values: Vec<i32> = fields
                .map(|field| self.rng.random_range(0..=field.kind.q_max()) as i32)
                .collect();
            let sent = self.session.send_input(tick, &values, 0);
            sent.expect("the input is good");
        }
        self.session.handle_timeout(now_us);
        while let Some(bytes) = self.session.poll_transmit() {
            let sent = self.socket.send(Message::binary(bytes)).await;
            sent.expect("an open socket");
        }
        let due = [self.session.poll_timeout(), self.session.next_input_us()];
        let due_us = due.into_iter().flatten().min();
        let due = self.start + due_us.map_or(WITHIN, Duration::from_micros);
        tokio::select! {
            message = self.socket.next() => match message {
                Some(Ok(Message::Binary(bytes))) => self.take(&bytes),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("the server goes on: {other:?}"),
            },
            () = sleep_until(due) => {}
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let now_us = self.start.elapsed().as_micros() as u64;
        let taken = self.session.handle_message(bytes, now_us);
        taken.expect("the server's messages are good");
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Snapshot { .. } => self.on_snapshot(),
                Event::Game { event, values, .. } => self.on_game_event(event, &values),
                Event::Reply { result: Ok(_), .. } => self.seen.answers.0 += 1,
                Event::Reply { .. } => self.seen.answers.1 += 1,
                _ => {}
            }
        }
    }

    fn on_game_event(&mut self, event: u16, values: &[i32]) {
        let schema = self.session.schema().expect("in a room");
        match schema.events[usize::from(event)].name.as_str() {
            "honk" => self.seen.honks += 1,
            "letter" => self.seen.letters += 1,
            other => panic!("no event {other:?} is declared"),
        }
        self.look_for_secrets(values);
    }

    /// Notes whose secrets are among decoded integers; true if the own one is.
    fn look_for_secrets(&mut self, values: &[i32]) -> bool {
        let room = self.session.room().expect("in a room");
        let (number, you) = (room.info.id.0, room.you.expect("a seat").0);
        // The room's number, which the stamp holds, may be anything.
        let values = values.iter().map(|&value| value as u32);
        let secrets = values
            .filter(|&value| value != number)
            .filter_map(secret_of);
        let (own, others): (Vec<u16>, Vec<u16>) = secrets.partition(|&of| of == you);
        self.seen.leaks.extend(others);
        !own.is_empty()
    }

    fn on_snapshot(&mut self) {
        for layer in LayerId::FIXED {
            let room = self.session.room().expect("in a room");
            let values = room.layer(layer).map(|image| image.values.clone());
            let own = self.look_for_secrets(&values.unwrap_or_default());
            self.seen.own_secrets += u64::from(own);
        }
        self.judge_room();
        if self.session.stats().snapshots.is_multiple_of(GIFT_EVERY) {
            self.give();
        }
    }

    /// Compares what the room's layer says with what it must say.
    fn judge_room(&mut self) {
        let room = self.session.room().expect("in a room");
        let Some(image) = room.layer(LayerId::ROOM) else {
            return;
        };
        let set = &self.session.layout().expect("in a room").room;
        let tick = room.newest.0;
        let stamps = self.rows("stamp", image, set);
        let expected = [tick, Stamp::noise_of(tick), room.info.id.0];
        let stamp = stamps.iter().map(|(_, row)| row);
        let right = stamp.eq([&expected.map(|value| value as i32)]);
        self.seen.wrong_stamps += u64::from(!right);
        self.seen.ducks = self.rows("duck", image, set).len();
        let boats = self.rows("look", image, set);
        // A member's message may be behind the snapshot that shows their boat, or before.
        let wrong = boats.iter().filter(|(index, row)| {
            let name = words_text(&row[row.len() - 4..]);
            let owner = image.entities[*index].owner();
            let of = |member: &&tickwire::protocol::server_message::Member| {
                owner.is_some_and(|owner| owner.player == member.player)
            };
            let member = room.members.iter().find(of);
            member.is_some_and(|member| name.as_ref() != Some(&member.name))
        });
        self.seen.wrong_names += wrong.count() as u64;
    }

    /// The entities that have a component, by their index, with its columns.
    fn rows<'a>(
        &self,
        component: &str,
        image: &'a LayerImage,
        set: &ColumnSet,
    ) -> Vec<(usize, &'a [i32])> {
        let declared = &self.session.schema().expect("in a room").components;
        let number = declared.iter().position(|c| c.name == component);
        let number = set
            .components
            .iter()
            .position(|c| Some(c.component) == number)
            .expect("everyone sees it");
        let columns = set.components[number].start..set.components[number].end;
        let heads = image.entities.iter().enumerate();
        heads
            .zip(image.values.chunks(set.width()))
            .filter(|((_, head), _)| head.mask >> number & 1 == 1)
            .map(|((index, _), row)| (index, &row[columns.clone()]))
            .collect()
    }

    /// Gives a coin to the own boat, and then one to nobody.
    fn give(&mut self) {
        let room = self.session.room().expect("in a room");
        let avatar = room.avatar();
        let Some((image, own)) = avatar.and_then(|(layer, at)| Some((room.layer(layer)?, at)))
        else {
            return;
        };
        self.gifts += 1;
        let own = image.entities[own].handle().to_field();
        let to = if self.gifts % 2 == 1 {
            own
        } else {
            Handle::NONE
        };
        let asked = self.session.act(self.gifts, 0, &[to, 0], &[]);
        asked.expect("the request is good");
    }
}
