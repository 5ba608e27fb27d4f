//! How often one client is sent snapshots. Not who of those that fell behind is caught up first:
//! that is `catch_up`.
//!
//! A client whose window is full, or with older bytes in its outbox, is skipped before anything
//! is encoded, and served again as soon as it can take something. Who falls behind again within 2 s
//! joins a **rate tier**: every 2nd, 4th … 32nd snapshot only. Everyone in a rate tier gets the
//! same snapshots, so one body serves them; a client on a baseline of its own costs a body of its
//! own, which `catch_up` rations. Pure: ticks and counts are arguments. The room calls it.
//!
//! **Back up.** 2 s without falling behind lead one rate tier up. A client whose link is well again
//! need not wait for that: it **leaps**, once it has acknowledged all that was sent and the newest
//! snapshot was no longer under way than any takes, to the full rate; or, if it was longer by some
//! images, to the rate tier of so many, which is what such a link carries. A slow reader may look
//! like that for a moment, because a rate tier leaves it time to read. It falls behind again within
//! the 2 s, is back in the rate tier from which it leapt, in one step, and may not leap for 10 s,
//! then 20, 40, 80: that is a body or two of its own for each leap in vain, less than one in ten
//! seconds.
//!
//! **Probed.** In a rate tier of every 4th snapshot or more a client that has acknowledged
//! everything may be sent one between its rate tier's (`catch_up` says to whom and why), or it
//! would not be heard of until the next of those. What is under way then has a stride to be
//! acknowledged before the client counts as fallen behind, and it joins its rate tier again with an
//! image that it has nothing under way for. Thus the ways up are open to it: who may leap does so
//! with the first probe, anyone else is calm and moves up in 2 s a rate tier.

use std::num::NonZeroU8;

use tickwire::ids::Tick;

/// Rate tiers beside the full rate: the last has every 32nd snapshot, half of what a room
/// remembers.
pub(crate) const LANES: u8 = 5;
/// Seconds without falling behind until a client moves a rate tier up.
pub(crate) const CALM_SECONDS: u32 = 2;
/// How long a client may not leap after one leap in vain, in times [`CALM_SECONDS`].
const GROUNDED: u32 = 5;
/// How often that doubles, while leaps are in vain.
const GROUNDED_DOUBLINGS: u8 = 3;
/// Least stride of a rate tier whose members are probed: with a lesser one the next image is never
/// far.
const PROBED_FROM: u32 = 4;

/// A client's place among the rate tiers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RateTier {
    /// It gets every `2^halvings`-th image.
    halvings: u8,
    /// Since when it is due and was not served.
    pub(crate) waiting: Option<Tick>,
    /// Since when it has not fallen behind in this rate tier; `None`: it never has.
    calm: Option<Tick>,
    /// The last leap, until it has lasted.
    leap: Option<Leap>,
    /// No leap before.
    grounded_until: Tick,
    /// Leaps in vain since one lasted.
    in_vain: u8,
}

/// A move over rate tiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Leap {
    at: Tick,
    /// The rate tier before, by its halvings.
    from: NonZeroU8,
}

/// What a call changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// Nothing.
    Stays,
    /// To every second image of those it got, or back to the rate tier from which it leapt.
    Slower,
    /// To twice as many, or more by a leap.
    Faster,
}

impl RateTier {
    /// Images from one that it gets to the next.
    pub(crate) fn stride(self) -> u32 {
        1 << self.halvings
    }

    /// Whether it has had its time to acknowledge image `sent_number`, the last that it was sent,
    /// by image `number`: one stride, also for what came between its rate tier's images. If it
    /// still can't take anything, it has fallen behind.
    pub(crate) fn is_late(self, number: u32, sent_number: u32) -> bool {
        self.waiting.is_some() || number - sent_number >= self.stride()
    }

    /// Whether it gets image `number`, if it can take it: its rate tier's, unless it is still
    /// reading what came between those. `drained` says that it has acknowledged all that was sent.
    pub(crate) fn is_due(self, number: u32, sent_number: u32, drained: bool) -> bool {
        let tiers = number.is_multiple_of(self.stride());
        self.waiting.is_some() || (tiers && (drained || self.is_late(number, sent_number)))
    }

