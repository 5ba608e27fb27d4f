//! Who comes back to a seat.

use super::*;

#[test]
fn who_comes_back_to_another_node_is_in_their_seat() {
    let mut land = Land::new("resume", 3);
    let mut host = land.host(0, &named("den"));
    let mut bo = land.guest(1);
    bo.session.join(host.room()).unwrap();
    land.settle(&mut [&mut host, &mut bo]);
    let seat = land.lose(&mut bo);
    let mut again = land.come_back(2, &bo, &seat);
    land.settle(&mut [&mut host, &mut again]);
    assert_eq!((again.seat(), again.node, again.hops), (bo.seat(), 0, 1));
}

/// Their room's node is gone, and nobody has the room yet: they wait, and are led to it when it is
/// somewhere again.
#[test]
fn who_comes_back_too_soon_waits_until_the_room_is_somewhere() {
    let mut land = Land::new("parked", 3);
    let mut host = land.host(0, &named("den"));
    land.settle(&mut [&mut host]);
    let seat = land.lose(&mut host);
    land.neighbours.hear(0, false);
    let mut again = land.come_back(1, &host, &seat);
    land.settle(&mut [&mut again]);
    assert_eq!((again.hops, again.refused), (0, None), "it waits");
    // It was only not heard for a while.
    land.neighbours.hear(0, true);
    land.settle(&mut [&mut again]);
    assert_eq!((again.seat(), again.node, again.hops), (host.seat(), 0, 1));
}

/// Refused, at once, only where it is known that there is no such room: the client gives up the seat
/// then. Where nobody knows, as of a room whose node is not heard here, it asks again, maybe elsewhere.
#[test]
fn who_waits_for_a_room_that_is_nowhere_is_refused_or_told_to_come_again() {
    for is_known in [false, true] {
        let mut land = Land::new("nowhere", 2);
        let mut host = land.host(0, &named("den"));
        land.settle(&mut [&mut host]);
        let seat = land.lose(&mut host);
        land.neighbours.hear(0, false);
        let mut again = land.come_back(1, &host, &seat);
        let start = land.now;
        land.settle(&mut [&mut again]);
        assert_eq!((again.refused, again.way.closed()), (None, None));
        if is_known {
            land.neighbours.forget(host.room());
        }
        while again.refused.is_none() && again.way.closed().is_none() {
            land.step(&mut [&mut again]);
            assert!(land.now - start < FOUND_WITHIN + 5 * STEP);
        }
        match is_known {
            true => {
                assert_eq!(again.refused, Some(Refusal::NoSuchSeat));
                assert!(land.now - start < FOUND_WITHIN, "at once");
            }
            false => {
                assert_eq!(again.refused, None);
                assert_eq!(again.way.closed(), Some(CloseCode::Restart));
                let mut there = land.come_back(0, &host, &seat);
                land.settle(&mut [&mut there]);
                assert_eq!((there.seat(), there.hops), (host.seat(), 0));
            }
        }
    }
}

/// A token that no node gave: nobody is sent anywhere, and nobody waits.
#[test]
fn a_made_up_token_says_nothing_of_where_its_room_is() {
    let mut land = Land::new("made-up", 2);
    let mut host = land.host(0, &named("den"));
    land.settle(&mut [&mut host]);
    let theirs = host.session.ticket().unwrap();
    for room in [host.room(), RoomId(1)] {
        let bo = land.guest(1);
        // Somebody else's, which is not theirs to bring.
        let token = format!("{:08x}{}", room.0, &theirs.token[8..]);
        let (chat, seen) = (0, tickwire::ids::Tick(0));
        bo.way
            .send(encode_client(&ClientMessage::Resume { token, chat, seen }));
        let refused = (0..4).any(|_| {
            land.step(&mut [&mut host]);
            let mut messages = std::iter::from_fn(|| bo.way.receive());
            messages.any(|message| {
                let reason = Refusal::NoSuchSeat;
                tickwire::codec::decode_server(&message)
                    == Ok(Some(ServerMessage::Refused { reason }))
            })
        });
        assert!(refused);
    }
}
