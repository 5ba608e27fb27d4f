//! A binary range coder with adaptive probabilities (`PROTOCOL.md` §7): the coder of LZMA (Igor
//! Pavlov, after G. N. N. Martin's range coding, 1979) with 12-bit probabilities that also know how
//! sure they are, and static tables for symbols of more than a bit. 32-bit arithmetic, exact in
//! JavaScript; what is pending beyond it is only there to be moved less often. Knows nothing of
//! snapshots.

use super::DecodeError;
use super::symbols::{SYMBOL_BITS, Symbols};

/// Bits of a probability.
const P_BITS: u32 = 12;
/// Below this the range is widened by a byte.
const RANGE_MIN: u32 = 1 << 24;
/// Bytes that a decoder looks at beyond those that an encoder writes.
const AHEAD: usize = 3;

/// A bit's probability to be 0 in 1/4096 (upper 12 bits), and how many bits it was learnt from
/// (lower 4). What a body starts from is trained or [`UNSURE`].
pub type Context = u16;

/// The least and the greatest probability, in 1/4096: whichever bit comes, it can be coded.
pub(super) const ODDS: [u16; 2] = [4, 4092];

/// Nothing known: even odds, learnt from nothing.
pub const UNSURE: Context = 2048 << 4;

/// How far a probability moves to the bit seen, in 1/65536, by how much it has learnt.
const RATES: [u32; 16] = [
    32768, 21845, 16384, 13107, 10923, 9362, 8192, 7282, 6554, 5461, 4681, 4096, 3277, 2731, 2341,
    2048,
];

#[inline]
pub(super) fn learn(context: &mut Context, bit: bool) {
    let p = u32::from(*context >> 4);
    let seen = u32::from(*context & 15);
    let rate = RATES[seen as usize];
    let p = if bit {
        p - ((p * rate) >> 16)
    } else {
        p + (((4096 - p) * rate) >> 16)
    };
    let [least, most] = ODDS.map(u32::from);
    let p = p.clamp(least, most);
    *context = ((p << 4) | (seen + 1).min(15)) as Context;
}

/// What a body is written to: coded bytes, or the decisions themselves for training.
pub trait Coder {
    /// Codes a bit by the context `at` a place.
    fn bit(&mut self, contexts: &mut [Context], at: usize, bit: bool);

    /// Codes a symbol by the table `at` a place.
    fn symbol(&mut self, tables: &[Symbols], at: usize, symbol: usize);

    /// Codes the low `bits` of `value`, 0..=32, at even odds.
    fn raw(&mut self, value: u32, bits: u32);

    /// Codes a number by `count` contexts from `at` on: its Exp-Golomb class in unary, its digits
    /// raw.
    #[inline]
    fn number(&mut self, contexts: &mut [Context], of: (usize, usize), value: u32) {
        let shifted = u64::from(value) + 1;
        let digits = shifted.ilog2();
        self.unary(contexts, of, digits);
        self.raw((shifted & ((1 << digits) - 1)) as u32, digits);
    }

    /// Codes the low `bits` of `value`, 0..=32: the highest `modelled` of them, up to 16, by
    /// contexts from `at` on, each by those before it, the others at even odds.
    #[inline]
    fn digits(
        &mut self,
        contexts: &mut [Context],
        at: usize,
        value: u32,
        bits: u32,
        modelled: u32,
    ) {
        let mut begun = 1;
        for digit in (bits - modelled..bits).rev() {
            let bit = value >> digit & 1 != 0;
            self.bit(contexts, at + begun - 1, bit);
            begun = 2 * begun + usize::from(bit);
        }
        self.raw(value, bits - modelled);
    }

    /// Codes a small number by `count` contexts from `at` on: so many zeros, then a 1.
    #[inline]
    fn unary(&mut self, contexts: &mut [Context], (at, count): (usize, usize), value: u32) {
        for digit in 0..value as usize {
            self.bit(contexts, at + digit.min(count - 1), false);
        }
        self.bit(contexts, at + (value as usize).min(count - 1), true);
    }
}

/// How far a range is to be widened: whole bytes, at most two, as ranges of 2^24 and more are
/// divided by 2^15 at most.
#[inline(always)]
fn widening(range: u32) -> u32 {
    range.leading_zeros() & !7
}

