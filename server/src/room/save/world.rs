//! A world's entities and resources, as they are saved and made again: each under its own id, and
//! in the order in which queries go through them, which is that of the archetypes, as they came to
//! be, and of the rows in each. The game's setup has made the resources and what never changes;
//! what it made else is taken apart and used again.

use bevy_ecs::archetype::Archetype;
use bevy_ecs::bundle::BundleScratch;
use bevy_ecs::component::ComponentId;
use bevy_ecs::prelude::*;

use super::error::SaveError;
use super::ids::Ids;
use crate::game::saved::{Kind, give};
use crate::replication::raw;
use crate::replication::slots::Given;

/// Archetypes of a world that is saved: they stay, so a game that makes them of chance has ever
/// more. Beyond: it is not saved.
const ARCHETYPES_MAX: usize = 4096;

/// The world's part of a save.
pub(super) struct SavedWorld<'a> {
    ids: Ids,
    /// In the order in which they came to be.
    archetypes: Vec<Rows>,
    /// The values of each: by kind, those of all its entities.
    columns: Vec<Vec<&'a [u8]>>,
}

/// An archetype.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rows {
    /// Numbers of the kinds of its components, rising.
    kinds: Vec<u16>,
    /// Who is in it, in order.
    entities: Vec<Entity>,
}

/// What a room remembers of its archetypes, oldest first, from one save to the next: none changes,
/// and none goes.
#[derive(Default)]
pub(in crate::room) struct Shapes(Vec<Shape>);

/// An archetype but for who is in it.
struct Shape {
    /// Its kinds as they are written.
    kinds: Vec<u8>,
    /// Those that have values, by number, and the components that they are.
    columns: Vec<(u16, ComponentId)>,
    /// Nobody may be in it.
    is_bare: bool,
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

    /// The kinds of an archetype, rising; the error names what it has beside what nobody declared.
    fn of_archetype(&self, archetype: &Archetype) -> Result<Vec<u16>, SaveError> {
        let number = |id: &ComponentId| {
            let at = self.by_id.binary_search_by_key(id, |(id, _)| *id).ok()?;
            Some(self.by_id[at].1)
        };
        let mut kinds: Vec<u16> = archetype.components().iter().filter_map(number).collect();
        kinds.sort_unstable();
        match kinds.len() < archetype.components().len() {
            true => Err(SaveError::Undeclared(self.names(&kinds))),
            false => Ok(kinds),
        }
    }

    /// An archetype, and who is in it; the error as above.
    fn rows(&self, archetype: &Archetype) -> Result<Rows, SaveError> {
        let kinds = self.of_archetype(archetype)?;
        let entities = archetype.entities().iter().map(|row| row.id()).collect();
        Ok(Rows { kinds, entities })
    }

