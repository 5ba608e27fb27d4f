//! What whoever makes a room chooses for it, and what a player brings to one: fields that the game
//! declares, checked before a seat is taken. The lobby reads a peer's bytes by [`OptionsType`]; the
//! game asks [`Options::get`].

use std::any::{Any, type_name};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tickwire::ids::Handle;
use tickwire::schema::Field;

use super::record;
use crate::replication::value::Accessor;

/// Options that were chosen: packed, and as the value of the game's type that they are. Clones
/// share it. Two are equal if their bytes are.
#[derive(Clone, Default)]
pub struct Options(Option<Arc<Chosen>>);

struct Chosen {
    bytes: Box<[u8]>,
    /// `None`: read from a save, and not looked at yet.
    value: Option<Value>,
}

impl Options {
    /// The options, as [`super::Schema::room_options`] or [`super::Schema::player_options`]
    /// declares them. The type's default where none were chosen.
    ///
    /// # Panics
    /// When the game declares them as another type: a mistake of its author.
    pub fn get<T: Default + Clone + 'static>(&self) -> T {
        let chosen = self.0.as_deref().and_then(|chosen| chosen.value.as_deref());
        let Some(value) = chosen else {
            return T::default();
        };
        match value.downcast_ref::<T>() {
            Some(value) => value.clone(),
            None => panic!("options are not declared as {}", type_name::<T>()),
        }
    }

    /// Their packed fields; none where the game declares none, or none were chosen.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_deref().map_or(&[], |chosen| &chosen.bytes)
    }
}

impl PartialEq for Options {
    fn eq(&self, other: &Options) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Options {}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Options").field(&self.bytes()).finish()
    }
}

impl Serialize for Options {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.bytes().serialize(serializer)
    }
}

/// The bytes alone: what they say is for `OptionsType::read`.
impl<'de> Deserialize<'de> for Options {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Options, D::Error> {
        let bytes = Box::<[u8]>::deserialize(deserializer)?;
        let chosen = (!bytes.is_empty()).then(|| Arc::new(Chosen { bytes, value: None }));
        Ok(Options(chosen))
    }
}

/// What a game declares of a room's options, or of a player's.
#[derive(Default)]
pub(crate) struct OptionsType {
    /// Those of who chooses none.
    defaults: Options,
    declared: Option<Declared>,
}

/// A declared type, erased.
struct Declared {
    default: fn() -> Value,
    pack: Pack,
    unpack: Unpack,
}

type Value = Box<dyn Any + Send + Sync>;
/// The bytes of a value; `None`: it is of another type.
type Pack = Box<dyn Fn(&mut dyn Any) -> Option<Vec<u8>> + Send + Sync>;
/// The inverse; `None`: the bytes are no value of it.
type Unpack = Box<dyn Fn(&[u8]) -> Option<Value> + Send + Sync>;

