//! Seats that are taken again: what a lost connection keeps, with which token one comes back, and
//! who wins when two want the same seat.

use std::time::Duration;

use tickwire::ids::PlayerId;
use tickwire::protocol::client_message::NewRoom;
use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{ClientMessage, CloseCode, ServerMessage};
use tickwire_server::config::Config;

use crate::support::{Client, Deed, Joined, Server, config, eventually};

/// Seats are held for as long as the server usually holds them, unless `grace` says otherwise.
fn server(grace: Option<Duration>) -> Server {
    Server::start(Config {
        resume_grace: grace.unwrap_or(Config::default().resume_grace),
        ..config()
    })
}

fn held(server: &Server) -> f64 {
    server.figure("tickwire_players_dropped_total")
}

fn back(server: &Server, who: &str, token: &str) -> (Client, Joined) {
    let mut client = server.again(who);
    client.resume(token);
    let joined = client.joined();
    (client, joined)
}

#[test]
fn a_lost_player_is_back_in_the_seat_and_the_token_is_renewed() {
    let server = server(None);
    let (mut ann, joined) = server.host("ann", 2);
    let (first, who) = (ann.token(), ann.who.clone());
    let mut bo = server.guest("bo");
    bo.join(joined.room.id);
    ann.chat("still here?");
    ann.answer();
    ann.vanish();
    let gone = bo.wait(|message| match message {
        ServerMessage::MemberState {
            player,
            connected: false,
            ..
        } => Some(player),
        _ => None,
    });
    assert_eq!(gone, joined.you);
    let mut late = server.guest("late");
    late.say(&ClientMessage::join_room(joined.room.id));
    assert_eq!(late.refused(), Refusal::RoomFull, "the seat is held");

    let (mut again, rejoined) = back(&server, &who, &first);
    assert_eq!(
        (rejoined.you, rejoined.room.id),
        (joined.you, joined.room.id)
    );
    assert_eq!(rejoined.members, ["ann", "bo"], "the name is the seat's");
    let second = again.token();
    assert_ne!(first, second);
    again.snapshot();
    again.ack();
    again.ping(1);
    for token in [&first, &second[1..].to_owned()] {
        let mut late = server.again(&who);
        late.resume(token);
        assert_eq!(late.refused(), Refusal::NoSuchSeat);
    }
    let mut thief = server.guest("thief");
    thief.resume(&second);
    assert_eq!(
        thief.refused(),
        Refusal::NoSuchSeat,
        "it is somebody else's"
    );
    again.vanish();
    let (_, third) = back(&server, &who, &second);
    assert_eq!(third.you, joined.you);
    eventually("both are counted", || {
        server.figure("tickwire_players_resumed_total") == 2.0
    });
    assert_eq!(server.figure("tickwire_players"), 2.0);
}

#[test]
fn an_answer_that_is_lost_locks_nobody_out() {
    let server = server(None);
    let (mut ann, joined) = server.host("ann", 9);
    let (token, who) = (ann.token(), ann.who.clone());
    ann.answer();
    ann.vanish();
    for _ in 0..3 {
        // The answer comes, but as far as the server knows it never arrived.
        let (client, rejoined) = back(&server, &who, &token);
        assert_eq!(rejoined.you, joined.you);
        client.vanish();
    }
}

#[test]
fn of_two_with_one_token_the_later_wins_and_the_other_is_told() {
    let server = server(None);
    let (mut first, joined) = server.host("first tab", 9);
    let (token, who) = (first.token(), first.who.clone());
    let (mut second, rejoined) = back(&server, &who, &token);
    assert_eq!(rejoined.you, joined.you);
    first.closed(CloseCode::Superseded);
    let (mut third, _) = back(&server, &who, &token);
    second.closed(CloseCode::Superseded);
    third.snapshot();
    third.ack();
    third.ping(1);
    let mut fourth = server.again(&who);
    fourth.resume(&token);
    assert_eq!(fourth.refused(), Refusal::NoSuchSeat);
    third.ping(2);
    assert_eq!(server.figure("tickwire_players"), 1.0);
}

#[test]
fn a_page_that_goes_away_may_come_back_and_one_that_says_goodbye_may_not() {
    let server = server(None);
    for (code, comes_back) in [(1001, true), (4010, true), (1000, false)] {
        let (mut client, joined) = server.host("page", 9);
        let (token, who) = (client.token(), client.who.clone());
        client.answer();
        client.close(code);
        let mut again = server.again(&who);
        again.resume(&token);
        if comes_back {
            assert_eq!(again.joined().you, joined.you, "{code}");
        } else {
            assert_eq!(again.refused(), Refusal::NoSuchSeat, "{code}");
        }
        again.goodbye();
    }
}

