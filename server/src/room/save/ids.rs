//! Which entity a world makes next: its ids must be the same ones after it was saved, because
//! entities are told apart, and sorted, by them. `bevy_ecs` gives out freed ids, the one freed last
//! first, then fresh ones; what was freed lately waits in a list of its own until that is full.
//! This reads all of it, and makes it again.

use std::mem;

use bevy_ecs::entity::{
    EntityAllocator, EntityGeneration, EntityHashMap, EntityIndex, EntityMapper, SceneEntityMapper,
};
use bevy_ecs::prelude::*;

use crate::replication::raw;

/// What `bevy_ecs` lets wait.
const LATE_MAX: usize = 128;
/// Uses of ids, all in all, that are made up for: at some 20 ns each. A room in which 300 things a
/// second come and go has had as many after five days. Beyond: it is not saved. Where saves are made
/// up by the thousand it is less, for one takes seconds.
const AGES_MAX: u64 = match cfg!(any(test, fuzzing)) {
    true => 1 << 18,
    false => 1 << 27,
};
/// Uses that are made up for at once, each with a place in a map.
const USES_AT_ONCE: u32 = 1 << 14;
/// Ids that are asked for at once.
const IDS_AT_ONCE: u32 = 64;

/// The ids of a world.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ids {
    /// How often each was used before, from the first on: those that were ever given out.
    ages: Vec<u32>,
    /// Those to be given out again, the last first.
    free: Vec<Entity>,
    /// Those that wait, in the order in which they were freed.
    late: Vec<Entity>,
}

impl Ids {
    /// Of a world, which goes on with them.
    pub(super) fn of(world: &mut World) -> Ids {
        // It shows what it has only by giving it out, so this one is used up, and another one made.
        let mut old = mem::take(world.entity_allocator_mut());
        let (mut free, next) = drain(&old);
        free.reverse();
        // Those that wait go to the others when there is one too many: behind them comes one that is
        // later than all that were ever given out, as often as it takes. Used before, so that nobody
        // takes it for a fresh one.
        let filler = old.alloc().index();
        let used = EntityGeneration::FIRST.after_versions(1);
        let filler = Entity::from_index_and_generation(filler, used);
        (0..=LATE_MAX).for_each(|_| old.free(filler));
        let (mut late, _) = drain(&old);
        late.retain(|id| id.index_u32() < next);
        late.reverse();
        let age = |index| {
            world
                .entities()
                .resolve_from_index(index)
                .generation()
                .to_bits()
        };
        let ages = (0..next).filter_map(EntityIndex::from_raw_u32).map(age);
        let ids = Ids {
            ages: ages.collect(),
            free,
            late,
        };
        ids.give(world.entity_allocator_mut());
        ids
    }

    /// Has a world go on with these.
    pub(super) fn put(&self, world: &mut World) {
        let ids = world.entity_allocator_mut();
        *ids = EntityAllocator::default();
        self.give(ids);
    }

    /// To one that has given out none.
    fn give(&self, ids: &mut EntityAllocator) {
        use_fresh(ids, self.len());
        let late = match (self.free.first(), self.late.split_first()) {
            (Some(&filler), Some((&first, rest))) if self.free.len() <= LATE_MAX => {
                // What waits goes to the others when there is one too many.
                self.free.iter().for_each(|id| ids.free(*id));
                let fillers = LATE_MAX - self.free.len();
                (0..fillers).for_each(|_| ids.free(filler));
                ids.free(first);
                ids.alloc_many(fillers as u32).for_each(drop);
                rest
            }
            (Some(_), _) => {
                // Many go to them directly; fresh ones, which come last anyway, make them many.
                let mut free: Vec<Entity> = ids.alloc_many(LATE_MAX as u32).collect();
                free.reverse();
                if self.free.len() > LATE_MAX {
                    free.clear();
                    *ids = EntityAllocator::default();
                    use_fresh(ids, self.len());
                }
                free.extend_from_slice(&self.free);
                ids.free_many(&free);
                &self.late
            }
            (None, _) => &self.late,
        };
        late.iter().for_each(|id| ids.free(*id));
    }

