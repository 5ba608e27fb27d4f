//! The token with which a client takes its seat again (`PROTOCOL.md` §2): where the seat is, then
//! 256 random bits. The server keeps their hash alone, next to the seat, so that neither a dump of
//! its memory nor a log of what it knows opens one.

use std::fmt::{self, Write};

use aws_lc_rs::digest::{SHA256, digest};
use rand::rngs::SysError;
use serde::{Deserialize, Serialize};
use tickwire::ids::{PlayerId, RoomId};

use super::Entropy;

/// Random bytes of a token: nobody guesses 256 bits.
const SECRET_BYTES: usize = 32;
/// Hexadecimal digits of room and seat in front of the secret.
const PLACE_DIGITS: usize = 8 + 4;
/// Bytes of a token on the wire.
const TOKEN_BYTES: usize = PLACE_DIGITS + 2 * SECRET_BYTES;

/// What the server remembers of a token.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SeatHash([u8; 32]);

/// Neither the secret nor its hash belongs into a log.
impl fmt::Debug for SeatHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeatHash(..)")
    }
}

/// What a client says that it has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeatToken {
    /// The seat's room.
    pub(crate) room: RoomId,
    /// Its number there.
    pub(crate) player: PlayerId,
    /// The hash of the whole.
    pub(crate) hash: SeatHash,
}

impl SeatHash {
    fn of(token: &str) -> SeatHash {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        SeatHash(bytes)
    }
}

impl SeatToken {
    /// A fresh token of a seat: its text, for the client alone, and what is kept of it.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub(crate) fn generate(
        entropy: &Entropy,
        room: RoomId,
        player: PlayerId,
    ) -> Result<(String, SeatHash), SysError> {
        let secret = entropy.bytes::<SECRET_BYTES>()?;
        let mut text = String::with_capacity(TOKEN_BYTES);
        // Writing to a string can't fail.
        let _ = write!(text, "{:08x}{:04x}", room.0, player.0);
        for byte in secret {
            let _ = write!(text, "{byte:02x}");
        }
        let hash = SeatHash::of(&text);
        Ok((text, hash))
    }

    /// What a client's text claims, `None` if it can't be a token.
    pub(crate) fn read(text: &str) -> Option<SeatToken> {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != TOKEN_BYTES || !text.bytes().all(is_digit) {
            return None;
        }
        let (place, _) = text.split_at(PLACE_DIGITS);
        let (room, player) = place.split_at(8);
        Some(SeatToken {
            room: RoomId(u32::from_str_radix(room, 16).ok()?),
            player: PlayerId(u16::from_str_radix(player, 16).ok()?),
            hash: SeatHash::of(text),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_seat_and_no_other_has_its_hash() {
        let (text, hash) =
            SeatToken::generate(&Entropy::default(), RoomId(0x12_3456), PlayerId(7)).unwrap();
        let read = SeatToken::read(&text).unwrap();
        assert_eq!((read.room, read.player), (RoomId(0x12_3456), PlayerId(7)));
        assert!(read.hash == hash);
        let (other, other_hash) =
            SeatToken::generate(&Entropy::default(), RoomId(0x12_3456), PlayerId(7)).unwrap();
        assert!(other != text && other_hash != hash);
        let mut near = text.clone();
        near.replace_range(
            TOKEN_BYTES - 1..,
            if text.ends_with('0') { "1" } else { "0" },
        );
        assert!(SeatToken::read(&near).unwrap().hash != hash);
    }

    #[test]
    fn what_is_no_token_is_not_read() {
        let (text, _) = SeatToken::generate(&Entropy::default(), RoomId(1), PlayerId(0)).unwrap();
        let upper = text.to_uppercase();
        let accent = format!("é{}", &text[2..]);
        for wrong in ["", "x", &text[1..], &format!("{text}0"), &upper, &accent] {
            let all_digits = wrong == upper && upper == text;
            assert!(all_digits || SeatToken::read(wrong).is_none(), "{wrong}");
        }
    }
}
