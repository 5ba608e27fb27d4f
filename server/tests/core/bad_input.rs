//! Each way to break the rules costs the sender the connection, with its code, in the lobby and
//! in a room alike, and nobody else notices.

use tickwire::codec::encode_client;
use tickwire::protocol::{ClientMessage, CloseCode};

use crate::support::{Client, Server, config, frame, framed};

/// Sends `bytes` from the lobby and from a room.
fn check(bytes: &[u8], code: CloseCode) {
    let server = Server::start(config());
    let (mut witness, joined) = server.host("witness", 9);
    let mut offenders: [Client; 2] = [server.guest("offender"), server.guest("offender")];
    offenders[1].join(joined.room.id);
    for offender in &mut offenders {
        offender.send_raw(bytes);
        offender.closed(code);
    }
    assert_eq!(server.closed(code), 2.0);
    assert_eq!(server.figure("tickwire_messages_rejected_total"), 2.0);
    witness.ping(1);
    assert_eq!(server.lobby.rooms()[0].players, 1);
}

#[test]
fn text_is_not_spoken() {
    check(&frame(0x81, b"{}"), CloseCode::Text);
}

#[test]
fn a_message_may_have_4096_bytes() {
    let at_most = framed(&[1; 4096]);
    check(&at_most, CloseCode::Malformed);
    check(&framed(&[1; 4097]), CloseCode::TooBig);
}

#[test]
fn a_length_alone_is_too_big() {
    // 2^63 bytes to come: nothing is reserved for them.
    let announced = [
        0x82, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0,
    ];
    check(&announced, CloseCode::TooBig);
}

#[test]
fn fragments_add_up() {
    let mut bytes = frame(0x02, &[1; 3000]);
    bytes.extend(frame(0x80, &[1; 3000]));
    check(&bytes, CloseCode::TooBig);
}

#[test]
fn websocket_rules_hold() {
    let unmasked = vec![0x82, 1, 1];
    let reserved_bit = frame(0xC2, &[1]);
    let unknown_opcode = frame(0x83, &[1]);
    let nothing_to_continue = frame(0x80, &[1]);
    let fragmented_ping = frame(0x09, &[1]);
    let long_ping = frame(0x89, &[1; 126]);
    for bytes in [
        unmasked,
        reserved_bit,
        unknown_opcode,
        nothing_to_continue,
        fragmented_ping,
        long_ping,
    ] {
        check(&bytes, CloseCode::Protocol);
    }
}

#[test]
fn lengths_are_written_in_the_shortest_way() {
    let mask = [0; 4];
    let hello = encode_client(&ClientMessage::quick_join());
    let length = hello.len() as u8;
    for header in [
        &[0x82, 0xFE, 0, length][..],
        &[0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0, length],
        &[0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, length],
        &[0x89, 0xFE, 0, length],
    ] {
        check(&[header, &mask, &hello].concat(), CloseCode::Protocol);
    }
}

#[test]
fn text_is_utf8() {
    check(&frame(0x81, &[0xC3, 0x28]), CloseCode::NotUtf8);
}

#[test]
fn what_can_not_be_decoded_is_malformed() {
    let mut trailing = encode_client(&ClientMessage::quick_join());
    trailing.push(0);
    // A string of 2^32 - 1 bytes: nothing is reserved for it.
    let long_string = vec![1, 9, 252, 255, 255, 255, 255];
    let not_utf8 = vec![1, 9, 2, 0xC3, 0x28];
    let messages = [
        vec![],
        vec![0],
        vec![4, 1, 2, 3],
        vec![1],
        vec![1, 99],
        trailing,
        long_string,
        not_utf8,
    ];
    for message in messages {
        check(&framed(&message), CloseCode::Malformed);
    }
}

#[test]
fn the_code_arrives_behind_what_was_sent_meanwhile() {
    // The server closes at the first frame; without its patience the rest, unread, would make
    // the kernel cut the connection before the code is read.
    let mut bytes = frame(0x81, b"text");
    bytes.extend(frame(0x82, &[0; 400_000]));
    check(&bytes, CloseCode::Text);
}