    /// Appends them to a save.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        raw::put_counted(&self.ages, |age| age.to_le_bytes(), out);
        for ids in [&self.free, &self.late] {
            raw::put_counted(ids, |id| id.to_bits().to_le_bytes(), out);
        }
    }

    /// Takes them from the front of `rest`; `None` if there are none, or more uses than are made up
    /// for.
    pub(super) fn read(rest: &mut &[u8]) -> Option<Ids> {
        let id = |bytes| Entity::try_from_bits(u64::from_le_bytes(bytes));
        let ids = Ids {
            ages: raw::take_counted(rest, |bytes| Some(u32::from_le_bytes(bytes)))?,
            free: raw::take_counted(rest, id)?,
            late: raw::take_counted(rest, id)?,
        };
        ids.are_few().then_some(ids)
    }

    /// Whether those to be given out again are what comes next of their indices, and nobody's,
    /// neither one another's nor of `there`.
    pub(super) fn are_apart<'a>(&self, there: impl Iterator<Item = &'a Entity>) -> bool {
        let mut is_taken = vec![false; self.ages.len()];
        let freed = || self.free.iter().chain(&self.late).copied();
        let is_new = |id: Entity| {
            let taken = is_taken.get_mut(id.index_u32() as usize);
            taken.is_some_and(|taken| !mem::replace(taken, true))
        };
        freed().all(|id| self.newest(id.index_u32()) == Some(id))
            && there.copied().chain(freed()).all(is_new)
    }

    /// How many were ever given out.
    pub(super) fn len(&self) -> u32 {
        self.ages.len() as u32
    }

    /// Whether a world can be brought to have them.
    pub(super) fn are_few(&self) -> bool {
        self.ages.iter().map(|age| u64::from(*age)).sum::<u64>() <= AGES_MAX
    }

    /// The id that has this index, and its use.
    pub(super) fn newest(&self, index: u32) -> Option<Entity> {
        let age = *self.ages.get(index as usize)?;
        let index = EntityIndex::from_raw_u32(index)?;
        let generation = EntityGeneration::from_bits(age);
        Some(Entity::from_index_and_generation(index, generation))
    }

    /// Makes up for the uses that a world's ids have not had, but the last one of `but_one`, which
    /// must have had fewer. The world gives out none until [`Ids::put`]. False: one has had more.
    pub(super) fn age(&self, world: &mut World, but_one: Option<u32>) -> bool {
        let mut uses = EntityHashMap::default();
        (0..).zip(&self.ages).all(|(number, age)| {
            let Some(index) = EntityIndex::from_raw_u32(number) else {
                return false;
            };
            let now = world.entities().resolve_from_index(index).generation();
            let goal = age.checked_sub(u32::from(but_one == Some(number)));
            let missing = goal.and_then(|goal| goal.checked_sub(now.to_bits()));
            match missing {
                None => false,
                Some(0) => true,
                Some(_) if world.entities().is_index_spawned(index) => false,
                Some(missing) => {
                    use_up(world, number, missing, &mut uses);
                    true
                }
            }
        })
    }
}

/// Has an id so many uses. The one way to do many at once: what maps entities takes the next of the
/// new ids, and a use of it for each entity that it is asked for.
fn use_up(world: &mut World, index: u32, mut times: u32, uses: &mut EntityHashMap<Entity>) {
    let Some(id) = Entity::from_raw_u32(index) else {
        return;
    };
    while times > 0 {
        // So many at once don't wait: it is the next one.
        let ids = world.entity_allocator_mut();
        ids.free_many(&[id; LATE_MAX + 1]);
        uses.clear();
        let mut mapper = SceneEntityMapper::new(uses, world);
        let ids = world.entity_allocator();
        ids.alloc_many(LATE_MAX as u32).for_each(drop);
        let some = times.min(USES_AT_ONCE);
        let others = (0..some).filter_map(Entity::from_raw_u32);
        for other in others {
            mapper.get_mapped(other);
        }
        mapper.finish(world);
        times -= some;
    }
}

/// Has so many given out that were never given out before: all at once, and they are not looked at.
fn use_fresh(ids: &EntityAllocator, count: u32) {
    mem::forget(ids.alloc_many(count));
}

/// All that were freed, as they are given out, and the fresh one that comes after them.
fn drain(ids: &EntityAllocator) -> (Vec<Entity>, u32) {
    let mut freed = Vec::new();
    loop {
        let (start, mut fresh) = (freed.len(), None);
        // Of several at once the one freed last comes last, then fresh ones.
        for id in ids.alloc_many(IDS_AT_ONCE) {
            match id.generation() {
                EntityGeneration::FIRST => _ = fresh.get_or_insert(id.index_u32()),
                _ => freed.push(id),
            }
        }
        freed[start..].reverse();
        if let Some(next) = fresh {
            return (freed, next);
        }
    }
}

#[cfg(test)]
mod tests {
    use tickwire::exact::Xorshift32;

    use super::*;

    /// Spawns and despawns by the dice; `alive` are there.
    fn live(world: &mut World, alive: &mut Vec<Entity>, dice: &mut Xorshift32, steps: u32) {
        for _ in 0..steps {
            let grow = if alive.len() < 40 { 6 } else { 4 };
            if alive.is_empty() || dice.below(10) < grow {
                alive.push(world.spawn_empty().id());
            } else {
                let at = dice.below(alive.len() as u32) as usize;
                world.despawn(alive.swap_remove(at));
            }
        }
    }

    #[test]
    fn a_world_whose_ids_were_read_and_one_that_was_made_of_them_go_on_alike() {
        for seed in 1..=300 {
            let mut dice = Xorshift32::new(seed);
            let (mut world, mut alive) = (World::new(), Vec::new());
            let (mut other, mut others) = (World::new(), Vec::new());
            let steps = dice.below(900);
            live(&mut world, &mut alive, &mut dice.clone(), steps);
            live(&mut other, &mut others, &mut dice, steps);
            let ids = Ids::of(&mut world);
            assert_eq!(
                ids,
                Ids::of(&mut world),
                "seed {seed}: reading changes nothing"
            );
            let mut made = World::new();
            assert!(ids.age(&mut made, None));
            for id in &alive {
                made.spawn_empty_at(*id).expect("it is free");
            }
            ids.put(&mut made);
            let mut theirs = alive.clone();
            let steps = dice.below(900);
            live(&mut world, &mut alive, &mut dice.clone(), steps);
            live(&mut made, &mut theirs, &mut dice.clone(), steps);
            live(&mut other, &mut others, &mut dice, steps);
            assert_eq!((&alive, &alive), (&theirs, &others), "seed {seed}");
        }
    }
}
