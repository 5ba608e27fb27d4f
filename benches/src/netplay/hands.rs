//! A player who runs about and shoots at who comes near, by what is on the own screen.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use std::f64::consts::TAU;
use tickwire_arena::map::clearance;
use tickwire_arena::{Control, Kind, Mover};

use super::others::Seen;
use super::shots::SHOT_STEP;

/// How far off a target may be, in units.
const RANGE: f64 = 200.0;
/// Ticks from shot to shot: a magazine lasts.
const SHOT_EVERY: u32 = 20;

/// See the module's description.
#[derive(Default)]
pub(super) struct Hands {
    control: Control,
    hold: u32,
    shot: u32,
}

impl Hands {
    /// The control of `tick`: `loaded` says that the gun can fire.
    pub(super) fn next(
        &mut self,
        tick: u32,
        me: Mover,
        seen: &[Seen],
        own: i32,
        loaded: bool,
        rng: &mut ChaCha8Rng,
    ) -> Control {
        if self.hold == 0 {
            self.hold = rng.random_range(8..40);
            self.control.dx = f64::from(rng.random_range(-1..=1));
            self.control.dy = f64::from(rng.random_range(-1..=1));
        }
        self.hold -= 1;
        self.control.fire = false;
        if loaded && tick >= self.shot + SHOT_EVERY {
            let near = |target: &Seen| (target.place[0] - me.x).hypot(target.place[1] - me.y);
            let target = seen
                .iter()
                .filter(|target| target.is_up && target.handle != own && near(target) < RANGE)
                .filter(|target| is_walker(target.kind) && is_open(me, target.place))
                .min_by(|a, b| near(a).total_cmp(&near(b)));
            if let Some(target) = target {
                self.control.aim = aim_at(me, target);
                self.control.fire = true;
                self.shot = tick;
            }
        }
        self.control
    }
}

fn is_walker(kind: u8) -> bool {
    kind == Kind::Player.index() || kind == Kind::Drone.index()
}

/// Whether a projectile gets there.
fn is_open(from: Mover, to: [f64; 2]) -> bool {
    let steps = 40;
    (1..steps).all(|step| {
        let part = f64::from(step) / f64::from(steps);
        let x = from.x + (to[0] - from.x) * part;
        let y = from.y + (to[1] - from.y) * part;
        clearance(x, y) > 4.0
    })
}

/// Where to aim so that the projectile meets who goes straight on.
fn aim_at(me: Mover, target: &Seen) -> f64 {
    let mut to = target.place;
    for _ in 0..4 {
        let ticks = (to[0] - me.x).hypot(to[1] - me.y) / SHOT_STEP;
        to = [
            target.place[0] + target.velocity[0] * ticks,
            target.place[1] + target.velocity[1] * ticks,
        ];
    }
    (to[1] - me.y).atan2(to[0] - me.x).rem_euclid(TAU)
}
