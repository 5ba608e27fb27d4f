//! What the world was like a moment ago, for judging by what a player saw: lag compensation. A game
//! records in every tick what it wants to look back at, and looks at the moment that
//! [`Input::view`](super::Input::view) names. Bounded to [`REWIND_MAX_MS`], as the views are; nothing in the world is
//! moved back. What a client shows at a view is `tickwire::netcode::interpolation`'s; this is its counterpart.
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

use std::collections::VecDeque;

use bevy_ecs::prelude::*;
use tickwire::limits::REWIND_MAX_MS;

use super::Tick;

/// The last ticks of what a game records: `T` of each entity that it wants to look back at. As many
/// as the longest rewind needs; of each, what one tick recorded.
#[derive(Resource, Debug)]
pub struct Rewind<T: Send + Sync + 'static> {
    /// By rising tick.
    past: VecDeque<Past<T>>,
    ticks_max: usize,
}

#[derive(Debug)]
struct Past<T> {
    tick: u32,
    /// In the order in which they were recorded.
    values: Vec<(Entity, T)>,
    /// Indices of `values` by the entities' own, which are small and used again; else [`NOWHERE`].
    by_index: Vec<u32>,
}

/// No index of `values`.
const NOWHERE: u32 = u32::MAX;

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
    pub fn record(&mut self, tick: u32, values: impl IntoIterator<Item = (Entity, T)>) {
        // The oldest one's memory is used again.
        let full = self.past.len() >= self.ticks_max;
        let recycled = if full { self.past.pop_front() } else { None };
        let mut past = recycled.unwrap_or_else(|| Past {
            tick,
            values: Vec::new(),
            by_index: Vec::new(),
        });
        past.tick = tick;
        past.values.clear();
        past.values.extend(values);
        past.by_index.clear();
        for ((entity, _), at) in past.values.iter().zip(0..) {
            let index = entity.index_u32() as usize;
            if index >= past.by_index.len() {
                past.by_index.resize(index + 1, NOWHERE);
            }
            past.by_index[index] = at;
        }
        self.past.push_back(past);
    }

    /// The world at `view`, a tick with a fraction: within what is recorded the last tick at or before it, the one after
    /// it, and the share of the way from the one to the other. Beyond either end, that end.
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
    /// Who was there, as it was recorded at the tick at or before the view, in the order of recording.
    pub fn older(&self) -> &'a [(Entity, T)] {
        self.older.map_or(&[], |past| &past.values)
    }

    /// What the entity was like at the tick after the view, and the view's share of the way there, 0 to 1; `None` if nothing was
    /// recorded of it then, or the view is at the newest tick.
    pub fn newer(&self, entity: Entity) -> Option<(&'a T, f64)> {
        let newer = self.newer?;
        let at = *newer.by_index.get(entity.index_u32() as usize)?;
        let (who, value) = newer.values.get(at as usize)?;
        // Another one may have the index by now.
        (*who == entity).then_some((value, self.alpha))
    }

    /// Everyone of [`Moment::older`], each with its [`Moment::newer`].
    pub fn iter(&self) -> impl Iterator<Item = (Entity, &'a T, Option<(&'a T, f64)>)> {
        let moment = Moment {
            older: self.older,
            newer: self.newer,
            alpha: self.alpha,
        };
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
