//! What comes when somebody has waited for as long as anybody may: nobody waits for ever.

use super::desk::*;
use crate::queue::{EndReason, Input, Output, PlayerKey, View};

fn too_few(players: &[u64]) -> Output {
    Output::Ended {
        players: keys(players),
        reason: EndReason::TooFew,
    }
}

/// All who are asked accept; the teams.
fn accepted(desk: &mut Desk, said: &[Output]) -> Vec<(Vec<u64>, u8)> {
    let (offer, _, players) = only_offer(said);
    let said: Vec<Output> = players
        .iter()
        .flat_map(|player| desk.accept(*player, offer))
        .collect();
    teams(&said)
}

#[test]
fn bots_play_with_whom_there_is_nobody() {
    let mut desk = Desk::new();
    desk.queue(THREES, &[(1, 25.0), (2, 25.0)]);
    assert!(desk.wait(59.9).is_empty());
    let said = desk.wait(0.1);
    assert_eq!(accepted(&mut desk, &said), [(vec![], 3), (vec![1, 2], 1)]);
}

#[test]
fn bots_fill_what_others_leave() {
    let mut desk = Desk::new();
    desk.queue(THREES, &[(1, 25.0)]);
    desk.wait(30.0);
    // At the end the window of these is wide enough, and that of the next is not.
    desk.queue(THREES, &[(2, 35.0), (3, 35.0)]);
    desk.queue(THREES, &[(4, 45.0)]);
    let said = desk.wait(30.0);
    assert_eq!(accepted(&mut desk, &said), [(vec![1], 2), (vec![2, 3], 1)]);
    assert!(matches!(desk.view(4), Some(View::Waiting { .. })));
}

#[test]
fn short_teams_are_as_large_as_each_other() {
    let mut desk = Desk::new();
    desk.queue(PAIRS, &[(1, 25.0)]);
    desk.wait(50.0);
    desk.queue(PAIRS, &[(2, 25.0)]);
    let said = desk.wait(10.0);
    assert_eq!(accepted(&mut desk, &said), [(vec![1], 0), (vec![2], 0)]);
    // Of three one is left over; of a pair and one there is no match.
    let mut desk = Desk::new();
    desk.queue(PAIRS, &[(1, 25.0), (2, 25.0)]);
    desk.wait(10.0);
    desk.queue(PAIRS, &[(3, 25.0)]);
    assert_eq!(desk.wait(50.0), [too_few(&[1, 2])]);
    assert_eq!(desk.wait(10.0), [too_few(&[3])]);
}

#[test]
fn fewer_play_where_each_is_alone() {
    let mut desk = Desk::new();
    desk.queue(CROWD, &[(1, 25.0)]);
    desk.wait(55.0);
    (2..=4).for_each(|player| _ = desk.queue(CROWD, &[(player, 25.0)]));
    let said = desk.wait(5.0);
    assert_eq!(accepted(&mut desk, &said).len(), 4);
    let mut desk = Desk::new();
    desk.queue(CROWD, &[(1, 25.0)]);
    desk.queue(CROWD, &[(2, 25.0)]);
    let said = desk.wait(60.0);
    assert_eq!(said, [too_few(&[1]), too_few(&[2])]);
}

#[test]
fn a_whole_match_is_looked_for_once_more_without_the_own_window() {
    let mut desk = Desk::new();
    desk.queue(FIVES, &[(1, 40.0)]);
    desk.wait(55.0);
    // Each of these would have the one in the middle, and not those at the other side.
    (2..=5).for_each(|player| _ = desk.queue(FIVES, &[(player, 36.0)]));
    (6..=10).for_each(|player| _ = desk.queue(FIVES, &[(player, 44.0)]));
    assert!(desk.wait(4.9).is_empty());
    let said = desk.wait(0.1);
    let (_, _, players) = only_offer(&said);
    assert_eq!(players, (1..=10).collect::<Vec<_>>());
    let mut desk = Desk::new();
    desk.queue(FIVES, &[(1, 25.0)]);
    assert_eq!(desk.wait(60.0), [too_few(&[1])]);
}

