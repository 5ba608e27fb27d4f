//! What becomes of a match that is offered.

use super::desk::*;
use crate::queue::{EndReason, Input, OutReason, Output, PlayerKey, Refusal, View};

fn out(players: &[u64], by: u64, reason: OutReason) -> Output {
    Output::Out {
        players: keys(players),
        by: PlayerKey(by),
        reason,
    }
}

fn has(said: &[Output], output: &Output) {
    assert!(said.contains(output), "no {output:?} in {said:?}");
}

#[test]
fn who_declines_is_out_and_the_other_goes_back_with_their_time() {
    let mut desk = Desk::new();
    desk.queue(DUEL, &[(1, 25.0)]);
    desk.wait(7.0);
    let offer = desk.offered(DUEL, &[2]);
    desk.accept(1, offer);
    desk.wait(3.0);
    let said = desk.decline(2, offer);
    assert_eq!(said.len(), 2);
    has(&said, &out(&[2], 2, OutReason::Declined));
    has(&said, &back(&[1], 10.0));
    assert_eq!((desk.waited(1), desk.view(2)), (10.0, None));
    // The same match is not made again, however soon they come back.
    let until = desk.now + secs(10.0);
    let player = PlayerKey(2);
    let why = Refusal::Cooling(player, until);
    assert_eq!(
        desk.queue(DUEL, &[(2, 25.0)]),
        [Output::Refused { player, why }]
    );
    assert!(desk.wait(10.0).is_empty());
    assert_eq!(desk.queue(DUEL, &[(2, 25.0)]).len(), 1);
    only_offer(&desk.wait(0.0));
}

#[test]
fn who_does_not_accept_in_time_is_out() {
    let mut desk = Desk::new();
    let offer = desk.offered(DUEL, &[1, 2]);
    desk.accept(2, offer);
    assert!(desk.wait(14.9).is_empty());
    let said = desk.wait(0.1);
    has(&said, &out(&[1], 1, OutReason::NotAccepted));
    has(&said, &back(&[2], 15.0));
}

#[test]
fn when_nobody_accepts_all_are_out() {
    let mut desk = Desk::new();
    desk.offered(PAIRS, &[1, 2, 3, 4]);
    assert_eq!(desk.wait(15.0).len(), 4);
    assert_eq!(desk.queue.players(), 0);
}

#[test]
fn what_is_accepted_twice_late_or_by_strangers_changes_nothing() {
    let mut desk = Desk::new();
    let offer = desk.offered(DUEL, &[1, 2]);
    assert_eq!(desk.accept(1, offer), [told(1)]);
    assert_eq!(desk.accept(1, offer), [told(1)], "from another tab");
    assert_eq!(desk.accept(9, offer), [told(9)]);
    assert!(matches!(
        desk.view(2),
        Some(View::Offered {
            accepted: 1,
            of: 2,
            ..
        })
    ));
    desk.wait(15.0);
    assert_eq!(desk.accept(2, offer), [told(2)], "a click that came late");
    assert_eq!(desk.view(2), None);
    // The next match is not the one that was accepted.
    let next = desk.offered(DUEL, &[3]);
    assert_eq!(desk.accept(1, offer), [told(1)]);
    assert!(matches!(
        desk.view(1),
        Some(View::Offered {
            is_accepted: false,
            ..
        })
    ));
    assert_eq!(desk.decline(1, offer), [told(1)]);
    desk.accept(1, next);
    teams(&desk.accept(3, next));
    assert_eq!(desk.accept(3, next), [told(3)], "it goes already");
    assert_eq!(desk.decline(3, next), [told(3)]);
}

#[test]
fn a_join_that_fails_sends_the_others_back_from_the_room_too() {
    let mut desk = Desk::new();
    let offer = desk.going(PAIRS, &[1, 2, 3, 4]);
    desk.join(1, offer);
    desk.wait(4.0);
    let player = PlayerKey(3);
    let said = desk.tell(Input::JoinFailed { player, offer });
    has(&said, &out(&[3], 3, OutReason::JoinFailed));
    for player in [1, 2, 4] {
        has(&said, &back(&[player], 4.0));
    }
    assert_eq!(
        desk.join(2, offer),
        [told(2)],
        "who comes late is told to leave the room"
    );
    assert_eq!(desk.waited(2), 4.0);
    let player = PlayerKey(9);
    assert_eq!(desk.tell(Input::JoinFailed { player, offer }), [told(9)]);
}

