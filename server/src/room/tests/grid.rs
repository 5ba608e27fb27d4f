//! What is predicted on its grid: everyone is told exactly what the world has, and its owner
//! nothing besides.

use super::*;
use crate::game::turn;

/// Carts that roll by thirds of a unit, on a grid of eighths. No component is any owner's alone.
struct Carts;

#[derive(Component)]
struct Cart {
    x: f64,
    y: f64,
    heading: f64,
    vx: f64,
}

impl Game for Carts {
    const NAME: &'static str = "carts";
    type Input = Push;

    fn schema(s: &mut Schema<Self>) {
        s.component::<Cart>("cart", |k| {
            k.predicted_on_grid()
                .field("x", |c| &mut c.x, range(-4.0, 96.0).step(0.125).linear())
                .field("y", |c| &mut c.y, range(-4.0, 96.0).step(0.125).linear())
                .field("heading", |c| &mut c.heading, turn(64).bearing("x", "y"))
                .field(
                    "vx",
                    |c| &mut c.vx,
                    range(-9.0, 9.0).step(0.25).rate_of("x"),
                )
        });
        s.input(|k| k.field("dx", |i| &mut i.dx, range(-1.0, 1.0).step(0.125)));
    }

    fn setup(_: &mut World, systems: &mut Schedule, _: &RoomOptions) {
        systems.add_systems(roll);
    }

    fn join(world: &mut World, who: &Player) -> Entity {
        world
            .spawn(Cart {
                x: f64::from(who.id.0),
                y: 0.0,
                heading: 0.0,
                vx: 0.0,
            })
            .id()
    }
}

/// Headings and velocities are a step beside what their positions say, which a tolerance would
/// hide.
fn roll(mut carts: Query<&mut Cart>) {
    for mut cart in &mut carts {
        cart.x += 1.0 / 3.0;
        cart.y += 0.2;
        cart.heading += 0.1;
        cart.vx = cart.x % 1.0 * 7.0;
    }
}

#[test]
fn everyone_is_told_what_the_world_has_in_one_body() {
    let game = GameDef::<Carts>::new(30).expect("the game is well declared");
    assert_eq!(game.layout.owner.width(), 0);
    let options = RoomOptions {
        seats: 3,
        seed: 5,
        ..RoomOptions::default()
    };
    let mut room = Room::new(Arc::new(game), options);
    let players: Vec<PlayerId> = (0..3)
        .map(|_| room.join("somebody").expect("a seat is free"))
        .collect();
    let mut images = vec![LayerImage::default(); players.len()];
    let mut scratch = Scratch::default();
    for tick in 0..100 {
        room.tick();
        for (player, image) in players.iter().zip(&mut images) {
            let mut frame = Vec::new();
            assert!(room.compose(*player, true, &mut frame));
            let (head, sections) = SnapshotHead::decode(&frame).expect("a snapshot");
            let bodies: Vec<&[u8]> = sections
                .map(|section| section.expect("a section"))
                .map(|(kind, bytes)| {
                    assert_eq!(kind, SectionKind::Layer(LayerId::ROOM));
                    bytes
                })
                .collect();
            assert_eq!(bodies.len(), 1);
            let (body, bits) = decode_head(LayerId::ROOM, bodies[0]).expect("a body");
            let layout = &room.game.layout;
            let verdict = decode(body, bits, head.tick, layout, image, &mut scratch);
            assert!(verdict.is_ok(), "{verdict:?}");
            judge(&room, image);
            let mut ack = Vec::new();
            encode_ack(head.tick, &mut ack);
            assert_eq!(room.receive(*player, &ack), Ok(()));
        }
        assert_eq!(room.stats().bodies_encoded, 1, "tick {tick}");
    }
}

/// Every number of the image stands for the very bits that the world has.
fn judge(room: &Room<Carts>, image: &LayerImage) {
    let set = &room.game.layout.room;
    assert_eq!(image.entities.len(), 3);
    for (row, head) in image.entities.iter().enumerate() {
        let owner = OwnerCode::decode(head.owner).expect("a player's");
        let entity = room.members.get(owner.player).expect("seated").entity;
        let cart = room.world.get::<Cart>(entity).expect("alive");
        let values = image.view().row(row, set.width());
        for (column, value) in [(0, cart.x), (3, cart.y), (6, cart.heading), (7, cart.vx)] {
            let told = set.columns[column].kind.dequantise(values[column]);
            assert_eq!(told.to_bits(), value.to_bits(), "column {column}: {value}");
        }
    }
}
