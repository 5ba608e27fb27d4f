//! Groups between which entities move, and players and spectators who hold some of them, now these,
//! now those: each holds what the server has in the groups that it is to hold, whatever it missed,
//! and nothing else.

use std::collections::BTreeMap;

use tickwire::session::Session;
use tickwire::snapshot::column_set::ColumnSet;

use super::*;
use crate::game::{Group, Groups, Owner};

/// Groups of a house.
const FLOORS: u16 = 40;
/// Who goes about in it.
const WALKERS: usize = 120;

/// A house of many floors, on which people walk.
struct House;

#[derive(Component)]
struct Place {
    x: f64,
    y: f64,
    speed: f64,
}

#[derive(Component, Clone)]
struct Health {
    left: i32,
}

/// How many went to another floor.
#[derive(Resource, Default)]
struct Moves(u64);

impl Game for House {
    const NAME: &'static str = "house";
    type Input = ();

    fn schema(s: &mut Schema<Self>) {
        s.component::<Place>("place", |k| {
            k.predicted()
                .field("x", |p| &mut p.x, range(-500.0, 500.0).step(0.01).linear())
                .field("y", |p| &mut p.y, range(-500.0, 500.0).step(0.01).linear())
        });
        s.component::<Health>("health", |k| k.field("left", |h| &mut h.left, int(0, 100)));
    }

    fn setup(world: &mut World, systems: &mut Schedule, _: &RoomOptions) {
        world.init_resource::<Moves>();
        for at in 0..WALKERS {
            world.spawn(walker(at as f64));
        }
        systems.add_systems((walk, climb, look).chain());
    }

    fn join(world: &mut World, who: &Player) -> Entity {
        let avatar = world.spawn((walker(0.0), Group(who.id.0 % FLOORS)));
        avatar.id()
    }
}

fn walker(at: f64) -> (Place, Health) {
    let place = Place {
        x: at,
        y: -at,
        speed: 0.25 + at / 50.0,
    };
    (place, Health { left: 100 })
}

fn walk(mut walkers: Query<(&mut Place, &mut Health)>, mut rng: ResMut<RoomRng>) {
    for (mut place, mut health) in &mut walkers {
        if rng.0.random_bool(0.05) {
            place.speed = rng.0.random_range(-2.0..2.0);
        }
        place.x = (place.x + place.speed).clamp(-499.0, 499.0);
        place.y = (place.y - place.speed / 3.0).clamp(-499.0, 499.0);
        if rng.0.random_bool(0.02) {
            health.left = rng.0.random_range(1..=100);
        }
    }
}

/// What walks, which group it is in, whose it is.
type Walker<'a> = (Entity, Option<&'a Group>, Option<&'a Owner>);

/// They go from floor to floor, out of the house and in, and one dies where another is born.
fn climb(
    mut commands: Commands,
    walkers: Query<Walker<'_>, With<Place>>,
    mut rng: ResMut<RoomRng>,
    mut moves: ResMut<Moves>,
) {
    for (who, floor, owner) in &walkers {
        match rng.0.random_range(0..100) {
            0..10 => {
                moves.0 += 1;
                let next = floor.map_or(0, |floor| floor.0 + 1) % FLOORS;
                commands.entity(who).insert(Group(next));
            }
            10..12 => {
                moves.0 += 1;
                let any = rng.0.random_range(0..FLOORS);
                commands.entity(who).insert(Group(any));
            }
            12 => drop(commands.entity(who).remove::<Group>()),
            13 if owner.is_none() => {
                commands.entity(who).despawn();
                let floor = Group(rng.0.random_range(0..FLOORS));
                commands.spawn((walker(1.0), floor));
            }
            _ => {}
        }
    }
}

/// The floors that somebody sees: some in a row, which go up and down with time.
fn look(mut groups: ResMut<Groups>, roster: Res<game::Roster>, tick: Res<game::Tick>) {
    let players = roster.members.iter().map(|member| member.player);
    let all = players.chain(roster.spectators.iter().copied());
    for (number, who) in (0..).zip(all) {
        let first = (tick.number / (5 + 7 * number) + 11 * number) as u16;
        let seen = (number * 6 + tick.number / 100 % 3) as u16;
        groups.set(who, (first..first + seen).map(|floor| floor % FLOORS));
    }
}

/// A client of a player or a spectator.
struct Guest {
    player: PlayerId,
    session: Session,
    /// What was written and has not come yet.
    way: Vec<Vec<u8>>,
}

impl Guest {
    fn join(room: &mut Room<House>) -> Guest {
        let player = room.join("guest").expect("a seat is free");
        Guest::greeted(player, room)
    }

    /// One that looks on.
    fn watch(room: &mut Room<House>) -> Guest {
        let number = room.watch(Identity::nobody()).expect("a place is free");
        Guest::greeted(number, room)
    }

