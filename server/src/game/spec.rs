//! How a field's declaration is written: `range(0., 1000.).step(0.01).linear()`.

use tickwire::schema::Kind;

/// A field's kind and predictor, as a game writes them.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    pub(super) kind: Kind,
    pub(super) guess: Guess,
    /// In the field's unit; `None` for what the predictor has by itself.
    pub(super) tolerance: Option<f64>,
}

/// A predictor before names and rates are resolved.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Guess {
    Hold,
    Linear,
    Velocity(String),
    Counter(i32),
    Bearing(String, String),
    Rate(String),
}

fn spec(kind: Kind) -> Spec {
    Spec {
        kind,
        guess: Guess::Hold,
        tolerance: None,
    }
}

/// A real number in `min..=max`, in steps of 0.01 unless [`Spec::step`] says otherwise.
pub fn range(min: f64, max: f64) -> Spec {
    spec(Kind::Real {
        min,
        max,
        step: 0.01,
    })
}

/// A whole number in `min..=max`.
pub fn int(min: i32, max: i32) -> Spec {
    spec(Kind::Int { min, max })
}

/// Any u32.
pub fn all() -> Spec {
    spec(Kind::Bits)
}

/// A boolean.
pub fn flag() -> Spec {
    spec(Kind::Bool)
}

/// An angle in radians that wraps around, in `steps` directions (a power of two, 2..=65536).
pub fn turn(steps: u32) -> Spec {
    spec(Kind::Turn { steps })
}

/// One of at most 256 names; the value is the index.
pub fn one_of(names: &[&str]) -> Spec {
    spec(Kind::Enum {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    })
}

/// Another entity, or none.
pub fn entity() -> Spec {
    spec(Kind::Entity)
}

/// A `String` of at most `bytes` bytes of UTF-8 (a multiple of 4, 4..=64); what is longer is cut.
/// It is the game's own: unlike names and chat it is not tidied, so what a player wrote into one
/// (in an action, say) may have hidden characters, which the game refuses or leaves out before it
/// shows it to others.
pub fn text(bytes: u8) -> Spec {
    spec(Kind::Text { bytes })
}

impl Spec {
    /// Distance between neighbouring values of a [`range`].
    pub fn step(mut self, step: f64) -> Spec {
        if let Kind::Real { step: of_range, .. } = &mut self.kind {
            *of_range = step;
        }
        self
    }

    /// Guess that it goes on as it last changed and bends as that change last bent: positions.
    pub fn linear(mut self) -> Spec {
        self.guess = Guess::Linear;
        self
    }

    /// Guess that it moves by another field of the component, in units a second.
    pub fn velocity(mut self, field: &str) -> Spec {
        self.guess = Guess::Velocity(field.to_owned());
        self
    }

    /// Guess that a [`turn`] is the direction in which `x` and `y` last changed, which are declared
    /// before it and [`Spec::linear`]: the heading of what looks where it goes.
    pub fn bearing(mut self, x: &str, y: &str) -> Spec {
        self.guess = Guess::Bearing(x.to_owned(), y.to_owned());
        self
    }

    /// Guess that it is how fast `field` changes, in units a second: a velocity beside its
    /// position, which is declared before it and [`Spec::linear`].
    pub fn rate_of(mut self, field: &str) -> Spec {
        self.guess = Guess::Rate(field.to_owned());
        self
    }

    /// Lets clients hold a value that is off by up to `error`, in the field's unit, where that
    /// saves bytes: the guess is taken for the value. Errors don't add up. One step unless told for
    /// [`Spec::bearing`] and [`Spec::rate_of`], so that they cost nothing while they follow; none
    /// for the others. Not for what a player predicts: they get it exactly, and everyone does where
    /// that is on its grid ([`super::Declaration::predicted_on_grid`]). For numbers and turns of
    /// components.
    pub fn tolerance(mut self, error: f64) -> Spec {
        self.tolerance = Some(error);
        self
    }

    /// Guess that it rises by `per_tick` steps every tick: timers, stamps.
    pub fn counter(mut self, per_tick: i32) -> Spec {
        self.guess = Guess::Counter(per_tick);
        self
    }
}

#[cfg(test)]
mod tests {
    use bevy_ecs::prelude::*;

    use super::*;
    use crate::game::{Game, GameDef, Player, RoomOptions, Schema};

    #[derive(Component)]
    struct Body {
        x: f64,
        vx: f64,
        on: bool,
    }

    #[derive(Resource)]
    struct Clock {
        ticks: u32,
    }

    /// `CASE` tells what is wrong with its declaration; nothing with that of 0.
    struct Odd<const CASE: u8>;

    impl<const CASE: u8> Game for Odd<CASE> {
        const NAME: &'static str = "odd";
        type Input = ();

        fn schema(s: &mut Schema<Self>) {
            s.room::<Clock>("clock", |k| k.field("ticks", |c| &mut c.ticks, all()));
            let x = range(0.0, 10.0).linear();
            let x = if CASE == 1 {
                x.tolerance(-1.0)
            } else {
                x.tolerance(0.02)
            };
            let vx = range(-5.0, 5.0).rate_of(if CASE == 2 { "y" } else { "x" });
            let on = if CASE == 3 {
                flag().tolerance(1.0)
            } else {
                flag()
            };
            s.component::<Body>("body", |k| {
                let k = if CASE == 4 { k.predicted_on_grid() } else { k };
                k.field("x", |b| &mut b.x, x)
                    .field("vx", |b| &mut b.vx, vx)
                    .field("on", |b| &mut b.on, on)
            });
        }

        fn setup(_: &mut World, _: &mut Schedule, _: &RoomOptions) {}

        fn join(world: &mut World, _: &Player) -> Entity {
            world.spawn_empty().id()
        }
    }

    #[test]
    fn tolerances_come_in_steps_and_followers_bear_one() {
        let def = GameDef::<Odd<0>>::new(30).expect("it is well declared");
        // Behind the clock's column.
        let of = |column: usize| def.layout.room.columns[column + 1].tolerance;
        assert_eq!((of(0), of(3), of(4)), (2, 1, 0));
        let told = tickwire::snapshot::layout::Layout::new(&def.schema, &def.tables)
            .expect("the schema is sound");
        assert!(told.room.columns.iter().all(|column| column.tolerance == 0));
    }

    #[test]
    fn what_can_not_be_borne_or_followed_is_refused_by_name() {
        let refused = [
            (GameDef::<Odd<1>>::new(30).err(), "\"x\""),
            (GameDef::<Odd<2>>::new(30).err(), "\"vx\""),
            (GameDef::<Odd<3>>::new(30).err(), "\"on\""),
            (GameDef::<Odd<4>>::new(30).err(), "\"x\""),
        ];
        for (error, field) in refused {
            let error = error.expect("it is badly declared");
            assert!(
                error.contains("\"body\"") && error.contains(field),
                "{error}"
            );
        }
    }
}
