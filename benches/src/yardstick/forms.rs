//! How a game may declare the recorded entities: the same body, other predictors. Each is a game
//! without rules, whose bodies are put where the recording says. Called by `crowd`.

use std::marker::PhantomData;

use bevy_ecs::prelude::*;
use tickwire_server::game::{
    Declaration, Game, Player, RoomOptions, Schema, Spec, int, range, turn,
};

use crate::motion::{HEADINGS, HEALTH_MAX, SIZE, STEP, State, VELOCITY_MAX, VELOCITY_STEP};

/// A recorded entity in the world.
#[derive(Component, Default)]
pub(super) struct Body {
    x: f64,
    y: f64,
    heading: f64,
    vx: f64,
    vy: f64,
    health: u8,
}

impl Body {
    /// What capture rounds to the state.
    pub(super) fn new(state: &State) -> Body {
        Body {
            x: f64::from(state.x) * STEP,
            y: f64::from(state.y) * STEP,
            heading: f64::from(state.heading) * (std::f64::consts::TAU / f64::from(HEADINGS)),
            vx: f64::from(state.vx) * VELOCITY_STEP,
            vy: f64::from(state.vy) * VELOCITY_STEP,
            health: state.health as u8,
        }
    }
}

/// Which entity of the recording it is.
#[derive(Component)]
pub(super) struct Number(pub(super) usize);

/// A way to declare the body.
pub(super) trait Form: Send + Sync + 'static {
    /// Its name in tables.
    const NAME: &'static str;
    /// How its positions are predicted.
    const PREDICTOR: &'static str;
    fn declare(body: Declaration<Body>) -> Declaration<Body>;
}

fn position(body: Declaration<Body>, guess: fn(Spec) -> Spec) -> Declaration<Body> {
    let along = || guess(range(0.0, SIZE).step(STEP));
    body.field("x", |b| &mut b.x, along())
        .field("y", |b| &mut b.y, along())
        .field("heading", |b| &mut b.heading, turn(HEADINGS).linear())
        .field("health", |b| &mut b.health, int(0, HEALTH_MAX))
}

/// Goes on as it last changed; the receiver derives the velocity.
pub(super) struct Linear;

impl Form for Linear {
    const NAME: &'static str = "linear";
    const PREDICTOR: &'static str = "linear";

    fn declare(body: Declaration<Body>) -> Declaration<Body> {
        position(body, Spec::linear)
    }
}

/// The same, turned as the heading turns.
pub(super) struct Rotating;

impl Form for Rotating {
    const NAME: &'static str = "rotating";
    const PREDICTOR: &'static str = "rotating";

    fn declare(body: Declaration<Body>) -> Declaration<Body> {
        position(body, |spec| spec.rotating("x", "y", "heading"))
    }
}

/// As [`Linear`], with the velocity sent beside the position.
pub(super) struct WithVelocity;

impl Form for WithVelocity {
    const NAME: &'static str = "with-velocity";
    const PREDICTOR: &'static str = "linear";

    fn declare(body: Declaration<Body>) -> Declaration<Body> {
        let speed = || {
            range(-VELOCITY_MAX, VELOCITY_MAX)
                .step(VELOCITY_STEP)
                .linear()
        };
        Linear::declare(body)
            .field("vx", |b| &mut b.vx, speed())
            .field("vy", |b| &mut b.vy, speed())
    }
}

/// The game of a form. `npcs` of a room's options is the number of bodies.
pub(super) struct Moving<F>(PhantomData<fn() -> F>);

impl<F: Form> Game for Moving<F> {
    const NAME: &'static str = "moving";
    type Input = ();

    fn schema(schema: &mut Schema<Self>) {
        schema.component::<Body>("body", F::declare);
    }

    fn setup(world: &mut World, _systems: &mut Schedule, room: &RoomOptions) {
        for _ in 0..room.npcs {
            world.spawn(Body::default());
        }
    }

    /// Who joins only watches.
    fn join(world: &mut World, _who: &Player) -> Entity {
        world.spawn_empty().id()
    }
}