    /// Whether it may be probed with image `number`, which it is not due, if it has acknowledged
    /// everything: its rate tier's next image is not the very next.
    pub(crate) fn may_be_probed(self, number: u32) -> bool {
        let stride = self.stride();
        stride >= PROBED_FROM && !(number + 1).is_multiple_of(stride)
    }

    /// It was due at `tick` and could not take anything. `calm_ticks` are [`CALM_SECONDS`].
    pub(crate) fn fell_behind(&mut self, tick: Tick, calm_ticks: u32) -> Move {
        if self.waiting.replace(self.waiting.unwrap_or(tick)).is_some() {
            return Move::Stays;
        }
        if let Some(leap) = self.leap.take()
            && tick.since(leap.at) < calm_ticks
        {
            let doublings = self.in_vain.min(GROUNDED_DOUBLINGS);
            self.grounded_until = Tick(tick.0 + ((GROUNDED * calm_ticks) << doublings));
            self.in_vain = self.in_vain.saturating_add(1);
            self.halvings = self.halvings.max(leap.from.get());
            return Move::Slower;
        }
        let again = self.calm.is_some_and(|calm| tick.since(calm) < calm_ticks);
        if self.halvings < LANES && (again || self.halvings > 0) {
            self.halvings += 1;
            return Move::Slower;
        }
        Move::Stays
    }

    /// It was due at `tick`, but others came first.
    pub(crate) fn wait(&mut self, tick: Tick) {
        self.waiting.get_or_insert(tick);
    }

    /// It was sent a snapshot at `tick`.
    pub(crate) fn served(&mut self, tick: Tick, calm_ticks: u32) -> Move {
        if self
            .leap
            .is_some_and(|leap| tick.since(leap.at) >= calm_ticks)
        {
            (self.leap, self.in_vain) = (None, 0);
        }
        if self.waiting.take().is_some() {
            self.calm = Some(tick);
        } else if self.halvings > 0 && self.calm.is_none_or(|calm| tick.since(calm) >= calm_ticks) {
            self.halvings -= 1;
            self.calm = Some(tick);
            return Move::Faster;
        }
        Move::Stays
    }
}

