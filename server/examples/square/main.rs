//! A square for each player: `cargo run --release --example square`, then the arrow keys.

use bevy_ecs::prelude::*;
use std::process::ExitCode;
use tickwire_server::game::{Axes, Game, Input, Player, RoomOptions, Schema, Tick, range};
use tickwire_server::{Site, serve};

#[derive(Component)]
struct Pos {
    x: f64,
    y: f64,
}

struct Square;

impl Game for Square {
    const NAME: &'static str = "square";
    type Input = Axes;

    fn schema(s: &mut Schema<Self>) {
        s.axes().component::<Pos>("pos", |k| {
            k.predicted()
                .field("x", |p| &mut p.x, range(0., 960.).linear())
                .field("y", |p| &mut p.y, range(0., 960.).linear())
        });
    }

    fn setup(_: &mut World, systems: &mut Schedule, _: &RoomOptions) {
        systems.add_systems(move_squares);
    }

    fn join(world: &mut World, _: &Player) -> Entity {
        world.spawn(Pos { x: 480., y: 480. }).id()
    }
}

fn move_squares(tick: Res<Tick>, mut squares: Query<(&mut Pos, &Input<Axes>)>) {
    for (mut pos, input) in &mut squares {
        pos.x += input.now.dx * 300. * tick.dt;
        pos.y += input.now.dy * 300. * tick.dt;
    }
}

fn main() -> ExitCode {
    let page = Site::new().with_file("/index.html", include_str!("index.html"));
    let page = page.with_file("/square.css", include_str!("square.css"));
    serve::<Square>(page.with_file("/square.js", include_str!("square.js")))
}
