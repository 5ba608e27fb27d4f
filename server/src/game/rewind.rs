//! What the world was like a moment ago, for judging by what a player saw: lag compensation. A game
//! records in every tick what it wants to look back at, and looks at the moment that
//! [`Input::view`](super::Input::view) names. Bounded to [`REWIND_MAX_MS`], as the views are;
//! nothing in the world is moved back. What a client shows at a view is
//! `client-web/src/netcode/interpolation.js`'s; this is its counterpart.
//!
//! ```
//! use bevy_ecs::prelude::*;
//! use tickwire_server::game::{Input, Rewind, RoomOptions, Tick, record_component};
//!
//! #[derive(Component, Clone)]
//! struct Pos(f64);
//!
//! fn setup(world: &mut World, systems: &mut Schedule, room: &RoomOptions) {
//!     world.insert_resource(Rewind::<Pos>::new(room.tick_rate));
//!     // After everyone moved, before anyone is judged.
//!     systems.add_systems((record_component::<Pos>, shoot).chain());
//! }
//!
//! /// Hits whoever stood at 5, as the shooter saw it.
//! fn shoot(past: Res<Rewind<Pos>>, shooters: Query<&Input<bool>>) {
//!     for input in shooters.iter().filter(|input| input.now) {
//!         for (who, older, newer) in past.at(input.view).iter() {
//!             let at = newer.map_or(older.0, |(newer, alpha)| older.0 + (newer.0 - older.0) * alpha);
//!             println!("{who} was hit: {}", (at - 5.0).abs() < 0.5);
//!         }
//!     }
//! }
//! ```

use std::cell::Cell;
use std::collections::VecDeque;
use std::ops::RangeInclusive;

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize, Serializer};
use tickwire::limits::REWIND_MAX_MS;

use super::Tick;

/// The last ticks of what a game records: `T` of each entity that it wants to look back at. As many
/// as the longest rewind needs; of each, what one tick recorded.
#[derive(Resource, Debug, Serialize, Deserialize)]
pub struct Rewind<T: Send + Sync + 'static> {
    /// By rising tick.
    #[serde(serialize_with = "past", bound(serialize = "T: Serialize"))]
    past: VecDeque<Past<T>>,
    ticks_max: usize,
}

thread_local! {
    /// Whether the past is left out of what is saved.
    static IS_LEFT_OUT: Cell<bool> = const { Cell::new(false) };
}

/// Runs `save`, in which every [`Rewind`] is written without its past: nobody who comes to the room
/// that is made of it has seen that.
pub(crate) fn without_past<T>(save: impl FnOnce() -> T) -> T {
    struct Restore;
    impl Drop for Restore {
        fn drop(&mut self) {
            IS_LEFT_OUT.set(false);
        }
    }
    let _restore = Restore;
    IS_LEFT_OUT.set(true);
    save()
}

