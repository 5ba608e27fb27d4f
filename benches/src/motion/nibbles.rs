//! Numbers of any size in groups of four bits: what recordings are written in. Called by `tape` and
//! `image_tape`.

use super::error::TapeError;

/// Numbers in groups of three bits, least first, each with a fourth that says that more follow.
pub(crate) struct Writer {
    pub(crate) bytes: Vec<u8>,
    /// Whether the last byte has room for a group.
    half: bool,
}

impl Writer {
    pub(crate) fn new(head: &[u8]) -> Writer {
        Writer {
            bytes: head.to_vec(),
            half: false,
        }
    }

    pub(crate) fn push(&mut self, mut value: u32) {
        loop {
            let more = value > 7;
            let group = (value & 7) as u8 | u8::from(more) << 3;
            match self.bytes.last_mut() {
                Some(last) if self.half => *last |= group << 4,
                _ => self.bytes.push(group),
            }
            self.half = !self.half;
            value >>= 3;
            if !more {
                return;
            }
        }
    }

    pub(crate) fn push_signed(&mut self, value: i32) {
        self.push(((value << 1) ^ (value >> 31)) as u32);
    }
}

pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    /// Groups read.
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    pub(crate) fn take(&mut self) -> Result<u32, TapeError> {
        let mut value = 0u32;
        for shift in (0..33).step_by(3) {
            let byte = *self.bytes.get(self.at / 2).ok_or(TapeError::Broken)?;
            let group = byte >> (self.at % 2 * 4) & 15;
            self.at += 1;
            value |= u32::from(group & 7) << shift;
            if group < 8 {
                return Ok(value);
            }
        }
        Err(TapeError::Broken)
    }

    /// Nothing may be left but a group of zeros that fills the last byte.
    pub(crate) fn finish(&self) -> Result<(), TapeError> {
        let fill = self.at % 2 * 4;
        let last = self.bytes.last().map_or(0, |&byte| byte >> fill);
        if self.at.div_ceil(2) != self.bytes.len() || (fill > 0 && last != 0) {
            return Err(TapeError::Broken);
        }
        Ok(())
    }

    pub(crate) fn take_signed(&mut self) -> Result<i32, TapeError> {
        let z = self.take()?;
        Ok((z >> 1) as i32 ^ -((z & 1) as i32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_small_ones_take_half_a_byte() {
        let mut out = Writer::new(&[]);
        let numbers = [0, 1, -1, 3, -4, 4, 31, 1000, i32::MAX, i32::MIN];
        numbers[..5].iter().for_each(|&n| out.push_signed(n));
        assert_eq!(out.bytes, [0x20, 0x61, 0x07]);
        numbers[5..].iter().for_each(|&n| out.push_signed(n));
        let mut from = Reader::new(&out.bytes);
        for n in numbers {
            assert_eq!(from.take_signed(), Ok(n));
        }
        assert_eq!(from.finish(), Ok(()));
    }
}
