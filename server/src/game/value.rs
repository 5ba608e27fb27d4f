//! Reading and writing a field of a game's type as a number.

use bevy_ecs::prelude::Entity;
use tickwire::ids::Handle;
use tickwire::schema::{Column, Kind, text_words, words_text};

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
#[derive(Clone, Copy, Debug, PartialEq)]
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

    /// Rounds a real field or a turn to what the column can say.
    pub(crate) fn snap(&self, of: &mut C, column: &Column) {
        if let Accessor::F64(get) = self {
            let value = get(of);
            *value = column.kind.dequantise(column.quantise(*value));
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
