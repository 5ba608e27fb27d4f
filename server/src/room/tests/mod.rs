//! Rooms in memory: a small game, and players who decode what they are sent and compare it with
//! the server's image.

mod amplification;
mod away;
mod chosen;
mod cleared;
mod doze;
mod durable;
mod gone;
mod grid;
mod groups;
mod limit;
mod messages;
mod pages;
mod results;
mod roster;
mod slow;
mod snapshots;
mod spectators;

use std::sync::Arc;

use bevy_ecs::prelude::*;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tickwire::codec::{decode_server, encode_client};
use tickwire::ids::{Handle, LayerId, PlayerId, Tick};
use tickwire::protocol::frame::{InputHead, SectionKind, SnapshotHead, encode_ack};
use tickwire::protocol::server_message::{LeaveReason, Refusal};
use tickwire::protocol::{ClientMessage, CloseCode, ServerMessage};
use tickwire::schema::{Kind, words_text};
use tickwire::snapshot::delta::{Scratch, Verdict, advance, decode, decode_head};
use tickwire::snapshot::fields::{pack, push_payload, take_payload, unpack};
use tickwire::snapshot::image::{LayerImage, OwnerCode};

use super::{Effect, Room, Workspace};
use crate::by_player::is_spectator;
use crate::game::{
    self, Game, GameDef, Identity, Input, Out, Player, RoomOptions, RoomRng, Schema, Team, To,
    entity, int, range, text,
};
use crate::replication::layer::LayerKey;

/// Boxes that their players push around, among others that come and go.
struct Boxes;

#[derive(Component, Clone)]
struct Pos {
    x: f64,
    y: f64,
}

#[derive(Component, Clone)]
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

#[derive(Component, Clone)]
struct Stray {
    ticks_left: u32,
}

#[derive(Default, Clone)]
struct Push {
    dx: f32,
}

/// What the game was told of its players, and whether it keeps what they steered.
#[derive(Resource, Default)]
struct Hooks(Vec<String>, bool);

#[derive(Resource)]
struct Wave {
    number: u32,
}

/// Gives the own secret to another box.
#[derive(Default)]
struct Swap {
    with: Option<Entity>,
    bonus: i32,
    seal: Vec<u8>,
}

fn on_swap(world: &mut World, who: &Player, swap: Swap) -> Result<(), String> {
    if swap.seal.len() > 3 {
        return Err(format!("a seal of {} bytes", swap.seal.len()));
    }
    let with = swap.with.ok_or("nobody there")?;
    let mut other = world.get_mut::<Secret>(with).ok_or("not a box")?;
    other.number = i32::from(who.id.0) + swap.bonus;
    Ok(())
}

struct Born {
    who: Option<Entity>,
    wave: u32,
    note: String,
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
                k.field("with", |a| &mut a.with, entity())
                    .field("bonus", |a| &mut a.bonus, int(-5, 5))
                    .bytes("seal", |a| &mut a.seal)
            },
            on_swap,
        );
        s.event::<Born>("born", |k| {
            k.field("who", |b| &mut b.who, entity())
                .field("wave", |b| &mut b.wave, game::all())
                .json("note", |b| &mut b.note)
        });
    }

    fn setup(world: &mut World, systems: &mut Schedule, _room: &RoomOptions) {
        world.init_resource::<Hooks>();
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

    fn dropped(world: &mut World, who: &Player, _: Entity) {
        hear(world, format!("dropped {}", who.id));
    }

    fn resumed(world: &mut World, who: &Player, _: Entity) {
        hear(world, format!("resumed {}", who.id));
    }

    fn leave(world: &mut World, who: &Player, entity: Entity) {
        if !world.resource::<Hooks>().1 {
            world.despawn(entity);
        }
        hear(world, format!("left {}", who.id));
    }

    fn closing(world: &mut World, why: game::Closing) {
        hear(world, format!("closing {why:?}"));
    }
}

fn hear(world: &mut World, what: String) {
    world.resource_mut::<Hooks>().0.push(what);
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
                note: format!("[{wave}]"),
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
        seats,
        seed: 5,
        snapshot_every,
        ..RoomOptions::default()
    };
    Room::new(Arc::new(game), options)
}

