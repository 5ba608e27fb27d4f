//! Rooms in memory: a small game, players who decode what they are sent, and the check that
//! every one of them holds exactly the server's image, whatever was skipped.

use std::sync::Arc;

use bevy_ecs::prelude::*;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tickwire::codec::{decode_server, encode_client};
use tickwire::ids::{Handle, LayerId, PlayerId, RoomId, Tick};
use tickwire::limits::UNACKED_SNAPSHOTS_MAX;
use tickwire::protocol::frame::{InputHead, SectionKind, SnapshotHead, encode_ack};
use tickwire::protocol::server_message::{LeaveReason, Refusal};
use tickwire::protocol::{ClientMessage, CloseCode, ServerMessage};
use tickwire::schema::{Kind, words_text};
use tickwire::snapshot::delta::{Scratch, Verdict, decode, decode_head};
use tickwire::snapshot::fields::{pack, unpack};
use tickwire::snapshot::image::{LayerImage, OwnerCode};

use super::{Effect, Room};
use crate::game::{
    self, Game, GameDef, Input, Out, Player, RoomOptions, RoomRng, Schema, Team, To, entity, int,
    range, text,
};
use crate::replication::image::LayerKey;

/// Boxes that their players push around, among others that come and go.
struct Boxes;

#[derive(Component)]
struct Pos {
    x: f64,
    y: f64,
}

#[derive(Component)]
struct Secret {
    number: i32,
}

#[derive(Component)]
struct Label {
    text: String,
}

#[derive(Component)]
struct Plan {
    goal: i32,
}

#[derive(Component)]
struct Stray {
    ticks_left: u32,
}

#[derive(Default, Clone)]
struct Push {
    dx: f32,
}

#[derive(Resource)]
struct Wave {
    number: u32,
}

/// Gives the own secret to another box.
#[derive(Default)]
struct Swap {
    with: Option<Entity>,
    bonus: i32,
}

fn on_swap(world: &mut World, who: &Player, swap: Swap) -> Result<(), String> {
    let with = swap.with.ok_or("nobody there")?;
    let mut other = world.get_mut::<Secret>(with).ok_or("not a box")?;
    other.number = i32::from(who.id.0) + swap.bonus;
    Ok(())
}

struct Born {
    who: Option<Entity>,
    wave: u32,
}

impl Game for Boxes {
    const NAME: &'static str = "boxes";
    type Input = Push;

    fn schema(s: &mut Schema<Self>) {
        s.component::<Pos>("pos", |k| {
            k.predicted()
                .field(
                    "x",
                    |p| &mut p.x,
                    range(-1000.0, 1000.0).step(0.01).linear(),
                )
                .field("y", |p| &mut p.y, range(0.0, 10.0).step(0.1))
        });
        s.component::<Secret>("secret", |k| {
            k.owner_only()
                .field("number", |s| &mut s.number, int(0, 1_000_000))
        });
        s.component::<Label>("label", |k| k.field("text", |l| &mut l.text, text(12)));
        s.component::<Plan>("plan", |k| {
            k.team_only().field("goal", |p| &mut p.goal, int(0, 777))
        });
        s.room::<Wave>("wave", |k| {
            k.field("number", |w| &mut w.number, game::all().counter(1))
        });
        s.input(|k| k.field("dx", |i| &mut i.dx, range(-1.0, 1.0).step(0.125)));
        s.action::<Swap>(
            "swap",
            |k| {
                k.field("with", |a| &mut a.with, entity()).field(
                    "bonus",
                    |a| &mut a.bonus,
                    int(-5, 5),
                )
            },
            on_swap,
        );
        s.event::<Born>("born", |k| {
            k.field("who", |b| &mut b.who, entity())
                .field("wave", |b| &mut b.wave, game::all())
        });
    }

    fn setup(world: &mut World, systems: &mut Schedule, _room: &RoomOptions) {
        world.insert_resource(Wave { number: 0 });
        systems.add_systems((push_boxes, change_teams, spawn_strays, age_strays).chain());
    }

