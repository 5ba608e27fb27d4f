//! Who is put together.

use super::desk::*;
use crate::queue::{AtTheEnd, Missing, Queue, Refusal, RegionId, Timing, View, Window};
use crate::queue::{EndReason, Input, LOOKS_MAX, ModeError, Output, PLAYERS_MAX, PlayerKey};

#[test]
fn two_who_are_near_play() {
    let mut desk = Desk::new();
    assert_eq!(desk.queue(DUEL, &[(1, 25.0)]), [queued(1, &[1])]);
    assert!(desk.wait(1.0).is_empty());
    desk.queue(DUEL, &[(2, 26.0)]);
    let (offer, region, players) = only_offer(&desk.wait(0.0));
    assert_eq!((region, players), (HERE, vec![1, 2]));
    assert_eq!(desk.accept(2, offer), [told(2)]);
    assert!(matches!(
        desk.view(2),
        Some(View::Offered {
            is_accepted: true,
            accepted: 1,
            of: 2,
            ..
        })
    ));
    let went = teams(&desk.accept(1, offer));
    assert_eq!(went, [(vec![1], 0), (vec![2], 0)]);
    assert_eq!(desk.join(1, offer), [told(1)]);
    assert!(matches!(
        desk.view(1),
        Some(View::Going { is_there: true, .. })
    ));
    let said = desk.join(2, offer);
    let playing = |player: u64| Output::Ended {
        players: keys(&[player]),
        reason: EndReason::Playing,
    };
    assert!(
        said.contains(&playing(1)) && said.contains(&playing(2)),
        "{said:?}"
    );
    assert_eq!(
        (desk.view(1), desk.view(2), desk.queue.players()),
        (None, None, 0)
    );
    assert_eq!(desk.queue.wakes_at(), None);
}

#[test]
fn who_is_far_apart_waits_until_both_windows_reach() {
    let mut desk = Desk::new();
    desk.queue(DUEL, &[(1, 20.0)]);
    desk.wait(5.0);
    desk.queue(DUEL, &[(2, 27.0)]);
    // The second one's window is 7 wide after 10 s, the first one's sooner.
    assert!(desk.wait(9.9).is_empty());
    assert!(matches!(
        desk.view(2),
        Some(View::Waiting { window, waiting: 2, is_held: false, .. }) if window == 6.95
    ));
    only_offer(&desk.wait(1.1));
}

#[test]
fn who_waited_long_is_not_put_with_a_newcomer_who_would_not_have_them() {
    let mut desk = Desk::new();
    desk.queue(DUEL, &[(1, 20.0)]);
    desk.wait(15.0);
    desk.queue(DUEL, &[(2, 24.0)]);
    assert!(desk.wait(2.0).is_empty(), "the newcomer's window is 3 wide");
    desk.queue(DUEL, &[(3, 24.5)]);
    let (_, _, players) = only_offer(&desk.wait(0.0));
    assert_eq!(players, [2, 3]);
}

#[test]
fn of_many_alike_who_came_first_plays_first() {
    let mut desk = Desk::new();
    // Nobody of theirs can be matched with these, who are in the way of nobody.
    for n in 0..100 {
        desk.queue(
            FIVES,
            &[
                (n * 3 + 1000, 25.0),
                (n * 3 + 1001, 25.0),
                (n * 3 + 1002, 25.0),
            ],
        );
    }
    desk.wait(1.0);
    for player in 1..=4 {
        desk.queue(FIVES, &[(player, 25.0)]);
    }
    let (_, _, players) = only_offer(&desk.wait(0.0));
    let expected: Vec<u64> = (1..=4).chain(1000..1006).collect();
    assert_eq!(players, expected);
}

#[test]
fn parties_are_whole_and_teams_full() {
    let mut desk = Desk::new();
    let near = |players: &[u64]| -> Vec<(u64, f64)> {
        players.iter().map(|player| (*player, 25.0)).collect()
    };
    for party in [&[1, 2, 3][..], &[4, 5, 6, 7], &[8, 9]] {
        desk.queue(FIVES, &near(party));
    }
    assert!(desk.wait(3.0).is_empty(), "nine are too few");
    desk.queue(FIVES, &near(&[10]));
    let (offer, _, players) = only_offer(&desk.wait(0.0));
    assert_eq!(players, (1..=10).collect::<Vec<_>>());
    let said: Vec<Output> = (1..=10)
        .flat_map(|player| desk.accept(player, offer))
        .collect();
    let went = teams(&said);
    assert_eq!(went, [(vec![1, 2, 3, 8, 9], 0), (vec![4, 5, 6, 7, 10], 0)]);
}

#[test]
fn teams_are_about_as_strong() {
    let mut desk = Desk::new();
    for (player, rating) in [(1, 26.0), (2, 25.8), (3, 24.2), (4, 24.0)] {
        desk.queue(PAIRS, &[(player, rating)]);
    }
    let (offer, ..) = only_offer(&desk.wait(0.0));
    let said: Vec<Output> = (1..=4)
        .flat_map(|player| desk.accept(player, offer))
        .collect();
    assert_eq!(teams(&said), [(vec![1, 4], 0), (vec![2, 3], 0)]);
}

