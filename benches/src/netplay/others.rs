//! The others as a player is shown them: interpolated, extrapolated, in pursuit of what came late. And
//! the judge of it: how fast they are seen to move, and how late.

use std::collections::BTreeMap;

use tickwire::ids::Tick;
use tickwire::netcode::interpolation::{Interpolation, Pair, blend, jumps};
use tickwire::netcode::pursuit::{Pursuit, TopSpeed, length};
use tickwire::snapshot::image::{EntityHead, LayerImage};
use tickwire_arena::Kind;

use super::columns::{Columns, handle, same};
use super::lateness::Lateness;
use super::run::TICK_RATE;

/// Somebody who walks, as shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) handle: i32,
    pub(super) kind: u8,
    pub(super) place: [f64; 2],
    /// Units a tick.
    pub(super) velocity: [f64; 2],
    pub(super) is_up: bool,
    /// Neither fell, rose nor jumped between the snapshots that the view came through since the frame before.
    walks: bool,
}

impl Seen {
    /// The greatest speed of its kind, in units a second; `None` for what does not walk.
    pub(super) fn top_speed(&self) -> Option<f64> {
        match self.kind {
            kind if kind == Kind::Player.index() => Some(tickwire_arena::rule::SPEED),
            // The server's own tuning.
            kind if kind == Kind::Drone.index() => Some(45.0),
            _ => None,
        }
    }
}

/// Milliseconds a tick.
const PERIOD_MS: f64 = 1000.0 / TICK_RATE as f64;

/// See the module's description.
pub(super) struct Others {
    columns: Columns,
    pub(super) interpolation: Interpolation<LayerImage>,
    pursuits: BTreeMap<i32, Pursuit<2>>,
    /// Of everyone in the newest snapshot, in units a tick.
    tops: BTreeMap<i32, TopSpeed>,
    /// Everyone who walks, at the view.
    shown: Vec<Seen>,
    /// When the view moved last, and the tick that it means to stand at.
    moved_us: u64,
    meant: f64,
    /// As of the frame before: when, and who stood where.
    frame: Option<(u64, Vec<Seen>)>,
    /// The greatest speed that anyone was seen at, as a share of their top speed.
    pub(super) fastest: f64,
    pub(super) lateness: Lateness,
}

impl Others {
    /// `always`: lateness is told of every frame, not only after stalls.
    pub(super) fn new(columns: Columns, snapshot_every: u16, always: bool) -> Others {
        Others {
            columns,
            interpolation: Interpolation::new(TICK_RATE, snapshot_every),
            pursuits: BTreeMap::new(),
            tops: BTreeMap::new(),
            shown: Vec::new(),
            moved_us: 0,
            meant: 0.0,
            frame: None,
            fastest: 0.0,
            lateness: Lateness::new(always),
        }
    }

    /// A snapshot of everyone came.
    pub(super) fn push(&mut self, tick: Tick, image: &LayerImage, now_us: u64) {
        let walkers = (0..image.entities.len())
            .filter_map(|row| walker(&self.columns, image, row))
            .collect();
        self.lateness.on_snapshot(tick, now_us, walkers);
        let mut tops = BTreeMap::new();
        for entity in &image.entities {
            let handle = handle(entity);
            let mut top = self.tops.get(&handle).copied().unwrap_or_default();
            if let Some((before, older)) = self.interpolation.newest() {
                let pair = Pair {
                    older,
                    newer: image,
                    alpha: 1.0,
                    ticks: tick.since(before),
                };
                let way = Way::of(&self.columns, entity, &pair, top.top());
                if let Some(way) = way.filter(|way| !way.jumps) {
                    top.saw(length(&way.velocity));
                }
            }
            tops.insert(handle, top);
        }
        self.tops = tops;
        self.interpolation.push(tick, image.clone());
    }

    /// Moves the view on to a time of the player's.
    pub(super) fn advance(&mut self, now_us: u64, server_tick: f64, wait: f64) {
        self.interpolation.advance(now_us, server_tick, wait);
        self.meant = server_tick - self.interpolation.delay();
        let passed_ms = now_us.saturating_sub(self.moved_us) as f64 / 1000.0;
        self.moved_us = now_us;
        self.shown = self.follow(passed_ms);
        let shown = &self.shown;
        self.pursuits
            .retain(|handle, _| shown.iter().any(|one| one.handle == *handle));
    }