    fn join(world: &mut World, who: &Player) -> Entity {
        let secret = Secret {
            number: 1000 * i32::from(who.id.0) + 7,
        };
        let label = Label {
            text: format!("Zoë {}", who.id),
        };
        let plan = Plan {
            goal: i32::from(who.id.0),
        };
        let team = Team((who.id.0 % 2) as u8);
        let pos = Pos { x: 0.0, y: 1.0 };
        world.spawn((pos, secret, label, plan, team)).id()
    }
}

fn push_boxes(mut boxes: Query<(&mut Pos, &mut Secret, &Input<Push>)>, mut wave: ResMut<Wave>) {
    wave.number += 1;
    for (mut pos, mut secret, input) in &mut boxes {
        pos.x += f64::from(input.now.dx) / 3.0;
        secret.number += i32::from(wave.number.is_multiple_of(5));
    }
}

/// Everybody's team changes, or is left, now and then.
fn change_teams(
    mut commands: Commands,
    mut boxes: Query<(Entity, &mut Plan, Option<&Team>)>,
    wave: Res<Wave>,
) {
    for (entity, mut plan, team) in &mut boxes {
        plan.goal = (plan.goal + 2) % 700;
        let turn = wave.number + u32::try_from(plan.goal).unwrap_or(0);
        if turn.is_multiple_of(41) {
            match team {
                Some(Team(0)) => commands.entity(entity).insert(Team(1)),
                Some(_) => commands.entity(entity).remove::<Team>(),
                None => commands.entity(entity).insert(Team(0)),
            };
        }
    }
}

fn spawn_strays(
    mut commands: Commands,
    mut rng: ResMut<RoomRng>,
    mut out: ResMut<Out>,
    wave: Res<Wave>,
) {
    if rng.0.random_bool(0.3) {
        let pos = Pos {
            x: rng.0.random_range(-900.0..900.0),
            y: 3.0,
        };
        let ticks_left = rng.0.random_range(0..40);
        let who = commands.spawn((pos, Stray { ticks_left })).id();
        let wave = wave.number;
        out.send(
            To::All,
            Born {
                who: Some(who),
                wave,
            },
        );
    }
}

fn age_strays(mut commands: Commands, mut strays: Query<(Entity, &mut Stray, &mut Pos)>) {
    for (entity, mut stray, mut pos) in &mut strays {
        pos.x += 0.37;
        if stray.ticks_left == 0 {
            commands.entity(entity).despawn();
        } else {
            stray.ticks_left -= 1;
        }
    }
}

fn room(seats: u16, snapshot_every: u16) -> Room<Boxes> {
    let game = GameDef::<Boxes>::new(30).expect("the game is well declared");
    let options = RoomOptions {
        id: RoomId(1),
        name: "boxes".to_owned(),
        code: "AAAABBBB".to_owned(),
        private: false,
        seats,
        seed: 5,
        tick_rate: 30,
        snapshot_every,
        npcs: 0,
    };
    Room::new(Arc::new(game), options)
}

/// A client that holds what it decoded.
#[derive(Default)]
struct Client {
    player: PlayerId,
    layers: [LayerImage; LayerId::COUNT],
    scratch: Scratch,
    last: Tick,
    events: Vec<Vec<i32>>,
}

impl Client {
    fn join(room: &mut Room<Boxes>) -> Client {
        Client {
            player: room.join("somebody").expect("a seat is free"),
            ..Client::default()
        }
    }

    fn receive(&mut self, room: &Room<Boxes>, snapshot: &[u8]) {
        let (head, sections) = SnapshotHead::decode(snapshot).expect("a snapshot");
        assert_eq!(head.tick, room.tick);
        self.last = head.tick;
        for section in sections {
            let (kind, bytes) = section.expect("a section");
            match kind {
                SectionKind::Layer => self.on_body(room, head.tick, bytes),
                SectionKind::Events => self.on_events(room, bytes),
            }
        }
    }

    fn on_body(&mut self, room: &Room<Boxes>, tick: Tick, bytes: &[u8]) {
        let (head, bits) = decode_head(bytes).expect("a body");
        let image = &mut self.layers[usize::from(head.layer.0)];
        let verdict = decode(
            head,
            bits,
            tick,
            &room.game.layout,
            image,
            &mut self.scratch,
        );
        assert!(
            matches!(verdict, Ok(Verdict::Agrees | Verdict::Unchecked)),
            "{verdict:?}"
        );
        let key = match head.layer {
            LayerId::ROOM => LayerKey::Room,
            LayerId::OWNER => LayerKey::Owner(self.player),
            _ => LayerKey::Team(room.members.get(self.player).and_then(|member| member.team)),
        };
        let truth = room.ring.newest().and_then(|image| image.layer(key));
        let truth = truth.expect("the server has the layer");
        assert_eq!(image.entities, truth.entities);
        assert_eq!(image.values, truth.values);
        assert_eq!((image.tick, image.gap), (truth.tick, truth.gap));
    }

