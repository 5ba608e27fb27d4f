//! A world's entities and resources, as they are saved and made again: each under its own id, and
//! in the order in which queries go through them, which is that of the archetypes, as they came to
//! be, and of the rows in each. The game's setup has made the resources and what never changes;
//! what it made else is taken apart and used again.

use bevy_ecs::archetype::Archetype;
use bevy_ecs::bundle::BundleScratch;
use bevy_ecs::component::ComponentId;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::SaveError;
use super::ids::Ids;
use crate::game::saved::{Kind, give};
use crate::replication::slots::Given;

/// The world's part of a save.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedWorld {
    ids: Ids,
    /// In the order in which they came to be.
    archetypes: Vec<Rows>,
}

/// An archetype.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Rows {
    /// Numbers of the kinds of its components, rising.
    kinds: Vec<u16>,
    /// Who is in it, in order.
    entities: Vec<Entity>,
}

/// The number of the mark of resources, which is the first of the kinds.
const RESOURCE: u16 = 0;

/// The kinds' numbers in a world.
struct Numbers<'a> {
    kinds: &'a [Kind],
    /// By number.
    ids: Vec<ComponentId>,
    /// By rising component.
    by_id: Vec<(ComponentId, u16)>,
}

impl<'a> Numbers<'a> {
    fn of(world: &mut World, kinds: &'a [Kind]) -> Numbers<'a> {
        let ids: Vec<ComponentId> = kinds.iter().map(|kind| kind.id(world)).collect();
        let mut by_id: Vec<(ComponentId, u16)> = ids.iter().copied().zip(0..).collect();
        by_id.sort_unstable();
        by_id.dedup_by_key(|(id, _)| *id);
        Numbers { kinds, ids, by_id }
    }

    /// An archetype; the error names what it has beside what nobody declared.
    fn rows(&self, archetype: &Archetype) -> Result<Rows, SaveError> {
        let number = |id: &ComponentId| {
            let at = self.by_id.binary_search_by_key(id, |(id, _)| *id).ok()?;
            Some(self.by_id[at].1)
        };
        let mut kinds: Vec<u16> = archetype.components().iter().filter_map(number).collect();
        kinds.sort_unstable();
        if kinds.len() < archetype.components().len() {
            return Err(SaveError::Undeclared(self.names(&kinds)));
        }
        let entities = archetype.entities().iter().map(|row| row.id()).collect();
        Ok(Rows { kinds, entities })
    }

    /// The component that an archetype's kind is in this world.
    fn id(&self, number: u16) -> ComponentId {
        self.ids[usize::from(number)]
    }

    fn names(&self, kinds: &[u16]) -> String {
        let names: Vec<&str> = self.of_rows(kinds).map(Kind::name).collect();
        names.join(", ")
    }

    fn of_rows(&self, kinds: &[u16]) -> impl Iterator<Item = &'a Kind> {
        let all = self.kinds;
        kinds
            .iter()
            .filter_map(move |kind| all.get(usize::from(*kind)))
    }

    /// Whether its entities stay as the game's setup made them, but for the values that are saved.
    fn stay(&self, rows: &Rows) -> bool {
        self.of_rows(&rows.kinds).any(|kind| !kind.has_value())
    }
}

