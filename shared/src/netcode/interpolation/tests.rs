//! Tests of `interpolation`.

use super::*;

const REAL: Kind = Kind::Real {
    min: 0.0,
    max: 100.0,
    step: 0.01,
};

fn field(kind: Kind, predictor: Predictor) -> Field {
    Field {
        name: "x".to_owned(),
        kind,
        predictor,
    }
}

fn pair_at(history: &Interpolation<u32>) -> (u32, u32, f64) {
    let pair = history.pair().expect("there are snapshots");
    (*pair.older, *pair.newer, pair.alpha)
}

/// A view at 25 Hz over these snapshots, whose first frame is at this server tick, and time 0.
fn view_of(ticks: &[u32], server_tick: f64) -> Interpolation<u32> {
    let mut view = Interpolation::new(25, 1);
    for &tick in ticks {
        view.push(Tick(tick), tick);
    }
    view.advance(0, server_tick, 1.0);
    view
}

#[test]
fn the_view_stands_between_the_snapshots_around_it() {
    let none = Interpolation::<u32>::new(25, 1);
    assert_eq!(none.pair(), None);
    let snapshots = [10, 11, 12, 14];
    assert_eq!(pair_at(&view_of(&snapshots, 11.0)), (10, 10, 0.0));
    let view = view_of(&snapshots, 12.75);
    assert_eq!(pair_at(&view), (11, 12, 0.25));
    assert_eq!((view.delay(), view.view_lag()), (1.5, 176));
    assert_eq!(pair_at(&view_of(&snapshots, 14.5)), (12, 14, 0.5));
    assert_eq!(pair_at(&view_of(&snapshots, 15.5)), (12, 14, 1.0));
}

#[test]
fn the_view_neither_goes_back_nor_far_ahead_of_what_is_known() {
    let mut view = view_of(&[10, 12], 13.0);
    assert_eq!(view.view(), 11.5);
    view.advance(40_000, 9.0, 1.0);
    assert_eq!(view.view(), 12.375, "an eighth slower");
    assert_eq!(pair_at(&view), (10, 12, 1.1875));
    view.advance(400_000, 40.0, 1.0);
    assert_eq!(view.view(), 23.25, "a stall's ten ticks further");
    assert_eq!((view.view_lag(), view.underruns()), (-720, 1));
    view.advance(2_000_000, 80.0, 1.0);
    assert_eq!(view.view(), 12.0 + 1.25 + 12.5, "550 ms ahead");
    for (tick, then) in [(14, 27.25), (15, 27.75), (16, 28.25), (17, 28.75)] {
        view.push(Tick(tick), tick);
        view.advance(1_480_000 + u64::from(tick) * 40_000, 80.0, 1.0);
        assert_eq!(view.view(), then, "half as fast once they come");
    }
    assert_eq!(view.underruns(), 1);
}

#[test]
fn passed_are_the_pairs_since_the_frame_before() {
    let passed = |view: &Interpolation<u32>| -> Vec<(u32, u32)> {
        let pairs = view.passed().map(|pair| (*pair.older, *pair.newer));
        pairs.collect()
    };
    let mut view = view_of(&[10, 11, 12, 14], 12.75);
    assert_eq!(passed(&view), [(10, 11), (11, 12)], "all that came before");
    view.advance(40_000, 13.75, 1.0);
    assert_eq!(
        (view.view(), passed(&view)),
        (12.25, vec![(11, 12), (12, 14)])
    );
    view.advance(240_000, 18.75, 1.0);
    assert_eq!(passed(&view), [(12, 14)], "ahead");
    for tick in [16, 17, 19] {
        view.push(Tick(tick), tick);
    }
    view.advance(240_000, 18.75, 1.0);
    assert_eq!(passed(&view), [(14, 16), (16, 17), (17, 19)], "what came");
}

#[test]
fn the_delay_follows_the_wait_and_is_bounded() {
    let mut view = Interpolation::new(25, 2);
    view.push(Tick(100), ());
    for (wait, delay) in [(0.0, 2.5), (2.25, 2.75), (9.0, 9.5), (90.0, 12.5)] {
        view.advance(0, 110.0, wait);
        assert_eq!(view.delay(), delay);
    }
}