    fn greeted(player: PlayerId, room: &mut Room<House>) -> Guest {
        let mut session = Session::new("guest", "");
        let welcome = room.game.welcome("guest");
        session.handle_message(&welcome, 0).expect("a welcome");
        while session.poll_transmit().is_some() {}
        Guest {
            player,
            session,
            way: Vec::new(),
        }
    }

    /// Hears what came, and answers.
    fn hear(&mut self, room: &mut Room<House>, now_us: u64) {
        for message in self.way.drain(..) {
            self.session
                .handle_message(&message, now_us)
                .expect("what a server says");
        }
        self.session.handle_timeout(now_us);
        while self.session.poll_event().is_some() {}
        while let Some(message) = self.session.poll_transmit() {
            assert_eq!(room.receive(self.player, &message), Ok(()));
        }
    }
}

fn house(seed: u64, seats: u16) -> Room<House> {
    let game = GameDef::<House>::new(30).expect("the game is well declared");
    let options = RoomOptions {
        seats,
        seed,
        ..RoomOptions::default()
    };
    Room::new(Arc::new(game), options)
}

/// A room's image of a layer, as a session holds one.
fn truth(room: &Room<House>, group: Option<u16>) -> LayerImage {
    let image = room.ring.newest().expect("an image");
    let layer = match group {
        None => image.layer(LayerKey::Room).expect("there always is"),
        Some(group) => image.group(group),
    };
    LayerImage {
        tick: layer.tick,
        gap: layer.gap,
        entities: layer.entities.to_vec(),
        values: layer.values.to_vec(),
    }
}

/// What somebody holds after the newest snapshot, against the room. How many groups were compared.
fn judge(room: &mut Room<House>, guest: &Guest, seed: u64) -> usize {
    let set = room.game.layout.room.clone();
    let what = format!("seed {seed}, {}, tick {}", guest.player, room.tick);
    let held = guest.session.room().expect("they are in it");
    let receiver = room.members.receiver_mut(guest.player).expect("a member");
    let wanted = receiver.groups.clone();
    let names: Vec<(LayerId, u16)> = receiver
        .layers
        .groups(&wanted)
        .map_or(vec![], |groups| groups.names().collect());
    let mut groups: Vec<u16> = names.iter().map(|(_, group)| *group).collect();
    groups.sort_unstable();
    assert_eq!(groups, wanted, "{what}");
    let own = held.avatar();
    let is_same = |image: &LayerImage, truth: &LayerImage, set: &ColumnSet| {
        image == truth || *image == truth.bare(set)
    };
    let mut seen = BTreeMap::new();
    let mut compared = 0;
    let mut whole = true;
    for (layer, group) in std::iter::once((LayerId::ROOM, None))
        .chain(names.iter().map(|(layer, group)| (*layer, Some(*group))))
    {
        let truth = truth(room, group);
        // What was spoiled comes again.
        let Some(image) = held.layer(layer) else {
            whole = false;
            continue;
        };
        assert!(
            is_same(image, &truth, &set),
            "{what}, {layer}: {image:?}, not {truth:?}"
        );
        compared += usize::from(group.is_some());
        for head in &image.entities {
            let twice = seen.insert(head.handle().to_field(), layer);
            assert_eq!(twice, None, "{what}: {head:?} is in {layer} too");
        }
    }
    // No layer beside.
    let watches = is_spectator(guest.player);
    let last = if watches {
        LayerId::ROOM
    } else {
        LayerId::TEAM
    };
    let known = |layer| layer <= last || names.iter().any(|(of, _)| *of == layer);
    assert!(held.layers().all(|(layer, _)| known(layer)), "{what}");
    assert!(
        !whole || own.is_some() != watches,
        "{what}: the own figure is always there, but of who looks on"
    );
    compared
}

