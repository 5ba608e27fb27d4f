//! Members in pages: a newcomer learns of all of a big room in some ticks, of nobody twice, and of
//! what changes meanwhile as it is.

use super::roster::{Ear, pass};
use super::*;
use tickwire::limits::MEMBERS_PER_PAGE;
use tickwire::protocol::server_message::Member;

/// Members of a page, in the order in which they are told, and whether others follow.
fn page(message: &ServerMessage) -> Option<(Vec<PlayerId>, bool)> {
    let (ServerMessage::Joined { members, more, .. } | ServerMessage::Members { members, more }) =
        message
    else {
        return None;
    };
    let numbers = members.iter().map(|member: &Member| member.player);
    Some((numbers.collect(), *more))
}

/// A room and so many members who keep up.
fn crowd(members: u16) -> (Room<Boxes>, Vec<Ear>) {
    let game = GameDef::<Boxes>::new(30).expect("the game is well declared");
    let options = RoomOptions {
        seats: 1000,
        spectators: 500,
        seed: 5,
        ..RoomOptions::default()
    };
    let mut room = Room::new(Arc::new(game), options);
    let ears = (0..members).map(|n| Ear::join(&mut room, &format!("player {n:04}")));
    let mut ears: Vec<Ear> = ears.collect();
    (0..members / 32 + 4).for_each(|_| pass(&mut room, &mut ears));
    (room, ears)
}

#[test]
fn the_first_page_is_the_player_the_host_and_others_by_number() {
    let (mut room, mut ears) = crowd(1000 - 2);
    // The host is the oldest, whatever their number.
    for gone in ears.drain(..500) {
        room.leave(gone.player);
    }
    room.members.next = 3;
    pass(&mut room, &mut ears);
    let newcomer = Ear::join(&mut room, "newcomer");
    let spectator = room.watch(Identity::nobody()).expect("a place is free");
    let (you, host) = (newcomer.player, ears[0].player);
    let told = effects(&mut room);
    let first = messages_to(&told, you).iter().find_map(page);
    let (first, more) = first.expect("they are in");
    assert_eq!((first.len(), more), (MEMBERS_PER_PAGE, true));
    assert_eq!(first[..2], [you, host]);
    let others: Vec<PlayerId> = ears[1..MEMBERS_PER_PAGE - 1]
        .iter()
        .map(|ear| ear.player)
        .collect();
    assert_eq!(first[2..], others);
    let watched = messages_to(&told, spectator).iter().find_map(page);
    let (watched, more) = watched.expect("they are in");
    assert_eq!((watched.len(), more), (MEMBERS_PER_PAGE, true));
    assert_eq!(watched[..2], [host, you], "by number after the host");
}

#[test]
fn a_page_comes_each_tick_until_all_are_known() {
    for members in [62, 63, 64, 65, 127, 128, 129, 998] {
        let (mut room, mut ears) = crowd(members);
        let mut newcomer = Ear::join(&mut room, "newcomer");
        newcomer.hear(&effects(&mut room));
        let mut pages = 1;
        while newcomer.lacks_some {
            room.tick();
            let told = effects(&mut room);
            let told_pages = messages_to(&told, newcomer.player)
                .iter()
                .filter_map(page)
                .count();
            assert_eq!(told_pages, 1, "one a tick");
            pages += 1;
            for ear in ears.iter_mut().chain([&mut newcomer]) {
                ear.hear(&told);
                ear.read(&mut room);
                ear.ack(&mut room);
            }
        }
        assert_eq!(pages, (usize::from(members) + 1).div_ceil(MEMBERS_PER_PAGE));
        let public = room.members.public();
        assert!(newcomer.members.values().eq(public.iter()), "{members}");
    }
}

/// Whoever comes, goes, changes or becomes the host between two pages, and whatever the newcomers
/// can take of it: they know each once, and in the end all.
#[test]
fn changes_between_pages_are_told_once() {
    for seed in 0..12 {
        println!("seed {seed}");
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (mut room, mut ears) = crowd(random.random_range(100..400));
        let mut newcomers: Vec<Ear> = Vec::new();
        for step in 0..120 {
            for _ in 0..random.random_range(0..6) {
                let at = random.random_range(0..ears.len());
                match random.random_range(0..10) {
                    0..2 => newcomers.push(Ear::join(&mut room, &format!("newcomer {step}"))),
                    2 => {
                        let player = room.watch(Identity::nobody()).expect("a place is free");
                        newcomers.push(Ear {
                            player,
                            ..Ear::default()
                        });
                    }
                    // The host too, now and then.
                    3..6 if ears.len() > 50 => {
                        let at = if random.random_bool(0.3) { 0 } else { at };
                        room.leave(ears.remove(at).player);
                    }
                    _ => {
                        let ready = random.random_bool(0.5);
                        let ready = encode_client(&ClientMessage::Ready { ready });
                        assert_eq!(room.receive(ears[at].player, &ready), Ok(()));
                    }
                }
            }
            if random.random_bool(0.1) {
                // As if the numbers had gone round to those of members on pages to come.
                room.members.next = random.random_range(0..400);
            }
            room.tick();
            let told = effects(&mut room);
            for ear in ears.iter_mut().chain(&mut newcomers) {
                ear.hear(&told);
                ear.read(&mut room);
                if ear.last > Tick(0) && random.random_bool(0.4) {
                    ear.ack(&mut room);
                }
            }
        }
        ears.append(&mut newcomers);
        (0..90).for_each(|_| pass(&mut room, &mut ears));
        let public = room.members.public();
        for ear in &ears {
            assert!(!ear.lacks_some, "{}", ear.player);
            assert!(ear.members.values().eq(public.iter()), "{}", ear.player);
        }
    }
}
