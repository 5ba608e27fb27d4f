//! The arena's movement rule: fast enough, never into walls, never off the grid, never NaN.

use proptest::prelude::*;
use tickwire::exact::{Xorshift32, length, unit};
use tickwire_arena::map::{OBSTACLES, Obstacle, SIZE, SPAWNS, clearance};
use tickwire_arena::rule::{GRID, RADIUS, SPEED};
use tickwire_arena::{Control, Mover, step};

const DT: f64 = 1.0 / 30.0;

/// What f64 itself may be wrong by in a distance of a thousand units.
const ROUNDING: f64 = 1e-9;

fn push(dx: f64, dy: f64) -> Control {
    Control {
        dx,
        dy,
        ..Control::default()
    }
}

fn on_grid(mover: &Mover) -> bool {
    (mover.x * GRID).fract() == 0.0 && (mover.y * GRID).fract() == 0.0
}

#[test]
fn a_second_takes_a_mover_its_speed_and_no_further() {
    for rate in [20, 30, 60, 128] {
        let mut mover = Mover { x: 60.0, y: 60.0 };
        for _ in 0..rate {
            step(&mut mover, &push(1.0, 0.0), 1.0 / f64::from(rate));
        }
        let way = mover.x - 60.0;
        assert!(way <= SPEED && way > SPEED * 0.99, "{way} at {rate} Hz");
        assert_eq!(mover.y, 60.0);
    }
}

#[test]
fn a_straight_run_moves_by_the_same_steps_every_tick() {
    let mut mover = Mover { x: 60.0, y: 60.0 };
    step(&mut mover, &push(1.0, 0.5), DT);
    let first = (mover.x - 60.0, mover.y - 60.0);
    for _ in 0..9 {
        let before = mover;
        step(&mut mover, &push(1.0, 0.5), DT);
        assert_eq!((mover.x - before.x, mover.y - before.y), first);
    }
}

#[test]
fn diagonals_are_no_faster() {
    let mut mover = Mover { x: 60.0, y: 60.0 };
    step(&mut mover, &push(1.0, 1.0), DT);
    assert!(length(mover.x - 60.0, mover.y - 60.0) <= SPEED * DT);
}

#[test]
fn walls_stop_and_let_slide() {
    let mut mover = Mover { x: 20.0, y: 300.0 };
    for _ in 0..30 {
        step(&mut mover, &push(-1.0, -0.5), DT);
    }
    assert_eq!(mover.x, RADIUS);
    assert!(mover.y < 260.0, "slid to {}", mover.y);
}

#[test]
fn a_block_stops_head_on_and_stays_still() {
    let mut mover = Mover { x: 330.0, y: 500.0 };
    for _ in 0..60 {
        step(&mut mover, &push(1.0, 0.0), DT);
    }
    assert_eq!((mover.x, mover.y), (360.0 - RADIUS, 500.0));
}

#[test]
fn a_pillar_is_slid_around() {
    let mut mover = Mover { x: 240.0, y: 295.0 };
    for _ in 0..120 {
        step(&mut mover, &push(1.0, 0.0), DT);
    }
    assert!(mover.x > 342.0, "came round to {mover:?}");
}

#[test]
fn standing_still_changes_nothing() {
    let mut mover = Mover { x: 501.0, y: 500.0 };
    step(&mut mover, &Control::default(), DT);
    assert_eq!((mover.x, mover.y), (501.0, 500.0));
}

#[test]
fn a_mover_inside_an_obstacle_gets_out() {
    for obstacle in OBSTACLES {
        let (x, y) = match obstacle {
            Obstacle::Pillar { x, y, .. } => (x, y),
            Obstacle::Block {
                left,
                top,
                right,
                bottom,
            } => ((left + right) / 2.0, (top + bottom) / 2.0),
        };
        let mut mover = Mover { x, y };
        step(&mut mover, &push(1.0, 1.0), DT);
        assert!(clearance(mover.x, mover.y) >= RADIUS - ROUNDING);
    }
}

#[test]
fn no_control_makes_a_position_that_is_no_number() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e308] {
        let mut mover = Mover { x: 500.0, y: 60.0 };
        step(&mut mover, &push(bad, bad), DT);
        assert!(mover.x.is_finite() && mover.y.is_finite());
        assert!(length(mover.x - 500.0, mover.y - 60.0) <= SPEED * DT);
    }
}

/// Runs as players do: a direction, held for a while.
fn run(seed: u32, rate: u32, steps: u32) -> Result<(), TestCaseError> {
    let dt = 1.0 / f64::from(rate);
    let mut dice = Xorshift32::new(seed);
    let (x, y) = SPAWNS[dice.below(12) as usize];
    let mut mover = Mover { x, y };
    let mut control = Control::default();
    let mut hold = 0;
    for _ in 0..steps {
        if hold == 0 {
            hold = 1 + dice.below(90);
            let (cos, sin) = unit(f64::from(dice.below(64)) * std::f64::consts::TAU / 64.0);
            control = push(cos, sin);
        }
        hold -= 1;
        let before = mover;
        step(&mut mover, &control, dt);
        prop_assert!(mover.x >= RADIUS && mover.x <= SIZE - RADIUS);
        prop_assert!(mover.y >= RADIUS && mover.y <= SIZE - RADIUS);
        let room = clearance(mover.x, mover.y);
        prop_assert!(room >= RADIUS - ROUNDING, "{mover:?} has {room} around it");
        prop_assert!(on_grid(&mover), "{mover:?}");
        let way = length(mover.x - before.x, mover.y - before.y);
        // A push out of an obstacle rounds away from it, by a grid step each way and part.
        let parts = (SPEED * dt / 8.0).floor() + 1.0;
        let most = SPEED * dt * 1.5 + 2.0 * parts / GRID;
        prop_assert!(way <= most, "{way} units in a tick");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn walls_and_obstacles_are_never_penetrated(
        seed in any::<u32>(),
        rate in prop::sample::select(vec![1u32, 5, 10, 20, 30, 60, 128]),
    ) {
        run(seed, rate, 3000)?;
    }
}
