//! Reading over sockets that are memory.

use super::*;
use crate::admission::limiter::Rates;
use crate::transport::reading::FETCHED_MAX;
use crate::transport::{Fetched, Scratch, Transport};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

const RATES: Rates = Rates {
    messages_per_second: 100,
    bytes_per_second: 100_000,
    control_per_second: 100,
};

/// What each read finds, and nothing after that.
#[derive(Default)]
struct Reads(RefCell<VecDeque<Vec<u8>>>);

impl Socket for Reads {
    fn try_read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut reads = self.0.borrow_mut();
        let Some(mut came) = reads.pop_front() else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let size = came.len().min(bytes.len());
        bytes[..size].copy_from_slice(&came[..size]);
        came.drain(..size);
        if !came.is_empty() {
            reads.push_front(came);
        }
        Ok(size)
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn shutdown(&self) -> io::Result<()> {
        Ok(())
    }
}

fn conn() -> WebSocket<Reads> {
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    WebSocket::new(Reads::default(), Vec::new(), peer, Instant::now())
}

fn came(conn: &WebSocket<Reads>, bytes: Vec<u8>) {
    conn.socket.0.borrow_mut().push_back(bytes);
}

/// A client's binary message.
fn frame(message: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x82];
    match message.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        long => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(long as u16).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(message);
    frame
}

fn reading<'a>(scratch: &'a mut Scratch, fetched: Fetched) -> Reading<'a> {
    Reading::new(scratch, fetched, RATES, Instant::now())
}

fn messages(conn: &mut WebSocket<Reads>, scratch: &mut Scratch, fetched: Fetched) -> Vec<Vec<u8>> {
    let mut reading = reading(scratch, fetched);
    let mut all = Vec::new();
    while let Some(message) = conn.next(&mut reading).unwrap() {
        all.push(message.to_vec());
    }
    conn.keep(&mut reading);
    all
}

#[test]
fn what_was_fetched_of_several_is_each_ones_own() {
    let mut scratch = Scratch::default();
    let mut conns = [conn(), conn(), conn()];
    came(&conns[0], [frame(b"a"), frame(b"bc")].concat());
    came(&conns[2], frame(b"def"));
    let fetched = [0, 1, 2].map(|n| conns[n].fetch(&mut scratch));
    let read = [0, 1, 2].map(|n| messages(&mut conns[n], &mut scratch, fetched[n].clone()));
    let expected: [&[&[u8]]; 3] = [&[b"a", b"bc"], &[], &[b"def"]];
    assert_eq!(read, expected);
    assert_eq!(scratch.take_counts(), (3, 7 + 8 + 9));
}

#[test]
fn what_was_fetched_and_not_asked_for_stays_in_the_connection() {
    let mut scratch = Scratch::default();
    let mut conn = conn();
    came(&conn, [frame(b"a"), frame(b"b")].concat());
    came(&conn, frame(b"c"));
    let fetched = conn.fetch(&mut scratch);
    conn.keep(&mut reading(&mut scratch, fetched));
    assert_eq!(scratch.take_counts(), (0, 14), "it was read");
    scratch.clear();
    let fetched = conn.fetch(&mut scratch);
    assert_eq!(fetched, Fetched::NONE, "what stayed comes first");
    assert_eq!(
        messages(&mut conn, &mut scratch, fetched),
        [b"a", b"b", b"c"]
    );
}

#[test]
fn more_than_a_fetch_is_read_on() {
    let mut scratch = Scratch::default();
    let mut conn = conn();
    let large = [vec![1; 3000], vec![2; 3000], vec![3; 10]];
    came(
        &conn,
        large.iter().flat_map(|message| frame(message)).collect(),
    );
    let fetched = conn.fetch(&mut scratch);
    assert_eq!(messages(&mut conn, &mut scratch, fetched), large);
}

#[test]
fn no_more_is_fetched_than_there_is_room_for() {
    let mut scratch = Scratch::default();
    let conn = conn();
    let mut fetches = 0;
    while scratch.has_room() {
        came(&conn, vec![0; READ_BYTES]);
        assert_ne!(conn.fetch(&mut scratch), Fetched::NONE);
        fetches += 1;
    }
    assert_eq!(fetches * READ_BYTES, FETCHED_MAX);
    scratch.clear();
    assert!(scratch.has_room());
}

/// Every byte of a message in a read of its own, a ping amid two fragments, and whole messages
/// around them.
#[test]
fn the_context_is_there_only_amid_a_message() {
    let mut scratch = Scratch::default();
    let mut conn = conn();
    let mut read = |bytes: &[u8]| {
        came(&conn, bytes.to_vec());
        let read = messages(&mut conn, &mut scratch, Fetched::NONE);
        scratch.clear();
        (read, conn.context.is_some())
    };
    assert_eq!(read(&frame(b"a")), (vec![b"a".to_vec()], false));
    let in_pieces = frame(b"bc");
    let (last, first) = in_pieces.split_last().unwrap();
    for byte in first {
        assert_eq!(read(&[*byte]), (vec![], true));
    }
    assert_eq!(read(&[*last]), (vec![b"bc".to_vec()], false));
    let fragment = |head: u8, byte: u8| [head, 0x81, 0, 0, 0, 0, byte];
    assert_eq!(read(&fragment(0x02, b'd')), (vec![], true));
    assert_eq!(read(&fragment(0x89, b'!')), (vec![], true));
    let rest = [&fragment(0x80, b'e')[..], &frame(b"f")].concat();
    assert_eq!(read(&rest), (vec![b"de".to_vec(), b"f".to_vec()], false));
    assert_eq!(read(&fragment(0x89, b'!')), (vec![], false), "a ping alone");
    assert_eq!(conn.outbox.backlog().waiting_bytes, 2 * 3, "two pongs");
}
