//! Bits into bytes, least significant first (`PROTOCOL.md` §4). Called by `fields`.

use super::DecodeError;

/// Appends bits to a byte buffer; [`BitWriter::finish`] fills the last byte with zeros.
#[derive(Debug)]
pub struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    pending: u64,
    count: u32,
}

impl<'a> BitWriter<'a> {
    /// Appends to `out` from its end on.
    pub fn new(out: &'a mut Vec<u8>) -> BitWriter<'a> {
        BitWriter {
            out,
            pending: 0,
            count: 0,
        }
    }

    /// Writes the low `bits` of `value`, 0..=32.
    #[inline]
    pub fn bits(&mut self, value: u32, bits: u32) {
        debug_assert!(bits <= 32 && (bits == 32 || value >> bits == 0));
        self.pending |= u64::from(value) << self.count;
        self.count += bits;
        if self.count >= 32 {
            self.out
                .extend_from_slice(&(self.pending as u32).to_le_bytes());
            self.pending >>= 32;
            self.count -= 32;
        }
    }

    /// Writes what is pending.
    pub fn finish(self) {
        let bytes = self.count.div_ceil(8) as usize;
        self.out
            .extend_from_slice(&self.pending.to_le_bytes()[..bytes]);
    }
}

/// Reads bits from bytes; beyond the end is an error, never a zero.
#[derive(Clone, Debug)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
    pending: u64,
    count: u32,
}

impl<'a> BitReader<'a> {
    /// Reads from the first bit.
    pub fn new(bytes: &'a [u8]) -> BitReader<'a> {
        BitReader {
            bytes,
            at: 0,
            pending: 0,
            count: 0,
        }
    }

    #[inline]
    fn refill(&mut self) {
        if let Some(word) = self.bytes.get(self.at..self.at + 4) {
            let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
            self.pending |= u64::from(word) << self.count;
            self.count += 32;
            self.at += 4;
        } else {
            while self.count <= 56 && self.at < self.bytes.len() {
                self.pending |= u64::from(self.bytes[self.at]) << self.count;
                self.count += 8;
                self.at += 1;
            }
        }
    }

    /// Reads a number of `bits`, 0..=32.
    #[inline]
    pub fn bits(&mut self, bits: u32) -> Result<u32, DecodeError> {
        if self.count < bits {
            self.refill();
            if self.count < bits {
                return Err(DecodeError::Truncated);
            }
        }
        let value = (self.pending & ((1u64 << bits) - 1)) as u32;
        self.pending >>= bits;
        self.count -= bits;
        Ok(value)
    }

    /// Goes on at the next whole byte: the skipped bits must be zero. Returns the bytes left.
    pub fn align(mut self) -> Result<&'a [u8], DecodeError> {
        let skip = self.count % 8;
        if self.bits(skip)? != 0 {
            return Err(DecodeError::Trailing);
        }
        let unread = (self.count / 8) as usize;
        Ok(&self.bytes[self.at - unread..])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back(numbers in proptest::collection::vec((any::<u32>(), 0u32..=32), 0..50)) {
            let cut = |&(value, width): &(u32, u32)| (u64::from(value) & ((1 << width) - 1)) as u32;
            let mut bytes = Vec::new();
            let mut writer = BitWriter::new(&mut bytes);
            for number in &numbers {
                writer.bits(cut(number), number.1);
            }
            writer.finish();
            let mut reader = BitReader::new(&bytes);
            for number in &numbers {
                prop_assert_eq!(reader.bits(number.1), Ok(cut(number)));
            }
            prop_assert_eq!(reader.align(), Ok(&[][..]));
        }
    }

    #[test]
    fn bits_fill_bytes_from_the_least_significant_one() {
        let mut bytes = Vec::new();
        let mut writer = BitWriter::new(&mut bytes);
        writer.bits(0b1, 1);
        writer.bits(0b10, 2);
        writer.bits(0b110, 5);
        writer.bits(0b1, 1);
        writer.finish();
        assert_eq!(bytes, [0b0011_0101, 0b1]);
    }

    #[test]
    fn whole_bytes_follow_an_aligned_reader() {
        let mut reader = BitReader::new(&[0b0000_0101, 7, 8, 9, 10, 11, 12]);
        assert_eq!(reader.bits(3), Ok(5));
        assert_eq!(reader.align(), Ok(&[7, 8, 9, 10, 11, 12][..]));
        let mut reader = BitReader::new(&[0b1000_0101, 7]);
        assert_eq!(reader.bits(3), Ok(5));
        assert_eq!(reader.align(), Err(DecodeError::Trailing));
        let mut reader = BitReader::new(&[1]);
        assert_eq!(reader.bits(9), Err(DecodeError::Truncated));
    }
}
