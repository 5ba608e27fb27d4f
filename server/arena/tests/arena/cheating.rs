//! Speed hacks gain exactly nothing: whoever sends more inputs, or inputs for other ticks, goes as
//! far and shoots as often as one who plays by the rules.

use tickwire::exact::Xorshift32;
use tickwire::ids::Tick;
use tickwire_arena::rule::SPEED;

use crate::support::{Match, RATE};

const TICKS: u32 = 240;

/// Where a player is after each tick, and the rounds left, who for tick n + 1 sends an input for
/// each of `stamps(n)`: always the same run and a held trigger.
fn play(mut stamps: impl FnMut(u32) -> Vec<u32>) -> (Vec<(f64, f64)>, f64) {
    let mut game = Match::new(21, 0);
    let me = game.join();
    let mut places = Vec::new();
    for now in 0..TICKS {
        let control = &mut game.clients[me].control;
        control.dx = if now / 60 % 2 == 0 { 1.0 } else { -1.0 };
        control.dy = if now / 40 % 2 == 0 { 1.0 } else { -1.0 };
        control.fire = true;
        for stamp in stamps(now) {
            game.send(me, Tick(stamp));
        }
        game.step();
        places.push((game.own(me, 0, "pos", "x"), game.own(me, 0, "pos", "y")));
    }
    let rounds = game.own(me, 1, "gun", "rounds") + game.own(me, 1, "gun", "spare");
    (places, rounds)
}

#[test]
fn ten_times_as_many_inputs_gain_exactly_nothing() {
    let honest = play(|now| vec![now + 1]);
    assert_eq!(play(|now| vec![now + 1; 10]), honest);
    // Ten rising stamps a tick: the queue fills up to its horizon, and each tick still takes one.
    // They were made before the turns that the honest one takes, so it is the distance that is
    // compared.
    let ahead = play(|now| (1..=10).map(|n| now * 10 + n).collect());
    assert!(distance(&ahead.0) <= distance(&honest.0));
    assert!(ahead.1 >= honest.1, "{} rounds left, {}", ahead.1, honest.1);
}

#[test]
fn lies_about_ticks_gain_exactly_nothing() {
    let honest = play(|now| vec![now + 1]);
    let mut dice = Xorshift32::new(77);
    let lies: [&mut dyn FnMut(u32) -> Vec<u32>; 5] = [
        &mut |now| vec![now + 1 + 64, now + 1],
        &mut |now| vec![0, now.saturating_sub(5), now, now + 1],
        &mut |now| vec![now + 5],
        &mut |now| vec![u32::MAX - now, now + 1],
        &mut |now| (0..10).map(|_| now + dice.below(100)).collect(),
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let (places, rounds) = play(lie);
        assert!(distance(&places) <= distance(&honest.0), "lie {number}");
        assert!(rounds >= honest.1, "lie {number}: {rounds} rounds left");
        if [1, 3].contains(&number) {
            assert_eq!(places, honest.0, "lie {number} is dropped");
        }
    }
}

/// How far it went; no tick of it is further than full speed.
fn distance(places: &[(f64, f64)]) -> f64 {
    let step_max = SPEED / f64::from(RATE);
    let mut whole = 0.0;
    for pair in places.windows(2) {
        let way = (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1);
        assert!(way <= step_max, "{way} in a tick");
        whole += way;
    }
    whole
}
