//! A bad link, one way: latency, jitter, stalls and a bandwidth limit on what passes, in order, as
//! a stream delivers. Seeded and without a clock: tests and yardsticks run it on virtual time, the
//! bots' proxy between real sockets, and `client-web/src/conditioner.js`, which mirrors it, in the
//! SDK's dev panel. Both reproduce `shared/vectors/netcode/conditioner.json`. It loses and reorders
//! nothing: below a WebSocket that shows as a delay, which is what stalls are.
//!
//! A message of b bytes that is pushed at time t, all times being whole microseconds of the
//! caller's:
//! - leaves when the link is free and has carried it: `free = max(free, t) + ceil(b * 1,000,000 /
//!   bytes_per_s)`, without a limit `free = max(free, t)`;
//! - arrives at `free + latency + j`, where `j = draw % (jitter + 1)` with the next draw of a
//!   [`Xorshift32`] (drawn only if there is jitter);
//! - not within a stall: those are, if `stall_every` is not 0, from every positive multiple of
//!   `stall_every` on `stall` long, and what would arrive in one arrives at its end;
//! - and not before the message ahead of it.

use std::collections::VecDeque;

use crate::exact::Xorshift32;

/// Bytes that one way of a link holds: a second of 8 Mbit/s. Beyond: [`Conditioner::push`] gives
/// the message back, and the sender has to hold it, as with a full socket. A single message always
/// fits.
pub const IN_FLIGHT_BYTES_MAX: usize = 1 << 20;

/// What one way of a link is like. The default is a perfect one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Delay of everything, in microseconds.
    pub latency_us: u32,
    /// Further delay at most, evenly distributed, drawn for each message, in microseconds; below
    /// 2^32 - 1.
    pub jitter_us: u32,
    /// Time from the start of a stall to the next one's, in microseconds; 0 for no stalls.
    pub stall_every_us: u32,
    /// How long a stall lasts, in microseconds.
    pub stall_us: u32,
    /// Bytes a second; 0 for no limit.
    pub bytes_per_s: u32,
}

/// See the module's description. `T` is a message, or what stands for it.
#[derive(Clone, Debug)]
pub struct Conditioner<T> {
    conditions: Conditions,
    dice: Xorshift32,
    /// When the link has carried all that was pushed.
    free_us: u64,
    /// By rising arrival.
    on_the_way: VecDeque<Passing<T>>,
    last_us: u64,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct Passing<T> {
    arrival_us: u64,
    bytes: usize,
    message: T,
}

impl<T> Conditioner<T> {
    /// A link with nothing on the way.
    pub fn new(conditions: Conditions, seed: u32) -> Conditioner<T> {
        Conditioner {
            conditions,
            dice: Xorshift32::new(seed),
            free_us: 0,
            on_the_way: VecDeque::new(),
            last_us: 0,
            bytes: 0,
        }
    }

    /// From now on the link is like this, for what is pushed.
    pub fn set(&mut self, conditions: Conditions) {
        self.conditions = conditions;
    }

    /// Whether it takes another message.
    pub fn has_room(&self) -> bool {
        self.on_the_way.is_empty() || self.bytes < IN_FLIGHT_BYTES_MAX
    }

    /// Sends a message of `bytes` bytes on its way; the time must not go back.
    ///
    /// # Errors
    /// [`IN_FLIGHT_BYTES_MAX`] are on the way: the message, to be pushed again later.
    pub fn push(&mut self, now_us: u64, bytes: usize, message: T) -> Result<(), T> {
        if !self.has_room() {
            return Err(message);
        }
        let Conditions {
            latency_us,
            jitter_us,
            bytes_per_s,
            ..
        } = self.conditions;
        self.free_us = self.free_us.max(now_us);
        if bytes_per_s > 0 {
            self.free_us += (bytes as u64 * 1_000_000).div_ceil(u64::from(bytes_per_s));
        }
        let jitter = match jitter_us {
            0 => 0,
            most => self.dice.below(most.saturating_add(1)),
        };
        let arrival = self.free_us + u64::from(latency_us) + u64::from(jitter);
        self.last_us = self.last_us.max(self.after_stall(arrival));
        self.bytes += bytes;
        self.on_the_way.push_back(Passing {
            arrival_us: self.last_us,
            bytes,
            message,
        });
        Ok(())
    }