/// Appends coded bits to a byte buffer.
#[derive(Debug)]
pub struct RangeEncoder<'a> {
    out: &'a mut Vec<u8>,
    /// The least number in the range, with what is pending and a carry.
    low: u128,
    range: u32,
    /// Bits of `low` above the lower 32 that are not in `out` yet. A carry may still reach those
    /// that are.
    pending: u32,
}

/// With so many bits pending they are moved to the buffer; there is room for another widening.
const PENDING_MAX: u32 = 64;

impl<'a> RangeEncoder<'a> {
    /// Appends to `out` from its end on.
    pub fn new(out: &'a mut Vec<u8>) -> RangeEncoder<'a> {
        RangeEncoder {
            out,
            low: 0,
            range: u32::MAX,
            pending: 0,
        }
    }

    /// Writes what is pending.
    pub fn finish(mut self) {
        // The shortest number in the range: its lower 24 bits are 0 and left out.
        self.low = (self.low + u128::from(RANGE_MIN) - 1) & !u128::from(RANGE_MIN - 1);
        self.carry();
        let left = self.low << (128 - 32 - self.pending);
        let bytes = self.pending as usize / 8 + 1;
        self.out.extend_from_slice(&left.to_be_bytes()[..bytes]);
    }

    #[inline(always)]
    fn widen(&mut self) {
        let bits = widening(self.range);
        self.range <<= bits;
        self.low <<= bits;
        self.pending += bits;
        if self.pending >= PENDING_MAX {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.carry();
        self.pending -= PENDING_MAX;
        let done = (self.low >> (32 + self.pending)) as u64;
        self.out.extend_from_slice(&done.to_be_bytes());
        self.low &= (1 << (32 + self.pending)) - 1;
    }

    /// Takes a carry to where it belongs; it stays within what this coder wrote.
    fn carry(&mut self) {
        let bits = 32 + self.pending;
        if self.low >> bits != 0 {
            self.low &= (1 << bits) - 1;
            for byte in self.out.iter_mut().rev() {
                *byte = byte.wrapping_add(1);
                if *byte != 0 {
                    break;
                }
            }
        }
    }
}

impl Coder for RangeEncoder<'_> {
    #[inline(always)]
    fn bit(&mut self, contexts: &mut [Context], at: usize, bit: bool) {
        let context = &mut contexts[at];
        let bound = (self.range >> P_BITS) * u32::from(*context >> 4);
        if bit {
            self.low += u128::from(bound);
            self.range -= bound;
        } else {
            self.range = bound;
        }
        learn(context, bit);
        self.widen();
    }

    #[inline(always)]
    fn symbol(&mut self, tables: &[Symbols], at: usize, symbol: usize) {
        let (start, width) = tables[at].part(symbol);
        let unit = self.range >> SYMBOL_BITS;
        self.low += u128::from(unit * start);
        self.range = unit * width;
        self.widen();
    }

    #[inline]
    fn raw(&mut self, value: u32, bits: u32) {
        let mut left = bits;
        while left > 0 {
            let now = left.min(8);
            left -= now;
            let part = (value >> left) & ((1 << now) - 1);
            self.range >>= now;
            self.low += u128::from(part * self.range);
            self.widen();
        }
    }
}

/// Reads coded bits. Bytes beyond the end read as 0; [`RangeDecoder::check`] tells when there were
/// too many of them.
#[derive(Clone, Debug)]
pub struct RangeDecoder<'a> {
    bytes: &'a [u8],
    /// Next byte to look ahead to.
    at: usize,
    /// The code in its upper 32 bits, and behind it as many of the next bits as `ahead` says.
    code: u64,
    ahead: u32,
    range: u32,
}

