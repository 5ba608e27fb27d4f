//! Reading and writing a field of a game's type as a number.

use bevy_ecs::prelude::Entity;

/// A type that a field may have: `f32`, `f64`, `u8`, `u16`, `u32`, `i32`, `bool`,
/// `Option<Entity>`.
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
}

impl<C> Clone for Accessor<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Accessor<C> {}

/// A field's value before it is quantised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Raw {
    Number(f64),
    Entity(Option<Entity>),
}

impl<C> Accessor<C> {
    pub(crate) fn read(&self, of: &mut C) -> Raw {
        Raw::Number(match self {
            Accessor::F32(get) => f64::from(*get(of)),
            Accessor::F64(get) => *get(of),
            Accessor::U8(get) => f64::from(*get(of)),
            Accessor::U16(get) => f64::from(*get(of)),
            Accessor::U32(get) => f64::from(*get(of)),
            Accessor::I32(get) => f64::from(*get(of)),
            Accessor::Bool(get) => f64::from(u8::from(*get(of))),
            Accessor::Entity(get) => return Raw::Entity(*get(of)),
        })
    }

    /// Writes an entity into a field that names one.
    pub(crate) fn write_entity(&self, of: &mut C, entity: Option<Entity>) {
        if let Accessor::Entity(get) = self {
            *get(of) = entity;
        }
    }

    /// Writes a number that is in the type's range; entities are not written.
    pub(crate) fn write(&self, of: &mut C, value: f64) {
        match self {
            Accessor::F32(get) => *get(of) = value as f32,
            Accessor::F64(get) => *get(of) = value,
            Accessor::U8(get) => *get(of) = value as u8,
            Accessor::U16(get) => *get(of) = value as u16,
            Accessor::U32(get) => *get(of) = value as u32,
            Accessor::I32(get) => *get(of) = value as i32,
            Accessor::Bool(get) => *get(of) = value != 0.0,
            Accessor::Entity(_) => {}
        }
    }

    pub(crate) fn is_entity(&self) -> bool {
        matches!(self, Accessor::Entity(_))
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
    Option<Entity> => Entity,
}