    /// The next message that has arrived.
    pub fn poll(&mut self, now_us: u64) -> Option<T> {
        let passing = self
            .on_the_way
            .pop_front_if(|passing| passing.arrival_us <= now_us)?;
        self.bytes -= passing.bytes;
        Some(passing.message)
    }

    /// When [`Conditioner::poll`] has the next one; `None` with nothing on the way.
    pub fn poll_timeout(&self) -> Option<u64> {
        self.on_the_way.front().map(|passing| passing.arrival_us)
    }

    fn after_stall(&self, arrival_us: u64) -> u64 {
        let every = u64::from(self.conditions.stall_every_us);
        if every == 0 || arrival_us < every {
            return arrival_us;
        }
        let start = arrival_us - arrival_us % every;
        arrival_us.max(start + u64::from(self.conditions.stall_us))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Arrivals of what was pushed at these times with these sizes.
    fn arrivals(conditions: Conditions, pushes: &[(u64, usize)]) -> Vec<u64> {
        let mut link = Conditioner::new(conditions, 1);
        for &(at, bytes) in pushes {
            assert_eq!(link.push(at, bytes, at), Ok(()));
        }
        let mut arrivals = Vec::new();
        for &(at, _) in pushes {
            let arrival = link.poll_timeout().expect("one is on the way");
            assert_eq!(link.poll(arrival - 1), None);
            assert_eq!(link.poll(arrival), Some(at));
            arrivals.push(arrival);
        }
        assert_eq!(link.poll_timeout(), None);
        arrivals
    }

    #[test]
    fn latency_delays_everything_alike() {
        let conditions = Conditions {
            latency_us: 60_000,
            ..Conditions::default()
        };
        assert_eq!(arrivals(conditions, &[(5, 10), (9, 10)]), [60_005, 60_009]);
    }

    #[test]
    fn jitter_spreads_but_keeps_the_order() {
        let conditions = Conditions {
            latency_us: 1_000,
            jitter_us: 30_000,
            ..Conditions::default()
        };
        let pushes: Vec<(u64, usize)> = (1..=1000).map(|n| (n * 10_000, 1)).collect();
        let came = arrivals(conditions, &pushes);
        assert!(came.is_sorted());
        let delays: Vec<u64> = came.iter().zip(&pushes).map(|(a, (t, _))| a - t).collect();
        assert!(delays.iter().all(|delay| (1_000..=31_000).contains(delay)));
        let least = delays.iter().filter(|delay| **delay < 6_000).count();
        let most = delays.iter().filter(|delay| **delay > 26_000).count();
        assert!(least > 20 && most > 100, "{least}, {most}");
    }

    #[test]
    fn a_stall_holds_all_until_its_end() {
        let conditions = Conditions {
            latency_us: 10,
            stall_every_us: 5_000,
            stall_us: 500,
            ..Conditions::default()
        };
        let pushes = [
            (100, 1),
            (4_980, 1),
            (4_995, 1),
            (5_300, 1),
            (5_495, 1),
            (10_000, 1),
        ];
        assert_eq!(
            arrivals(conditions, &pushes),
            [110, 4_990, 5_500, 5_500, 5_505, 10_500]
        );
    }

    #[test]
    fn bandwidth_makes_messages_queue() {
        let conditions = Conditions {
            bytes_per_s: 1_000,
            ..Conditions::default()
        };
        let pushes = [(0, 10), (0, 10), (50_000, 1)];
        assert_eq!(arrivals(conditions, &pushes), [10_000, 20_000, 51_000]);
    }

    #[test]
    fn a_full_link_gives_the_message_back() {
        let mut link = Conditioner::new(Conditions::default(), 1);
        assert_eq!(link.push(0, IN_FLIGHT_BYTES_MAX * 2, "a"), Ok(()));
        assert_eq!(link.push(0, 1, "b"), Err("b"));
        assert_eq!(link.poll(0), Some("a"));
        assert_eq!(link.push(0, 1, "b"), Ok(()));
    }
}