#[test]
fn an_error_is_made_up_for_without_a_jump() {
    for (error, settles) in [(0.9, 60.0), (-3.0, 100.0), (20.0, 150.0)] {
        let mut view = Interpolation::new(25, 1);
        view.push(Tick(1), 1);
        for frame in 0..1_000_u32 {
            let now = f64::from(frame) * 0.4;
            view.push(Tick(now as u32 + 40), 0);
            let before = view.view();
            let step = if frame > 50 { error } else { 0.0 };
            view.advance(u64::from(frame) * 16_000, now + 20.0 + step, 1.0);
            if frame > 0 {
                let way = (view.view() - before) / 0.4;
                assert!((0.8749..=1.2501).contains(&way), "{way}");
            }
            if now > 20.0 + settles {
                assert!((view.view() - now - step - 18.5).abs() < 0.01);
            }
        }
    }
}

#[test]
fn a_frame_that_comes_late_does_not_overshoot() {
    for error in [-3.0, -0.1, 0.1, 3.0] {
        let mut view = view_of(&[10, 11], 12.0);
        view.push(Tick(2_000), 2_000);
        // A minute without a frame, of which the snapshots tell nothing.
        view.advance(60_000_000, 12.0 + 1_500.0 + error, 1.0);
        let off = view.view() - (10.5 + 1_500.0 + error);
        assert!(off.abs() < 1e-6, "{off}");
    }
}

#[test]
fn after_a_pause_the_view_is_current_at_once() {
    let mut view = view_of(&[10, 11], 12.0);
    view.push(Tick(900), 900);
    view.push(Tick(901), 901);
    view.advance(40_000, 902.0, 1.0);
    assert_eq!(pair_at(&view), (900, 901, 0.5));
}

#[test]
fn the_history_is_bounded_and_rises() {
    let mut history = Interpolation::new(25, 1);
    for tick in 0..100 {
        history.push(Tick(tick), tick);
        history.push(Tick(tick), 1_000);
    }
    assert_eq!(history.history.len(), HISTORY_MAX);
    history.advance(0, 0.0, 1.0);
    assert_eq!(pair_at(&history), (36, 36, 0.0));
}

#[test]
fn values_blend_by_their_kind() {
    assert_eq!(blend(&REAL, 10.0, 20.0, 0.25), 12.5);
    assert_eq!(blend(&REAL, 10.0, 20.0, 1.5), 25.0);
    assert_eq!(blend(&REAL, 10.0, 20.0, 99.0), 100.0, "within the range");
    assert_eq!(blend(&Kind::Bool, 0.0, 1.0, 0.75), 0.0);
    assert_eq!(blend(&Kind::Bool, 0.0, 1.0, 1.0), 1.0);
    let turn = Kind::Turn { steps: 256 };
    let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
    assert!(near(blend(&turn, 0.0, 1.0, 0.5), 0.5));
    assert!(near(blend(&turn, 0.0, 1.0, 1.5), 1.0));
    assert!(near(blend(&turn, 0.1, TAU - 0.1, 0.5), 0.0));
    assert!(near(blend(&turn, TAU - 0.1, 0.1, 0.5), TAU));
}

#[test]
fn a_great_change_of_what_moves_is_a_jump() {
    let moving = field(REAL, Predictor::Linear);
    assert!(!jumps(&moving, 0.0, 6.25, 0.0));
    assert!(jumps(&moving, 6.3, 0.0, 0.0));
    assert!(!jumps(&moving, 6.3, 0.0, 0.1));
    assert!(!jumps(&field(REAL, Predictor::Hold), 0.0, 90.0, 0.0));
    let rate = Predictor::Rate { of: 0, scale: 1.0 };
    assert!(
        !jumps(&field(REAL, rate), 0.0, 90.0, 0.0),
        "a velocity is no place"
    );
}

#[test]
fn a_projectile_flies_on_by_its_velocity() {
    let velocity = field(
        Kind::Real {
            min: -400.0,
            max: 400.0,
            step: 0.5,
        },
        Predictor::Hold,
    );
    // 25 Hz: 0.5 units a second are 2 steps of 0.01 a tick.
    let by = Predictor::Velocity {
        by: 1,
        num: 2,
        den: 1,
    };
    let x = field(REAL, by);
    let at = flown(&x, &velocity, 10.0, -100.0, 2.5).expect("it flies");
    assert!((at - 0.0).abs() < 1e-9, "{at}");
    assert_eq!(flown(&velocity, &x, 1.0, 1.0, 1.0), None);
    let mut view = view_of(&[10, 11], 12.0);
    assert_eq!(view.own_tick(14.0), 14.0);
    assert_eq!(view.own_tick(99.0), 10.5 + 6.25);
    view.advance(40_000, 13.0, 1.0);
}
