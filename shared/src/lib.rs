//! Tickwire's shared half: the protocol, the snapshot codec and the client's netcode.
//!
//! Nothing here opens a socket, reads a clock or draws a random seed by itself: bytes, times
//! and seeds are arguments, so every test of it is exact and instant. The server, the bots and
//! the benches call it; `client-web/src` mirrors it file by file in JavaScript. A game is built
//! with the crate `tickwire-server`, whose front page shows how.
//!
//! | module | what |
//! | --- | --- |
//! | [`session`] | the client's end of a connection: messages in, messages and events out |
//! | [`netcode`] | clock, inputs in time |
//! | [`conditioner`] | a bad link, for tests, yardsticks and the bots' proxy |
//! | [`schema`] | a game as both ends know it: components, input, events, actions |
//! | [`snapshot`] | images of a world as integers, and the deltas between them |
//! | [`protocol`], [`codec`] | messages and their bytes; `PROTOCOL.md` has every one of them |
//! | [`exact`] | the arithmetic of rules that both ends run |
//! | [`ids`], [`limits`] | numbers that cross the wire, and how many there may be |
//!
//! # A client
//!
//! The driver owns socket and clock. It hands in each binary message of the WebSocket and the
//! microseconds since its start, and sends what the session has for it:
//!
//! ```
//! use tickwire::ids::LayerId;
//! use tickwire::session::{Event, Session};
//!
//! /// Plays in a room that has a seat. `receive` waits for a message, but not beyond the given time.
//! fn play(
//!     now_us: impl Fn() -> u64,
//!     mut send: impl FnMut(Vec<u8>),
//!     mut receive: impl FnMut(Option<u64>) -> Option<Vec<u8>>,
//! ) -> Result<(), Box<dyn std::error::Error>> {
//!     let mut session = Session::new("Ann", "");
//!     loop {
//!         while let Some(tick) = session.next_input(now_us()) {
//!             // The integers of the schema's input fields.
//!             let fields = session.schema().map_or(&[][..], |schema| &schema.input);
//!             let neutral: Vec<i32> = fields.iter().map(|field| field.kind.q_zero()).collect();
//!             session.send_input(tick, &neutral, 0)?;
//!         }
//!         session.handle_timeout(now_us());
//!         while let Some(message) = session.poll_transmit() {
//!             send(message);
//!         }
//!         let due = session.next_input_us().into_iter().chain(session.poll_timeout()).min();
//!         if let Some(message) = receive(due) {
//!             session.handle_message(&message, now_us())?;
//!         }
//!         while let Some(event) = session.poll_event() {
//!             match event {
//!                 Event::Welcome => session.quick_join()?,
//!                 Event::Snapshot { .. } => {
//!                     let image = session.room().and_then(|room| room.layer(LayerId::ROOM));
//!                     println!("{} entities", image.map_or(0, |image| image.entities.len()));
//!                 }
//!                 Event::Left { .. } => return Ok(()),
//!                 _ => {}
//!             }
//!         }
//!     }
//! }
//! ```

pub mod codec;
pub mod conditioner;
pub mod exact;
pub mod ids;
pub mod limits;
pub mod netcode;
pub mod protocol;
pub mod schema;
pub mod session;
pub mod snapshot;