fn past<T: Serialize, S: Serializer>(past: &VecDeque<Past<T>>, to: S) -> Result<S::Ok, S::Error> {
    match IS_LEFT_OUT.get() {
        true => VecDeque::<Past<T>>::new().serialize(to),
        false => past.serialize(to),
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Past<T> {
    tick: u32,
    /// In the order in which they were recorded, or by bucket.
    values: Vec<(Entity, T)>,
    /// Where in `values` each bucket ends, if recorded by bucket.
    ends: Vec<u16>,
    /// Indices of `values` by the entities' own, which are small and used again. Of entities that
    /// were not recorded they are another tick's: what stands there is somebody else.
    by_index: Vec<u16>,
}

/// Values of a tick: far above the entities that a room shows.
const VALUES_MAX: usize = u16::MAX as usize;

/// The world at a view: see [`Rewind::at`].
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a, T> {
    older: Option<&'a Past<T>>,
    newer: Option<&'a Past<T>>,
    alpha: f64,
}

impl<T: Send + Sync + 'static> Rewind<T> {
    /// For a room of `tick_rate` ticks a second, before its first.
    pub fn new(tick_rate: u16) -> Rewind<T> {
        let longest = (REWIND_MAX_MS * u32::from(tick_rate)).div_ceil(1000) as usize;
        Rewind {
            past: VecDeque::new(),
            // The view lies between two of them, and this tick is one more.
            ticks_max: longest + 2,
        }
    }

    /// Records `values` of `tick`, which is later than all before; the oldest tick goes.
    ///
    /// # Panics
    /// When there are more than 65,535.
    pub fn record(&mut self, tick: u32, values: impl IntoIterator<Item = (Entity, T)>) {
        let mut past = self.recycle(tick);
        past.values.extend(values);
        self.push(past);
    }

    /// Records `values` like [`Rewind::record`], in order of their `bucket`, which is below
    /// `buckets`, so that [`Moment::older_in`] finds those of some buckets without a look at the
    /// rest: a game that sorts by place looks only at who was near. `values` is gone through twice.
    ///
    /// # Panics
    /// When a value's bucket is not below `buckets`, a mistake of the game's author; when there are
    /// more than 65,535.
    pub fn record_by<I>(
        &mut self,
        tick: u32,
        values: I,
        buckets: usize,
        bucket: impl Fn(&T) -> usize,
    ) where
        I: Iterator<Item = (Entity, T)> + Clone,
        T: Clone,
    {
        let mut past = self.recycle(tick);
        past.ends.resize(buckets, 0);
        // Not loops: queries are twice as fast at going through all of theirs themselves.
        let (ends, mut count) = (&mut past.ends, 0);
        values.clone().for_each(|(_, value)| {
            ends[bucket(&value)] += 1;
            count += 1;
        });
        assert!(count <= VALUES_MAX, "a tick has too many values");
        // Sizes become starts, which become ends as the buckets fill.
        let mut end = 0;
        for size in &mut past.ends {
            end += std::mem::replace(size, end);
        }
        if let Some(any) = values.clone().next() {
            past.values.resize(usize::from(end), any);
        }
        let (to, ends) = (&mut past.values, &mut past.ends);
        values.for_each(|(entity, value)| {
            let at = &mut ends[bucket(&value)];
            to[usize::from(*at)] = (entity, value);
            *at += 1;
        });
        self.push(past);
    }

    /// An empty tick, in the oldest one's memory if that has to go.
    fn recycle(&mut self, tick: u32) -> Past<T> {
        let full = self.past.len() >= self.ticks_max;
        let recycled = if full { self.past.pop_front() } else { None };
        let mut past = recycled.unwrap_or_else(|| Past {
            tick,
            values: Vec::new(),
            ends: Vec::new(),
            by_index: Vec::new(),
        });
        past.tick = tick;
        past.values.clear();
        past.ends.clear();
        past
    }

    fn push(&mut self, mut past: Past<T>) {
        assert!(
            past.values.len() <= VALUES_MAX,
            "a tick has too many values"
        );
        for ((entity, _), at) in past.values.iter().zip(0..) {
            let index = entity.index_u32() as usize;
            if index >= past.by_index.len() {
                past.by_index.resize(index + 1, 0);
            }
            past.by_index[index] = at;
        }
        self.past.push_back(past);
    }

    /// The world at `view`, a tick with a fraction: within what is recorded the last tick at or
    /// before it, the one after it, and the share of the way from the one to the other. Beyond
    /// either end, that end.
    pub fn at(&self, view: f64) -> Moment<'_, T> {
        let after = self
            .past
            .partition_point(|past| f64::from(past.tick) <= view);
        let older = self.past.get(after.saturating_sub(1));
        let newer = self.past.get(after).filter(|_| after > 0);
        let alpha = match (older, newer) {
            (Some(older), Some(newer)) => {
                let (from, to) = (f64::from(older.tick), f64::from(newer.tick));
                (view - from) / (to - from)
            }
            _ => 0.0,
        };
        Moment {
            older,
            newer,
            alpha,
        }
    }
}

impl<'a, T> Moment<'a, T> {
    /// Who was there, as it was recorded at the tick at or before the view, in the order of
    /// recording.
    pub fn older(&self) -> &'a [(Entity, T)] {
        self.older.map_or(&[], |past| &past.values)
    }

    /// Those of [`Moment::older`] in a range of the buckets that they were recorded by, in order of
    /// the buckets; nobody beyond the last bucket, or if they were not recorded by buckets.
    pub fn older_in(&self, buckets: RangeInclusive<usize>) -> &'a [(Entity, T)] {
        let Some(past) = self.older else {
            return &[];
        };
        let end_of = |bucket: usize| past.ends.get(bucket).copied();
        let start = match buckets.start().checked_sub(1) {
            Some(before) => end_of(before),
            None => Some(0),
        };
        let last = (*buckets.end()).min(past.ends.len().saturating_sub(1));
        match (start, end_of(last)) {
            (Some(start), Some(end)) if start < end => {
                &past.values[usize::from(start)..usize::from(end)]
            }
            _ => &[],
        }
    }

    /// What the entity was like at the tick after the view, and the view's share of the way there,
    /// 0 to 1; `None` if nothing was recorded of it then, or the view is at the newest tick.
    pub fn newer(&self, entity: Entity) -> Option<(&'a T, f64)> {
        let newer = self.newer?;
        let at = *newer.by_index.get(entity.index_u32() as usize)?;
        let (who, value) = newer.values.get(usize::from(at))?;
        // Another one may have the index by now, or nobody recorded.
        (*who == entity).then_some((value, self.alpha))
    }

    /// Everyone of [`Moment::older`], each with its [`Moment::newer`].
    pub fn iter(&self) -> impl Iterator<Item = (Entity, &'a T, Option<(&'a T, f64)>)> {
        let moment = Moment { ..*self };
        self.older()
            .iter()
            .map(move |(entity, older)| (*entity, older, moment.newer(*entity)))
    }
}

