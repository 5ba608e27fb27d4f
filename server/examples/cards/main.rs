//! A card table, as an example of a game in which nothing moves: private hands, turns against a
//! clock, requests that are answered. `cargo run --release --example cards`, then open the page
//! twice.
//!
//! The rules are those of Crazy Eights: play a card of the suit or the rank on the pile, or draw
//! one; an eight fits always and names the suit that goes on. Who has no card left wins.
//! `rules` is what players may do, `rounds` what time does, `deck` and `table` what there is.

mod deck;
mod rounds;
mod rules;
mod table;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use bevy_ecs::prelude::*;
use tickwire_server::game::{Game, Player, RoomOptions, Schema};
use tickwire_server::{Site, serve};

use deck::Deck;
use table::{Face, Seat, Table};

/// The game.
struct Cards;

impl Game for Cards {
    const NAME: &'static str = "cards";
    /// Eight play, four may wait for the next round.
    const SEATS_MAX: u16 = 12;
    /// Nobody steers anything: players act.
    type Input = ();

    fn schema(schema: &mut Schema<Cards>) {
        table::declare(schema);
        schema
            .action("play", rules::Play::fields, rules::play)
            .action("draw", |k| k, rules::draw)
            .saved::<Table>()
            .saved::<Deck>()
            .saved::<Seat>()
            .saved::<Face>();
    }

    fn setup(world: &mut World, systems: &mut Schedule, _: &RoomOptions) {
        world.init_resource::<Table>();
        world.init_resource::<Deck>();
        systems.add_systems(rounds::keep_time);
    }

    fn join(world: &mut World, who: &Player) -> Entity {
        let number = world.resource_mut::<Table>().next_number();
        world.spawn(Seat::new(who.id, number)).id()
    }

    fn dropped(world: &mut World, _: &Player, seat: Entity) {
        rules::set_away(world, seat, true);
    }

    fn resumed(world: &mut World, _: &Player, seat: Entity) {
        rules::set_away(world, seat, false);
    }

    fn leave(world: &mut World, _: &Player, seat: Entity) {
        rules::clear_hand(world, seat);
        world.despawn(seat);
    }
}

fn main() -> ExitCode {
    serve::<Cards>(
        Site::new()
            .with_file("/index.html", include_str!("index.html"))
            .with_file("/cards.css", include_str!("cards.css"))
            .with_file("/cards.js", include_str!("cards.js")),
    )
}
