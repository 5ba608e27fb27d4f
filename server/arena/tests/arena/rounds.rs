//! A round as clients see it, and what they see of each other's guns: nothing.

use tickwire::exact::Xorshift32;
use tickwire::protocol::ClientMessage;
use tickwire_arena::Phase;

use crate::support::Match;

fn phase(game: &Match) -> Phase {
    Phase::from_index(game.state(0, "round", "phase") as u8)
}

/// Runs and shoots at the next player.
fn hunt(game: &mut Match, at: usize) {
    let prey = (at + 1) % game.clients.len();
    let x = game.own(prey, 0, "pos", "x") - game.own(at, 0, "pos", "x");
    let y = game.own(prey, 0, "pos", "y") - game.own(at, 0, "pos", "y");
    let control = &mut game.clients[at].control;
    control.aim = y.atan2(x);
    (control.dx, control.dy) = (x.signum(), y.signum());
    control.fire = true;
}

#[test]
fn a_round_goes_through_all_its_phases() {
    let mut game = Match::new(21, 5);
    for _ in 0..4 {
        game.join();
    }
    game.tick();
    for at in 0..4 {
        game.say(at, &ClientMessage::Ready { ready: true });
    }
    let mut dice = Xorshift32::new(5);
    let mut seen = vec![phase(&game)];
    let mut falls = 0.0;
    for _ in 0..4200 {
        for at in 0..4 {
            game.clients[at].play(&mut dice);
            hunt(&mut game, at);
        }
        game.tick();
        let now = phase(&game);
        if now != seen[seen.len() - 1] {
            seen.push(now);
        }
        if now == Phase::Results {
            falls = (0..4).map(|at| game.own(at, 0, "score", "deaths")).sum();
        }
        assert!(game.own(0, 0, "health", "hp") <= 100.0);
    }
    let all = [
        Phase::Lobby,
        Phase::Ready,
        Phase::Countdown,
        Phase::Play,
        Phase::Results,
        Phase::Lobby,
    ];
    assert_eq!(seen[..6], all);
    assert!(falls > 0.0, "hunters fell nobody in two minutes");
}

#[test]
fn a_gun_is_its_owners_secret() {
    let mut game = Match::new(22, 0);
    let (a, b) = (game.join(), game.join());
    game.clients[a].control.fire = true;
    for _ in 0..10 {
        game.tick();
    }
    assert_eq!(game.own(a, 1, "gun", "rounds"), 10.0);
    assert_eq!(game.own(b, 1, "gun", "rounds"), 12.0);
    for client in [a, b] {
        assert_eq!(game.clients[client].layers[1].entities.len(), 1);
        for row in 0..game.clients[client].layers[0].entities.len() {
            assert_eq!(game.value(client, 0, row, "gun", "rounds"), None);
        }
    }
}