    fn on_events(&mut self, room: &Room<Boxes>, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // Both numbers are below 128 in these tests.
            assert_eq!(bytes[1], 0);
            let mut values = Vec::new();
            let fields = &room.game.schema.events[0].fields;
            bytes = unpack(fields, &bytes[2..], &mut values).expect("an event");
            self.events.push(values);
        }
    }

    fn ack(&self, room: &mut Room<Boxes>) {
        let mut ack = Vec::new();
        encode_ack(self.last, &mut ack);
        assert_eq!(room.receive(self.player, &ack), Ok(()));
    }

    fn input(&self, room: &Room<Boxes>, tick: u32, dx: f64) -> Vec<u8> {
        let fields = &room.game.schema.input;
        let mut bytes = Vec::new();
        let head = InputHead {
            tick: Tick(tick),
            ack: self.last,
            view_lag: 64,
        };
        head.encode(&mut bytes);
        pack(fields, &[fields[0].kind.quantise(dx)], &mut bytes);
        bytes
    }
}

fn effects(room: &mut Room<Boxes>) -> Vec<Effect> {
    std::iter::from_fn(|| room.poll_effect()).collect()
}

fn messages_to(effects: &[Effect], player: PlayerId) -> Vec<ServerMessage> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Control { to, bytes } if *to == player => {
                Some(decode_server(bytes).expect("a server's message"))
            }
            _ => None,
        })
        .collect()
}

fn request(room: &mut Room<Boxes>, from: PlayerId, message: &ClientMessage) -> Vec<Effect> {
    assert_eq!(room.receive(from, &encode_client(message)), Ok(()));
    effects(room)
}

/// Players come and go, read in time, late or hardly, at any snapshot rate.
fn play(seed: u64, snapshot_every: u16) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut room = room(6, snapshot_every);
    let mut clients: Vec<(Client, f64)> = Vec::new();
    let mut frame = Vec::new();
    for _ in 0..400 {
        if rng.random_bool(0.05) && clients.len() < 6 {
            let reads = [1.0, 0.5, 0.02][rng.random_range(0..3)];
            clients.push((Client::join(&mut room), reads));
        }
        if rng.random_bool(0.02) && !clients.is_empty() {
            let (client, _) = clients.swap_remove(rng.random_range(0..clients.len()));
            room.leave(client.player);
        }
        for (client, _) in &clients {
            let input = client.input(&room, room.tick.0 + 1, rng.random_range(-1.0..1.0));
            assert_eq!(room.receive(client.player, &input), Ok(()));
        }
        room.tick();
        effects(&mut room);
        for (client, reads) in &mut clients {
            frame.clear();
            let writable = rng.random_bool(*reads);
            if room.compose(client.player, writable, &mut frame) {
                client.receive(&room, &frame);
            }
            if rng.random_bool(*reads) && client.last > Tick(0) {
                client.ack(&mut room);
            }
        }
    }
    assert!(room.stats().snapshots_sent > 100, "seed {seed}");
}

#[test]
fn every_client_holds_the_servers_image() {
    for seed in 0..24 {
        play(seed, 1 + (seed % 3) as u16);
    }
}

#[test]
fn one_body_serves_everyone_on_the_same_baseline() {
    let mut room = room(8, 1);
    let mut clients: Vec<Client> = (0..8).map(|_| Client::join(&mut room)).collect();
    for tick in 0..10 {
        room.tick();
        for client in &mut clients {
            let mut frame = Vec::new();
            assert!(room.compose(client.player, true, &mut frame));
            client.receive(&room, &frame);
        }
        let stats = room.stats();
        // The room's layer and two teams' once, and eight private ones.
        assert_eq!(stats.bodies_encoded, 11, "tick {tick}");
        assert_eq!(stats.keyframes, if tick == 0 { 11 } else { 0 });
    }
}

