//! What is chosen in the lobby: options of rooms and players, rooms by filter and by name.

use bevy_ecs::prelude::*;
use tickwire::protocol::client_message::{JoinAs, Test};
use tickwire::schema::Field;
use tickwire::snapshot::fields::pack;

use super::*;
use crate::game::{Options, Player, Schema, int, one_of, text};

/// A game whose rooms and players are of many kinds, and whether its rooms say of which.
pub(super) struct Plots<const SAYS: bool>;

#[derive(Clone, Debug, Default, PartialEq)]
struct Plot {
    mode: u8,
    size: i32,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Look {
    colour: u8,
    motto: String,
}

#[derive(Resource)]
struct Said {
    mode: u8,
}

impl<const SAYS: bool> Game for Plots<SAYS> {
    const NAME: &'static str = "plots";
    type Input = ();

    fn schema(s: &mut Schema<Self>) {
        let mode = || one_of(&["alone", "teams", "ranked"]);
        s.room_options::<Plot>(|k| {
            k.field("mode", |p| &mut p.mode, mode())
                .field("size", |p| &mut p.size, int(0, 20))
        });
        s.player_options::<Look>(|k| {
            k.field("colour", |l| &mut l.colour, int(0, 7)).field(
                "motto",
                |l| &mut l.motto,
                text(8),
            )
        });
        if SAYS {
            s.metadata::<Said>(|k| k.field("mode", |s| &mut s.mode, mode()));
        }
    }

    fn setup(world: &mut World, _: &mut Schedule, room: &RoomOptions) {
        let mode = room.options.get::<Plot>().mode;
        world.insert_resource(Said { mode });
    }

