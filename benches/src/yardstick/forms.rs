//! How a game may declare the recorded entities: the same body, other predictors. Each is a game
//! without rules, whose bodies are put where the recording says. Called by `crowd`.

use std::marker::PhantomData;

use bevy_ecs::prelude::*;
use tickwire_server::game::{Declaration, Game, Player, RoomOptions, Schema, int, range, turn};

use crate::motion::{HEADINGS, HEALTH_MAX, SIZE, STEP, State, VELOCITY_MAX, VELOCITY_STEP};

/// The mode that ships, with the predictor that a game of this motion would declare.
pub const WIRE: &str = "wire";
/// How positions are predicted in each form.
pub(super) const PREDICTOR: &str = "linear";
/// The reference work that times are taken in turn with: plain varint deltas.
pub const REFERENCE: &str = "varint";

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
    /// How many steps a position, a velocity and a heading may be off.
    const OFF: [u32; 3];
}

/// Velocities and headings follow from positions.
fn declare<F: Form>(body: Declaration<Body>) -> Declaration<Body> {
    let [position, velocity, heading] = F::OFF.map(f64::from);
    let along = || {
        range(0.0, SIZE)
            .step(STEP)
            .linear()
            .tolerance(position * STEP)
    };
    let speed = |of| {
        range(-VELOCITY_MAX, VELOCITY_MAX)
            .step(VELOCITY_STEP)
            .rate_of(of)
            .tolerance(velocity * VELOCITY_STEP)
    };
    let direction = std::f64::consts::TAU / f64::from(HEADINGS);
    let look = turn(HEADINGS)
        .bearing("x", "y")
        .tolerance(heading * direction);
    body.field("x", |b| &mut b.x, along())
        .field("y", |b| &mut b.y, along())
        .field("heading", |b| &mut b.heading, look)
        .field("vx", |b| &mut b.vx, speed("x"))
        .field("vy", |b| &mut b.vy, speed("y"))
        .field("health", |b| &mut b.health, int(0, HEALTH_MAX))
}

/// Positions to the step; heading and velocity follow from them to a step.
pub(super) struct Wire;

impl Form for Wire {
    const NAME: &'static str = WIRE;
    const OFF: [u32; 3] = [0, 1, 1];
}

/// Positions that may be a step off; their changes are then up to two more, and what follows from
/// these bears it.
pub(super) struct Tolerant;

impl Form for Tolerant {
    const NAME: &'static str = "tolerant";
    const OFF: [u32; 3] = [1, 3, 2];
}

/// All of it exact: a heading or velocity that is a step off what it follows is sent.
pub(super) struct Exact;

impl Form for Exact {
    const NAME: &'static str = "exact";
    const OFF: [u32; 3] = [0, 0, 0];
}

/// The game of a form. `npcs` of a room's options is the number of bodies.
pub(super) struct Moving<F>(PhantomData<fn() -> F>);

impl<F: Form> Game for Moving<F> {
    const NAME: &'static str = "moving";
    type Input = ();

    fn schema(schema: &mut Schema<Self>) {
        schema.component::<Body>("body", declare::<F>);
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