impl SavedWorld {
    /// Of a world, which goes on as if nothing was. Its values are appended to `columns`: by
    /// archetype and kind, each column after its length.
    pub(super) fn of(
        world: &mut World,
        kinds: &[Kind],
        columns: &mut Vec<u8>,
    ) -> Result<SavedWorld, SaveError> {
        world.flush();
        let numbers = Numbers::of(world, kinds);
        let mut archetypes = Vec::new();
        for archetype in world.archetypes().iter() {
            let rows = numbers.rows(archetype)?;
            if rows.kinds.iter().all(|kind| *kind == RESOURCE) && !rows.entities.is_empty() {
                return Err(SaveError::Bare);
            }
            // Their rows' order would not be that of the table's.
            if !rows.kinds.contains(&RESOURCE) && archetype.sparse_set_components().next().is_some()
            {
                return Err(SaveError::Sparse(numbers.names(&rows.kinds)));
            }
            if !rows.entities.is_empty() {
                for &number in &rows.kinds {
                    let kind = &kinds[usize::from(number)];
                    if !kind.has_value() {
                        continue;
                    }
                    let start = columns.len();
                    columns.extend_from_slice(&[0; 4]);
                    kind.write(world, numbers.id(number), archetype, columns)
                        .map_err(|error| SaveError::Value(kind.name(), error))?;
                    let length = (columns.len() - start - 4) as u32;
                    columns[start..start + 4].copy_from_slice(&length.to_le_bytes());
                }
            }
            archetypes.push(rows);
        }
        let ids = Ids::of(world);
        if !ids.are_few() {
            return Err(SaveError::Old);
        }
        Ok(SavedWorld { ids, archetypes })
    }

