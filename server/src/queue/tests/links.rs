//! Connections that are cut, and players in several tabs.

use super::desk::*;
use crate::queue::{Input, ModeId, OutReason, Output, PlayerKey, Refusal, View};

fn lost(desk: &mut Desk, player: u64) {
    let player = PlayerKey(player);
    assert!(desk.tell(Input::Lost { player }).is_empty());
}

fn returned(desk: &mut Desk, player: u64) {
    let key = PlayerKey(player);
    assert_eq!(desk.tell(Input::Returned { player: key }), [told(player)]);
}

fn away(players: &[u64], by: u64, reason: OutReason) -> Output {
    Output::Out {
        players: keys(players),
        by: PlayerKey(by),
        reason,
    }
}

#[test]
fn nobody_is_matched_with_who_is_away_and_a_place_is_kept() {
    let mut desk = Desk::new();
    desk.queue(DUEL, &[(1, 25.0)]);
    desk.wait(5.0);
    lost(&mut desk, 1);
    desk.queue(DUEL, &[(2, 25.0)]);
    assert!(desk.wait(10.0).is_empty());
    assert!(matches!(
        desk.view(1),
        Some(View::Waiting {
            is_held: true,
            waiting: 2,
            ..
        })
    ));
    returned(&mut desk, 1);
    assert_eq!(desk.waited(1), 15.0);
    only_offer(&desk.wait(1.0));
}

#[test]
fn who_stays_away_is_out_with_their_party() {
    let mut desk = Desk::new();
    desk.queue(PAIRS, &[(1, 25.0), (2, 25.0)]);
    lost(&mut desk, 2);
    desk.wait(5.0);
    lost(&mut desk, 1);
    lost(&mut desk, 2);
    returned(&mut desk, 1);
    assert!(desk.wait(14.9).is_empty());
    assert_eq!(desk.wait(0.1), [away(&[1, 2], 2, OutReason::Lost)]);
    assert_eq!(
        desk.queue(PAIRS, &[(2, 25.0)]).len(),
        1,
        "that spoils no match"
    );
}

#[test]
fn an_offer_lasts_through_a_cut() {
    let mut desk = Desk::new();
    let offer = desk.offered(DUEL, &[1, 2]);
    lost(&mut desk, 1);
    desk.accept(2, offer);
    desk.wait(10.0);
    returned(&mut desk, 1);
    assert!(matches!(
        desk.view(1),
        Some(View::Offered {
            is_accepted: false,
            ..
        })
    ));
    teams(&desk.accept(1, offer));
    // On the way the same; who is not back in time has not come.
    lost(&mut desk, 1);
    desk.join(2, offer);
    let said = desk.wait(30.0);
    assert!(
        said.contains(&away(&[1], 1, OutReason::NotCome)),
        "{said:?}"
    );
    assert!(said.contains(&back(&[2], 40.0)), "{said:?}");
}

#[test]
fn who_is_away_when_a_match_comes_to_nothing_is_held() {
    let mut desk = Desk::new();
    let offer = desk.offered(DUEL, &[1, 2]);
    desk.accept(1, offer);
    lost(&mut desk, 1);
    desk.wait(3.0);
    let said = desk.decline(2, offer);
    assert!(said.contains(&back(&[1], 3.0)), "{said:?}");
    desk.queue(DUEL, &[(3, 25.0)]);
    assert!(desk.wait(16.9).is_empty());
    assert_eq!(desk.wait(0.1), [away(&[1], 1, OutReason::Lost)]);
}

#[test]
fn a_second_tab_is_the_same_player() {
    let mut desk = Desk::new();
    let player = PlayerKey(1);
    let refused = Output::Refused {
        player,
        why: Refusal::Queued(player),
    };
    desk.queue(DUEL, &[(1, 25.0)]);
    desk.wait(2.0);
    for mode in [DUEL, CROWD] {
        assert_eq!(
            desk.queue(mode, &[(1, 25.0)]),
            std::slice::from_ref(&refused)
        );
    }
    let in_party = desk.queue(PAIRS, &[(9, 25.0), (1, 25.0)]);
    let why = Refusal::Queued(player);
    assert_eq!(
        in_party,
        [Output::Refused {
            player: PlayerKey(9),
            why
        }]
    );
    assert!(matches!(
        desk.view(1),
        Some(View::Waiting {
            mode: ModeId(0),
            waiting: 1,
            ..
        })
    ));
    let offer = desk.offered(DUEL, &[2]);
    assert_eq!(
        desk.queue(DUEL, &[(1, 25.0)]),
        std::slice::from_ref(&refused)
    );
    desk.accept(1, offer);
    desk.accept(2, offer);
    assert_eq!(desk.queue(DUEL, &[(1, 25.0)]), [refused]);
    desk.join(1, offer);
    assert_eq!(desk.join(1, offer), [told(1)]);
}
