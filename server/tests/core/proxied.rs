//! A slow client behind a proxy that takes everything at once and keeps it: the server's socket
//! never blocks, so only missing acknowledgements show that nobody reads.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use parking_lot::{Condvar, Mutex};
use tickwire::limits::{UNACKED_BYTES_MAX, UNACKED_SNAPSHOTS_MAX};
use tickwire::protocol::ClientMessage;
use tickwire_server::config::Config;

use crate::support::{Client, Got, Server, config, eventually};

/// The server's bytes on their way to one client.
#[derive(Default)]
struct Buffer {
    /// What the proxy keeps, and whether it does.
    held: Mutex<(Vec<u8>, bool)>,
    released: Condvar,
    size: AtomicUsize,
}

impl Buffer {
    /// Passes nothing on from now on.
    fn hold(&self) {
        self.held.lock().1 = true;
    }

    /// Passes on what was kept, and all that comes.
    fn release(&self) {
        self.held.lock().1 = false;
        self.released.notify_all();
    }

    /// Takes whatever the server writes, as fast as it does.
    fn fill(&self, mut from: TcpStream) {
        let mut bytes = [0; 65_536];
        while let Ok(size @ 1..) = from.read(&mut bytes) {
            self.held.lock().0.extend_from_slice(&bytes[..size]);
            self.size.fetch_add(size, Ordering::Relaxed);
            self.released.notify_all();
        }
    }

    fn drain(&self, mut to: TcpStream) {
        loop {
            let mut held = self.held.lock();
            while held.0.is_empty() || held.1 {
                self.released.wait(&mut held);
            }
            let bytes = std::mem::take(&mut held.0);
            self.size.fetch_sub(bytes.len(), Ordering::Relaxed);
            drop(held);
            if to.write_all(&bytes).is_err() {
                return;
            }
        }
    }
}

/// A proxy for one client of `server`.
fn proxy(server: SocketAddr) -> (SocketAddr, Arc<Buffer>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let buffer = Arc::new(Buffer::default());
    let (fill, drain) = (buffer.clone(), buffer.clone());
    thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let upstream = TcpStream::connect(server).unwrap();
        let (from, to) = (upstream.try_clone().unwrap(), client.try_clone().unwrap());
        thread::spawn(move || fill.fill(from));
        thread::spawn(move || drain.drain(to));
        let _ = std::io::copy(&mut &client, &mut &upstream);
        let _ = upstream.shutdown(Shutdown::Write);
    });
    (address, buffer)
}

#[test]
fn what_a_proxy_keeps_for_a_slow_client_is_bounded_and_it_catches_up() {
    let server = Server::start(Config {
        npcs: 1000,
        ..config()
    });
    let (mut witness, joined) = server.host("witness", 9);
    let (address, buffer) = proxy(server.address());
    let mut slow = Client::new(TcpStream::connect(address).unwrap(), b"");
    slow.hello("slow");
    slow.join(joined.room.id);
    slow.snapshot();
    slow.ack();

    buffer.hold();
    // Acknowledging goes on for who reads; the slow one's in-flight window runs out.
    let in_flight = "tickwire_snapshots_skipped_total{cause=\"credit\"}";
    let skipped = server.figure(in_flight) + 30.0;
    while server.figure(in_flight) < skipped {
        witness.snapshot();
        witness.ack();
    }
    let held = buffer.size.load(Ordering::Relaxed);
    // A snapshot may begin within the in-flight window and end beyond it; a keyframe of this room
    // has less.
    assert!(
        held <= 2 * UNACKED_BYTES_MAX as usize,
        "{held} bytes are stale"
    );
    assert_eq!(
        server.figure("tickwire_snapshots_skipped_total{cause=\"blocked\"}"),
        0.0
    );

    buffer.release();
    slow.say(&ClientMessage::Ping { nonce: 9 });
    let (mut stale, mut newest) = (0, slow.newest);
    witness.snapshot();
    let now = witness.newest;
    while newest < now {
        if let Got::Snapshot(head) = slow.next() {
            stale += 1;
            newest = head.tick;
            slow.ack();
        }
    }
    assert!(
        stale <= UNACKED_SNAPSHOTS_MAX + 1,
        "{stale} snapshots until it was up to date"
    );
    slow.ping(10);
    eventually("nobody was closed", || server.lobby.rooms()[0].players == 2);
}