/// Plays for so long, by a seed; moves and compared images.
fn play(seed: u64, ticks: u32) -> (u64, usize) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut room = house(seed, 6);
    let mut guests: Vec<Guest> = (0..6).map(|_| Guest::join(&mut room)).collect();
    let (mut compared, mut spoiled) = (0, 0);
    let mut frame = Vec::new();
    for tick in 0..ticks {
        let now_us = u64::from(tick) * 33_333;
        // Two look on, one of whom goes now and then, and another one comes.
        if tick % 150 == 20 {
            if guests.len() == 8 {
                room.leave(guests.remove(6).player);
            }
            while guests.len() < 8 {
                guests.push(Guest::watch(&mut room));
            }
        }
        room.tick();
        while let Some(effect) = room.poll_effect() {
            if let Effect::Control { to, bytes } = effect {
                let guest = guests.iter_mut().find(|guest| guest.player == to);
                guest.expect("a guest").way.push(bytes.to_vec());
            }
        }
        for (nth, guest) in guests.iter_mut().enumerate() {
            frame.clear();
            // Some read seldom, in turns.
            let slow = (4..7).contains(&nth) && tick / 90 % 2 == nth as u32 % 2;
            let writable = !rng.random_bool(if slow { 0.8 } else { 0.03 });
            let sent = room.compose(guest.player, writable, &mut frame);
            if sent {
                guest.way.push(frame.clone());
            }
            if sent || !slow {
                guest.hear(&mut room, now_us);
            }
            if sent {
                compared += judge(&mut room, guest, seed);
            }
            if sent && rng.random_bool(0.01) {
                // Memory fails: a keyframe heals it.
                let held = guest.session.room().expect("they are in it");
                let groups: Vec<LayerId> = held
                    .layers()
                    .map(|(layer, _)| layer)
                    .filter(|layer| layer.is_group())
                    .collect();
                if let Some(layer) = groups.get(nth) {
                    let image = guest.session.layer_mut(*layer).expect("it is held");
                    image.tick.0 ^= 1 << 20;
                    spoiled += 1;
                }
            }
        }
    }
    let desyncs: u64 = guests
        .iter()
        .map(|guest| guest.session.stats().desyncs)
        .sum();
    assert!(
        desyncs >= spoiled / 2,
        "seed {seed}: {desyncs} of {spoiled} were noticed"
    );
    (room.world_mut().resource::<Moves>().0, compared)
}

#[test]
fn who_holds_changing_groups_holds_what_is_in_them() {
    let (mut moves, mut compared) = (0, 0);
    for seed in 0..4 {
        let (went, of) = play(seed, 600);
        (moves, compared) = (moves + went, compared + of);
    }
    println!("{moves} moves, {compared} images of groups");
    assert!(moves > 30_000 && compared > 50_000, "{moves}, {compared}");
}

/// What is in a group that somebody does not hold makes no byte of theirs another one.
#[test]
fn nothing_of_other_groups_leaves_the_server() {
    let bytes_of = |hidden_too: bool| {
        let mut room = house(1, 1);
        let player = room.join("guest").expect("a seat is free");
        // Nobody walks by chance, and all but two are on a floor that is not held.
        room.schedule = Schedule::default();
        let mut walkers = room.world.query_filtered::<Entity, With<Place>>();
        let walkers: Vec<Entity> = walkers.iter(&room.world).collect();
        let avatar = room.members.get(player).expect("a member").entity;
        for (nth, who) in walkers.iter().filter(|who| **who != avatar).enumerate() {
            let floor = [Group(0), Group(7)][usize::from(nth > 1)];
            room.world.entity_mut(*who).insert(floor);
        }
        let mut all = Vec::new();
        for tick in 0..60 {
            for (nth, who) in walkers.iter().enumerate() {
                let is_seen = room.world.get::<Group>(*who) == Some(&Group(0));
                let mut place = room.world.get_mut::<Place>(*who).expect("a walker");
                if is_seen || hidden_too {
                    place.x += f64::from(tick % 7) + nth as f64;
                }
                // From one floor that is not held to another.
                if !is_seen && hidden_too && (tick as usize + nth).is_multiple_of(5) {
                    room.world
                        .entity_mut(*who)
                        .insert(Group(8 + tick as u16 % 3));
                }
            }
            room.tick();
            let mut frame = Vec::new();
            assert!(room.compose(player, true, &mut frame));
            let (head, _) = SnapshotHead::decode(&frame).expect("a snapshot");
            let mut ack = Vec::new();
            encode_ack(head.tick, &mut ack);
            assert_eq!(room.receive(player, &ack), Ok(()));
            all.push(frame);
        }
        all
    };
    let (still, moving) = (bytes_of(false), bytes_of(true));
    assert_eq!(still, moving);
    assert!(
        moving.iter().map(Vec::len).sum::<usize>() > 60 * 14,
        "something is sent"
    );
}

#[test]
fn who_knows_of_no_groups_is_sent_none() {
    let mut room = house(3, 2);
    let mut guests: Vec<Guest> = (0..2).map(|_| Guest::join(&mut room)).collect();
    room.set_knows_groups(guests[1].player, false);
    for tick in 0..40 {
        room.tick();
        while let Some(effect) = room.poll_effect() {
            if let Effect::Control { to, bytes } = effect {
                let guest = guests.iter_mut().find(|guest| guest.player == to);
                guest.expect("a guest").way.push(bytes.to_vec());
            }
        }
        for guest in &mut guests {
            let mut frame = Vec::new();
            assert!(room.compose(guest.player, true, &mut frame));
            guest.way.push(frame);
            guest.hear(&mut room, tick * 33_333);
        }
    }
    let groups = guests.iter().map(|guest| {
        let held = guest.session.room().expect("they are in it").layers();
        held.filter(|(layer, _)| layer.is_group()).count()
    });
    assert!(groups.eq([1, 0]));
}