/// A system that records a component of every entity that has it.
pub fn record_component<C: Component + Clone>(
    tick: Res<Tick>,
    mut rewind: ResMut<Rewind<C>>,
    all: Query<(Entity, &C)>,
) {
    let values = all.iter().map(|(entity, value)| (entity, value.clone()));
    rewind.record(tick.number, values);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entities(count: usize) -> Vec<Entity> {
        let mut world = World::new();
        (0..count).map(|_| world.spawn_empty().id()).collect()
    }

    #[test]
    fn a_view_lies_between_two_ticks() {
        let who = entities(3);
        let mut rewind = Rewind::new(20);
        assert!(rewind.at(3.0).older().is_empty());
        rewind.record(7, [(who[2], 70), (who[0], 50)]);
        rewind.record(8, [(who[0], 60), (who[1], 9)]);
        let seen: Vec<_> = rewind.at(7.25).iter().collect();
        assert_eq!(
            seen,
            [(who[2], &70, None), (who[0], &50, Some((&60, 0.25)))]
        );
        assert_eq!(rewind.at(8.0).older(), [(who[0], 60), (who[1], 9)]);
        assert_eq!(rewind.at(8.0).newer(who[0]), None);
        for beyond in [-1.0, 6.9] {
            assert_eq!(rewind.at(beyond).older().len(), 2);
            assert_eq!(rewind.at(beyond).newer(who[0]), None);
        }
        assert_eq!(rewind.at(99.0).older(), rewind.at(8.0).older());
    }

    #[test]
    fn who_took_over_an_index_is_somebody_else() {
        let mut world = World::new();
        let gone = world.spawn_empty().id();
        world.despawn(gone);
        // Indices come back some despawns later.
        let mut fresh = (0..1000).map(|_| {
            let next = world.spawn_empty().id();
            world.despawn(next);
            next
        });
        let next = fresh.find(|next| next.index() == gone.index());
        let next = next.expect("an index is used again");
        let mut rewind = Rewind::new(20);
        rewind.record(7, [(gone, 1)]);
        rewind.record(8, [(next, 2)]);
        assert_eq!(rewind.at(7.5).newer(gone), None);
        assert_eq!(rewind.at(7.5).newer(next), Some((&2, 0.5)));
    }

    #[test]
    fn buckets_are_found_by_themselves() {
        let who = entities(5);
        let mut rewind = Rewind::new(20);
        let by_tens = |value: &u32| *value as usize / 10;
        let values = [
            (who[0], 31),
            (who[1], 5),
            (who[2], 12),
            (who[3], 7),
            (who[4], 30),
        ];
        rewind.record_by(7, values.into_iter(), 5, by_tens);
        let seen = rewind.at(7.0);
        let sorted = [values[1], values[3], values[2], values[0], values[4]];
        assert_eq!(seen.older(), sorted);
        assert_eq!(seen.older_in(0..=0), &sorted[..2]);
        assert_eq!(seen.older_in(1..=3), &sorted[2..]);
        assert_eq!(seen.older_in(0..=99), sorted);
        for empty in [2..=2, 4..=4, 5..=9] {
            assert!(seen.older_in(empty).is_empty());
        }
        rewind.record_by(8, values[..2].iter().copied(), 5, by_tens);
        assert_eq!(rewind.at(8.0).older_in(3..=3), &values[..1]);
        assert_eq!(rewind.at(7.5).newer(who[1]), Some((&5, 0.5)));
        rewind.record_by(9, [].into_iter(), 5, by_tens);
        assert!(rewind.at(9.0).older_in(0..=4).is_empty());
        rewind.record(10, values);
        assert!(rewind.at(10.0).older_in(0..=4).is_empty(), "no buckets");
    }

    #[test]
    fn who_was_recorded_before_is_not_found_later() {
        let who = entities(2);
        let mut rewind = Rewind::new(1);
        for tick in 0..20 {
            // Memory that knew both is used again.
            let both = [(who[0], tick), (who[1], tick)];
            let present = if tick % 4 == 1 { &both[..1] } else { &both };
            rewind.record(tick, present.iter().copied());
            let newer = rewind.at(f64::from(tick) - 0.5).newer(who[1]);
            assert_eq!(newer.is_some(), tick > 0 && tick % 4 != 1, "{tick}");
        }
    }

    #[test]
    fn the_past_is_as_long_as_the_longest_rewind() {
        let mut rewind = Rewind::new(30);
        let who = entities(1);
        for tick in 1..100 {
            rewind.record(tick, [(who[0], tick)]);
        }
        assert_eq!(rewind.past.len(), 10);
        let view = 99.0 - 7.5;
        assert_eq!(rewind.at(view).older(), [(who[0], 91)]);
        assert_eq!(rewind.at(view).newer(who[0]), Some((&92, 0.5)));
    }

    #[test]
    fn a_component_is_recorded_by_a_system() {
        #[derive(Component, Clone, PartialEq, Debug)]
        struct At(u32);
        let mut world = World::new();
        world.insert_resource(Tick {
            number: 4,
            dt: 0.05,
        });
        world.insert_resource(Rewind::<At>::new(20));
        let who = world.spawn(At(3)).id();
        let mut systems = Schedule::default();
        systems.add_systems(record_component::<At>);
        systems.run(&mut world);
        let rewind = world.resource::<Rewind<At>>();
        assert_eq!(rewind.at(4.0).older(), [(who, At(3))]);
    }
}