    fn join(world: &mut World, _: &Player) -> Entity {
        world.spawn_empty().id()
    }
}

fn packed(fields: &[Field], values: &[i32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    pack(fields, values, &mut bytes);
    bytes
}

fn plot(mode: i32, size: i32) -> Vec<u8> {
    let game = GameDef::<Plots<true>>::new(30).unwrap();
    packed(&game.schema.room_options, &[mode, size])
}

fn look(colour: i32) -> Vec<u8> {
    let game = GameDef::<Plots<true>>::new(30).unwrap();
    packed(&game.schema.player_options, &[colour, 0x6968, 0])
}

fn create(name: &str, or_join: bool, options: &[u8], player: &[u8]) -> ClientMessage {
    ClientMessage::CreateRoom(NewRoom {
        name: name.into(),
        or_join,
        options: options.into(),
        player: player.into(),
        ..NewRoom::default()
    })
}

fn quick(filter: &[Condition], options: &[u8]) -> ClientMessage {
    ClientMessage::QuickJoin {
        filter: filter.into(),
        who: JoinAs::default(),
        options: options.into(),
    }
}

fn of_mode(mode: i32) -> Condition {
    Condition {
        field: 0,
        test: Test::Equal,
        value: mode,
    }
}

#[test]
fn what_is_chosen_for_a_room_and_what_its_maker_brings_go_along() {
    let mut lobby = Lobby::of::<Plots<true>>();
    let made = lobby
        .ask(create("a", false, &plot(2, 7), &look(5)))
        .unwrap();
    let chosen: Plot = options_of(&made).options.get();
    assert_eq!(chosen, Plot { mode: 2, size: 7 });
    let look: Look = lobby.session.options.get();
    assert_eq!((look.colour, look.motto.as_str()), (5, "hi"));
    let usual = lobby.ask(create("b", false, &[], &[])).unwrap();
    assert_eq!(options_of(&usual).options, Options::default());
    assert_eq!(lobby.session.options, Options::default());
}

#[test]
fn options_that_are_none_are_refused_and_nothing_is_taken() {
    let good = look(7);
    let too_great = {
        // The greatest of the three bits is 7, of the size's five 20.
        let mut bytes = plot(0, 0);
        bytes[0] |= 21 << 2;
        bytes
    };
    let game = GameDef::<Plots<true>>::new(30).unwrap();
    let no_text = packed(&game.schema.player_options, &[1, 0xFF, 0]);
    let mut padded = look(1);
    *padded.last_mut().unwrap() |= 0x80;
    let behind = [&good[..], &[0]].concat();
    let short = &good[..good.len() - 1];
    let players: [&[u8]; 5] = [short, &behind, &no_text, &padded, &[0xFF; 300]];
    let rooms: [&[u8]; 4] = [&too_great, &[3], &[0; 2], &[0xFF; 300]];
    let mut lobby = Lobby::of::<Plots<true>>();
    let made = lobby.ask(create("a", false, &[], &[])).unwrap();
    let (room, code) = (made.place.room, options_of(&made).code.clone());
    lobby.registry.describe(room, &[0], false);
    let mark = lobby.registry.mark(&lobby.session.identity);
    lobby.registry.release(room, mark);
    let mut asks = Vec::new();
    for player in players {
        let who = JoinAs {
            options: player.to_vec(),
            ..JoinAs::default()
        };
        asks.push(create("b", false, &[], player));
        asks.push(create("a", true, &[], player));
        asks.push(ClientMessage::JoinRoom {
            room,
            who: who.clone(),
        });
        asks.push(ClientMessage::JoinCode {
            code: code.clone(),
            who: who.clone(),
        });
        asks.push(ClientMessage::QuickJoin {
            filter: Vec::new(),
            who,
            options: Vec::new(),
        });
    }
    for options in rooms {
        asks.push(create("b", false, options, &[]));
        // Also where a room is there, and these are for nothing.
        asks.push(create("a", true, options, &[]));
        asks.push(quick(&[], options));
    }
    for ask in asks {
        lobby.session.requests = Budget::new(Instant::now());
        let asked = lobby.ask(ask.clone());
        assert_eq!(asked.err(), Some(Refusal::BadOptions), "{ask:?}");
        let listed = lobby.listed();
        assert_eq!((listed.len(), listed[0].players), (1, 0), "{ask:?}");
    }
    assert!(lobby.registry.close_if_empty(room));
}

#[test]
fn a_filter_that_is_none_is_refused_in_lists_and_quick_joins() {
    let mut lobby = Lobby::of::<Plots<true>>();
    for filter in [
        vec![of_mode(3)],
        vec![of_mode(0); 9],
        vec![Condition {
            field: 1,
            ..of_mode(0)
        }],
    ] {
        lobby.session.requests = Budget::new(Instant::now());
        let asked = lobby.ask(quick(&filter, &[]));
        assert_eq!(asked.err(), Some(Refusal::BadFilter), "{filter:?}");
        assert_eq!(
            lobby.list(&filter).err(),
            Some(Refusal::BadFilter),
            "{filter:?}"
        );
    }
    assert!(lobby.listed().is_empty());
}

#[test]
fn a_quick_join_that_finds_nothing_that_fits_makes_it() {
    let mut lobby = Lobby::of::<Plots<true>>();
    let alone = lobby.ask(quick(&[of_mode(0)], &plot(0, 0))).unwrap();
    lobby.registry.describe(alone.place.room, &[0], false);
    let teams = lobby.ask(quick(&[of_mode(1)], &plot(1, 3))).unwrap();
    assert_eq!(
        options_of(&teams).options.get::<Plot>(),
        Plot { mode: 1, size: 3 }
    );
    // Before its game says so, and after.
    for said in [None, Some([1])] {
        said.iter()
            .for_each(|said| lobby.registry.describe(teams.place.room, said, false));
        let again = lobby.ask(quick(&[of_mode(1)], &[])).unwrap();
        assert_eq!(again.place, teams.place);
        let alone_again = lobby.ask(quick(&[of_mode(0)], &[])).unwrap();
        assert_eq!(alone_again.place, alone.place);
    }
    assert_eq!(lobby.list(&[of_mode(1)]).unwrap().len(), 1);
    lobby.registry.describe(teams.place.room, &[1], true);
    let another = lobby.ask(quick(&[of_mode(1)], &plot(1, 0))).unwrap();
    assert_ne!(another.place, teams.place, "it is locked");
    let named = lobby.ask(ClientMessage::join_room(teams.place.room));
    assert!(named.is_ok(), "they have a seat there");
}

#[test]
fn a_room_is_joined_by_its_name_or_made_and_a_quota_is_for_what_is_made() {
    let mut lobby = Lobby::of::<Plots<true>>();
    lobby.room_quotas = RoomQuotas::new(1, metrics::Counter::noop());
    let made = lobby.ask(create(" 0 ", true, &plot(1, 0), &[])).unwrap();
    assert_eq!(options_of(&made).name, "0");
    let joined = lobby.ask(create("0", true, &[], &[])).unwrap();
    assert_eq!(joined.place, made.place);
    assert!(matches!(joined.join_request, JoinRequest::Join));
    assert_eq!(
        lobby.ask(create("0", false, &[], &[])).err(),
        Some(Refusal::TooManyRooms)
    );
    assert_eq!(
        lobby.ask(create("1", true, &[], &[])).err(),
        Some(Refusal::TooManyRooms)
    );
    lobby.session.identity = crate::auth::Identity::read("guest:bo").unwrap();
    let room = made.place.room;
    lobby.registry.describe(room, &[1], true);
    assert_eq!(
        lobby.ask(create("0", true, &[], &[])).err(),
        Some(Refusal::Locked)
    );
    lobby.registry.describe(room, &[1], false);
    let who = Who {
        identity: lobby.session.identity.clone(),
        host: None,
    };
    lobby.registry.keep_out(room, who, Instant::now());
    assert_eq!(
        lobby.ask(create("0", true, &[], &[])).err(),
        Some(Refusal::KeptOut)
    );
    assert_eq!(lobby.listed()[0].players, 2, "no seat is taken by it");
}