#[test]
fn who_leaves_or_breaks_the_rules_gives_the_seat_up() {
    let server = server(None);
    let (mut leaver, _) = server.host("leaver", 9);
    let token = leaver.token();
    leaver.say(&ClientMessage::LeaveRoom);
    leaver.left();
    leaver.resume(&token);
    assert_eq!(leaver.refused(), Refusal::NoSuchSeat);

    let (mut cheat, _) = server.host("cheat", 9);
    let (token, who) = (cheat.token(), cheat.who.clone());
    cheat.answer();
    cheat.send(&[9, 9, 9]);
    cheat.closed(CloseCode::Malformed);
    let mut again = server.again(&who);
    again.resume(&token);
    assert_eq!(again.refused(), Refusal::NoSuchSeat);
    let nonsense = ["", "x", &"0".repeat(76), &"f".repeat(76), &"é".repeat(38)];
    let mut guesser = server.guest("guesser");
    guesser.resume(nonsense[0]);
    assert_eq!(guesser.refused(), Refusal::NoSuchSeat);
    for guess in nonsense {
        let mut guesser = server.guest("guesser");
        guesser.resume(guess);
        assert_eq!(guesser.refused(), Refusal::NoSuchSeat, "{guess}");
    }
}

#[test]
fn a_seat_is_given_up_when_the_grace_is_over_and_its_room_with_it() {
    let server = Server::start(Config {
        resume_grace: Duration::from_millis(200),
        room_linger: Duration::ZERO,
        ..config()
    });
    let (mut ann, _) = server.host("ann", 9);
    let (token, who) = (ann.token(), ann.who.clone());
    ann.answer();
    ann.vanish();
    eventually("the seat is given up", || {
        server.figure("tickwire_seats_expired_total") == 1.0
    });
    eventually("the room is closed", || {
        server.figure("tickwire_rooms") == 0.0
    });
    assert_eq!(
        (held(&server), server.figure("tickwire_players")),
        (1.0, 0.0)
    );
    let mut again = server.again(&who);
    again.resume(&token);
    assert_eq!(again.refused(), Refusal::NoSuchSeat);
    again.ping(1);
}

#[test]
fn a_client_that_stood_still_is_closed_and_comes_back() {
    let server = Server::start(Config {
        resume_grace: Config::default().resume_grace,
        stall_timeout: Duration::from_millis(300),
        // Snapshots that fill a narrow client's buffers within a few ticks.
        npcs: 1000,
        ..config()
    });
    let mut narrow = server.connect_narrow();
    narrow.hello("stopped");
    narrow.say(&ClientMessage::quick_join());
    let joined = narrow.joined();
    let (token, who) = (narrow.token(), narrow.who.clone());
    narrow.answer();
    eventually("it is closed, for it reads nothing", || {
        server.closed(CloseCode::Stalled) == 1.0 && held(&server) == 1.0
    });
    let (_, rejoined) = back(&server, &who, &token);
    assert_eq!(rejoined.you, joined.you);
}

#[test]
fn without_a_grace_no_token_is_given_and_no_seat_held() {
    let server = server(Some(Duration::ZERO));
    let (mut ann, joined) = server.host("ann", 1);
    ann.snapshot();
    ann.say(&ClientMessage::Ping { nonce: 7 });
    let next = ann.control();
    assert!(
        matches!(next, ServerMessage::Pong { nonce: 7, .. }),
        "{next:?}"
    );
    ann.vanish();
    let mut bo = server.guest("bo");
    eventually("the seat is free", || {
        server.figure("tickwire_players") == 0.0
    });
    assert_eq!(bo.join(joined.room.id).you, PlayerId(1), "the next number");
}

#[test]
fn a_room_that_fails_holds_nothing() {
    let server = server(None);
    let (mut culprit, joined) = server.host("culprit", 9);
    let mut away = server.guest("away");
    away.join(joined.room.id);
    let (token, who) = (away.token(), away.who.clone());
    away.answer();
    away.vanish();
    eventually("the seat is held", || held(&server) == 1.0);
    culprit.snapshot();
    culprit.insist(Deed::Panic);
    culprit.closed(CloseCode::RoomFailed);
    let mut again = server.again(&who);
    again.resume(&token);
    assert_eq!(again.refused(), Refusal::NoSuchSeat);
    eventually("nobody plays", || server.figure("tickwire_players") == 0.0);
}

/// Nobody learns from a made-up token whether its room is there: it is refused in the same words,
/// and as many times until it was too often.
#[test]
fn a_made_up_token_tells_nothing_of_rooms() {
    let server = server(None);
    let (ann, joined) = server.host("ann", 2);
    let there = joined.room.id.0;
    let tries = |room: u32, player: u16| {
        let mut eve = server.guest("eve");
        let mut refusals = Vec::new();
        while refusals.last() != Some(&Refusal::TooOften) {
            eve.resume(&format!("{room:08x}{player:04x}{}", "5a".repeat(32)));
            refusals.push(eve.refused());
        }
        refusals
    };
    let seat = tries(there, joined.you.0);
    let refused = vec![Refusal::NoSuchSeat; 3];
    assert_eq!(seat, [refused, vec![Refusal::TooOften]].concat());
    assert_eq!(tries(there, 1), seat, "a room without the seat");
    assert_eq!(tries(there ^ 1, 0), seat, "no room");
    drop(ann);
}