#[test]
fn who_is_spoilt_a_match_after_the_end_gets_bots_alone_or_the_end() {
    let mut desk = Desk::new();
    desk.queue(THREES, &[(1, 40.0)]);
    desk.wait(50.0);
    desk.queue(THREES, &[(2, 40.0)]);
    let said = desk.wait(10.0);
    let (offer, _, players) = only_offer(&said);
    assert_eq!(players, [1, 2]);
    desk.accept(1, offer);
    desk.decline(2, offer);
    // There is another by now, who could spoil this one too.
    desk.queue(THREES, &[(3, 40.0)]);
    let said = desk.wait(0.0);
    assert_eq!(accepted(&mut desk, &said), [(vec![], 3), (vec![1], 2)]);
}

#[test]
fn an_offer_at_the_end_is_let_come_to_its_own() {
    let mut desk = Desk::new();
    desk.queue(PAIRS, &[(1, 25.0), (2, 25.0)]);
    desk.wait(58.0);
    let offer = desk.offered(PAIRS, &[3, 4]);
    assert!(desk.wait(10.0).is_empty());
    let said = desk.decline(3, offer);
    assert!(said.contains(&back(&[1, 2], 68.0)), "{said:?}");
    // Somebody may still be there for the end; then it is the end.
    assert_eq!(desk.wait(0.0), [too_few(&[1, 2])]);
}

#[test]
fn no_failing_rooms_let_anybody_wait_for_ever() {
    let mut desk = Desk::new();
    for player in 1..=2 {
        desk.queue(DUEL, &[(player, 25.0)]);
    }
    let (begin, mut failed) = (desk.now, 0);
    while desk.queue.players() > 0 {
        let said = desk.wait(0.25);
        let offers = said.iter().filter_map(|output| match output {
            Output::Offered { offer, players, .. } => Some((*offer, players.clone())),
            _ => None,
        });
        let offers: Vec<_> = offers.collect();
        failed += offers.len();
        if offers.is_empty() {
            continue;
        }
        desk.wait(14.0);
        for (offer, players) in &offers {
            players
                .iter()
                .for_each(|player| _ = desk.accept(player.0, *offer));
        }
        desk.wait(29.0);
        for (offer, _) in offers {
            assert!(desk.tell(Input::RoomFailed { offer }).len() <= 2);
        }
        assert!(
            desk.now - begin < secs(60.0 + 3.0 * 45.0),
            "{failed} rooms failed"
        );
    }
    assert!(failed > 2, "{failed}");
}

#[test]
fn who_is_away_at_the_end_is_at_the_end() {
    let mut desk = Desk::new();
    desk.queue(DUEL, &[(1, 25.0)]);
    desk.wait(50.0);
    desk.tell(Input::Lost {
        player: PlayerKey(1),
    });
    assert_eq!(desk.wait(10.0), [too_few(&[1])]);
}

#[test]
fn all_end_when_the_queue_does() {
    let mut desk = Desk::new();
    desk.queue(DUEL, &[(1, 0.0)]);
    desk.offered(DUEL, &[2, 3]);
    let offer = desk.going(DUEL, &[4, 5]);
    let said = desk.tell(Input::Close);
    for player in 1..=5 {
        let players = keys(&[player]);
        let reason = EndReason::Closed;
        assert!(
            said.contains(&Output::Ended { players, reason }),
            "{said:?}"
        );
    }
    assert_eq!((said.len(), desk.queue.wakes_at()), (5, None));
    assert_eq!(desk.join(4, offer), [told(4)]);
    assert!(matches!(
        desk.queue(DUEL, &[(1, 0.0)])[..],
        [Output::Refused {
            why: crate::queue::Refusal::Closed,
            ..
        }]
    ));
}
