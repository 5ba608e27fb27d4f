//! A card table, as an example of a game in which nothing moves: private hands, turns against a
//! clock, requests that are answered. `cargo run --release --example cards`, then open the page
//! twice.
//!
//! The rules are those of Crazy Eights: play a card of the suit or the rank on the pile, or draw
//! one; an eight fits always and names the suit that goes on. Who has no card left wins.

mod game;

use std::process::ExitCode;

use game::Cards;
use tickwire_server::serve;

fn main() -> ExitCode {
    serve::<Cards>(game::page())
}