#[test]
fn a_private_field_is_sent_to_its_owner_alone() {
    let mut room = room(3, 1);
    let mut clients: Vec<Client> = (0..3).map(|_| Client::join(&mut room)).collect();
    for _ in 0..5 {
        room.tick();
        for client in &mut clients {
            let mut frame = Vec::new();
            assert!(room.compose(client.player, true, &mut frame));
            client.receive(&room, &frame);
        }
    }
    let set = &room.game.layout.owner;
    let secret = set
        .columns
        .iter()
        .position(|column| column.kind.q_max() == 1_000_000)
        .expect("the secret is in the owner's layer");
    assert!(
        room.game
            .layout
            .room
            .columns
            .iter()
            .all(|column| column.kind.q_max() != 1_000_000)
    );
    for client in &clients {
        let own = &client.layers[1];
        assert_eq!(own.entities.len(), 1);
        let number = own.view().row(0, set.width())[secret];
        assert_eq!(number / 1000, i32::from(client.player.0));
    }
}

#[test]
fn a_team_sees_its_own_plans_and_no_others() {
    let mut room = room(6, 1);
    let mut clients: Vec<Client> = (0..6).map(|_| Client::join(&mut room)).collect();
    for _ in 0..300 {
        room.tick();
        for client in &mut clients {
            let mut frame = Vec::new();
            assert!(room.compose(client.player, true, &mut frame));
            client.receive(&room, &frame);
            client.ack(&mut room);
        }
        let teams: Vec<Option<u8>> = clients
            .iter()
            .map(|client| {
                room.members
                    .get(client.player)
                    .and_then(|member| member.team)
            })
            .collect();
        for (client, team) in clients.iter().zip(&teams) {
            let mates = teams
                .iter()
                .filter(|of| team.is_some() && *of == team)
                .count();
            assert_eq!(client.layers[2].entities.len(), mates);
        }
    }
}

#[test]
fn a_text_is_what_the_game_wrote() {
    let mut room = room(1, 1);
    let mut client = Client::join(&mut room);
    room.tick();
    let mut frame = Vec::new();
    assert!(room.compose(client.player, true, &mut frame));
    client.receive(&room, &frame);
    let set = &room.game.layout.room;
    let text = set
        .columns
        .iter()
        .position(|column| matches!(column.kind, Kind::Text { .. }))
        .expect("the label is in the room's layer");
    let image = &client.layers[0];
    let own = image.entities.iter().position(|head| head.owner != 0);
    let row = image.view().row(own.expect("the own box"), set.width());
    assert_eq!(words_text(&row[text..text + 3]).as_deref(), Some("Zoë 0"));
}

#[test]
fn inputs_move_the_box_and_come_back_in_the_head() {
    let mut room = room(1, 1);
    let client = Client::join(&mut room);
    room.tick();
    for tick in 2..5 {
        let input = client.input(&room, tick, 1.0);
        assert_eq!(room.receive(client.player, &input), Ok(()));
    }
    let mut frame = Vec::new();
    for _ in 0..3 {
        room.tick();
        frame.clear();
        assert!(room.compose(client.player, true, &mut frame));
    }
    let (head, _) = SnapshotHead::decode(&frame).expect("a snapshot");
    assert_eq!((head.tick, head.input_tick), (Tick(4), Tick(4)));
    assert_eq!((head.slack, head.substituted), (0, false));
    let entity = room.members.get(client.player).expect("seated").entity;
    let x = room.world.get::<Pos>(entity).expect("alive").x;
    // Snapped to 1/1024 after every tick.
    let step = |x: f64| ((x + 1.0 / 3.0 + 1000.0) * 1024.0 + 0.5).floor() / 1024.0 - 1000.0;
    assert_eq!(x, step(step(step(0.0))));
    room.tick();
    frame.clear();
    assert!(room.compose(client.player, true, &mut frame));
    let (head, _) = SnapshotHead::decode(&frame).expect("a snapshot");
    assert_eq!((head.slack, head.substituted), (-1, true));
}