#[test]
fn who_does_not_come_is_out() {
    let mut desk = Desk::new();
    let offer = desk.going(DUEL, &[1, 2]);
    desk.join(1, offer);
    assert!(desk.wait(29.9).is_empty());
    let said = desk.wait(0.1);
    has(&said, &out(&[2], 2, OutReason::NotCome));
    has(&said, &back(&[1], 30.0));
}

#[test]
fn a_match_that_may_be_played_by_fewer_is() {
    let mut desk = Desk::new();
    let players: Vec<u64> = (1..=8).collect();
    let offer = desk.going(CROWD, &players);
    let player = PlayerKey(1);
    let said = desk.tell(Input::JoinFailed { player, offer });
    assert_eq!(said, [out(&[1], 1, OutReason::JoinFailed)]);
    for player in 2..=4 {
        desk.join(player, offer);
    }
    let said = desk.wait(30.0);
    for player in 5..=8 {
        has(&said, &out(&[player], player, OutReason::NotCome));
    }
    for player in 2..=4 {
        let players = keys(&[player]);
        let reason = EndReason::Playing;
        has(&said, &Output::Ended { players, reason });
    }
    assert_eq!((said.len(), desk.queue.players()), (7, 0));
}

#[test]
fn with_too_few_it_is_called_off() {
    let mut desk = Desk::new();
    let players: Vec<u64> = (1..=8).collect();
    let offer = desk.going(CROWD, &players);
    desk.join(1, offer);
    desk.join(2, offer);
    let said = desk.wait(30.0);
    has(&said, &back(&[1], 30.0));
    has(&said, &back(&[2], 30.0));
    assert_eq!(desk.queue.players(), 2);
}

#[test]
fn a_room_that_can_not_be_made_is_nobodys_fault() {
    let mut desk = Desk::new();
    let offer = desk.going(DUEL, &[1, 2]);
    let said = desk.tell(Input::RoomFailed { offer });
    has(&said, &back(&[1], 0.0));
    has(&said, &back(&[2], 0.0));
    only_offer(&desk.wait(0.0));
    assert!(desk.tell(Input::RoomFailed { offer }).is_empty());
}

#[test]
fn who_cancels_a_match_has_spoilt_it() {
    let mut desk = Desk::new();
    let player = PlayerKey(1);
    desk.offered(DUEL, &[1, 2]);
    let said = desk.tell(Input::Cancel { player });
    has(&said, &out(&[1], 1, OutReason::Cancelled));
    has(&said, &back(&[2], 0.0));
    let said = desk.queue(DUEL, &[(1, 25.0)]);
    assert!(matches!(
        said[..],
        [Output::Refused {
            why: Refusal::Cooling(..),
            ..
        }]
    ));
    // On the way it is the same; in the room it is the game's to leave.
    let offer = desk.offered(DUEL, &[3]);
    desk.accept(2, offer);
    desk.accept(3, offer);
    desk.join(2, offer);
    assert_eq!(
        desk.tell(Input::Cancel {
            player: PlayerKey(2)
        }),
        [told(2)]
    );
    let said = desk.tell(Input::Cancel {
        player: PlayerKey(3),
    });
    has(&said, &out(&[3], 3, OutReason::Cancelled));
    has(&said, &back(&[2], 0.0));
}

#[test]
fn cancelling_while_waiting_is_free() {
    let mut desk = Desk::new();
    let player = PlayerKey(1);
    desk.queue(DUEL, &[(1, 25.0)]);
    assert_eq!(
        desk.tell(Input::Cancel { player }),
        [out(&[1], 1, OutReason::Cancelled)]
    );
    assert_eq!(desk.tell(Input::Cancel { player }), [told(1)]);
    assert_eq!(desk.queue(DUEL, &[(1, 25.0)]), [queued(2, &[1])]);
}
