//! The channel in which a party talks: by which name its members address it, and by which what they
//! said is kept. It is the party's from its first member to its last, whatever its code, and goes with
//! it to another home. It is no secret: who may say and read something there is for the party to say.

use std::fmt;
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

/// Digits of one.
const DIGITS: usize = 16;

/// See the module's description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct PartyChannel(NonZeroU64);

impl PartyChannel {
    /// By random bits. Of a million parties that are kept two have one with a probability of 1 in
    /// 10^7.
    pub(crate) fn new(bits: u64) -> PartyChannel {
        PartyChannel(NonZeroU64::new(bits).unwrap_or(NonZeroU64::MIN))
    }

    /// From how it is shown; `None`: it can be no party's.
    pub(crate) fn read(text: &str) -> Option<PartyChannel> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_one = text.len() == DIGITS && text.bytes().all(is_digit);
        let bits = is_one.then(|| u64::from_str_radix(text, 16).ok());
        bits.flatten().and_then(NonZeroU64::new).map(PartyChannel)
    }

    /// Its number, for what keeps it as one: 0 is none.
    pub(crate) fn bits(of: Option<PartyChannel>) -> u64 {
        of.map_or(0, |of| of.0.get())
    }

    /// The inverse.
    pub(crate) fn of_bits(bits: u64) -> Option<PartyChannel> {
        NonZeroU64::new(bits).map(PartyChannel)
    }
}

impl fmt::Display for PartyChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0DIGITS$x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_shown_and_nothing_else_is() {
        for bits in [1, 0xa7, u64::MAX] {
            let channel = PartyChannel::new(bits);
            assert_eq!(PartyChannel::read(&channel.to_string()), Some(channel));
            let bits = PartyChannel::bits(Some(channel));
            assert_eq!(PartyChannel::of_bits(bits), Some(channel));
        }
        assert_eq!(PartyChannel::new(0), PartyChannel::new(1));
        assert_eq!(PartyChannel::bits(None), 0);
        for wrong in [
            "",
            "a7",
            "00000000000000A7",
            "+0000000000000a7",
            "0000000000000000",
            "00000000000000a7 ",
        ] {
            assert_eq!(PartyChannel::read(wrong), None, "{wrong}");
        }
    }
}
