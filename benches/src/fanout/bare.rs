//! What the server is compared with: one thread, one epoll, inputs read as they arrive and counted,
//! frames made before they are due and sent to each client of a room at its tick. No WebSocket, no
//! protocol, no game, and nothing that an event-driven sender could leave out.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::wire::BINARY;
use super::{RATE, ROOM};

/// Bytes of one read.
const READ_BYTES: usize = 4096;

/// A client's socket.
struct Client {
    socket: TcpStream,
    /// What the kernel left of its last frame.
    tail: Vec<u8>,
    ended: bool,
}

/// Takes `clients` connections on a port of its own, whose address it hands to `listening`, then
/// sends each of them frames with messages of `sizes`, one after the other, [`RATE`] times a
/// second, until all are gone.
///
/// # Errors
/// The system's, of sockets and epoll.
pub fn run(clients: usize, sizes: &[usize], listening: impl FnOnce(SocketAddr)) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listening(listener.local_addr()?);
    let mut poll = Poll::new()?;
    let mut all = Vec::with_capacity(clients);
    for index in 0..clients {
        let (socket, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let mut socket = TcpStream::from_std(socket);
        poll.registry()
            .register(&mut socket, Token(index), Interest::READABLE)?;
        all.push(Client {
            socket,
            tail: Vec::new(),
            ended: false,
        });
    }
    serve(&mut poll, &mut all, sizes)
}

fn serve(poll: &mut Poll, clients: &mut [Client], sizes: &[usize]) -> io::Result<()> {
    let rooms = clients.len().div_ceil(ROOM).max(1) as u64;
    let mut events = Events::with_capacity(1024);
    let mut scratch = [0; READ_BYTES];
    let (mut read, mut ended) = (0u64, 0);
    let start = Instant::now();
    // Turns of rooms, one after the other, evenly spread over the period.
    let mut turn = 0u64;
    while ended < clients.len() {
        let due = start + Duration::from_nanos(turn * 1_000_000_000 / (RATE * rooms));
        let now = Instant::now();
        if now < due {
            match poll.poll(&mut events, Some(due - now)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for event in &events {
                let client = &mut clients[event.token().0];
                match client.socket.read(&mut scratch) {
                    Ok(0) => {}
                    // Shorter than the scratch: nothing more is there.
                    Ok(size) => {
                        read += size as u64;
                        continue;
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                    Err(_) => {}
                }
                ended += usize::from(!client.ended);
                client.ended = true;
            }
            continue;
        }
        let (room, tick) = ((turn % rooms) as usize, turn / rooms);
        let frame = frame(tick as u32 + 1, sizes[turn as usize % sizes.len()]);
        for client in clients.iter_mut().skip(room * ROOM).take(ROOM) {
            send(client, &frame);
        }
        turn += 1;
    }
    // The count is what the reading was for.
    println!("read {read} bytes");
    Ok(())
}

/// A message of a size as a frame: like a snapshot's head, with the tick where it stands there.
fn frame(tick: u32, size: usize) -> Vec<u8> {
    let size = size.max(11);
    let mut frame = Vec::with_capacity(size + 4);
    frame.push(BINARY);
    match size {
        0..126 => frame.push(size as u8),
        _ => {
            frame.push(126);
            frame.extend_from_slice(&(size as u16).to_be_bytes());
        }
    }
    frame.push(2);
    frame.extend_from_slice(&tick.to_le_bytes());
    frame.resize(frame.len() + size - 5, 7);
    frame
}

/// One write; a client whose last frame is not out yet is passed over.
fn send(client: &mut Client, frame: &[u8]) {
    if client.ended {
        return;
    }
    let pending = !client.tail.is_empty();
    let bytes = if pending { &client.tail[..] } else { frame };
    let written = client.socket.write(bytes).unwrap_or(0);
    if written < bytes.len() {
        client.tail = bytes[written..].to_vec();
    } else if pending {
        client.tail.clear();
    }
}
