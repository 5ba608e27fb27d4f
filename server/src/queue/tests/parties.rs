//! Parties that change while they wait, are offered a match, or go into one.

use super::desk::*;
use crate::queue::{EndReason, Input, OutReason, Output, PlayerKey, Refusal, View};

fn left(desk: &mut Desk, player: u64) -> Vec<Output> {
    let player = PlayerKey(player);
    desk.tell(Input::PartyLeft { player })
}

fn joined(desk: &mut Desk, party: u64, player: u64) -> Vec<Output> {
    desk.tell(Input::PartyJoined {
        party: PlayerKey(party),
        seeker: seeker(player, 25.0),
    })
}

fn out(players: &[u64], by: u64, reason: OutReason) -> Output {
    Output::Out {
        players: keys(players),
        by: PlayerKey(by),
        reason,
    }
}

#[test]
fn members_come_and_go_and_the_place_is_kept() {
    let mut desk = Desk::new();
    desk.queue(PAIRS, &[(1, 25.0)]);
    desk.wait(4.0);
    assert_eq!(joined(&mut desk, 1, 2), [queued(1, &[1, 2])]);
    let why = Refusal::PartySize;
    let player = PlayerKey(3);
    assert_eq!(joined(&mut desk, 2, 3), [Output::Refused { player, why }]);
    desk.wait(4.0);
    // Who leads leaves.
    let gone = out(&[1], 1, OutReason::LeftParty);
    assert_eq!(left(&mut desk, 1), [gone, queued(1, &[2])]);
    assert_eq!((desk.waited(2), desk.view(1)), (8.0, None));
    assert_eq!(left(&mut desk, 2), [out(&[2], 2, OutReason::LeftParty)]);
    assert_eq!(left(&mut desk, 2), [told(2)]);
    assert_eq!(joined(&mut desk, 2, 3), [told(3)], "there is no such party");
    assert_eq!((desk.queue.players(), desk.queue.wakes_at()), (0, None));
}

#[test]
fn who_joins_changes_what_is_looked_for() {
    let mut desk = Desk::new();
    desk.queue(PAIRS, &[(1, 25.0)]);
    desk.queue(PAIRS, &[(2, 25.0)]);
    joined(&mut desk, 1, 3);
    joined(&mut desk, 2, 4);
    let (offer, _, players) = only_offer(&desk.wait(0.0));
    assert_eq!(players, [1, 2, 3, 4]);
    let said: Vec<Output> = (1..=4)
        .flat_map(|player| desk.accept(player, offer))
        .collect();
    assert_eq!(teams(&said), [(vec![1, 3], 0), (vec![2, 4], 0)]);
}

#[test]
fn a_member_who_declines_takes_the_party_out_and_nobody_else() {
    let mut desk = Desk::new();
    desk.queue(PAIRS, &[(1, 25.0), (2, 25.0)]);
    let offer = desk.offered(PAIRS, &[3, 4]);
    desk.accept(1, offer);
    let said = desk.decline(2, offer);
    assert!(
        said.contains(&out(&[1, 2], 2, OutReason::Declined)),
        "{said:?}"
    );
    assert!(said.contains(&back(&[3], 0.0)) && said.contains(&back(&[4], 0.0)));
    // Only who declined may not queue.
    assert_eq!(desk.queue(PAIRS, &[(1, 25.0)]).len(), 1);
    let said = desk.queue(PAIRS, &[(5, 25.0), (2, 25.0)]);
    let why = Refusal::Cooling(PlayerKey(2), desk.now + secs(10.0));
    assert_eq!(
        said,
        [Output::Refused {
            player: PlayerKey(5),
            why
        }]
    );
}

#[test]
fn who_leaves_the_party_while_a_match_is_offered_spoils_it_alone() {
    let mut desk = Desk::new();
    desk.queue(PAIRS, &[(1, 25.0), (2, 25.0)]);
    let offer = desk.offered(PAIRS, &[3, 4]);
    desk.accept(2, offer);
    desk.wait(2.0);
    let said = left(&mut desk, 1);
    assert!(
        said.contains(&out(&[1], 1, OutReason::LeftParty)),
        "{said:?}"
    );
    for player in [2, 3, 4] {
        assert!(said.contains(&back(&[player], 2.0)), "{said:?}");
    }
    assert_eq!(desk.queue.players(), 3);
    let said = desk.queue(PAIRS, &[(1, 25.0)]);
    assert!(matches!(
        said[..],
        [Output::Refused {
            why: Refusal::Cooling(..),
            ..
        }]
    ));
}

