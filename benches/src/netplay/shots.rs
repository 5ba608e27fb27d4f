//! Whether shots are judged by what the shooter saw: each is flown through the shooter's own
//! picture, and where that clearly hits somebody, the server's hit is awaited.

use tickwire::exact::{trunc, unit};
use tickwire_arena::Kind;
use tickwire_arena::map::clearance;
use tickwire_arena::rule::GRID;

use super::case::TICK_RATE;
use super::seen::Seen;

/// Speed of a projectile in units a tick: the server's own tuning, seen in every flight.
const SHOT_STEP: f64 = 400.0 / TICK_RATE as f64;
/// Ticks from shot to shot, as the gun allows: a trigger before is none.
const COOLDOWN: u32 = 6;
/// Ticks that a projectile flies at most.
const LIFE: u32 = 45;
/// Share of a target's reach within which a hit is clear.
const CLEAR: f64 = 0.8;
/// Ticks by which the server's hit may lie beside the shooter's.
const BESIDE: u32 = 3;
/// Ticks for which a fallen player is down, and as many again for hearing of it.
const DOWN: u32 = 75;

/// A projectile in the shooter's picture.
struct Flying {
    fired: u32,
    at: [f64; 2],
    way: [f64; 2],
    /// Whom it met first, and when: the server ends it there, however little it is.
    met: Option<(u32, u32)>,
}

/// A clear hit in the shooter's picture.
struct Fair {
    fired: u32,
    met: u32,
    who: u32,
}

/// A shooter's shots.
#[derive(Default)]
pub(super) struct Shots {
    fired: u32,
    flying: Vec<Flying>,
    fair: Vec<Fair>,
    /// Hits of the shooter's that the server told of: tick and victim.
    hits: Vec<(u32, u32)>,
    /// Who fell when.
    falls: Vec<(u32, u32)>,
}

impl Shots {
    /// The trigger is held in the input of `tick`: a shot leaves `from`, if the gun can fire again.
    pub(super) fn fire(&mut self, tick: u32, from: [f64; 2], aim: f64) {
        if tick < self.fired + COOLDOWN {
            return;
        }
        self.fired = tick;
        let (cos, sin) = unit(aim);
        let reach = SHOT_STEP * GRID;
        self.flying.push(Flying {
            fired: tick,
            at: from,
            way: [trunc(cos * reach) / GRID, trunc(sin * reach) / GRID],
            met: None,
        });
    }

    /// The shooter's time is at the input of `tick`, and the others are seen here.
    pub(super) fn fly(&mut self, tick: u32, others: &[Seen]) {
        let fair = &mut self.fair;
        self.flying.retain_mut(|shot| {
            let from = shot.at;
            let met = others
                .iter()
                .filter(|target| target.is_up)
                .filter_map(|target| Some((meets(from, shot.way, target)?, target.handle)))
                .min_by(|a, b| a.0.part.total_cmp(&b.0.part));
            if let Some((meeting, who)) = met {
                let (first, since) = *shot.met.get_or_insert((who, tick));
                if first == who && meeting.is_clear {
                    fair.push(Fair {
                        fired: shot.fired,
                        met: since,
                        who,
                    });
                }
                if first != who || meeting.is_clear || meeting.is_over {
                    return false;
                }
            }
            shot.at = [from[0] + shot.way[0], from[1] + shot.way[1]];
            clearance(shot.at[0], shot.at[1]) > 0.0 && tick - shot.fired < LIFE
        });
    }

    /// The server told of a hit by the shooter.
    pub(super) fn on_hit(&mut self, tick: u32, who: u32) {
        self.hits.push((tick, who));
    }

    /// The server told of somebody's fall.
    pub(super) fn on_fall(&mut self, tick: u32, who: u32) {
        self.falls.push((tick, who));
    }

    /// Clear hits since tick `from`, and how many of them the server saw as well. Not among them
    /// are shots of a shooter who had fallen, and at who had fallen meanwhile.
    pub(super) fn judge(&self, from: u32, until: u32, me: u32) -> (u64, u64) {
        let mut hits = self.hits.clone();
        let (mut fair, mut hit) = (0, 0);
        for shot in &self.fair {
            if shot.fired < from || shot.met + BESIDE >= until {
                continue;
            }
            let told = hits
                .iter()
                .position(|(tick, who)| *who == shot.who && tick.abs_diff(shot.met) <= BESIDE);
            if let Some(at) = told {
                hits.swap_remove(at);
                fair += 1;
                hit += 1;
                continue;
            }
            let fell = |who: u32, until: u32| {
                let down = until.saturating_sub(DOWN)..=until;
                self.falls
                    .iter()
                    .any(|(tick, other)| *other == who && down.contains(tick))
            };
            fair += u64::from(!fell(me, shot.fired) && !fell(shot.who, shot.met + BESIDE));
        }
        (fair, hit)
    }
}

/// A way through a target.
struct Meeting {
    part: f64,
    is_clear: bool,
    /// The way's nearest point lies behind: what is not clear now never will be.
    is_over: bool,
}

fn meets(from: [f64; 2], way: [f64; 2], target: &Seen) -> Option<Meeting> {
    let kind = if target.is_player {
        Kind::Player
    } else {
        Kind::Drone
    };
    let reach = kind.radius() + Kind::Projectile.radius();
    let to = [target.place[0] - from[0], target.place[1] - from[1]];
    let part = (to[0] * way[0] + to[1] * way[1]) / (way[0] * way[0] + way[1] * way[1]);
    let near = part.clamp(0.0, 1.0);
    let off = (to[0] - way[0] * near).hypot(to[1] - way[1] * near);
    (off < reach).then_some(Meeting {
        part: near,
        is_clear: off < reach * CLEAR,
        is_over: part <= 1.0,
    })
}
