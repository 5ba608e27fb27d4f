//! Two games in one process: the arena, and the card table of `server/examples/cards`, which has a
//! tick rate of its own. `cargo run --release -p tickwire-arena --example arcade`; `/` lists them.

#[path = "../../examples/cards/game/mod.rs"]
mod cards;

use std::process::ExitCode;

use cards::Cards;
use tickwire_arena::Arena;
use tickwire_server::Games;
use tickwire_server::config::GameSettings;

fn main() -> ExitCode {
    let slow = GameSettings {
        tick_rate: Some(10),
        ..GameSettings::default()
    };
    Games::new()
        .game::<Arena>(tickwire_arena::page())
        .game_with::<Cards>(cards::page(), slow)
        .serve()
}