    /// What is remembered of an archetype.
    fn shape(&self, archetype: &Archetype) -> Result<Shape, SaveError> {
        let kinds = self.of_archetype(archetype)?;
        // Their rows' order would not be that of the table's.
        if !kinds.contains(&RESOURCE) && archetype.sparse_set_components().next().is_some() {
            return Err(SaveError::Sparse(self.names(&kinds)));
        }
        let mut written = Vec::new();
        raw::put_counted(&kinds, |kind| kind.to_le_bytes(), &mut written);
        let has_value = |kind: &&u16| self.kinds[usize::from(**kind)].has_value();
        let column = |kind: &u16| (*kind, self.ids[usize::from(*kind)]);
        Ok(Shape {
            kinds: written,
            columns: kinds.iter().filter(has_value).map(column).collect(),
            is_bare: kinds.iter().all(|kind| *kind == RESOURCE),
        })
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

impl Shapes {
    /// Of the archetypes that came since, too.
    fn catch_up(&mut self, world: &mut World, kinds: &[Kind]) -> Result<(), SaveError> {
        let count = world.archetypes().len();
        if count == self.0.len() {
            return Ok(());
        }
        if count > ARCHETYPES_MAX {
            return Err(SaveError::Archetypes(count));
        }
        let numbers = Numbers::of(world, kinds);
        for archetype in world.archetypes().iter().skip(self.0.len()) {
            self.0.push(numbers.shape(archetype)?);
        }
        Ok(())
    }
}

/// Appends a world, which goes on as if nothing was: its ids, then by archetype its kinds, who is
/// in it and, where there is somebody, each column behind its length.
pub(super) fn write(
    world: &mut World,
    kinds: &[Kind],
    shapes: &mut Shapes,
    out: &mut Vec<u8>,
) -> Result<(), SaveError> {
    world.flush();
    shapes.catch_up(world, kinds)?;
    let ids = Ids::of(world);
    if !ids.are_few() {
        return Err(SaveError::Old);
    }
    ids.write(out);
    out.extend_from_slice(&(shapes.0.len() as u32).to_le_bytes());
    for (archetype, shape) in world.archetypes().iter().zip(&shapes.0) {
        out.extend_from_slice(&shape.kinds);
        // Which use of an index it is, `ids` says.
        let rows = archetype.entities();
        raw::put_counted(rows, |row| row.id().index_u32().to_le_bytes(), out);
        if rows.is_empty() {
            continue;
        }
        if shape.is_bare {
            return Err(SaveError::Bare);
        }
        for &(number, id) in &shape.columns {
            let kind = &kinds[usize::from(number)];
            let start = out.len();
            out.extend_from_slice(&[0; 4]);
            kind.write(world, id, archetype, out)
                .map_err(|error| SaveError::Value(kind.name(), error))?;
            let length = (out.len() - start - 4) as u32;
            out[start..start + 4].copy_from_slice(&length.to_le_bytes());
        }
    }
    Ok(())
}

impl<'a> SavedWorld<'a> {
    /// Of what [`write`] appended, from the front of `rest`. The error says why it can't be.
    pub(super) fn read(
        kinds: &[Kind],
        rest: &mut &'a [u8],
    ) -> Result<SavedWorld<'a>, &'static str> {
        let cut_off = "it is cut off";
        let ids = Ids::read(rest).ok_or("its entities are none, or were reused too often")?;
        let (count, behind) = rest.split_first_chunk().ok_or(cut_off)?;
        *rest = behind;
        let count = u32::from_le_bytes(*count) as usize;
        if count > ARCHETYPES_MAX {
            return Err("it has too many archetypes");
        }
        let mut world = SavedWorld {
            ids,
            archetypes: Vec::with_capacity(count),
            columns: Vec::with_capacity(count),
        };
        for _ in 0..count {
            let number = |bytes| Some(u16::from_le_bytes(bytes));
            let of_kinds = raw::take_counted(rest, number).ok_or(cut_off)?;
            let is_known = |kind: &u16| usize::from(*kind) < kinds.len();
            if !of_kinds.is_sorted_by(|a, b| a < b) || !of_kinds.iter().all(is_known) {
                return Err("its archetypes are none");
            }
            let entity = |bytes| world.ids.newest(u32::from_le_bytes(bytes));
            let entities = raw::take_counted(rest, entity);
            let entities = entities.ok_or("it names entities that there are not")?;
            let has_value = |kind: &&u16| kinds[usize::from(**kind)].has_value();
            let columns = match entities.is_empty() {
                true => 0,
                false => of_kinds.iter().filter(has_value).count(),
            };
            let columns: Option<_> = (0..columns).map(|_| take_column(rest)).collect();
            world.columns.push(columns.ok_or(cut_off)?);
            world.archetypes.push(Rows {
                kinds: of_kinds,
                entities,
            });
        }
        let there = world.archetypes.iter().flat_map(|rows| &rows.entities);
        match world.ids.are_apart(there) {
            true => Ok(world),
            false => Err("it names an entity twice"),
        }
    }

    /// Makes a world of one that the game has set up. The error says why it can't be.
    pub(super) fn restore(self, world: &mut World, kinds: &[Kind]) -> Result<(), &'static str> {
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
        self.take_apart(world, &numbers, &made);
        let mut scratch = BundleScratch::default();
        self.make_archetypes(world, &numbers, made.len(), &mut scratch)?;
        self.fill(world, &numbers, &mut scratch)?;
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
    fn take_apart(&self, world: &mut World, numbers: &Numbers<'_>, made: &[Rows]) {
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
        scratch: &mut BundleScratch,
    ) -> Result<(), &'static str> {
        for (rows, columns) in self.archetypes.iter().zip(&self.columns) {
            let mut columns = columns.clone();
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
        Ok(())
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