#[test]
fn who_joins_the_party_beside_a_match_is_with_it_if_it_comes_back() {
    let mut desk = Desk::new();
    desk.queue(PAIRS, &[(1, 25.0)]);
    let offer = desk.offered(PAIRS, &[2, 3, 4]);
    assert_eq!(joined(&mut desk, 1, 5), [told(5)]);
    assert_eq!(desk.view(5), Some(View::Beside));
    let why = Refusal::Queued(PlayerKey(5));
    let said = desk.queue(DUEL, &[(5, 25.0)]);
    assert_eq!(
        said,
        [Output::Refused {
            player: PlayerKey(5),
            why
        }]
    );
    assert_eq!(desk.accept(5, offer), [told(5)], "they were not asked");
    assert_eq!(left(&mut desk, 5), [out(&[5], 5, OutReason::LeftParty)]);
    joined(&mut desk, 1, 5);
    let said = desk.decline(2, offer);
    assert!(said.contains(&back(&[1, 5], 0.0)), "{said:?}");
    desk.queue(PAIRS, &[(6, 25.0)]);
    only_offer(&desk.wait(0.0));
}

#[test]
fn who_joins_the_party_beside_a_match_that_is_played_is_told() {
    let mut desk = Desk::new();
    let offer = desk.going(PAIRS, &[1, 2, 3, 4]);
    joined(&mut desk, 1, 5);
    let said: Vec<Output> = (1..=4)
        .flat_map(|player| desk.join(player, offer))
        .collect();
    let players = keys(&[5]);
    let reason = EndReason::PartyPlays;
    assert!(
        said.contains(&Output::Ended { players, reason }),
        "{said:?}"
    );
    assert_eq!(desk.queue.players(), 0);
}

#[test]
fn who_leaves_the_party_on_the_way_into_a_match_is_still_in_that() {
    let mut desk = Desk::new();
    desk.queue(PAIRS, &[(1, 25.0), (2, 25.0)]);
    let offer = desk.offered(PAIRS, &[3, 4]);
    (1..=4).for_each(|player| _ = desk.accept(player, offer));
    assert_eq!(left(&mut desk, 2), [told(2)]);
    assert!(matches!(desk.view(2), Some(View::Going { .. })));
    let player = PlayerKey(3);
    let said = desk.tell(Input::JoinFailed { player, offer });
    assert!(
        said.contains(&out(&[2], 2, OutReason::LeftParty)),
        "{said:?}"
    );
    assert!(said.contains(&back(&[1], 0.0)), "{said:?}");
    assert_eq!(
        desk.queue(PAIRS, &[(2, 25.0)]).len(),
        1,
        "they spoilt nothing"
    );
}

#[test]
fn a_partys_rating_is_the_mean_of_its_members() {
    let mut desk = Desk::new();
    desk.queue(PAIRS, &[(1, 15.0), (2, 35.0)]);
    desk.queue(PAIRS, &[(3, 24.0), (4, 28.0)]);
    let (_, _, players) = only_offer(&desk.wait(0.0));
    assert_eq!(players, [1, 2, 3, 4]);
}

#[test]
fn a_party_that_is_not_what_it_was_waits_no_longer() {
    let changed = |desk: &mut Desk, by: u64| {
        desk.tell(Input::PartyChanged {
            party: PlayerKey(1),
            by: PlayerKey(by),
        })
    };
    let mut desk = Desk::new();
    desk.queue(PAIRS, &[(1, 25.0), (2, 25.0)]);
    let gone = out(&[1, 2], 9, OutReason::PartyChanged);
    assert_eq!(changed(&mut desk, 9), [gone]);
    assert_eq!(changed(&mut desk, 9), [told(1)]);
    assert_eq!((desk.queue.players(), desk.queue.wakes_at()), (0, None));

    // Who joins changes nothing of a match that is offered, who leaves it spoils it.
    desk.queue(PAIRS, &[(1, 25.0), (2, 25.0)]);
    desk.queue(PAIRS, &[(3, 25.0), (4, 25.0)]);
    let (_, _, players) = only_offer(&desk.wait(0.0));
    assert_eq!(players, [1, 2, 3, 4]);
    assert_eq!(changed(&mut desk, 9), [told(1)]);
    let said = changed(&mut desk, 2);
    assert!(
        said.contains(&out(&[1, 2], 2, OutReason::PartyChanged)),
        "{said:?}"
    );
    assert!(desk.view(1).is_none() && desk.view(3).is_some());
    let again = desk.queue(PAIRS, &[(2, 25.0)]);
    let is_cooling = |output: &Output| {
        let why = match output {
            Output::Refused { why, .. } => why,
            _ => return false,
        };
        matches!(why, Refusal::Cooling(PlayerKey(2), _))
    };
    assert!(again.iter().any(is_cooling), "{again:?}");

    // Once all have accepted it is played by who is in it.
    desk.queue(PAIRS, &[(1, 25.0), (5, 25.0)]);
    let (offer, _, players) = only_offer(&desk.wait(0.0));
    for player in players {
        desk.accept(player, offer);
    }
    assert_eq!(changed(&mut desk, 5), [told(1)]);
}