/// The server's images of the layers that a player sees.
type Truth = [LayerImage; LayerId::FIXED.len()];

/// A client that holds what it decoded.
#[derive(Default)]
struct Client {
    player: PlayerId,
    layers: [LayerImage; LayerId::FIXED.len()],
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
        let truth = self.truth(room);
        self.receive_late(room, snapshot, room.tick, &truth);
    }

    /// Receives a snapshot of `tick`, when the room may have gone on.
    fn receive_late(&mut self, room: &Room<Boxes>, snapshot: &[u8], tick: Tick, truth: &Truth) {
        let (head, sections) = SnapshotHead::decode(snapshot).expect("a snapshot");
        assert_eq!(head.tick, tick);
        self.last = head.tick;
        for section in sections {
            let (kind, bytes) = section.expect("a section");
            match kind {
                SectionKind::Layer(layer) => self.on_body(room, head.tick, layer, bytes, truth),
                SectionKind::Events => self.on_events(room, bytes),
                SectionKind::Closed => panic!("the game has no groups"),
            }
        }
        // What is left out went as predicted.
        for layer in LayerId::FIXED {
            let at = usize::from(layer.0);
            let image = &mut self.layers[at];
            if image.tick > Tick(0) && image.tick < head.tick {
                let set = room.game.layout.of(layer).expect("it is held");
                advance(set, head.tick, image, &mut self.scratch).expect("it is in reach");
                assert_eq!(*image, truth[at]);
            }
        }
    }

    /// What the player may see in the newest image.
    fn truth(&self, room: &Room<Boxes>) -> Truth {
        let team = room
            .members
            .get(self.player)
            .and_then(|member| member.receiver.team);
        let keys = [
            LayerKey::Room,
            LayerKey::Owner(self.player),
            LayerKey::Team(team),
        ];
        let image = room.ring.newest().expect("an image");
        keys.map(|key| {
            let Some(layer) = image.layer(key) else {
                assert!(is_spectator(self.player), "the server has the layer");
                return LayerImage::default();
            };
            LayerImage {
                tick: layer.tick,
                gap: layer.gap,
                entities: layer.entities.to_vec(),
                values: layer.values.to_vec(),
            }
        })
    }

    fn on_body(
        &mut self,
        room: &Room<Boxes>,
        tick: Tick,
        layer: LayerId,
        bytes: &[u8],
        truth: &Truth,
    ) {
        let (head, bits) = decode_head(layer, bytes).expect("a body");
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
        let truth = &truth[usize::from(head.layer.0)];
        let set = room.game.layout.of(head.layer).expect("it was decoded");
        let bare = (head.back == 0).then(|| truth.bare(set));
        assert_eq!(image, bare.as_ref().unwrap_or(truth));
    }

    fn on_events(&mut self, room: &Room<Boxes>, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // Both numbers are below 128 in these tests.
            assert_eq!(bytes[1], 0);
            let mut values = Vec::new();
            let fields = &room.game.schema.events[0].fields;
            let rest = unpack(fields, &bytes[2..], &mut values).expect("an event");
            let declared = room.game.schema.events[0].payload.as_ref();
            let (note, rest) = take_payload(declared, rest).expect("its payload");
            let expected = format!("[{}]", values[1]);
            assert_eq!(note, Some(expected.as_bytes()));
            bytes = rest;
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

/// What the others are told of a member whom they know.
fn state(room: &Room<Boxes>, player: PlayerId) -> ServerMessage {
    let all = room.members.public();
    let member = all.iter().find(|member| member.player == player);
    let member = member.expect("they are there");
    ServerMessage::MemberState {
        player,
        ready: member.ready,
        host: member.host,
        connected: member.connected,
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
                decode_server(bytes).expect("a server's message")
            }
            _ => None,
        })
        .collect()
}

fn request(room: &mut Room<Boxes>, from: PlayerId, message: &ClientMessage) -> Vec<Effect> {
    assert_eq!(room.receive(from, &encode_client(message)), Ok(()));
    effects(room)
}
