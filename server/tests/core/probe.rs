//! A game that does what its players order, the harmful included.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use bevy_ecs::prelude::*;
use tickwire_server::game::{Closing, Game, Input, Player, RoomOptions, Schema, all, int};

/// A game that does what its players' inputs say, the harmful included.
pub(crate) struct Probe;

/// What a player may ask of [`Probe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Nothing.
    Rest = 0,
    /// A system panics.
    Panic = 1,
    /// A component panics when the world is dropped; a system panics too.
    PanicTwice = 2,
    /// The world takes long for one tick.
    Dawdle = 3,
    /// The world stands still until [`GATE`] is open. Only one test may close it.
    Wait = 4,
}

/// What [`Deed::Wait`] waits for.
pub(crate) static GATE: Gate = Gate(Mutex::new(true), Condvar::new());

pub(crate) struct Gate(Mutex<bool>, Condvar);

impl Gate {
    pub(crate) fn set(&self, open: bool) {
        *self.0.lock().unwrap() = open;
        self.1.notify_all();
    }

    fn pass(&self) {
        let open = self.0.lock().unwrap();
        drop(self.1.wait_while(open, |open| !*open).unwrap());
    }
}

/// Rooms that closed, by name, and why.
pub(crate) static CLOSED: Mutex<Vec<(String, Closing)>> = Mutex::new(Vec::new());

/// The room's name, for [`CLOSED`].
#[derive(Resource)]
struct Name(String);

/// What [`Deed::Dawdle`] takes.
pub(crate) const DAWDLE: Duration = Duration::from_millis(200);

/// What a player sends.
#[derive(Default, Clone)]
pub(crate) struct Order {
    deed: i32,
}

/// Changes every tick in a way that no predictor guesses.
#[derive(Component)]
struct Noise {
    value: u32,
}

#[derive(Component)]
struct Mine;

impl Drop for Mine {
    fn drop(&mut self) {
        panic!("a world that does not go quietly");
    }
}

impl Game for Probe {
    const NAME: &'static str = "probe";
    type Input = Order;

    fn schema(s: &mut Schema<Self>) {
        declare(s);
    }

    fn setup(world: &mut World, systems: &mut Schedule, room: &RoomOptions) {
        assert_ne!(room.name, "a room that can't be made", "asked to fail");
        for value in 0..u32::from(room.npcs) {
            world.spawn(Noise { value });
        }
        world.insert_resource(Name(room.name.clone()));
        systems.add_systems((make_noise, obey));
    }

    fn join(world: &mut World, who: &Player) -> Entity {
        assert_ne!(who.name, "nobody may join", "asked to fail");
        world.spawn(Noise { value: 0 }).id()
    }

    fn closing(world: &mut World, why: Closing) {
        let name = world.resource::<Name>().0.clone();
        CLOSED.lock().unwrap().push((name, why));
    }
}

/// [`Probe`]'s schema, also of a game that is like it but for the name.
pub(crate) fn declare<G: Game<Input = Order>>(s: &mut Schema<G>) {
    s.component::<Noise>("noise", |k| k.field("value", |n| &mut n.value, all()));
    s.input(|k| k.field("deed", |o| &mut o.deed, int(0, 4)));
}

fn make_noise(mut all: Query<&mut Noise>) {
    for mut noise in &mut all {
        noise.value = noise
            .value
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
    }
}

fn obey(mut commands: Commands, orders: Query<&Input<Order>>) {
    for order in &orders {
        match order.now.deed {
            1 => panic!("as ordered"),
            2 => {
                commands.queue(|world: &mut World| {
                    world.spawn(Mine);
                    panic!("as ordered, with more to come");
                });
            }
            3 => std::thread::sleep(DAWDLE),
            4 => GATE.pass(),
            _ => {}
        }
    }
}
