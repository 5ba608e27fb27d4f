//! Tickwire's server: a `bevy_ecs` world per room, ticked at a fixed rate, on WebSockets.
//!
//! A program brings a [`game::Game`] and its page, and calls [`serve`]; sockets, rooms, snapshots
//! and limits are the engine's. This page builds a game step by step. Its whole is
//! `server/examples/square`; `server/examples/cards` is a game in which nothing moves, and
//! `server/examples/chat` a chat without a game.
//!
//! # 1. What there is
//!
//! A game's things are plain components; nothing marks them as replicated, so those of other
//! crates will do. Fields that travel are numbers, booleans, `String` or `Option<Entity>`
//! ([`game::FieldValue`]).
//!
//! ```
//! use bevy_ecs::prelude::*;
//!
//! #[derive(Component)]
//! struct Pos { x: f64, y: f64 }
//!
//! /// What only its owner may know.
//! #[derive(Component)]
//! struct Purse { coins: u32 }
//!
//! /// What is the room's.
//! #[derive(Resource, Default)]
//! struct Round { number: u32, ends: u32 }
//! ```
//!
//! # 2. What travels
//!
//! [`game::Game`] is the one trait to implement. Its `schema` says which fields travel, in which
//! range and step, and to whom; `setup` fills a new room's world, `join` makes what a player
//! steers.
//!
//! ```
//! # use bevy_ecs::prelude::*;
//! use tickwire_server::game::{Axes, Game, GameDef, Player, RoomOptions, Schema};
//! use tickwire_server::game::{all, int, range};
//! # #[derive(Component)] struct Pos { x: f64, y: f64 }
//! # #[derive(Component)] struct Purse { coins: u32 }
//! # #[derive(Resource, Default)] struct Round { number: u32, ends: u32 }
//!
//! struct Square;
//!
//! impl Game for Square {
//!     const NAME: &'static str = "square";
//!     type Input = Axes;
//!
//!     fn schema(s: &mut Schema<Self>) {
//!         s.axes();
//!         s.component::<Pos>("pos", |k| {
//!             k.predicted()
//!                 .field("x", |p| &mut p.x, range(0., 1000.).step(0.01).linear())
//!                 .field("y", |p| &mut p.y, range(0., 1000.).step(0.01).linear())
//!         });
//!         s.component::<Purse>("purse", |k| {
//!             k.owner_only().field("coins", |p| &mut p.coins, int(0, 999))
//!         });
//!         s.room::<Round>("round", |k| {
//!             k.field("number", |r| &mut r.number, all()).field("ends", |r| &mut r.ends, all())
//!         });
//!     }
//!
//!     fn setup(world: &mut World, systems: &mut Schedule, room: &RoomOptions) {
//!         world.init_resource::<Round>();
//!         // systems.add_systems(...): the next step.
//!     }
//!
//!     fn join(world: &mut World, who: &Player) -> Entity {
//!         world.spawn((Pos { x: 500., y: 500. }, Purse { coins: 3 })).id()
//!     }
//! }
//!
//! assert!(GameDef::<Square>::new(30).is_ok());
//! ```
//!
//! - A field is sent as the integer of its step: [`game::range`], [`game::int`], [`game::all`],
//!   [`game::flag`], [`game::turn`], [`game::one_of`], [`game::text`], [`game::entity`].
//! - What moves says how: [`game::Spec::linear`], [`game::Spec::velocity`],
//!   [`game::Spec::bearing`], [`game::Spec::rate_of`] or
//!   [`game::Spec::counter`]. A good guess costs next to no bytes; a bad one costs some, and
//!   clients see the same.
//! - A component is everyone's, or `owner_only()`, or `team_only()`. An entity is the player's
//!   whose number its [`game::Owner`] has; the engine gives it to what `join` returns.
//! - `predicted()` components are stepped by their owner's browser before the server answers. Their
//!   real fields are `f64`, and rounded to 1/1024 after each tick on both sides; the owner is sent
//!   them in these steps. Where the declared steps do for that too (powers of two, and nothing
//!   moves by less than half of one in a tick), `predicted_on_grid()` rounds to those, and saves
//!   the owner's copy: see [`game::Declaration::predicted_on_grid`].
//!
//! A declaration that can't be played ends the program at start, and names what is wrong:
//!
//! ```
//! # use bevy_ecs::prelude::*;
//! # use tickwire_server::game::{Axes, Game, GameDef, Player, RoomOptions, Schema, range};
//! # #[derive(Component)] struct Pos { x: f64 }
//! # struct Square;
//! # impl Game for Square {
//! #     const NAME: &'static str = "square";
//! #     type Input = Axes;
//! #     fn schema(s: &mut Schema<Self>) {
//! s.component::<Pos>("pos", |k| k.field("x", |p| &mut p.x, range(5., 5.)));
//! #     }
//! #     fn setup(_: &mut World, _: &mut Schedule, _: &RoomOptions) {}
//! #     fn join(world: &mut World, _: &Player) -> Entity { world.spawn_empty().id() }
//! # }
//! let error = GameDef::<Square>::new(30).err();
//! assert_eq!(error.as_deref(), Some(r#"component "pos", field "x": its range is empty"#));
//! ```
//!
//! # 3. What happens in a tick
//!
//! Systems are `bevy_ecs`'s, run by one thread; `.chain()` orders them. Each tick has every
//! player's [`game::Input`], checked and in range. One that is missing repeats the last, up to ten
//! times in a row; then it is neutral, `Default::default()`. Its `view` is the moment that the
//! player saw the others at; a [`game::Rewind`] tells what that was like, so that who aims well
//! hits at any round trip up to 150 ms. [`game::Tick`] is the only clock and [`game::RoomRng`] the
//! only chance, so the same joins and inputs make the same room again. A room in which nobody has
//! sent anything for a while is simulated once a second, and the tick's number rises by a second's
//! worth then; a world that must go on by itself says `SLOWS_WHEN_IDLE: bool = false`. A system
//! needs no server to be tested:
//!
//! ```
//! # use bevy_ecs::prelude::*;
//! # use tickwire_server::game::{Axes, Input, Tick};
//! # #[derive(Component)] struct Pos { x: f64, y: f64 }
//! fn move_squares(tick: Res<Tick>, mut squares: Query<(&mut Pos, &Input<Axes>)>) {
//!     for (mut pos, input) in &mut squares {
//!         pos.x += input.now.dx * 300. * tick.dt;
//!         pos.y += input.now.dy * 300. * tick.dt;
//!     }
//! }
//!
//! let mut world = World::new();
//! world.insert_resource(Tick { number: 1, dt: 0.1 });
//! let input = Input { now: Axes { dx: 1., dy: 0. }, ..Input::default() };
//! let square = world.spawn((Pos { x: 500., y: 500. }, input)).id();
//! world.run_system_cached(move_squares).expect("its resources are there");
//! assert_eq!(world.get::<Pos>(square).map(|pos| pos.x), Some(530.));
//! ```
//!
//! Resources are entities in `bevy_ecs` 0.20, the engine's in the room's world too: a
//! `Query<Entity>` finds them. A game that clears its world despawns what has a marker of its own,
//! or what is no resource. One that despawns the rest as well fails its room, which closes with
//! 4500 and says so in the log:
//!
//! ```
//! # use bevy_ecs::prelude::*;
//! use bevy_ecs::resource::IsResource;
//!
//! # #[derive(Resource)] struct Round;
//! fn clear_the_room(mut commands: Commands, all: Query<Entity, Without<IsResource>>) {
//!     all.iter().for_each(|entity| commands.entity(entity).despawn());
//! }
//! # let mut world = World::new();
//! # world.insert_resource(Round);
//! # let thing = world.spawn_empty().id();
//! # world.run_system_cached(clear_the_room).expect("its resources are there");
//! # assert!(world.get_entity(thing).is_err() && world.contains_resource::<Round>());
//! ```
//!
//! # 4. What becomes of players
//!
//! [`game::Player::id`] is a player's number in the room while they have their seat: what
//! [`game::Owner`], [`game::To`] and the roster say. The next who comes has another one, and what
//! still has a number for its owner after its player's `leave` becomes nobody's. What is to outlast
//! a seat, a score or a deck, is kept by [`game::Player::identity`], which is the same on another
//! day and device. A name is neither: two players may have the same.
//!
//! Entities are the game's, but what the engine adds to them is not copied with them: a clone of an
//! avatar is another entity, which nobody owns and nobody steers. At most 4,096 entities of a room
//! are shown. Of those one for each seat is kept for avatars, so that who comes late is seen
//! however much there is.
//!
//! Beside the tick a room's life is: `setup`, with the options that it was made with; `join` and
//! `leave` for each player; and [`game::Game::closing`], when it is closed because nobody is there
//! or the server stops. Rounds are the game's own: a field of the room's state, and an event when
//! one is over.
//!
//! A player whose connection is lost keeps seat and entity for a while (`--resume-grace`, 30 s),
//! and the SDK takes them again by itself, after a reload of the page too; so does who joins the
//! room anew as the same person, on another device. Who is lost before they sent anything in the
//! room has left. Between [`game::Game::dropped`] and [`game::Game::resumed`] their input is
//! neutral; if they don't come back, `leave` follows. A game that does nothing about it is a game
//! that waits for them:
//!
//! ```
//! # use bevy_ecs::prelude::*;
//! # use tickwire_server::game::{Axes, Game, Player, RoomOptions, Schema};
//! # #[derive(Component)] struct Pos { x: f64, y: f64 }
//! /// What nothing can hurt.
//! #[derive(Component)]
//! struct Ghost;
//!
//! # struct Square;
//! impl Game for Square {
//!     // ...
//! #     const NAME: &'static str = "square";
//! #     type Input = Axes;
//! #     fn schema(_: &mut Schema<Self>) {}
//! #     fn setup(_: &mut World, _: &mut Schedule, _: &RoomOptions) {}
//! #     fn join(world: &mut World, _: &Player) -> Entity { world.spawn_empty().id() }
//!     fn dropped(world: &mut World, _: &Player, square: Entity) {
//!         world.entity_mut(square).insert(Ghost);
//!     }
//!
//!     fn resumed(world: &mut World, _: &Player, square: Entity) {
//!         world.entity_mut(square).remove::<Ghost>();
//!     }
//! }
//! ```
//!
//! Who looks on without a seat, a spectator, is no player: there is no `join` and no entity, and no
//! member among the [`game::Roster`]'s, which has their numbers apart. They are sent what is
//! everyone's, state and events, and go when the last player has gone. How many a room takes is the
//! operator's (`--max-spectators`).
//!
//! **Options** are what is chosen before: a room's by whoever makes it (a mode, a map), a player's
//! by whoever comes (a colour). They are declared like any fields, checked before a seat is taken,
//! and of `T::default()` where nothing was chosen. A room tells lists of itself by **metadata**, a
//! resource that is declared too, and lets nobody new in while it is [locked](game::Out::lock).
//!
//! ```
//! # use bevy_ecs::prelude::*;
//! # use tickwire_server::game::{Game, GameDef};
//! use tickwire_server::game::{Player, RoomOptions, Schema, int, one_of};
//!
//! /// Chosen by whoever makes a room.
//! #[derive(Default, Clone)]
//! struct Mode { mode: u8 }
//!
//! /// Brought by a player.
//! #[derive(Default, Clone)]
//! struct Look { colour: u8 }
//!
//! /// Told in lists.
//! #[derive(Resource)]
//! struct Told { mode: u8, level: i32 }
//!
//! #[derive(Component)]
//! struct Painted(u8);
//!
//! # struct Square;
//! impl Game for Square {
//!     // ...
//! #     const NAME: &'static str = "square";
//! #     type Input = ();
//!     fn schema(s: &mut Schema<Self>) {
//!         let modes = || one_of(&["alone", "teams"]);
//!         s.room_options::<Mode>(|k| k.field("mode", |m| &mut m.mode, modes()));
//!         s.player_options::<Look>(|k| k.field("colour", |l| &mut l.colour, int(0, 7)));
//!         s.metadata::<Told>(|k| {
//!             k.field("mode", |t| &mut t.mode, modes()).field("level", |t| &mut t.level, int(1, 99))
//!         });
//!     }
//!
//!     fn setup(world: &mut World, _: &mut Schedule, room: &RoomOptions) {
//!         let mode = room.options.get::<Mode>().mode;
//!         world.insert_resource(Told { mode, level: 1 });
//!     }
//!
//!     fn join(world: &mut World, who: &Player) -> Entity {
//!         world.spawn(Painted(who.options.get::<Look>().colour)).id()
//!     }
//! }
//! # GameDef::<Square>::new(30).unwrap();
//! ```
//!
//! # 5. What is said
//!
//! **Events** go to all, to all but one, to one, or to a team, with the tick that they happened in.
//! They are for the moment, unless they are declared [`durable()`](game::Declaration::durable), as
//! a goal or a round's result should be: then who fell behind, lost the connection or joins later
//! is told too, once and in order, of the last 64. **Actions** are requests: they run between two
//! ticks, and their `Err` is the player's answer; one that has more to say declares its answer's
//! fields ([`Schema::action_with_answer`](game::Schema::action_with_answer)).
//! [`Out::kick`](game::Out::kick) sends a player away, whom the room then keeps out for ten
//! minutes.
//!
//! ```
//! # use bevy_ecs::prelude::*;
//! # use tickwire_server::game::{Axes, Game, GameDef, RoomOptions};
//! use tickwire_server::game::{Out, Player, Schema, To, all, entity, int, text};
//! # #[derive(Component)] struct Purse { coins: u32 }
//!
//! /// An event: somebody is richer.
//! struct Paid { who: Option<Entity> }
//!
//! /// A durable event: a round is over.
//! struct Won { round: u32, name: String }
//!
//! /// An action: coins for another player.
//! #[derive(Default)]
//! struct Pay { to: Option<Entity>, coins: u32 }
//!
//! fn pay(world: &mut World, by: &Player, pay: Pay) -> Result<(), String> {
//!     let to = pay.to.filter(|&to| world.get::<Purse>(to).is_some());
//!     let to = to.ok_or("there is nobody to pay")?;
//!     // ... takes the coins from `by`, or says that there are too few.
//!     world.resource_mut::<Out>().send(To::All, Paid { who: Some(to) });
//!     Ok(())
//! }
//!
//! fn declare<G: Game>(s: &mut Schema<G>) {
//!     s.event::<Paid>("paid", |k| k.field("who", |e| &mut e.who, entity()));
//!     s.event::<Won>("won", |k| {
//!         k.durable().field("round", |e| &mut e.round, all()).field("name", |e| &mut e.name, text(32))
//!     });
//!     let fields = |k: tickwire_server::game::Declaration<Pay>| {
//!         k.field("to", |p| &mut p.to, entity()).field("coins", |p| &mut p.coins, int(1, 9))
//!     };
//!     s.action("pay", fields, pay);
//! }
//! # struct Square;
//! # impl Game for Square {
//! #     const NAME: &'static str = "square";
//! #     type Input = Axes;
//! #     fn schema(s: &mut Schema<Self>) { declare(s) }
//! #     fn setup(_: &mut World, _: &mut Schedule, _: &RoomOptions) {}
//! #     fn join(world: &mut World, _: &Player) -> Entity { world.spawn_empty().id() }
//! # }
//! # assert!(GameDef::<Square>::new(30).is_ok());
//! ```
//!
//! Names and chat are tidied by the engine: what is hidden or turns the text around it is left out.
//! A field of the kind [`text`](game::text) and a payload are the game's own and come as they were
//! sent.
//!
//! # 6. The program
//!
//! [`serve`] is the rest of it: flags, logs, signals, HTTP. The page's files are in the binary; the
//! browser's SDK is served beside them under `/client/`. Paths that are relative to the page work
//! behind a proxy that puts the server at a path of its own, too.
//!
//! ```no_run
//! # use bevy_ecs::prelude::*;
//! # use tickwire_server::game::{Axes, Game, Player, RoomOptions, Schema};
//! # struct Square;
//! # impl Game for Square {
//! #     const NAME: &'static str = "square";
//! #     type Input = Axes;
//! #     fn schema(s: &mut Schema<Self>) { s.axes(); }
//! #     fn setup(_: &mut World, _: &mut Schedule, _: &RoomOptions) {}
//! #     fn join(world: &mut World, _: &Player) -> Entity { world.spawn_empty().id() }
//! # }
//! use std::process::ExitCode;
//! use tickwire_server::{Site, serve};
//!
//! const PAGE: &str = "<!doctype html><canvas></canvas><script type=module src=./square.js></script>";
//!
//! fn main() -> ExitCode {
//!     let page = Site::new().with_file("/index.html", PAGE);
//!     // From a file beside the source: include_str!("square.js").
//!     serve::<Square>(page.with_file("/square.js", "import { join } from './client/tickwire.js';"))
//! }
//! ```
//!
//! A process may serve several games:
//! `Games::new().game::<Square>(page).game::<Cards>(page).serve()`. Each has its page at
//! `/g/NAME/`, `/` lists them; rooms, lists and seats of one are not there for clients of another,
//! and a setting can be one game's ([`config::GameSettings`]). See [`Games`].
//!
//! With `--state-file` rooms outlive the process: a server that is stopped or killed starts again
//! with them, and players come back to their seats. A game says what its world holds, each type
//! once: [`Schema::saved`](game::Schema::saved) is written with its serde form and read again,
//! [`Schema::unsaved`](game::Schema::unsaved) is as `setup` makes it. A type that is not declared
//! keeps the game's rooms from being saved, which a line at the start says.
//!
//! ```
//! # use bevy_ecs::prelude::*;
//! # use serde::{Deserialize, Serialize};
//! # use tickwire_server::game::{Axes, Game, GameDef, Player, RoomOptions, Schema, range};
//! #[derive(Component, Serialize, Deserialize)]
//! struct Pos { x: f64 }
//!
//! /// What never changes.
//! #[derive(Resource)]
//! struct Map(Vec<f64>);
//!
//! struct Square;
//!
//! impl Game for Square {
//!     const NAME: &'static str = "square";
//!     /// Rises when what is saved means something else than before: older rooms are refused then.
//!     const SAVE_FORMAT: u16 = 2;
//!     type Input = Axes;
//!
//!     fn schema(s: &mut Schema<Self>) {
//!         s.axes().component::<Pos>("pos", |k| k.field("x", |p| &mut p.x, range(0.0, 9.0).step(0.1)));
//!         s.saved::<Pos>().unsaved::<Map>();
//!     }
//!
//!     fn setup(world: &mut World, _: &mut Schedule, _: &RoomOptions) {
//!         world.insert_resource(Map(vec![1.0, 2.0]));
//!     }
//!
//!     fn join(world: &mut World, _: &Player) -> Entity { world.spawn(Pos { x: 1.0 }).id() }
//! }
//! # let game = std::sync::Arc::new(GameDef::<Square>::new(30).unwrap());
//! # let mut room = tickwire_server::room::Room::new(game.clone(), RoomOptions::default());
//! # room.join("ann").unwrap();
//! # while room.poll_effect().is_some() {}
//! # let saved = room.save().unwrap();
//! # assert_eq!(tickwire_server::room::Room::restore(game, &saved).unwrap().players(), 1);
//! ```
//!
//! In the page, `join` connects, plays and draws. Its `step` is the rule of step 3, expression for
//! expression; without one the own square is drawn as the others are:
//!
//! ```js
//! import { join } from './client/tickwire.js';
//!
//! const room = await join({
//!   input: () => ({ dx: axis('ArrowLeft', 'ArrowRight'), dy: axis('ArrowUp', 'ArrowDown') }),
//!   step(me, { dx, dy }, { dt }) {
//!     me.pos.x += dx * 300 * dt;
//!     me.pos.y += dy * 300 * dt;
//!   },
//!   draw: ({ entities, me, state }) => { /* me.purse.coins, state.round.number */ },
//! });
//! room.on('paid', ({ who }) => console.log('paid', who));
//! await room.act('pay', { to: someone.handle, coins: 2 });   // rejects with the handler's error
//! ```
//!
//! # What is where
//!
//! [`run`] is [`serve`] for who has listeners, settings and a way to stop already, as tests do.
//! [`room::Room`] plays a game without sockets and clocks: `server/examples/cards/game/tests.rs`
//! does. `server/tests/outside` is a game in a crate of its own, with bots that play it.
//!
//! The other modules stand in the order in which data flows: [`http`] (the edge), [`lobby`],
//! [`worker`] (a thread of rooms), [`transport`], [`room`], [`game`], and what goes back,
//! [`replication`]. The client's half, and what both sides share, is the crate [`tickwire`].

mod admission;
mod auth;
mod background;
mod by_player;
mod checkpoint;
mod cluster;
pub mod config;
mod date;
mod directory;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
pub mod game;
mod games;
mod history;
pub mod http;
mod lending;
pub mod lobby;
mod logging;
pub mod metrics;
mod moderation;
mod notices;
mod party;
mod people;
mod prefetch;
mod presence;
pub mod queue;
pub mod ratings;
pub mod replication;
pub mod room;
mod run;
mod serve;
mod store;
mod text;
mod tls_client;
pub mod transport;
mod vitals;
mod webhooks;
pub mod worker;

pub use games::Games;
pub use http::Site;
pub use run::{Server, run};
pub use serve::serve;
pub use vitals::PartEnded;
