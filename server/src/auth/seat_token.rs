//! The token with which a client takes its seat again (`PROTOCOL.md` §2): where the seat is, a
//! number of its own, and a proof that this server gave it to this person. Nothing of it is kept
//! but which numbers a seat takes (`room::seat_tokens`): so a token that was handed out after a
//! room was last saved opens the seat that is made of the save.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use tickwire::ids::{PlayerId, RoomId};

use super::Identity;
use super::derived_key::{DerivedKey, digits};

/// Bytes of a proof, the first of an HMAC-SHA-256: nobody guesses 128 bits, one try a request.
const PROOF_BYTES: usize = 16;
/// Hexadecimal digits of room, seat and serial, which come before the proof.
const DIGITS: [usize; 3] = [8, 4, 16];
/// Bytes of a token on the wire.
const TOKEN_BYTES: usize = DIGITS[0] + DIGITS[1] + DIGITS[2] + 2 * PROOF_BYTES;
/// What the key is derived for, and what each proof begins with: no other MAC of the server's, nor
/// one of a later form of tokens, is taken for one of these.
const DOMAIN: &[u8] = b"tickwire seat token 1";

/// The key of all seats' tokens. Clones are the same key.
#[derive(Clone, Debug)]
pub(crate) struct SeatKey(DerivedKey);

/// What a client says that it has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeatToken {
    /// The seat's room.
    pub(crate) room: RoomId,
    /// Its number there.
    pub(crate) player: PlayerId,
    /// Which of the seat's tokens it is.
    pub(crate) serial: u64,
    proof: [u8; PROOF_BYTES],
}

impl SeatKey {
    /// Derived from a secret of the server's.
    pub(crate) fn derive(secret: &[u8]) -> SeatKey {
        SeatKey(DerivedKey::new(secret, DOMAIN))
    }

    /// The text of a token, for the client of `whose` alone.
    pub(crate) fn token(
        &self,
        room: RoomId,
        player: PlayerId,
        serial: u64,
        whose: &Identity,
    ) -> String {
        let proof = digits(&self.proof(room, player, serial, whose));
        format!("{:08x}{:04x}{serial:016x}{proof}", room.0, player.0)
    }

    /// Whether this server gave that token to `whose`.
    pub(crate) fn proves(&self, token: &SeatToken, whose: &Identity) -> bool {
        let proof = self.proof(token.room, token.player, token.serial, whose);
        verify_slices_are_equal(&proof, &token.proof).is_ok()
    }

    fn proof(
        &self,
        room: RoomId,
        player: PlayerId,
        serial: u64,
        whose: &Identity,
    ) -> [u8; PROOF_BYTES] {
        let mut mac = self.0.mac(DOMAIN);
        mac.update(&room.0.to_le_bytes());
        mac.update(&player.0.to_le_bytes());
        mac.update(&serial.to_le_bytes());
        mac.update(&[u8::from(whose.is_guest)]);
        // Last, because it alone has no length of its own.
        mac.update(whose.subject.as_bytes());
        let tag = mac.sign();
        let mut proof = [0; PROOF_BYTES];
        proof.copy_from_slice(&tag.as_ref()[..PROOF_BYTES]);
        proof
    }
}

impl SeatToken {
    /// What a client's text claims, `None` if it can't be a token.
    pub(crate) fn read(text: &str) -> Option<SeatToken> {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != TOKEN_BYTES || !text.bytes().all(is_digit) {
            return None;
        }
        let (room, rest) = text.split_at(DIGITS[0]);
        let (player, rest) = rest.split_at(DIGITS[1]);
        let (serial, rest) = rest.split_at(DIGITS[2]);
        Some(SeatToken {
            room: RoomId(u32::from_str_radix(room, 16).ok()?),
            player: PlayerId(u16::from_str_radix(player, 16).ok()?),
            serial: u64::from_str_radix(serial, 16).ok()?,
            proof: u128::from_str_radix(rest, 16).ok()?.to_be_bytes(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SeatKey {
        SeatKey::derive(&[7; 32])
    }

    fn who(text: &str) -> Identity {
        Identity::read(text).unwrap()
    }

    fn read(text: &str) -> SeatToken {
        SeatToken::read(text).unwrap()
    }

    #[test]
    fn a_token_names_its_seat_and_is_proof_for_whom_it_was_given_to() {
        let ann = who("user:ann");
        let text = key().token(RoomId(0x12_3456), PlayerId(7), 0x9_0000_0001, &ann);
        assert_eq!(text.len(), TOKEN_BYTES);
        let token = read(&text);
        assert_eq!((token.room, token.player), (RoomId(0x12_3456), PlayerId(7)));
        assert_eq!(token.serial, 0x9_0000_0001);
        assert!(key().proves(&token, &ann));
        for other in ["guest:ann", "user:anna", "user:an"] {
            assert!(!key().proves(&token, &who(other)), "{other}");
        }
        assert!(
            !SeatKey::derive(&[8; 32]).proves(&token, &ann),
            "another key"
        );
    }

    /// Room, seat, serial or proof: none can be changed by who has a token.
    #[test]
    fn a_token_that_was_changed_anywhere_proves_nothing() {
        let ann = who("guest:ann");
        let text = key().token(RoomId(1), PlayerId(2), 3, &ann);
        for at in 0..TOKEN_BYTES {
            let other = if text.as_bytes()[at] == b'0' {
                "1"
            } else {
                "0"
            };
            let mut changed = text.clone();
            changed.replace_range(at..=at, other);
            assert!(!key().proves(&read(&changed), &ann), "{at}");
        }
    }

    #[test]
    fn what_is_no_token_is_not_read() {
        let text = key().token(RoomId(1), PlayerId(0), 1, &who("guest:ann"));
        let upper = text.to_uppercase();
        let accent = format!("é{}", &text[2..]);
        for wrong in ["", "x", &text[1..], &format!("{text}0"), &upper, &accent] {
            let all_digits = wrong == upper && upper == text;
            assert!(all_digits || SeatToken::read(wrong).is_none(), "{wrong}");
        }
    }
}