    /// Draws a frame: looks how fast everybody is.
    pub(super) fn draw(&mut self, now_us: u64) {
        if let Some((before_us, before)) = &self.frame {
            let seconds = (now_us - before_us) as f64 / 1e6;
            for is in &self.shown {
                let was = before.iter().find(|was| was.handle == is.handle);
                let (Some(was), Some(top)) = (was, is.top_speed()) else {
                    continue;
                };
                if was.walks && is.walks && was.is_up == is.is_up {
                    let way = [is.place[0] - was.place[0], is.place[1] - was.place[1]];
                    self.fastest = self.fastest.max(length(&way) / seconds / top);
                }
            }
        }
        self.lateness.on_frame(now_us, self.meant, &self.shown);
        self.frame = Some((now_us, self.shown.clone()));
    }

    /// Everyone who walks, at the view.
    pub(super) fn shown(&self) -> &[Seen] {
        &self.shown
    }

    fn follow(&mut self, passed_ms: f64) -> Vec<Seen> {
        let Some(pair) = self.interpolation.pair() else {
            return Vec::new();
        };
        let base = if pair.alpha >= 1.0 {
            pair.newer
        } else {
            pair.older
        };
        let mut shown = Vec::new();
        for (row, entity) in base.entities.iter().enumerate() {
            let Some(mut one) = walker(&self.columns, base, row) else {
                continue;
            };
            let pursuit = self.pursuits.entry(one.handle);
            let pursuit = pursuit.or_insert_with(|| Pursuit::new(one.place));
            let top = self.tops.get(&one.handle).copied().unwrap_or_default();
            let mut speed = top.top();
            if let Some(way) = Way::of(&self.columns, entity, &pair, speed) {
                speed = way.put(&self.columns, &pair, &mut one).max(speed);
            }
            let speed = speed / PERIOD_MS;
            let mut leapt = false;
            for passed in self.interpolation.passed() {
                let Some(way) = Way::of(&self.columns, entity, &passed, top.top()) else {
                    continue;
                };
                one.walks &= way.walks;
                let leaps = way.jumps || top.leaps(length(&way.velocity));
                leapt |= leaps && passed.alpha >= 1.0;
            }
            if leapt && !pursuit.reaches(one.place, speed, passed_ms) {
                pursuit.put(one.place);
            }
            pursuit.follow(one.place, speed, passed_ms);
            one.place = pursuit.place();
            shown.push(one);
        }
        shown
    }
}

/// Somebody as a snapshot has them.
fn walker(columns: &Columns, image: &LayerImage, row: usize) -> Option<Seen> {
    Some(Seen {
        handle: handle(&image.entities[row]),
        kind: columns.kind.of(image, row)? as u8,
        place: [columns.x.of(image, row)?, columns.y.of(image, row)?],
        velocity: [0.0; 2],
        is_up: columns.hp.of(image, row)? > 0.0,
        walks: true,
    })
}

/// Somebody's way between two snapshots.
struct Way {
    from: [f64; 2],
    to: [f64; 2],
    /// Units a tick.
    velocity: [f64; 2],
    jumps: bool,
    /// Neither fell, rose nor jumped.
    walks: bool,
}

impl Way {
    /// `None` if they are not in both. `top` speed in units a tick.
    fn of(
        columns: &Columns,
        entity: &EntityHead,
        pair: &Pair<'_, LayerImage>,
        top: f64,
    ) -> Option<Way> {
        let [older, newer] = [pair.older, pair.newer];
        let (a, b) = (same(older, entity)?, same(newer, entity)?);
        let Columns { x, y, hp, .. } = columns;
        let from = [x.of(older, a)?, y.of(older, a)?];
        let to = [x.of(newer, b)?, y.of(newer, b)?];
        let ticks = f64::from(pair.ticks.max(1));
        let free = top * (ticks - 1.0);
        let jumped = jumps(&x.field, from[0], to[0], free) || jumps(&y.field, from[1], to[1], free);
        Some(Way {
            from,
            to,
            velocity: [0, 1].map(|axis| (to[axis] - from[axis]) / ticks),
            jumps: jumped,
            walks: !jumped && (hp.of(older, a)? > 0.0) == (hp.of(newer, b)? > 0.0),
        })
    }

    /// Puts them where the view stands. Tells their speed, in units a tick.
    fn put(&self, columns: &Columns, pair: &Pair<'_, LayerImage>, one: &mut Seen) -> f64 {
        one.walks = self.walks;
        if self.jumps {
            return 0.0;
        }
        one.velocity = self.velocity;
        for axis in 0..2 {
            let field = [&columns.x.field, &columns.y.field][axis];
            one.place[axis] = blend(&field.kind, self.from[axis], self.to[axis], pair.alpha);
        }
        length(&self.velocity)
    }
}