impl<'a> RangeDecoder<'a> {
    /// Reads from the first byte.
    pub fn new(bytes: &'a [u8]) -> RangeDecoder<'a> {
        let mut decoder = RangeDecoder {
            bytes,
            at: 0,
            code: 0,
            ahead: 0,
            range: u32::MAX,
        };
        decoder.code = u64::from(decoder.two()) << 48 | u64::from(decoder.two()) << 32;
        decoder.look_ahead();
        decoder
    }

    /// Decodes a bit by the context `at` a place.
    #[inline(always)]
    pub fn bit(&mut self, contexts: &mut [Context], at: usize) -> bool {
        let context = &mut contexts[at];
        let bound = (self.range >> P_BITS) * u32::from(*context >> 4);
        let bit = self.code() >= bound;
        if bit {
            self.code -= u64::from(bound) << 32;
            self.range -= bound;
        } else {
            self.range = bound;
        }
        learn(context, bit);
        self.widen();
        bit
    }

    /// Decodes a symbol by the table `at` a place.
    #[inline(always)]
    pub fn symbol(&mut self, tables: &[Symbols], at: usize) -> usize {
        let table = &tables[at];
        let unit = self.range >> SYMBOL_BITS;
        // A damaged code may lie beyond the range: it is the last symbol then.
        let symbol = table.at(self.code() / unit);
        let (start, width) = table.part(symbol);
        self.code -= u64::from(start * unit) << 32;
        self.range = width * unit;
        self.widen();
        symbol
    }

    /// Decodes a number of `bits`, 0..=32, at even odds.
    #[inline(always)]
    pub fn raw(&mut self, bits: u32) -> u32 {
        let mut value = 0u32;
        let mut left = bits;
        while left > 0 {
            let now = left.min(8);
            left -= now;
            self.range >>= now;
            // A damaged code may lie beyond the range: it is cut to what `now` bits can say.
            let part = (self.code() / self.range).min((1 << now) - 1);
            self.code -= u64::from(part * self.range) << 32;
            value = (value << now) | part;
            self.widen();
        }
        value
    }

    /// Decodes a number by `count` contexts from `at` on.
    ///
    /// # Errors
    /// It does not fit 32 bits.
    #[inline]
    pub fn number(
        &mut self,
        contexts: &mut [Context],
        of: (usize, usize),
    ) -> Result<u32, DecodeError> {
        let digits = self.unary(contexts, of)?;
        let shifted = (1u64 << digits) | u64::from(self.raw(digits));
        u32::try_from(shifted - 1).map_err(|_| DecodeError::OutOfRange)
    }

    /// Decodes a number of `bits`, of which the highest `modelled` have contexts from `at` on.
    #[inline]
    pub fn digits(&mut self, contexts: &mut [Context], at: usize, bits: u32, modelled: u32) -> u32 {
        let mut begun = 1;
        for _ in 0..modelled {
            begun = 2 * begun + usize::from(self.bit(contexts, at + begun - 1));
        }
        let rest = bits - modelled;
        let top = (begun - (1 << modelled)) as u64;
        (top << rest) as u32 | self.raw(rest)
    }

    /// Decodes a small number by `count` contexts from `at` on.
    ///
    /// # Errors
    /// It is above 32.
    #[inline(always)]
    pub fn unary(
        &mut self,
        contexts: &mut [Context],
        (at, count): (usize, usize),
    ) -> Result<u32, DecodeError> {
        let mut value = 0;
        while !self.bit(contexts, at + value.min(count - 1)) {
            value += 1;
            if value > 32 {
                return Err(DecodeError::OutOfRange);
            }
        }
        Ok(value as u32)
    }

    /// Fails when bits were read that nobody wrote.
    #[inline]
    pub fn check(&self) -> Result<(), DecodeError> {
        if self.seen() > self.bytes.len() + AHEAD {
            Err(DecodeError::Truncated)
        } else {
            Ok(())
        }
    }

    /// Fails unless exactly what was written was read.
    pub fn finish(&self) -> Result<(), DecodeError> {
        self.check()?;
        if self.seen() < self.bytes.len() + AHEAD {
            return Err(DecodeError::Trailing);
        }
        Ok(())
    }

    #[inline(always)]
    fn code(&self) -> u32 {
        (self.code >> 32) as u32
    }

    /// Bytes that the code has taken in.
    #[inline]
    fn seen(&self) -> usize {
        self.at - self.ahead as usize / 8
    }

    #[inline(always)]
    fn two(&mut self) -> u16 {
        let two = match self.bytes.get(self.at..self.at + 2) {
            Some(two) => u16::from_be_bytes([two[0], two[1]]),
            None => u16::from(self.bytes.get(self.at).copied().unwrap_or(0)) << 8,
        };
        self.at += 2;
        two
    }

    /// Sees to it that there is enough ahead for any widening.
    #[inline(always)]
    fn look_ahead(&mut self) {
        if self.ahead < 16 {
            self.code |= u64::from(self.two()) << (16 - self.ahead);
            self.ahead += 16;
        }
    }

    #[inline(always)]
    fn widen(&mut self) {
        let bits = widening(self.range);
        self.range <<= bits;
        self.code <<= bits;
        self.ahead -= bits;
        self.look_ahead();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_coded_comes_back(
            bits in proptest::collection::vec((any::<bool>(), 0usize..5), 0..300),
            numbers in proptest::collection::vec((any::<u32>(), 0u32..=32), 0..60),
            symbols in proptest::collection::vec((0usize..6, 0usize..16), 0..300),
        ) {
            // The least that a symbol can take, at one end and at the other, and the usual.
            let edges: [[u16; 15]; 2] = [
                std::array::from_fn(|at| at as u16 + 1),
                std::array::from_fn(|at| 32768 - 15 + at as u16),
            ];
            let tables: Vec<Symbols> = edges
                .iter()
                .filter_map(Symbols::new)
                .chain((0..4).map(Symbols::untrained))
                .collect();
            let mut contexts = [UNSURE; 5];
            let mut classes = [UNSURE; 14];
            let mut begun = [UNSURE; 127];
            let mut bytes = Vec::new();
            let mut encoder = RangeEncoder::new(&mut bytes);
            for &(at, symbol) in &symbols {
                encoder.symbol(&tables, at, symbol);
            }
            for &(bit, at) in &bits {
                encoder.bit(&mut contexts, at, bit);
            }
            for &(value, width) in &numbers {
                let cut = (u64::from(value) & ((1u64 << width) - 1)) as u32;
                encoder.raw(cut, width);
                encoder.digits(&mut begun, 0, value, width, width.min(7));
                encoder.number(&mut classes, (0, 14), cut);
                encoder.number(&mut classes, (0, 14), value);
            }
            encoder.finish();
            let mut contexts = [UNSURE; 5];
            let mut classes = [UNSURE; 14];
            let mut begun = [UNSURE; 127];
            let mut decoder = RangeDecoder::new(&bytes);
            for &(at, symbol) in &symbols {
                prop_assert_eq!(decoder.symbol(&tables, at), symbol);
            }
            for &(bit, at) in &bits {
                prop_assert_eq!(decoder.bit(&mut contexts, at), bit);
            }
            for &(value, width) in &numbers {
                let cut = (u64::from(value) & ((1u64 << width) - 1)) as u32;
                prop_assert_eq!(decoder.raw(width), cut);
                let digits = decoder.digits(&mut begun, 0, width, width.min(7));
                prop_assert_eq!(digits, cut);
                prop_assert_eq!(decoder.number(&mut classes, (0, 14)), Ok(cut));
                prop_assert_eq!(decoder.number(&mut classes, (0, 14)), Ok(value));
            }
            prop_assert_eq!(decoder.finish(), Ok(()));
            let mut longer = bytes.clone();
            longer.push(0);
            let mut other = RangeDecoder { bytes: &longer, ..decoder };
            prop_assert_eq!(other.finish(), Err(DecodeError::Trailing));
            other.at += 2;
            prop_assert_eq!(other.finish(), Err(DecodeError::Truncated));
        }

        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut classes = [UNSURE; 14];
            let mut decoder = RangeDecoder::new(&bytes);
            for _ in 0..1000 {
                if decoder.number(&mut classes, (0, 14)).is_err() || decoder.check().is_err() {
                    return Ok(());
                }
                decoder.raw(32);
                decoder.symbol(&[Symbols::untrained(5)], 0);
            }
        }
    }

    #[test]
    fn foreseen_bits_cost_next_to_nothing() {
        let mut context = [UNSURE];
        let mut bytes = Vec::new();
        let mut encoder = RangeEncoder::new(&mut bytes);
        for _ in 0..1000 {
            encoder.bit(&mut context, 0, false);
        }
        encoder.finish();
        assert!(bytes.len() <= 3, "{}", bytes.len());
    }
}
