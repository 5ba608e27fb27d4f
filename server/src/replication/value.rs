//! Reading and writing a field of a game's type as a number.

use bevy_ecs::prelude::Entity;
use serde::{Deserialize, Serialize};
use tickwire::ids::Handle;
use tickwire::schema::{Kind, text_words, words_text};
use tickwire::snapshot::column_set::Column;

/// A type that a field may have: `f32`, `f64`, `u8`, `u16`, `u32`, `i32`, `bool`,
/// `Option<Entity>`, `String`.
pub trait FieldValue: Sized {
    #[doc(hidden)]
    fn accessor<C>(get: fn(&mut C) -> &mut Self) -> Accessor<C>;
}

/// How to reach a field of `C`; an enum rather than a box, so that capture stays in one loop.
#[doc(hidden)]
#[derive(Debug)]
pub enum Accessor<C> {
    F32(fn(&mut C) -> &mut f32),
    F64(fn(&mut C) -> &mut f64),
    U8(fn(&mut C) -> &mut u8),
    U16(fn(&mut C) -> &mut u16),
    U32(fn(&mut C) -> &mut u32),
    I32(fn(&mut C) -> &mut i32),
    Bool(fn(&mut C) -> &mut bool),
    Entity(fn(&mut C) -> &mut Option<Entity>),
    Text(fn(&mut C) -> &mut String),
}

impl<C> Clone for Accessor<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Accessor<C> {}

/// A field's value before it is quantised.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Raw {
    Number(f64),
    Entity(Option<Entity>),
    /// One of a text's integers.
    Word(i32),
}

impl<C> Accessor<C> {
    /// Reads a field that is no text.
    #[inline]
    pub(crate) fn read_one(&self, of: &mut C) -> Raw {
        Raw::Number(match self {
            Accessor::F32(get) => f64::from(*get(of)),
            Accessor::F64(get) => *get(of),
            Accessor::U8(get) => f64::from(*get(of)),
            Accessor::U16(get) => f64::from(*get(of)),
            Accessor::U32(get) => f64::from(*get(of)),
            Accessor::I32(get) => f64::from(*get(of)),
            Accessor::Bool(get) => f64::from(u8::from(*get(of))),
            Accessor::Entity(get) => return Raw::Entity(*get(of)),
            Accessor::Text(_) => return Raw::Word(0),
        })
    }

    /// Reads a field of a kind: hands out its value, or each of a text's integers.
    #[inline]
    pub(crate) fn read(&self, of: &mut C, kind: &Kind, mut each: impl FnMut(Raw)) {
        if let Accessor::Text(get) = self {
            text_words(get(of), kind.words()).for_each(|word| each(Raw::Word(word)));
        } else {
            each(self.read_one(of));
        }
    }

    /// Rounds a real field or a turn to what the column can say, to the bits that a browser has. A
    /// real's step is a power of two here, so the column's multiplication does what a division
    /// does; a turn's is not.
    pub(crate) fn snap(&self, of: &mut C, column: &Column) {
        if let Accessor::F64(get) = self {
            let value = get(of);
            let q = match column.kind {
                Kind::Turn { .. } => column.kind.quantise(*value),
                _ => column.quantise(*value),
            };
            *value = column.kind.dequantise(q);
        }
    }

    /// Writes a field of a kind from its integers, which are in range. An entity is found by
    /// `entity`. False if a text is not UTF-8.
    pub(crate) fn write(
        &self,
        of: &mut C,
        kind: &Kind,
        words: &[i32],
        entity: impl FnOnce(Handle) -> Option<Entity>,
    ) -> bool {
        let q = words.first().copied().unwrap_or_default();
        let value = kind.dequantise(q);
        match self {
            Accessor::F32(get) => *get(of) = value as f32,
            Accessor::F64(get) => *get(of) = value,
            Accessor::U8(get) => *get(of) = value as u8,
            Accessor::U16(get) => *get(of) = value as u16,
            Accessor::U32(get) => *get(of) = value as u32,
            Accessor::I32(get) => *get(of) = value as i32,
            Accessor::Bool(get) => *get(of) = value != 0.0,
            Accessor::Entity(get) => *get(of) = Handle::from_field(q).and_then(entity),
            Accessor::Text(get) => match words_text(words) {
                Some(text) => *get(of) = text,
                None => return false,
            },
        }
        true
    }

    /// Whether a field of this kind can be behind it.
    pub(crate) fn suits(&self, kind: &Kind) -> bool {
        match self {
            Accessor::Entity(_) => matches!(kind, Kind::Entity),
            Accessor::Text(_) => matches!(kind, Kind::Text { .. }),
            _ => !matches!(kind, Kind::Entity | Kind::Text { .. }),
        }
    }

    pub(crate) fn is_f64(&self) -> bool {
        matches!(self, Accessor::F64(_))
    }
}

macro_rules! field_value {
    ($($type:ty => $variant:ident),* $(,)?) => {$(
        impl FieldValue for $type {
            fn accessor<C>(get: fn(&mut C) -> &mut Self) -> Accessor<C> {
                Accessor::$variant(get)
            }
        }
    )*};
}

field_value! {
    f32 => F32, f64 => F64, u8 => U8, u16 => U16, u32 => U32, i32 => I32, bool => Bool,
    Option<Entity> => Entity, String => Text,
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use bevy_ecs::prelude::*;

    use super::*;
    use crate::game::{Game, GameDef, Player, RoomOptions, Schema, range, turn};

    #[derive(Component)]
    struct Pose {
        heading: f64,
        x: f64,
    }

    struct Posing;

    impl Game for Posing {
        const NAME: &'static str = "posing";
        type Input = ();

        fn schema(s: &mut Schema<Self>) {
            s.component::<Pose>("pose", |k| {
                k.predicted_on_grid()
                    .field("heading", |p| &mut p.heading, turn(1024))
                    .field("x", |p| &mut p.x, range(0.0, 9.0).step(0.125))
            });
        }

        fn setup(_: &mut World, _: &mut Schedule, _: &RoomOptions) {}

        fn join(world: &mut World, _: &Player) -> Entity {
            world.spawn_empty().id()
        }
    }

    /// A browser divides by the step: in the middle between two values the product with its inverse
    /// may be on the other side.
    #[test]
    fn what_is_snapped_is_what_a_division_makes_it_also_in_the_middle_of_a_step() {
        let def = GameDef::<Posing>::new(30).expect("it is well declared");
        let columns = &def.layout.room.columns;
        let heading: Accessor<Pose> = f64::accessor(|pose: &mut Pose| &mut pose.heading);
        let x: Accessor<Pose> = f64::accessor(|pose: &mut Pose| &mut pose.x);
        let mut sides = 0;
        for middle in -2048..4096 {
            let middle = f64::from(middle) + 0.5;
            let (angle, place) = (middle * (TAU / 1024.0), middle / 512.0);
            let mut pose = Pose {
                heading: angle,
                x: place,
            };
            heading.snap(&mut pose, &columns[0]);
            x.snap(&mut pose, &columns[1]);
            for (column, from, to) in [(0, angle, pose.heading), (1, place, pose.x)] {
                let kind = &columns[column].kind;
                let divided = kind.dequantise(kind.quantise(from));
                assert_eq!(to.to_bits(), divided.to_bits(), "{from}");
                sides += u32::from(columns[column].quantise(from) != kind.quantise(from));
            }
        }
        assert!(sides > 0, "no middle where it matters");
    }
}
