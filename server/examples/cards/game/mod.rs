//! The game: what is declared and what becomes of players. `rules` is what they may do, `rounds`
//! what time does, `deck` and `table` what there is. In a folder of its own, so that a process with
//! other games can have it too (`server/arena/examples/arcade.rs`).

mod deck;
mod rounds;
mod rules;
mod table;
#[cfg(test)]
mod tests;

use bevy_ecs::prelude::*;
use tickwire_server::Site;
use tickwire_server::game::{Game, Player, RoomOptions, Schema};

use deck::Deck;
use table::{Face, Seat, Sign, Table};

/// The game.
pub(crate) struct Cards;

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
            .action_with_answer("draw", |k| k, rules::Drawn::fields, rules::draw)
            .saved::<Table>()
            .saved::<Sign>()
            .saved::<Deck>()
            .saved::<Seat>()
            .saved::<Face>();
    }

    fn setup(world: &mut World, systems: &mut Schedule, _: &RoomOptions) {
        world.init_resource::<Table>();
        world.init_resource::<Sign>();
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

/// Its page.
pub(crate) fn page() -> Site {
    Site::new()
        .with_file("/index.html", include_str!("../page/index.html"))
        .with_file("/cards.css", include_str!("../page/cards.css"))
        .with_file("/cards.js", include_str!("../page/cards.js"))
}
