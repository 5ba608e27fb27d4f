//! What a server's `--play-log` holds: one record for each tick of a room, as its workers appended
//! them. Pure; `course` reads the files, `owners` judges what is in them.

/// Bytes of a record, all little-endian: room u32, epoch u64, incarnation u64, tick u32, monotonic
/// nanoseconds u64. Epoch 0: the cluster's tables don't have the room yet.
pub(super) const RECORD_BYTES: usize = 32;

/// A room was ticked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomTick {
    /// The room.
    pub room: u32,
    /// The fencing token of its owner.
    pub epoch: u64,
    /// The owner's life.
    pub incarnation: u64,
    /// The room's tick.
    pub tick: u32,
    /// When, by the machine's monotonic clock.
    pub at_ns: u64,
    /// The process whose log it is, by number in the run.
    pub process: usize,
}

/// The records in `bytes`, and how many bytes they took: a last one that is only half there, as of
/// a process that is being killed, is left.
pub fn decode(bytes: &[u8], process: usize) -> (Vec<RoomTick>, usize) {
    let records = bytes.chunks_exact(RECORD_BYTES);
    let taken = bytes.len() - records.remainder().len();
    let ticks = records.map(|record| {
        let mut at = 0;
        let mut take = |bytes: usize| {
            let field = &record[at..at + bytes];
            at += bytes;
            field
                .iter()
                .rev()
                .fold(0, |n, byte| n << 8 | u64::from(*byte))
        };
        RoomTick {
            room: take(4) as u32,
            epoch: take(8),
            incarnation: take(8),
            tick: take(4) as u32,
            at_ns: take(8),
            process,
        }
    });
    (ticks.collect(), taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_up_to_one_that_is_half_there() {
        let mut bytes = Vec::new();
        for tick in 1..=2u32 {
            bytes.extend(0xAABB_CCDDu32.to_le_bytes());
            bytes.extend(0x0102_0304_0506_0708u64.to_le_bytes());
            bytes.extend(u64::MAX.to_le_bytes());
            bytes.extend(tick.to_le_bytes());
            bytes.extend((1_000_000_000 + u64::from(tick)).to_le_bytes());
        }
        bytes.extend([9; 31]);
        let (ticks, taken) = decode(&bytes, 4);
        assert_eq!((ticks.len(), taken), (2, 2 * RECORD_BYTES));
        let expected = RoomTick {
            room: 0xAABB_CCDD,
            epoch: 0x0102_0304_0506_0708,
            incarnation: u64::MAX,
            tick: 2,
            at_ns: 1_000_000_002,
            process: 4,
        };
        assert_eq!(ticks[1], expected);
    }
}
