//! A chat, as an example of a server without a game: rooms, a lobby, one to one, who is there and who
//! is writing, what was said before, lines that wait for who is away, and notices of one's own backend.
//! `cargo run --release --example chat`, then open the page twice. All of it is the server's and the
//! SDK's; a page is the rest.

use bevy_ecs::prelude::*;
use std::process::ExitCode;
use tickwire_server::game::{Game, Player, RoomOptions, Schema};
use tickwire_server::{Site, serve};

struct Chat;

impl Game for Chat {
    const NAME: &'static str = "chat";
    const SEATS_MAX: u16 = 50;
    /// Nobody steers anything.
    type Input = ();

    fn schema(_: &mut Schema<Chat>) {}

    fn setup(_: &mut World, _: &mut Schedule, _: &RoomOptions) {}

    fn join(world: &mut World, _: &Player) -> Entity {
        world.spawn_empty().id()
    }
}

fn main() -> ExitCode {
    let page = Site::new().with_file("/index.html", include_str!("index.html"));
    let page = page.with_file("/chat.css", include_str!("chat.css"));
    serve::<Chat>(page.with_file("/chat.js", include_str!("chat.js")))
}
