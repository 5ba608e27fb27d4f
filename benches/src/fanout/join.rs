//! How a client comes into its room, one after the other and blocking: the upgrade, then
//! the protocol's own session until it is in. What plays is `wire`'s.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use tickwire::ids::RoomId;
use tickwire::protocol::client_message::NewRoom;
use tickwire::schema::Schema;
use tickwire::session::{Event, Session};
use tickwire_harness::frames::GOOD;

use super::ROOM;
use super::wire::{Client, push_frame, take_frame};

/// For each answer of the server.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A client in its room, the room, and the game.
pub(super) struct Joined {
    pub(super) client: Client,
    pub(super) room: RoomId,
    pub(super) schema: Schema,
}

/// Connects and joins `room`, or makes one.
///
/// # Errors
/// The socket's, or what the server said instead of yes.
pub(super) fn join(server: SocketAddr, room: Option<RoomId>) -> io::Result<Joined> {
    let mut socket = connect(server)?;
    socket.set_read_timeout(Some(ANSWER_WITHIN))?;
    let request = format!("GET /ws HTTP/1.1\r\nHost: {server}\r\n{GOOD}\r\n");
    socket.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    let end = loop {
        more(&mut socket, &mut bytes)?;
        if let Some(at) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            break at + 4;
        }
    };
    if !bytes.starts_with(b"HTTP/1.1 101") {
        return Err(refused(&String::from_utf8_lossy(&bytes[..end])));
    }
    bytes.drain(..end);
    let mut session = Session::new("load", "");
    loop {
        let mut out = Vec::new();
        while let Some(message) = session.poll_transmit() {
            push_frame(&message, &mut out);
        }
        socket.write_all(&out)?;
        if let Some(stay) = session.room() {
            let room = stay.info.id;
            let schema = session.schema().cloned().unwrap_or_default();
            let client = Client::new(socket, bytes)?;
            return Ok(Joined {
                client,
                room,
                schema,
            });
        }
        let (message, rest) = loop {
            if let Some((_, message, rest)) = take_frame(&bytes) {
                break (message.to_vec(), rest.to_vec());
            }
            more(&mut socket, &mut bytes)?;
        };
        bytes = rest;
        session
            .handle_message(&message, 0)
            .map_err(|error| refused(&error.to_string()))?;
        while let Some(event) = session.poll_event() {
            let asked = match (event, room) {
                (Event::Welcome, Some(room)) => session.join(room),
                (Event::Welcome, None) => session.create(&NewRoom {
                    name: "load".to_owned(),
                    seats: ROOM as u16,
                    ..NewRoom::default()
                }),
                (Event::Refused { reason }, _) => return Err(refused(&format!("{reason:?}"))),
                _ => Ok(()),
            };
            asked.map_err(|error| refused(&error.to_string()))?;
        }
    }
}

/// A socket to a server of either kind.
pub(super) fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(server)?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

fn more(socket: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut scratch = [0; 16 * 1024];
    let size = socket.read(&mut scratch)?;
    if size == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    bytes.extend_from_slice(&scratch[..size]);
    Ok(())
}

fn refused(what: &str) -> io::Error {
    io::Error::other(format!("the server does not let a client in: {what}"))
}