/// The connection breaks before the answer arrives, as far as the server can know.
#[test]
fn a_join_whose_answer_is_lost_holds_no_seat_against_its_own_player() {
    let server = server(None);
    let (mut maker, den) = server.host("maker", 2);
    maker.answer();
    let room = den.room.id;
    let mut who = String::new();
    for _ in 0..3 {
        let mut ann = server.again(&who);
        who.clone_from(&ann.who);
        ann.say(&ClientMessage::join_room(room));
        ann.vanish();
        // Of whoever is there again, sooner or later than the server notices: the seat is theirs.
        let mut ann = server.again(&who);
        assert_eq!(ann.join(room).members.len(), 2);
        ann.vanish();
        maker.answer();
    }
    eventually("what nobody answered is free", || {
        server.figure("tickwire_players") == 1.0
    });
    let mut bo = server.guest("bo");
    bo.join(room);
}

/// A name's own room for one, which its player has lost.
fn lost(server: &Server, private: bool) -> (Joined, String, String) {
    let mut ann = server.guest("ann");
    ann.say(&ClientMessage::CreateRoom(NewRoom {
        name: "den".into(),
        private,
        seats: 1,
        kicks: false,
        ..NewRoom::default()
    }));
    let joined = ann.joined();
    let (token, who) = (ann.token(), ann.who.clone());
    ann.chat("back soon");
    ann.answer();
    let before = held(server);
    ann.vanish();
    eventually("the seat is held", || held(server) == before + 1.0);
    (joined, token, who)
}

#[test]
fn who_joins_anew_gets_the_seat_that_is_held_for_them_however_full_the_room_is() {
    let server = server(None);
    for private in [false, true] {
        let (den, token, who) = lost(&server, private);
        let code = den.code.clone();
        let ways = [
            ClientMessage::join_room(den.room.id),
            ClientMessage::join_code(code),
            ClientMessage::quick_join(),
        ];
        let count = server.figure("tickwire_players");
        for way in ways {
            // Without the seat's token: another device, which knows who its player is.
            let mut device = server.again(&who);
            device.say(&way);
            let joined = device.joined();
            assert_eq!(
                (joined.you, joined.room.id),
                (den.you, den.room.id),
                "{way:?}"
            );
            assert_eq!((joined.room.players, joined.room.seats), (1, 1));
            assert_ne!(device.token(), token);
            device.answer();
            let before = held(&server);
            device.vanish();
            eventually("the seat is held again", || held(&server) == before + 1.0);
        }
        assert_eq!(server.figure("tickwire_players"), count);
        let mut page = server.again(&who);
        page.resume(&token);
        assert_eq!(
            page.refused(),
            Refusal::NoSuchSeat,
            "the page before, when it wakes up, does not take it back"
        );
        let mut thief = server.guest("ann");
        thief.say(&ClientMessage::join_code(den.code.clone()));
        assert_eq!(thief.refused(), Refusal::RoomFull, "a name is no identity");
    }
}

#[test]
fn a_quick_join_of_others_leads_elsewhere_than_to_a_seat_that_is_held() {
    let server = server(None);
    let (den, _, _) = lost(&server, false);
    let mut bo = server.guest("bo");
    bo.say(&ClientMessage::quick_join());
    assert_ne!(bo.joined().room.id, den.room.id);
}

#[test]
fn in_a_full_room_the_connection_before_is_superseded_and_elsewhere_it_plays_on() {
    let server = server(None);
    let (mut first, den) = server.host("ann", 2);
    let room = den.room.id;
    first.answer();
    let mut second = server.again(&first.who);
    assert_ne!(
        second.join(room).you,
        den.you,
        "a second seat, for there is one"
    );
    second.answer();
    first.ping(1);
    let mut third = server.again(&first.who);
    assert_eq!(third.join(room).you, den.you);
    first.closed(CloseCode::Superseded);
    second.ping(2);
    third.answer();
    assert_eq!(server.figure("tickwire_players"), 2.0);
    let mut bo = server.guest("bo");
    bo.say(&ClientMessage::join_room(room));
    assert_eq!(bo.refused(), Refusal::RoomFull);
}

#[test]
fn without_a_grace_a_full_room_is_full_for_everyone() {
    let server = server(Some(Duration::ZERO));
    let (mut ann, den) = server.host("ann", 1);
    ann.answer();
    let mut again = server.again(&ann.who);
    again.say(&ClientMessage::join_room(den.room.id));
    assert_eq!(again.refused(), Refusal::RoomFull);
    ann.ping(1);
    ann.vanish();
    eventually("the seat is free", || {
        server.figure("tickwire_players") == 0.0
    });
    let mut bo = server.guest("bo");
    bo.join(den.room.id);
}
