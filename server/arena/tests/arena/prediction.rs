//! What a client predicts for itself is what the server then says, to the last bit.

use tickwire::exact::Xorshift32;
use tickwire_arena::map::clearance;
use tickwire_arena::rule::RADIUS;
use tickwire_arena::{Mover, step};

use crate::support::{Match, RATE};

#[test]
fn the_prediction_error_is_zero() {
    let mut game = Match::new(11, 4);
    let me = game.join();
    let mut dice = Xorshift32::new(3);
    game.tick();
    let mut distance = 0.0;
    for _ in 0..3000 {
        game.clients[me].play(&mut dice);
        let input = game
            .schema
            .input
            .iter()
            .zip(game.clients[me].control.values());
        let decoded: Vec<f64> = input
            .map(|(field, value)| field.kind.dequantise(field.kind.quantise(value)))
            .collect();
        let control = decoded.try_into().map(tickwire_arena::Control::from_values);
        let mut mover = Mover {
            x: game.own(me, 0, "pos", "x"),
            y: game.own(me, 0, "pos", "y"),
        };
        let before = mover;
        step(
            &mut mover,
            &control.expect("the input has the control's fields"),
            1.0 / f64::from(RATE),
        );
        game.tick();
        let x = game.own(me, 0, "pos", "x");
        let y = game.own(me, 0, "pos", "y");
        assert_eq!((x, y), (mover.x, mover.y));
        distance += (x - before.x).abs() + (y - before.y).abs();
    }
    assert!(distance > 1000.0, "went {distance}");
}

#[test]
fn nobody_is_ever_shown_inside_a_wall() {
    let mut game = Match::new(12, 30);
    for _ in 0..8 {
        game.join();
    }
    let mut dice = Xorshift32::new(9);
    for _ in 0..900 {
        for client in &mut game.clients {
            client.play(&mut dice);
        }
        game.tick();
        for row in 0..game.clients[0].layers[0].entities.len() {
            let (Some(x), Some(y)) = (
                game.value(0, 0, row, "pos", "x"),
                game.value(0, 0, row, "pos", "y"),
            ) else {
                continue;
            };
            let least = if game.value(0, 0, row, "heading", "angle").is_some() {
                RADIUS
            } else {
                10.0
            };
            assert!(clearance(x, y) >= least - 1e-9, "{x}, {y}");
        }
    }
}
