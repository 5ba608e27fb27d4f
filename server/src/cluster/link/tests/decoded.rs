//! Whatever bytes a peer sends are read or refused, and what is read is what would be written. The
//! first byte says what they are taken for.

use super::wire::{
    self, Finish, HANDSHAKE_BYTES_MAX, LENGTH_BYTES, Opening, Response, append_handshake,
    append_message, body_bytes, read_handshake, read_message,
};

/// Runs one input.
///
/// # Panics
/// When it is read as what it is not.
pub(crate) fn run(input: &[u8]) {
    let Some((kind, bytes)) = input.split_first() else {
        return;
    };
    for is_handshake in [true, false] {
        if let Ok(Some(length)) = body_bytes(bytes, is_handshake) {
            let max = if is_handshake {
                HANDSHAKE_BYTES_MAX
            } else {
                wire::BODY_BYTES_MAX
            };
            assert!((1..=max).contains(&length), "{length}");
        }
    }
    let mut again = Vec::new();
    match kind % 4 {
        0 => {
            let Ok(opening) = read_handshake::<Opening>(bytes, true) else {
                return;
            };
            append_handshake(&opening, true, &mut again);
            assert_eq!(read_handshake(&again[LENGTH_BYTES..], true), Ok(opening));
        }
        1 => {
            let Ok(response) = read_handshake::<Response>(bytes, true) else {
                return;
            };
            append_handshake(&response, true, &mut again);
            assert_eq!(read_handshake(&again[LENGTH_BYTES..], true), Ok(response));
        }
        2 => {
            let Ok(finish) = read_handshake::<Finish>(bytes, false) else {
                return;
            };
            append_handshake(&finish, false, &mut again);
            assert_eq!(read_handshake(&again[LENGTH_BYTES..], false), Ok(finish));
        }
        _ => {
            let Ok((head, body)) = read_message(bytes) else {
                return;
            };
            let at = append_message(&head, body, &mut again);
            assert_eq!(read_message(&again[at..]), Ok((head, body)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::link::wire::{Head, WireError};
    use std::path::Path;
    use tickwire::exact::Xorshift32;

    /// One of each, as the corpus has them.
    fn sound() -> Vec<(&'static str, Vec<u8>)> {
        let (nonce, proof) = ([7; 32], [9; 32]);
        let node = "node-1:7780".to_owned();
        let response = Response {
            nonce,
            me: 1 << 40,
            node,
            proof,
        };
        let hello = |kind, what: &dyn Fn(&mut Vec<u8>)| {
            let mut frame = Vec::new();
            what(&mut frame);
            let mut input = vec![kind];
            input.extend_from_slice(&frame[LENGTH_BYTES..]);
            input
        };
        let message = |head, body: &[u8]| {
            hello(3, &|out| {
                append_message(&head, body, out);
            })
        };
        vec![
            (
                "opening",
                hello(0, &|out| {
                    append_handshake(&Opening { nonce, me: 3 }, true, out)
                }),
            ),
            (
                "response",
                hello(1, &|out| append_handshake(&response, true, out)),
            ),
            (
                "finish",
                hello(2, &|out| append_handshake(&Finish { proof }, false, out)),
            ),
            ("contact", message(Head::Contact { id: 1 }, b"")),
            ("ask", message(Head::Ask { id: u64::MAX }, b"who")),
            ("batch", message(Head::Batch, b"rooms")),
            ("hurry", message(Head::Hurry, b"")),
            ("common", message(Head::Common, b"lines")),
            (
                "contact_is",
                message(
                    Head::ContactIs {
                        id: 300,
                        has: true,
                        who: u64::MAX,
                    },
                    b"",
                ),
            ),
            (
                "answer",
                message(
                    Head::Answer {
                        id: 2,
                        is_some: true,
                    },
                    b"seat",
                ),
            ),
            (
                "nothing",
                message(
                    Head::Answer {
                        id: 2,
                        is_some: false,
                    },
                    b"",
                ),
            ),
        ]
    }

    #[test]
    fn the_kept_corpus_is_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fuzz/corpus/link");
        for (name, bytes) in sound() {
            let path = folder.join(name);
            if std::env::var_os("TICKWIRE_BLESS").is_some() {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&path, &bytes).unwrap();
            }
            let kept = std::fs::read(&path).unwrap_or_default();
            assert_eq!(kept, bytes, "{name}: TICKWIRE_BLESS=1 writes it anew");
        }
        for file in std::fs::read_dir(&folder).unwrap() {
            run(&std::fs::read(file.unwrap().path()).unwrap());
        }
    }

    #[test]
    fn bytes_that_were_tampered_with_are_read_or_refused() {
        for seed in 1..=20_000 {
            let mut dice = Xorshift32::new(seed);
            let all = sound();
            let mut bytes = all[dice.draw() as usize % all.len()].1.clone();
            for _ in 0..=dice.draw() % 3 {
                let at = dice.draw() as usize % bytes.len();
                bytes[at] = dice.draw() as u8;
            }
            if dice.draw().is_multiple_of(4) {
                bytes.truncate(dice.draw() as usize % bytes.len());
            }
            run(&bytes);
        }
    }

    #[test]
    fn a_length_is_held_to_the_bound_of_what_it_is_of() {
        let frame =
            |length: usize, kind: u8| [&(length as u32).to_le_bytes()[..], &[kind]].concat();
        let too_big = Err(WireError::TooBig);
        assert_eq!(
            body_bytes(&frame(HANDSHAKE_BYTES_MAX, b'T'), true),
            Ok(Some(512))
        );
        assert_eq!(
            body_bytes(&frame(HANDSHAKE_BYTES_MAX + 1, b'T'), true),
            too_big
        );
        // A question about contact, one of the lobby's, a batch, what players have in common.
        for (kind, max) in [
            (0, 24),
            (1, 24 + wire::ASK_BYTES_MAX),
            (2, wire::BODY_BYTES_MAX),
            (6, 24 + wire::COMMON_BYTES_MAX),
        ] {
            assert_eq!(body_bytes(&frame(max, kind), false), Ok(Some(max)));
            assert_eq!(body_bytes(&frame(max + 1, kind), false), too_big);
        }
        assert_eq!(body_bytes(&frame(1, 7), false), Err(WireError::Malformed));
        assert_eq!(body_bytes(&frame(0, 0), false), Err(WireError::Malformed));
        let length = wire::BODY_BYTES_MAX as u32 + 1;
        assert_eq!(
            body_bytes(&length.to_le_bytes(), false),
            too_big,
            "on sight"
        );
        assert_eq!(body_bytes(b"GET / HTTP/1.1", true), too_big);
        assert_eq!(body_bytes(&[1, 0, 0], true), Ok(None));
    }
}