    /// Makes a world of one that the game has set up, with the values of `columns`. The error says
    /// why it can't be.
    pub(super) fn restore(
        &self,
        world: &mut World,
        kinds: &[Kind],
        columns: &[u8],
    ) -> Result<(), &'static str> {
        world.flush();
        let numbers = Numbers::of(world, kinds);
        let all = |world: &World| {
            let rows = world
                .archetypes()
                .iter()
                .map(|archetype| numbers.rows(archetype));
            rows.collect::<Result<Vec<Rows>, _>>()
        };
        let made = all(world).map_err(|_| "the game's setup makes what it does not declare")?;
        let is_same = |(made, saved): (&Rows, &Rows)| {
            made.kinds == saved.kinds && (!numbers.stay(made) || made.entities == saved.entities)
        };
        if made.len() > self.archetypes.len() || !made.iter().zip(&self.archetypes).all(is_same) {
            return Err("the game's setup makes another world than it did then");
        }
        if !self.ids.are_few() {
            return Err("its entities were reused too often");
        }
        let is_known = |kind: &u16| usize::from(*kind) < kinds.len();
        let is_sound =
            |rows: &Rows| rows.kinds.is_sorted_by(|a, b| a < b) && rows.kinds.iter().all(is_known);
        if !self.archetypes.iter().all(is_sound) {
            return Err("its archetypes are none");
        }
        self.take_apart(world, &numbers, &made)?;
        let mut scratch = BundleScratch::default();
        self.make_archetypes(world, &numbers, made.len(), &mut scratch)?;
        self.fill(world, &numbers, columns, &mut scratch)?;
        world.flush();
        let now = all(world).map_err(|_| "a hook adds what is not declared")?;
        if now != self.archetypes {
            return Err("a hook of the game changes what is restored");
        }
        self.ids.put(world);
        Ok(())
    }

    /// Whom the save has, beside those that stay, by rising id.
    fn movers(&self, numbers: &Numbers<'_>) -> Vec<Entity> {
        let moving = self.archetypes.iter().filter(|rows| !numbers.stay(rows));
        let mut movers: Vec<Entity> = moving.flat_map(|rows| rows.entities.clone()).collect();
        movers.sort_unstable();
        movers
    }

    /// What setup made and what is saved have ids in common: those entities lose their components,
    /// others go.
    fn take_apart(
        &self,
        world: &mut World,
        numbers: &Numbers<'_>,
        made: &[Rows],
    ) -> Result<(), &'static str> {
        let movers = self.movers(numbers);
        for rows in made.iter().filter(|rows| !numbers.stay(rows)) {
            for entity in &rows.entities {
                if movers.binary_search(entity).is_ok() {
                    world.entity_mut(*entity).clear();
                } else {
                    world.despawn_no_free(*entity);
                }
            }
        }
        world.flush();
        let is_there = |entity: &Entity| self.ids.newest(entity.index_u32()) == Some(*entity);
        let mut all = self.archetypes.iter().flat_map(|rows| &rows.entities);
        match all.all(is_there) {
            true => Ok(()),
            false => Err("it names entities that there are not"),
        }
    }

    /// Makes the archetypes that came after setup in their order, also those that are empty now, by
    /// an entity that has their components for a moment: one whose id is used once more than so
    /// far, or one that comes anyway.
    fn make_archetypes(
        &self,
        world: &mut World,
        numbers: &Numbers<'_>,
        made: usize,
        scratch: &mut BundleScratch,
    ) -> Result<(), &'static str> {
        let now =
            |world: &World, entity: Entity| world.entities().resolve_from_index(entity.index());
        let lacks_uses =
            |id: &Entity| now(world, *id).generation().to_bits() < id.generation().to_bits();
        let spent = (0..self.ids.len())
            .filter_map(|index| self.ids.newest(index))
            .find(lacks_uses);
        if !self.ids.age(world, spent.map(|id| id.index_u32())) {
            return Err("the game's setup uses up more entities than it did then");
        }
        let model = match spent {
            Some(id) => Some(now(world, id)),
            None => self.movers(numbers).first().copied(),
        };
        if let Some(model) = model
            && !world.entities().contains_spawned(model)
        {
            spawn(world, model)?;
        }
        for rows in &self.archetypes[made..] {
            let is_resource = rows.kinds.contains(&RESOURCE);
            let kinds = numbers.of_rows(&rows.kinds);
            match (is_resource, &*rows.entities, model) {
                // What a resource leaves that is taken out for a moment.
                (true, ..) if rows.kinds.len() == 1 => {
                    let given = world.remove_resource::<Given>();
                    world.insert_resource(given.unwrap_or_default());
                }
                // A resource that came later.
                (true, &[entity], _) => {
                    spawn(world, entity)?;
                    give(world, entity, kinds, None, scratch).map_err(|_| "no samples")?;
                }
                (false, _, Some(model)) if !numbers.stay(rows) => {
                    world.resource_mut::<Given>().give_back(model);
                    give(world, model, kinds, None, scratch).map_err(|_| "no samples")?;
                    world.entity_mut(model).clear();
                }
                _ => return Err("the game made what it declares as unsaved after its setup"),
            }
        }
        if let (Some(_), Some(model)) = (spent, model) {
            world.despawn_no_free(model);
        }
        Ok(())
    }

    /// Puts the entities into their places, with their values.
    fn fill(
        &self,
        world: &mut World,
        numbers: &Numbers<'_>,
        mut rest: &[u8],
        scratch: &mut BundleScratch,
    ) -> Result<(), &'static str> {
        let inhabited = self
            .archetypes
            .iter()
            .filter(|rows| !rows.entities.is_empty());
        for rows in inhabited {
            let with_values = numbers.of_rows(&rows.kinds).filter(|kind| kind.has_value());
            let columns: Option<Vec<&[u8]>> = with_values.map(|_| take_column(&mut rest)).collect();
            let mut columns = columns.ok_or("its values are cut off")?;
            for &entity in &rows.entities {
                if !world.entities().contains_spawned(entity) {
                    spawn(world, entity)?;
                }
                world.resource_mut::<Given>().give_back(entity);
                let kinds = numbers.of_rows(&rows.kinds);
                give(world, entity, kinds, Some(&mut columns), scratch)
                    .map_err(|_| "a value is none of its type")?;
            }
            if columns.iter().any(|column| !column.is_empty()) {
                return Err("it has more values than entities");
            }
        }
        match rest.is_empty() {
            true => Ok(()),
            false => Err("it has more values than entities"),
        }
    }
}

/// The next column.
fn take_column<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first_chunk()?;
    let (column, behind) = behind.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *rest = behind;
    Some(column)
}

fn spawn(world: &mut World, entity: Entity) -> Result<(), &'static str> {
    let spawned = world.spawn_empty_at(entity);
    spawned.map(drop).map_err(|_| "it names an entity twice")
}
