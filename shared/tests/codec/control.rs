//! Control messages: their bytes come back, and hostile ones end in an error.

use proptest::prelude::*;
use tickwire::codec::{decode_client, decode_server, encode_client};
use tickwire::ids::PlayerId;
use tickwire::protocol::ClientMessage;

proptest! {
    #[test]
    fn chat_comes_back(text: String) {
        let message = ClientMessage::Chat { text };
        prop_assert_eq!(decode_client(&encode_client(&message)), Ok(message));
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
