//! What a game reports of its rounds.

use super::*;
use crate::game::{Options, Out, RoundResult, Standing};
use crate::room::Came;

fn standing(player: PlayerId, place: u32) -> Standing {
    Standing {
        player,
        team: u32::from(player.0),
        place,
        score: 7,
        left: false,
    }
}

/// What comes of a report: round, and who came where.
fn report(room: &mut Room<Boxes>, round: u32, standings: &[Standing]) -> Vec<(u32, Vec<String>)> {
    room.world_mut().resource_mut::<Out>().result(RoundResult {
        round,
        season: "s".to_owned(),
        standings: standings.to_vec(),
    });
    room.tick();
    let came = |came: &Came| {
        let left = if came.standing.left { " left" } else { "" };
        format!("{} {}{left}", came.standing.place, came.name)
    };
    let results = effects(room).into_iter().filter_map(|effect| match effect {
        Effect::Result {
            round,
            season,
            players,
        } => {
            assert_eq!(season, "s");
            Some((round, players.iter().map(came).collect()))
        }
        _ => None,
    });
    results.collect()
}

fn join_as(room: &mut Room<Boxes>, subject: &str) -> PlayerId {
    let identity = Identity {
        subject: subject.into(),
        is_guest: false,
    };
    room.join_as(subject, identity, &Options::default())
        .unwrap()
}

#[test]
fn a_round_is_reported_once_with_those_who_left_before_its_end() {
    let mut room = room(4, 1);
    let [ann, bo, cy] = ["ann", "bo", "cy"].map(|name| room.join(name).unwrap());
    let all = [standing(cy, 2), standing(ann, 2), standing(bo, 1)];
    room.leave(bo);
    let whole = ["1 bo left", "2 cy", "2 ann"].map(str::to_owned).to_vec();
    assert_eq!(report(&mut room, 3, &all), [(3, whole)]);
    assert!(report(&mut room, 3, &all).is_empty(), "said again");
    assert!(report(&mut room, 2, &all).is_empty(), "an earlier one");
    // Who left before is not in the next one, and a stranger in none.
    let next = [
        standing(bo, 1),
        standing(ann, 1),
        standing(PlayerId(999), 2),
    ];
    assert_eq!(report(&mut room, 4, &next), [(4, vec!["1 ann".to_owned()])]);
    let nobody = [standing(PlayerId(999), 1)];
    assert!(report(&mut room, 5, &nobody).is_empty());
}

#[test]
fn a_person_is_in_a_result_once() {
    let mut room = room(4, 1);
    let [first, bo, cy] = ["ann", "bo", "cy"].map(|who| join_as(&mut room, who));
    room.leave(first);
    let second = join_as(&mut room, "ann");
    room.leave(cy);
    let again = join_as(&mut room, "cy");
    room.leave(again);
    let all = [
        standing(second, 3),
        standing(first, 1),
        standing(bo, 2),
        standing(cy, 4),
        standing(again, 5),
    ];
    let once = ["2 bo", "3 ann", "5 cy left"].map(str::to_owned).to_vec();
    assert_eq!(report(&mut room, 1, &all), [(1, once)]);
}

#[test]
fn who_is_forgotten_is_in_no_result() {
    let mut room = room(4, 1);
    let [ann, bo, cy] = ["ann", "bo", "cy"].map(|who| join_as(&mut room, who));
    room.leave(ann);
    room.leave(bo);
    room.forget(&Identity {
        subject: "ann".into(),
        is_guest: false,
    });
    let all = [ann, bo, cy].map(|player| standing(player, 1));
    let others = ["1 bo left", "1 cy"].map(str::to_owned).to_vec();
    assert_eq!(report(&mut room, 1, &all), [(1, others)]);
}

/// Of the last ones who left as many as there are seats, and 64 at least.
#[test]
fn who_left_first_is_forgotten_first() {
    let mut room = room(4, 1);
    let left: Vec<PlayerId> = (0..66)
        .map(|number| {
            let player = join_as(&mut room, &format!("p{number}"));
            room.leave(player);
            player
        })
        .collect();
    let all: Vec<Standing> = left.iter().map(|player| standing(*player, 1)).collect();
    let told = report(&mut room, 1, &all);
    assert_eq!(told[0].1.len(), 64);
    assert_eq!(told[0].1[0], "1 p2 left");
}

#[test]
fn what_can_not_be_is_dropped_and_counted() {
    let mut room = room(4, 1);
    let ann = room.join("ann").unwrap();
    assert!(report(&mut room, 1, &[]).is_empty());
    assert!(report(&mut room, 1, &[standing(ann, 0)]).is_empty());
    assert!(report(&mut room, 1, &[standing(ann, 1), standing(ann, 2)]).is_empty());
    assert_eq!(room.world_mut().resource::<Out>().dropped, 3);
    assert_eq!(report(&mut room, 1, &[standing(ann, 1)]).len(), 1);
}
