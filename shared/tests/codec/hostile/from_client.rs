//! What a server reads of its clients: control messages, inputs, acknowledgements, actions.

use tickwire::codec::{decode_client, encode_client};
use tickwire::protocol::frame::{InputHead, decode_ack, encode_ack};
use tickwire::snapshot::fields::{pack, push_payload, take_payload, unpack};

use super::fixture::Game;
use super::vectors;

pub(super) fn message(bytes: &[u8]) -> bool {
    let message = match decode_client(bytes) {
        Ok(Some(message)) => message,
        skipped => return skipped.is_ok(),
    };
    let again = encode_client(&message);
    assert_eq!(decode_client(&again), Ok(Some(message)));
    assert!(
        again.len() <= bytes.len(),
        "what is read is no longer than sent"
    );
    true
}

/// An input or an acknowledgement. Both have one form only.
pub(super) fn input(bytes: &[u8]) -> bool {
    let mut again = Vec::new();
    if let Ok(ack) = decode_ack(bytes) {
        encode_ack(ack, &mut again);
        assert_eq!(again, bytes);
        return true;
    }
    let fields = &Game::of(0).schema.input;
    let Ok((head, packed)) = InputHead::decode(bytes) else {
        return false;
    };
    let mut values = Vec::new();
    let Ok([]) = unpack(fields, packed, &mut values) else {
        return false;
    };
    head.encode(&mut again);
    pack(fields, &values, &mut again);
    assert_eq!(again, bytes);
    true
}

pub(super) fn input_seeds() -> Vec<Vec<u8>> {
    let inputs = vectors("frames", "input");
    inputs.into_iter().chain(vectors("frames", "ack")).collect()
}

/// The fields and the payload of an action. It has the form of an event, of which the schema has
/// one with a payload.
pub(super) fn action(bytes: &[u8]) -> bool {
    let declared = &Game::of(0).schema.events[0];
    let mut values = Vec::new();
    let Ok(rest) = unpack(&declared.fields, bytes, &mut values) else {
        return false;
    };
    let Ok((payload, [])) = take_payload(declared.payload.as_ref(), rest) else {
        return false;
    };
    let mut again = Vec::new();
    pack(&declared.fields, &values, &mut again);
    push_payload(payload.expect("it declares one"), &mut again);
    assert_eq!(again, bytes);
    true
}

pub(super) fn action_seeds() -> Vec<Vec<u8>> {
    let declared = &Game::of(0).schema.events[0];
    let payloads: [&[u8]; 3] = [b"", b"null", br#"{"a":[1,null]}"#];
    let pack = |payload: &[u8]| {
        let mut bytes = Vec::new();
        pack(&declared.fields, &[-1, 99, 0x6C6C_6568, 0x6F], &mut bytes);
        push_payload(payload, &mut bytes);
        bytes
    };
    payloads.into_iter().map(pack).collect()
}