impl OptionsType {
    /// Declares them. False: they were declared before.
    pub(super) fn declare<T: Default + Send + Sync + 'static>(
        &mut self,
        fields: Vec<Field>,
        accessors: Vec<Accessor<T>>,
    ) -> bool {
        let record = Arc::new((fields, accessors));
        let packed = record.clone();
        let declared = Declared {
            default: || Box::new(T::default()),
            pack: Box::new(move |value| {
                let (fields, accessors) = &*packed;
                let value = value.downcast_mut::<T>()?;
                Some(record::pack_value(value, accessors, fields, |_| {
                    Handle::NONE
                }))
            }),
            unpack: Box::new(move |bytes| {
                let (fields, accessors) = &*record;
                let value: T = record::unpack_value(bytes, accessors, fields)?;
                Some(Box::new(value))
            }),
        };
        self.declared.replace(declared).is_none()
    }

    /// What a peer's bytes choose, which may be nothing; `None` if they are not what is declared.
    pub(crate) fn read(&self, bytes: &[u8]) -> Option<Options> {
        if bytes.is_empty() {
            return Some(Options::default());
        }
        let value = Some((self.declared.as_ref()?.unpack)(bytes)?);
        let bytes = bytes.into();
        Some(Options(Some(Arc::new(Chosen { bytes, value }))))
    }

    /// Options with their value: the defaults where nothing was chosen, and what a save said is
    /// read; `None` if that is not what is declared.
    pub(crate) fn complete(&self, options: &Options) -> Option<Options> {
        match options.0.as_deref() {
            None => Some(self.defaults.clone()),
            Some(Chosen { value: Some(_), .. }) => Some(options.clone()),
            Some(Chosen { bytes, value: None }) => self.read(bytes),
        }
    }

    /// Options of a value, as its bytes say it.
    pub(super) fn of(&self, value: &mut dyn Any) -> Option<Options> {
        let bytes = (self.declared.as_ref()?.pack)(value)?;
        self.read(&bytes)
    }

    /// Once the fields were found sound.
    ///
    /// # Errors
    /// The default can't be said by them.
    pub(super) fn set_defaults(&mut self, of: &str) -> Result<(), String> {
        if let Some(declared) = &self.declared {
            let defaults = self.of((declared.default)().as_mut());
            self.defaults = defaults.ok_or_else(|| format!("{of}: the default is none of them"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bevy_ecs::prelude::*;

    use crate::game::{
        Declaration, Game, GameDef, Player, RoomOptions, Schema, Spec, entity, int, range, text,
    };

    #[derive(Clone, Debug, Default, PartialEq)]
    struct Kit {
        size: i32,
        weight: f64,
        name: String,
        target: Option<Entity>,
    }

    /// `CASE` tells what is wrong with its declaration; nothing with that of 0.
    struct Kits<const CASE: u8>;

    impl<const CASE: u8> Game for Kits<CASE> {
        const NAME: &'static str = "kits";
        type Input = ();

        fn schema(s: &mut Schema<Self>) {
            let size = if CASE == 1 { int(5, 5) } else { int(-3, 9) };
            let declare = |k: Declaration<Kit>| {
                k.field("size", |k| &mut k.size, size)
                    .field("weight", |k| &mut k.weight, range(0.0, 1.0).step(0.25))
                    .field("name", |k| &mut k.name, text(12))
            };
            s.player_options::<Kit>(|k| match CASE {
                2 => declare(k).field("target", |k| &mut k.target, entity()),
                3 => (0..17).fold(k, |k, n| k.field(&n.to_string(), |k| &mut k.name, text(16))),
                4 => k.field("name", |k| &mut k.name, int(0, 1)),
                5 => declare(k).durable(),
                _ => declare(k),
            });
            if CASE == 6 {
                s.player_options::<Kit>(|k| k);
            }
            let size: Spec = int(0, 1);
            if CASE == 7 {
                s.room_options::<Kit>(|k| {
                    k.field("size", |k| &mut k.size, size.clone()).field(
                        "size",
                        |k| &mut k.size,
                        size,
                    )
                });
            }
        }

        fn setup(_: &mut World, _: &mut Schedule, _: &RoomOptions) {}

        fn join(world: &mut World, _: &Player) -> Entity {
            world.spawn_empty().id()
        }
    }

    #[test]
    fn what_is_wrong_with_a_declaration_is_told_by_name() {
        let refused = [
            (
                GameDef::<Kits<1>>::new(30).err(),
                "player options",
                "\"size\"",
            ),
            (
                GameDef::<Kits<2>>::new(30).err(),
                "player options",
                "\"target\"",
            ),
            (
                GameDef::<Kits<3>>::new(30).err(),
                "player options",
                "272 bytes",
            ),
            (
                GameDef::<Kits<4>>::new(30).err(),
                "player options",
                "\"name\"",
            ),
            (
                GameDef::<Kits<5>>::new(30).err(),
                "player options",
                "durable",
            ),
            (GameDef::<Kits<6>>::new(30).err(), "player options", "twice"),
            (
                GameDef::<Kits<7>>::new(30).err(),
                "room options",
                "\"size\"",
            ),
        ];
        for (error, of, what) in refused {
            let error = error.expect("it is badly declared");
            assert!(error.contains(of) && error.contains(what), "{error}");
        }
    }

    #[test]
    fn options_are_what_their_bytes_say_and_the_defaults_without_any() {
        let game = GameDef::<Kits<0>>::new(30).expect("it is well declared");
        let kit = Kit {
            size: 4,
            weight: 0.3,
            name: "of all the best".into(),
            target: None,
        };
        let options = game.player_options(kit);
        let rounded = Kit {
            size: 4,
            weight: 0.25,
            name: "of all the b".into(),
            target: None,
        };
        assert_eq!(options.get::<Kit>(), rounded);
        let player = &game.options.player;
        let read = player
            .read(options.bytes())
            .expect("they are what is declared");
        assert_eq!((&read, read.get::<Kit>()), (&options, rounded));
        let none = player.read(&[]).expect("nothing was brought");
        assert_eq!((none.bytes(), none.get::<Kit>()), (&[][..], Kit::default()));
        let defaults = player.complete(&none).expect("there are defaults");
        // Zero is three steps above the least.
        assert_eq!(
            (defaults.bytes()[0] & 15, defaults.get::<Kit>()),
            (3, Kit::default())
        );
        assert!(game.options.room.read(&[0]).is_none(), "none are declared");
    }
}
