//! The same seed, joins and inputs give the same bytes, to the last one.

use std::hash::{DefaultHasher, Hasher};

use tickwire::exact::Xorshift32;
use tickwire::protocol::ClientMessage;

use crate::support::Match;

/// Ticks of a run: long enough for rounds to begin, players to fall and pads to empty.
const TICKS: u32 = 1500;

/// People come, get ready, play and go, all by the dice.
fn run(seed: u64, dice_seed: u32) -> Match {
    let mut game = Match::new(seed, 12);
    let mut dice = Xorshift32::new(dice_seed);
    for _ in 0..TICKS {
        if game.clients.len() < 12 && dice.below(30) == 0 {
            game.join();
        }
        if game.clients.len() > 2 && dice.below(150) == 0 {
            let at = dice.below(game.clients.len() as u32) as usize;
            game.leave(at);
        }
        if !game.clients.is_empty() && dice.below(40) == 0 {
            let at = dice.below(game.clients.len() as u32) as usize;
            let ready = dice.below(5) > 0;
            game.say(at, &ClientMessage::Ready { ready });
        }
        for client in &mut game.clients {
            client.play(&mut dice);
        }
        game.tick();
    }
    game
}

#[test]
fn equal_rooms_send_equal_bytes() {
    let (a, b) = (run(42, 7), run(42, 7));
    assert!(a.sent.len() > 100_000, "{} bytes", a.sent.len());
    let same = a.sent.iter().zip(&b.sent).take_while(|(x, y)| x == y);
    assert_eq!(same.count(), a.sent.len(), "of {} bytes", a.sent.len());
    assert_eq!(a.sent.len(), b.sent.len());
}

/// What a second process is asked to print by.
const CHILD: &str = "TICKWIRE_ARENA_DIGEST";

/// The same in every process.
fn digest(bytes: &[u8]) -> u64 {
    let mut hash = DefaultHasher::new();
    hash.write(bytes);
    hash.finish()
}

/// Addresses and hash seeds differ from process to process; the bytes must not.
#[test]
fn another_process_sends_equal_bytes() {
    let line = format!("digest {:016x}", digest(&run(42, 7).sent));
    if std::env::var_os(CHILD).is_some() {
        println!("{line}");
        return;
    }
    let name = "determinism::another_process_sends_equal_bytes";
    let child = std::process::Command::new(std::env::current_exe().expect("tests have a file"))
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .expect("tests can be started");
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(said.contains(&line), "not {line}: {said}");
}

#[test]
fn another_seed_makes_another_room() {
    assert_ne!(run(42, 7).sent, run(43, 7).sent);
}