#[test]
fn a_client_without_credit_is_skipped_and_then_closed() {
    let mut room = room(2, 1);
    let client = Client::join(&mut room);
    effects(&mut room);
    let mut sent = 0;
    let mut frame = Vec::new();
    for _ in 0..450 {
        room.tick();
        sent += u32::from(room.compose(client.player, true, &mut frame));
    }
    assert_eq!(sent, UNACKED_SNAPSHOTS_MAX);
    assert_eq!(room.players(), 1);
    for _ in 0..3 {
        room.tick();
    }
    let closed = Effect::Close {
        player: client.player,
        code: CloseCode::Stalled,
    };
    assert_eq!(effects(&mut room), [closed]);
    assert_eq!(room.players(), 0);
}

#[test]
fn events_come_once_and_in_order_through_skips() {
    let mut room = room(2, 1);
    let mut reader = Client::join(&mut room);
    let mut laggard = Client::join(&mut room);
    let mut frame = Vec::new();
    for tick in 0..200 {
        room.tick();
        frame.clear();
        assert!(room.compose(reader.player, true, &mut frame));
        reader.receive(&room, &frame);
        reader.ack(&mut room);
        frame.clear();
        if room.compose(laggard.player, tick % 9 == 8, &mut frame) {
            laggard.receive(&room, &frame);
            laggard.ack(&mut room);
        }
    }
    assert!(reader.events.len() > 20);
    assert!(
        reader
            .events
            .windows(2)
            .all(|pair| pair[0][1] <= pair[1][1])
    );
    let seen = laggard.events.len();
    assert_eq!(laggard.events[..], reader.events[..seen]);
}

#[test]
fn joiners_are_told_and_the_host_passes_on() {
    let mut room = room(2, 1);
    let first = room.join("first").expect("a seat");
    effects(&mut room);
    let second = room.join("second").expect("a seat");
    let told = effects(&mut room);
    assert!(matches!(
        &messages_to(&told, second)[..],
        [ServerMessage::Joined { you, members, .. }] if *you == second && members.len() == 2
    ));
    assert!(matches!(
        &messages_to(&told, first)[..],
        [ServerMessage::MemberChanged { member }] if member.player == second && !member.host
    ));
    assert_eq!(room.join("third"), Err(Refusal::RoomFull));
    room.leave(first);
    assert!(matches!(
        &messages_to(&effects(&mut room), second)[..],
        [
            ServerMessage::MemberLeft { .. },
            ServerMessage::MemberChanged { member }
        ] if member.host
    ));
}

#[test]
fn only_the_host_kicks() {
    let mut room = room(3, 1);
    let host = room.join("host").expect("a seat");
    let guest = room.join("guest").expect("a seat");
    effects(&mut room);
    let told = request(&mut room, guest, &ClientMessage::Kick { player: host });
    assert!(matches!(
        &messages_to(&told, guest)[..],
        [ServerMessage::Refused {
            reason: Refusal::NotHost
        }]
    ));
    let told = request(&mut room, host, &ClientMessage::Kick { player: guest });
    assert!(told.contains(&Effect::Depart {
        player: guest,
        reason: LeaveReason::Kicked
    }));
    assert_eq!(room.players(), 1);
}

#[test]
fn chat_reaches_all_is_remembered_and_bounded() {
    let mut room = room(3, 1);
    let one = room.join("one").expect("a seat");
    let two = room.join("two").expect("a seat");
    effects(&mut room);
    let line = |text: &str| ClientMessage::Chat {
        text: text.to_owned(),
    };
    for text in ["", " \t ", &"x".repeat(201), "a\nb"] {
        let told = request(&mut room, one, &line(text));
        let refused = messages_to(&told, one);
        assert!(matches!(
            &refused[..],
            [ServerMessage::Refused {
                reason: Refusal::BadText | Refusal::TooOften
            }]
        ));
    }
    let told = request(&mut room, two, &line("<b>hello</b>"));
    assert!(matches!(
        &messages_to(&told, one)[..],
        [ServerMessage::Chat { line }] if line.text == "<b>hello</b>" && line.from == two
    ));
    let mut refused = 0;
    for _ in 0..10 {
        let told = request(&mut room, two, &line("again"));
        refused += usize::from(matches!(
            &messages_to(&told, two)[..],
            [ServerMessage::Refused {
                reason: Refusal::TooOften
            }]
        ));
    }
    assert_eq!(refused, 6);
    let three = room.join("three").expect("a seat");
    assert!(matches!(
        &messages_to(&effects(&mut room), three)[..],
        [ServerMessage::Joined { chat, .. }] if chat.len() == 5
    ));
}

