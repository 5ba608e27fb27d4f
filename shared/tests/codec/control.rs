//! Control messages: their bytes come back, and hostile ones end in an error.

use proptest::prelude::*;
use tickwire::codec::{decode_client, decode_server, encode_client, encode_server};
use tickwire::ids::PlayerId;
use tickwire::protocol::server_message::Limits;
use tickwire::protocol::{ClientMessage, ServerMessage};
use tickwire::schema::{Predicted, Tables};

use crate::history::schema;

proptest! {
    #[test]
    fn chat_comes_back(text: String) {
        let message = ClientMessage::Chat { text };
        prop_assert_eq!(decode_client(&encode_client(&message)), Ok(Some(message)));
    }

    #[test]
    fn random_bytes_end_in_a_message_or_an_error(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let _ = decode_client(&bytes);
        let _ = decode_server(&bytes);
        let mut control = vec![1];
        control.extend(bytes);
        let _ = decode_client(&control);
        let _ = decode_server(&control);
    }
}

#[test]
fn how_a_component_is_predicted_is_one_byte_and_was_a_bool_before() {
    let bytes = |predicted| {
        let mut schema = schema();
        schema.components[0].predicted = predicted;
        encode_server(&ServerMessage::Welcome {
            version: 2,
            features: 0,
            game: String::new(),
            name: String::new(),
            token: String::new(),
            limits: Limits {
                message_bytes: 0,
                messages_per_second: 0,
                chat_chars: 0,
                name_chars: 0,
                seats: 0,
                spectators: 0,
            },
            schema_hash: String::new(),
            tables_hash: String::new(),
            schema: Some(schema),
            tables: Some(Tables::default()),
        })
    };
    let differing = |one: &[u8], other: &[u8]| -> Vec<(u8, u8)> {
        assert_eq!(one.len(), other.len());
        let pairs = one.iter().zip(other).map(|(a, b)| (*a, *b));
        pairs.filter(|(a, b)| a != b).collect()
    };
    let [no, fine, grid] = [Predicted::No, Predicted::Fine, Predicted::Grid].map(bytes);
    assert_eq!(differing(&no, &fine), [(u8::from(false), u8::from(true))]);
    assert_eq!(differing(&no, &grid), [(0, 2)]);
}

#[test]
fn bytes_after_a_message_are_an_error() {
    let mut bytes = encode_client(&ClientMessage::Kick {
        player: PlayerId(3),
    });
    assert!(decode_client(&bytes).is_ok());
    bytes.push(0);
    assert!(decode_client(&bytes).is_err());
}

#[test]
fn a_length_beyond_the_limit_allocates_nothing() {
    // Chat whose text claims 4 GiB.
    assert!(decode_client(&[1, 9, 252, 255, 255, 255, 255]).is_err());
}
