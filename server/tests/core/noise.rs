//! Fuzz of the whole read path, in small: what a client sends is bent, cut, repeated and mixed
//! with random bytes, from a seed. Whatever becomes of its sender, nothing panics and nobody else
//! notices. The decoders alone are fuzzed deeper elsewhere.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tickwire::codec::encode_client;
use tickwire::ids::{LayerId, PlayerId, Tick};
use tickwire::protocol::ClientMessage;
use tickwire::protocol::frame::{InputHead, encode_ack};
use tickwire_server::config::Config;

use crate::support::{Server, config, eventually, frame, framed};

const SEED: u64 = 0x7157_3157;
/// Clients that misbehave, each in its own way.
const CLIENTS: u64 = 250;

/// Frames as clients send them, some bent, and some that none should.
fn phrase(rng: &mut ChaCha8Rng) -> Vec<u8> {
    let text = "\u{202E}x\0".repeat(rng.random_range(0..9));
    let mut input = Vec::new();
    let mut bytes = match rng.random_range(0..14) {
        0 => framed(&encode_client(&ClientMessage::list_rooms())),
        1 => framed(&encode_client(&ClientMessage::quick_join())),
        2 => framed(&encode_client(&ClientMessage::LeaveRoom)),
        3 => framed(&encode_client(&ClientMessage::Chat { text })),
        4 => framed(&encode_client(&ClientMessage::join_code(text))),
        5 => framed(&encode_client(&ClientMessage::Ping {
            nonce: rng.random(),
        })),
        6 => framed(&encode_client(&ClientMessage::Kick {
            player: PlayerId(rng.random_range(0..3)),
        })),
        7 => framed(&encode_client(&ClientMessage::Resync {
            layer: LayerId(rng.random_range(0..4)),
        })),
        8 => framed(&encode_client(&ClientMessage::Act {
            id: rng.random(),
            action: rng.random_range(0..3),
            fields: (0..rng.random_range(0..20)).map(|_| rng.random()).collect(),
        })),
        9 => {
            encode_ack(Tick(rng.random_range(0..40)), &mut input);
            framed(&input)
        }
        10 | 11 => {
            let head = InputHead {
                tick: Tick(rng.random_range(0..200)),
                ack: Tick(rng.random_range(0..3)),
                view_lag: rng.random(),
            };
            head.encode(&mut input);
            // The probe's own deeds fail rooms: a neutral one, or bits that none has.
            input.push(if rng.random() { 0 } else { 0xF0 });
            return framed(&input);
        }
        12 => frame(rng.random(), &[rng.random(); 3]),
        _ => (0..rng.random_range(1..60)).map(|_| rng.random()).collect(),
    };
    if rng.random() {
        bend(&mut bytes, rng);
    }
    bytes
}

fn bend(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    for _ in 0..rng.random_range(0..3) {
        let at = rng.random_range(0..bytes.len());
        match rng.random_range(0..4) {
            0 => bytes[at] ^= 1 << rng.random_range(0..8),
            1 => bytes[at] = rng.random(),
            2 => bytes.truncate(at + 1),
            _ => bytes.insert(at, rng.random()),
        }
    }
}

#[test]
fn nothing_that_a_client_sends_is_felt_by_others() {
    eprintln!("seed {SEED:#x}");
    let server = Server::start(Config {
        messages_per_second: 100_000,
        bytes_per_second: 1 << 30,
        control_per_second: 100_000,
        ..config()
    });
    let (mut witness, joined) = server.host("witness", 9);
    for client in 0..CLIENTS {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED ^ client);
        let mut noisy = server.guest("noisy");
        if client % 2 == 0 {
            noisy.join(joined.room.id);
        }
        for _ in 0..rng.random_range(1..12) {
            noisy.send_raw(&phrase(&mut rng));
        }
        drop(noisy);
        if client % 25 == 0 {
            witness.ping(client as u32);
        }
    }
    witness.ping(u32::MAX);
    assert_eq!(server.figure("tickwire_rooms_failed_total"), 0.0);
    // A task that panicked would not have counted its connection's end.
    eventually("all others are gone", || {
        server.figure("tickwire_sockets_open") == 1.0
    });
    let text = server.metrics.render();
    let ended: f64 = text
        .lines()
        .filter(|line| line.starts_with("tickwire_sockets_closed_total{"))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
        .sum();
    assert_eq!(ended, CLIENTS as f64);
}