#[test]
fn a_match_is_in_a_region_of_everybody() {
    let mut desk = Desk::new();
    desk.queue_in(DUEL, &[(1, 25.0)], &[HERE]);
    desk.queue_in(DUEL, &[(2, 25.0)], &[THERE]);
    assert!(desk.wait(30.0).is_empty());
    desk.queue_in(DUEL, &[(3, 25.0)], &[RegionId(7), THERE, HERE]);
    let (_, region, players) = only_offer(&desk.wait(0.0));
    assert_eq!(
        (region, players),
        (THERE, vec![2, 3]),
        "the first of its own that has one"
    );
    assert!(matches!(desk.view(1), Some(View::Waiting { .. })));
}

#[test]
fn modes_do_not_mix() {
    let mut desk = Desk::new();
    desk.queue(DUEL, &[(1, 25.0)]);
    desk.queue(CROWD, &[(2, 25.0)]);
    assert!(desk.wait(10.0).is_empty());
}

#[test]
fn what_can_not_wait_is_refused_and_changes_nothing() {
    let mut desk = Desk::new();
    let mut refused = |mode, who: &[(u64, f64)], regions: &[RegionId], why| {
        let said = desk.queue_in(mode, who, regions);
        let player = PlayerKey(who[0].0);
        assert_eq!(said, [Output::Refused { player, why }]);
        assert_eq!(desk.queue.players(), 0);
    };
    let (one, here) = ([(1, 25.0)], [HERE]);
    refused(crate::queue::ModeId(99), &one, &here, Refusal::Mode);
    refused(DUEL, &one, &[], Refusal::Regions);
    let many: Vec<RegionId> = (0..9).map(RegionId).collect();
    refused(DUEL, &one, &many, Refusal::Regions);
    refused(DUEL, &[(1, 25.0), (2, 25.0)], &here, Refusal::PartySize);
    refused(DUEL, &[(1, f64::NAN)], &here, Refusal::Rating);
    refused(DUEL, &[(1, f64::NEG_INFINITY)], &here, Refusal::Rating);
    refused(DUEL, &[(1, 1e7)], &here, Refusal::Rating);
    let twice = [(1, 25.0), (1, 25.0)];
    refused(PAIRS, &twice, &here, Refusal::Queued(PlayerKey(1)));
    assert!(desk.queue_in(DUEL, &[], &here).is_empty());
    let named_twice = [HERE, THERE, HERE];
    assert_eq!(desk.queue_in(DUEL, &one, &named_twice), [queued(1, &[1])]);
}

#[test]
fn a_queue_is_full_at_its_bound() {
    let mut desk = Desk::new();
    for player in 0..PLAYERS_MAX as u64 {
        let apart = player as f64 * 20.0;
        assert_eq!(desk.queue(DUEL, &[(player, apart)]).len(), 1);
    }
    let one_more = PlayerKey(u64::MAX);
    let why = Refusal::Full;
    let said = desk.queue(DUEL, &[(u64::MAX, 0.0)]);
    assert_eq!(
        said,
        [Output::Refused {
            player: one_more,
            why
        }]
    );
    desk.tell(Input::Cancel {
        player: PlayerKey(5),
    });
    assert_eq!(desk.queue(DUEL, &[(u64::MAX, 0.0)]).len(), 1);
}

/// Parties of three of five find nothing however many they are. A step looks at no more than it
/// may, and the next one goes on where it stopped.
#[test]
fn what_a_step_does_is_bounded_and_nobody_is_forgotten() {
    let mut desk = Desk::new();
    for n in 0..5000 {
        desk.queue(
            FIVES,
            &[(n * 3, 25.0), (n * 3 + 1, 25.0), (n * 3 + 2, 25.0)],
        );
    }
    let mut steps = 0;
    while desk.queue.wakes_at() <= Some(desk.now) {
        desk.queue.step(desk.now);
        steps += 1;
    }
    // Eleven of its size at each, and one for the search.
    let tries = LOOKS_MAX.div_ceil(12);
    assert_eq!(steps, 5000_u32.div_ceil(tries));
    assert!(desk.wait(0.5).is_empty());
}

#[test]
fn modes_that_can_not_be_played_are_named() {
    let made = |change: &dyn Fn(&mut crate::queue::Mode)| {
        let mut modes = modes();
        change(&mut modes[1]);
        Queue::new(modes, Timing::default(), 0).err()
    };
    assert_eq!(made(&|_| ()), None);
    assert_eq!(made(&|mode| mode.teams = 0), Some(ModeError::Size));
    assert_eq!(made(&|mode| mode.team_size = 17), Some(ModeError::Size));
    assert_eq!(made(&|mode| mode.teams = 33), Some(ModeError::Size));
    assert_eq!(made(&|mode| mode.wait = secs(0.0)), Some(ModeError::Wait));
    assert_eq!(
        made(&|mode| mode.wait = secs(3601.0)),
        Some(ModeError::Wait)
    );
    for start in [f64::NAN, -1.0, f64::INFINITY] {
        let window = Window {
            start,
            per_second: 1.0,
            max: 9.0,
        };
        assert_eq!(made(&|mode| mode.window = window), Some(ModeError::Window));
    }
    for least in [0, 1, 5] {
        let at_the_end = AtTheEnd::Short { least };
        assert_eq!(
            made(&|mode| mode.at_the_end = at_the_end),
            Some(ModeError::Least)
        );
    }
    let missing = Missing::PlayOn { least: 0 };
    assert_eq!(made(&|mode| mode.missing = missing), Some(ModeError::Least));
    let none = Queue::new(Vec::new(), Timing::default(), 0);
    assert_eq!(none.err(), Some(ModeError::Modes));
}