#[test]
fn bad_messages_close_with_their_code() {
    let mut room = room(1, 1);
    let client = Client::join(&mut room);
    room.tick();
    let player = client.player;
    let mut ahead = Vec::new();
    encode_ack(Tick(9), &mut ahead);
    let hello = encode_client(&ClientMessage::Hello {
        version: 1,
        name: String::new(),
        token: String::new(),
    });
    let mut long = client.input(&room, 3, 0.0);
    long.push(0);
    for (message, code) in [
        (&[][..], CloseCode::Malformed),
        (&[9, 1, 2], CloseCode::Malformed),
        (&[1, 200], CloseCode::Malformed),
        (&[2, 1, 0, 0], CloseCode::Malformed),
        (&[3, 0, 0, 0, 0, 0], CloseCode::Malformed),
        (&long, CloseCode::Malformed),
        (&ahead, CloseCode::OutOfRange),
        (&hello, CloseCode::OutOfOrder),
    ] {
        assert_eq!(room.receive(player, message), Err(code), "{message:?}");
    }
    assert_eq!(room.receive(PlayerId(7), &[3]), Err(CloseCode::OutOfOrder));
}

#[test]
fn a_resync_brings_a_keyframe_at_most_once_a_second() {
    let mut room = room(1, 1);
    let mut client = Client::join(&mut room);
    let mut frame = Vec::new();
    let mut keyframes = 0;
    for _ in 0..45 {
        room.tick();
        frame.clear();
        assert!(room.compose(client.player, true, &mut frame));
        client.receive(&room, &frame);
        client.ack(&mut room);
        keyframes += room.stats().keyframes;
        let layer = LayerId::ROOM;
        request(&mut room, client.player, &ClientMessage::Resync { layer });
    }
    // All three layers at first, one at each second, one of another team.
    assert_eq!(keyframes, 6);
}

#[test]
fn an_action_names_entities_and_is_answered() {
    let mut room = room(2, 1);
    let mut one = Client::join(&mut room);
    let two = Client::join(&mut room);
    effects(&mut room);
    room.tick();
    let mut frame = Vec::new();
    assert!(room.compose(one.player, true, &mut frame));
    one.receive(&room, &frame);
    let code = OwnerCode {
        player: two.player,
        avatar: true,
    };
    let heads = &one.layers[0].entities;
    let other = heads.iter().find(|head| head.owner() == Some(code));
    let other = other.expect("the other's box is in the image").handle();
    let gone = Handle {
        generation: other.generation + 1,
        ..other
    };
    let mut act = |action: u16, values: [i32; 2]| {
        let mut fields = Vec::new();
        pack(&room.game.schema.actions[0].fields, &values, &mut fields);
        let message = ClientMessage::Act {
            id: 77,
            action,
            fields,
        };
        let told = request(&mut room, one.player, &message);
        messages_to(&told, one.player)
    };
    let reply = |result: Result<(), &str>| ServerMessage::Reply {
        id: 77,
        result: result.map_err(str::to_owned),
    };
    assert_eq!(act(0, [other.to_field(), 2]), [reply(Ok(()))]);
    assert_eq!(act(0, [gone.to_field(), 2]), [reply(Err("nobody there"))]);
    assert_eq!(act(0, [Handle::NONE, 2]), [reply(Err("nobody there"))]);
    assert_eq!(act(0, [0, 2]), [reply(Err("nobody there"))]);
    let refused = ServerMessage::Refused {
        reason: Refusal::NoSuchAction,
    };
    assert_eq!(act(1, [0, 0]), [refused]);
    let entity = room.members.get(two.player).expect("seated").entity;
    let secret = room.world.get::<Secret>(entity).expect("alive");
    // Five steps of the integer are zero of the field.
    assert_eq!(secret.number, i32::from(one.player.0) + 2 - 5);
    let message = ClientMessage::Act {
        id: 1,
        action: 0,
        fields: vec![1],
    };
    let bytes = encode_client(&message);
    assert_eq!(room.receive(one.player, &bytes), Err(CloseCode::Malformed));
}