impl RateTier {
    /// After `tick` it has acknowledged all that was sent; the newest of it was under way for as
    /// many `images`, from 1, as the link takes from one snapshot to the next.
    pub(crate) fn drained(&mut self, images: u32, tick: Tick) -> Move {
        let tier = images.next_power_of_two().trailing_zeros() as u8;
        let Some(from) = NonZeroU8::new(self.halvings) else {
            return Move::Stays;
        };
        if tier >= self.halvings || tick < self.grounded_until {
            return Move::Stays;
        }
        // Several leaps may lead up: in vain they all were.
        let from = self.leap.map_or(from, |leap| leap.from.max(from));
        self.leap = Some(Leap { at: tick, from });
        self.halvings = tier;
        self.calm = Some(tick);
        Move::Faster
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALM: u32 = 60;

    #[test]
    fn one_stall_costs_no_rate_tier_and_a_second_one_does() {
        let mut tier = RateTier::default();
        assert_eq!(tier.fell_behind(Tick(10), CALM), Move::Stays);
        for tick in 11..40 {
            assert!(
                tier.is_due(tick, 9, false),
                "it is served as soon as it can be"
            );
            assert_eq!(tier.fell_behind(Tick(tick), CALM), Move::Stays);
        }
        tier.served(Tick(40), CALM);
        assert_eq!(
            tier,
            RateTier {
                calm: Some(Tick(40)),
                ..RateTier::default()
            }
        );
        assert_eq!(tier.fell_behind(Tick(99), CALM), Move::Slower);
        assert_eq!(tier.stride(), 2);
        let mut late = RateTier {
            calm: Some(Tick(40)),
            ..RateTier::default()
        };
        assert_eq!(late.fell_behind(Tick(100), CALM), Move::Stays);
    }

    #[test]
    fn rate_tiers_end_and_lead_back() {
        let mut tier = RateTier::default();
        let mut tick = 1;
        for _ in 0..9 {
            tier.fell_behind(Tick(tick), CALM);
            tier.served(Tick(tick + 1), CALM);
            tick += 2;
        }
        assert_eq!(tier.halvings, LANES);
        let mut served = Vec::new();
        let mut sent = tick - 1;
        while tier.halvings > 0 {
            if tier.is_due(tick, sent, false) {
                sent = tick;
                if tier.served(Tick(tick), CALM) == Move::Faster {
                    served.push(tick);
                }
            }
            tick += 1;
        }
        assert_eq!(served.len(), usize::from(LANES));
        let calm = served.windows(2).all(|pair| pair[1] - pair[0] >= CALM);
        assert!(calm, "{served:?}");
    }

    fn in_tier(halvings: u8) -> RateTier {
        RateTier {
            halvings,
            ..RateTier::default()
        }
    }

    #[test]
    fn a_link_that_is_well_again_leaps_to_what_it_carries() {
        for (images, stride) in [(1, 1), (2, 2), (3, 4), (7, 8), (8, 8)] {
            let mut tier = in_tier(4);
            assert_eq!(tier.drained(images, Tick(100)), Move::Faster);
            assert_eq!(tier.stride(), stride, "{images} images");
        }
        assert_eq!(in_tier(4).drained(16, Tick(100)), Move::Stays);
        assert_eq!(in_tier(4).drained(u32::MAX / 2, Tick(100)), Move::Stays);
        assert_eq!(in_tier(0).drained(1, Tick(100)), Move::Stays);
    }

    #[test]
    fn a_leap_in_vain_ends_where_it_began_and_grounds() {
        let mut tier = in_tier(5);
        let mut tick = 1000;
        for seconds in [10, 20, 40, 80, 80] {
            assert_eq!(tier.drained(3, Tick(tick)), Move::Faster);
            assert_eq!(tier.drained(1, Tick(tick + 4)), Move::Faster);
            tier.served(Tick(tick + 5), CALM);
            assert_eq!(tier.fell_behind(Tick(tick + CALM), CALM), Move::Slower);
            assert_eq!(tier.stride(), 32);
            tier.served(Tick(tick + CALM + 9), CALM);
            tick += CALM + seconds * 30;
            assert_eq!(tier.drained(1, Tick(tick - 1)), Move::Stays, "{seconds} s");
        }
    }

    #[test]
    fn a_leap_that_lasts_is_forgotten() {
        let mut tier = in_tier(3);
        tier.drained(1, Tick(100));
        tier.fell_behind(Tick(130), CALM);
        tier.served(Tick(131), CALM);
        tier.drained(1, Tick(500));
        tier.served(Tick(500 + CALM), CALM);
        assert_eq!(tier.fell_behind(Tick(501 + CALM), CALM), Move::Stays);
        assert_eq!((tier.stride(), tier.in_vain), (1, 0));
    }

    #[test]
    fn members_of_a_rate_tier_get_the_same_images() {
        let due = |sent: u32, drained: bool| {
            let tier = in_tier(3);
            let mut images = sent + 1..40;
            images.find(|number| tier.is_due(*number, sent, drained))
        };
        for sent in [8, 9, 15] {
            assert_eq!(due(sent, true), Some(16), "nothing is under way");
        }
        assert_eq!(due(8, false), Some(16));
        assert_eq!(due(9, false), Some(24), "it has a stride to read");
        assert_eq!(due(16, false), Some(24));
        assert!(!in_tier(3).is_late(16, 9) && in_tier(3).is_late(17, 9));
    }

    #[test]
    fn who_is_soon_due_is_not_probed() {
        let probed = |halvings: u8| {
            let tier = in_tier(halvings);
            let images = (17..25).filter(move |number| !tier.is_due(*number, 16, true));
            images
                .filter(move |number| tier.may_be_probed(*number))
                .collect::<Vec<u32>>()
        };
        assert!(probed(0).is_empty());
        assert!(probed(1).is_empty());
        assert_eq!(probed(2), [17, 18, 21, 22]);
        assert_eq!(probed(3), [17, 18, 19, 20, 21, 22]);
    }
}
