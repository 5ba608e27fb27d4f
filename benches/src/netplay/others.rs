//! The others as a player is shown them: interpolated, extrapolated a little, what was wrong faded. And
//! the judge of it: how fast they are seen to move.

use std::collections::BTreeMap;

use tickwire::arena::Kind;
use tickwire::ids::Tick;
use tickwire::netcode::fade::{Fade, length};
use tickwire::netcode::interpolation::{Interpolation, blend, jumps};
use tickwire::snapshot::image::LayerImage;

use super::columns::{Columns, handle, same};
use super::run::TICK_RATE;

/// The greatest speed of a kind, in units a second; `None` for what does not walk.
fn top_speed(kind: u8) -> Option<f64> {
    match kind {
        _ if kind == Kind::Player.index() => Some(tickwire::arena::rule::SPEED),
        // The server's own tuning.
        _ if kind == Kind::Drone.index() => Some(45.0),
        _ => None,
    }
}

/// Somebody who walks, as shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) handle: i32,
    pub(super) kind: u8,
    pub(super) place: [f64; 2],
    /// Units a tick.
    pub(super) velocity: [f64; 2],
    pub(super) is_up: bool,
    /// Neither fell, rose nor leapt between the two snapshots.
    walks: bool,
}

/// A row of an image.
type End<'a> = (&'a LayerImage, usize);

/// See the module's description.
pub(super) struct Others {
    columns: Columns,
    pub(super) interpolation: Interpolation<LayerImage>,
    fades: BTreeMap<i32, Fade<2>>,
    /// As of the frame before: when, and who stood where.
    frame: Option<(u64, Vec<Seen>)>,
    /// The greatest speed that anyone was seen at, as a share of their top speed.
    pub(super) fastest: f64,
}

impl Others {
    pub(super) fn new(columns: Columns, snapshot_every: u16) -> Others {
        Others {
            columns,
            interpolation: Interpolation::new(TICK_RATE, snapshot_every),
            fades: BTreeMap::new(),
            frame: None,
            fastest: 0.0,
        }
    }

    /// A snapshot of everyone came.
    pub(super) fn push(&mut self, tick: Tick, image: &LayerImage) {
        let view = self.interpolation.view();
        let is_dry = self
            .interpolation
            .newest()
            .is_some_and(|(newest, _)| view > f64::from(newest.0));
        let before = if is_dry { self.shown() } else { Vec::new() };
        self.interpolation.push(tick, image.clone());
        if !is_dry {
            return;
        }
        self.fades.clear();
        let now = self.shown();
        for was in before {
            let Some(is) = now.iter().find(|is| is.handle == was.handle) else {
                continue;
            };
            if was.walks && is.walks {
                let speed = length(&was.velocity).max(length(&is.velocity));
                let fade = self.fades.entry(is.handle).or_default();
                fade.start(was.place, is.place, speed);
            }
        }
    }

    /// Moves the view on to a time of the player's.
    pub(super) fn advance(&mut self, now_us: u64, server_tick: f64, wait: f64) {
        let before = self.interpolation.view();
        self.interpolation.advance(now_us, server_tick, wait);
        let ticks = self.interpolation.view() - before;
        self.fades.retain(|_, fade| {
            fade.advance(ticks);
            fade.offset() != [0.0; 2]
        });
    }

    /// Draws a frame: looks how fast everybody is.
    pub(super) fn draw(&mut self, now_us: u64) {
        let seen = self.shown();
        if let Some((before_us, before)) = &self.frame {
            let seconds = (now_us - before_us) as f64 / 1e6;
            for is in &seen {
                let was = before.iter().find(|was| was.handle == is.handle);
                let (Some(was), Some(top)) = (was, top_speed(is.kind)) else {
                    continue;
                };
                if was.walks && is.walks && was.is_up == is.is_up {
                    let way = [is.place[0] - was.place[0], is.place[1] - was.place[1]];
                    self.fastest = self.fastest.max(length(&way) / seconds / top);
                }
            }
        }
        self.frame = Some((now_us, seen));
    }

    /// Everyone who walks, at the view.
    pub(super) fn shown(&self) -> Vec<Seen> {
        let Some(pair) = self.interpolation.pair() else {
            return Vec::new();
        };
        let ahead = pair.alpha >= 1.0;
        let (base, other) = if ahead {
            (pair.newer, pair.older)
        } else {
            (pair.older, pair.newer)
        };
        let mut seen = Vec::new();
        for (row, entity) in base.entities.iter().enumerate() {
            let counterpart = same(other, entity).map(|row| (other, row));
            let ends = counterpart.map(|to| {
                if ahead {
                    (to, (base, row))
                } else {
                    ((base, row), to)
                }
            });
            if let Some(mut one) = self.seen(base, row, ends, pair.alpha, pair.ticks) {
                let offset = self.fades.get(&one.handle).map(Fade::offset);
                let offset = offset.unwrap_or_default();
                one.place = [one.place[0] + offset[0], one.place[1] + offset[1]];
                seen.push(one);
            }
        }
        seen
    }

    fn seen(
        &self,
        base: &LayerImage,
        row: usize,
        ends: Option<(End<'_>, End<'_>)>,
        alpha: f64,
        ticks: u32,
    ) -> Option<Seen> {
        let Columns { x, y, hp, kind, .. } = &self.columns;
        let entity = &base.entities[row];
        let mut seen = Seen {
            handle: handle(entity),
            kind: kind.of(base, row)? as u8,
            place: [x.of(base, row)?, y.of(base, row)?],
            velocity: [0.0; 2],
            is_up: hp.of(base, row)? > 0.0,
            walks: true,
        };
        if let Some(((older, a), (newer, b))) = ends {
            let from = [x.of(older, a)?, y.of(older, a)?];
            let to = [x.of(newer, b)?, y.of(newer, b)?];
            let ticks = f64::from(ticks.max(1));
            let leaps =
                jumps(&x.field, from[0], to[0], ticks) || jumps(&y.field, from[1], to[1], ticks);
            let was_up = hp.of(older, a)? > 0.0;
            seen.walks = !leaps && was_up == (hp.of(newer, b)? > 0.0);
            if !leaps {
                for axis in 0..2 {
                    let field = [&x.field, &y.field][axis];
                    seen.place[axis] = blend(&field.kind, from[axis], to[axis], alpha);
                    seen.velocity[axis] = (to[axis] - from[axis]) / ticks;
                }
            }
        }
        Some(seen)
    }
}
