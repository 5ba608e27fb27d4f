//! Where somebody else is drawn: at the place that the view says, or, if that is elsewhere than the picture left them (snapshots came late, and
//! they did not go straight on), on the way there, never faster than they were seen to go. One for each component that moves. Called by native clients
//! at every frame; mirrored by `client-web/src/netcode/catch_up.js`; both reproduce `shared/vectors/netcode/pursuit.json`. Not what the view says:
//! that is [`super::interpolation`]; not the own entity's errors: those are [`super::smoothing`]'s.
//!
//! **Why.** Through a stall the view goes on by the clock and everybody by their last change, so who goes straight on is where they should be when
//! the snapshots come, without a trace. Who turned, stopped or started meanwhile is off, by up to the stall's length at their speed. A picture that makes up for
//! it at more than their speed shows what cannot be; one that jumps shows it at once; one that stays back for everybody's sake (a late view)
//! is wrong about those who went straight on as well, who are most. So everybody is off for themselves, and mends it by their own means: waits if
//! ahead, cuts the corner at the next turn, goes on at full speed where the real one stopped. Who runs straight away at
//! their top speed can't be caught up with: they stay that far behind until they turn or slow down, and nothing is put where it did not walk to.
//! `netcode-yardstick` tells how late that is.
//!
//! **Follow.** At a frame `ms` after the one before, with the `target` that the view says and `offset` the last place drawn less the last target, the place moves
//! towards `target + offset * exp(-ms / CLOSE_MS)`, by `speed * ms` at most; `offset` becomes `place - target`. `speed` is the greater of the top
//! speed and the speed between the two snapshots around the view. The offset closes in this slowly because who is beside a runner's way loses
//! less by running along and closing in than by running straight at them.
//!
//! **Put.** The place becomes the target at once at the first frame; if it is further off than `speed * PUT_MS` (after a
//! pause or a long stall nobody wants to see a second of running); and if it is further off than `speed * ms` and the component jumped
//! ([`super::interpolation::jumps`]) or leapt (went more than [`LEAP`] times its top speed) in a pair of snapshots that the view came through, newer one included, since
//! the frame before: a respawn is not run to, however near.
//!
//! **Top speed.** [`TopSpeed`]: the greatest that two of four snapshots in a row showed, each as the way from the one before by its time, but for
//! pairs that the component jumped in. One alone may have been a leap.

/// Milliseconds in which an offset shrinks by the factor e, as far as the top speed allows it.
pub const CLOSE_MS: f64 = 200.0;
/// Who is off by more than their way of so many milliseconds is put where they should be. A stall of 500 ms makes up
/// to twice its length, of those who turned back at its start.
pub const PUT_MS: f64 = 1_500.0;
/// Who went more than so many times their top speed leapt.
pub const LEAP: f64 = 4.0;
/// Snapshots of which two must show a speed.
const RECENT: usize = 4;

/// See the module's description. `N` fields.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pursuit<const N: usize> {
    place: [f64; N],
    offset: [f64; N],
}

impl<const N: usize> Pursuit<N> {
    /// First seen at `target`.
    pub fn new(target: [f64; N]) -> Pursuit<N> {
        Pursuit {
            place: target,
            offset: [0.0; N],
        }
    }

    /// Where it is drawn.
    pub fn place(&self) -> [f64; N] {
        self.place
    }

    /// Whether `target` lies no further off than the way of a frame of `ms`, at `speed` units a millisecond. If not, it is to be asked
    /// whether the component jumped or leapt.
    pub fn reaches(&self, target: [f64; N], speed: f64, ms: f64) -> bool {
        let way: [f64; N] = std::array::from_fn(|axis| target[axis] - self.place[axis]);
        length(&way) <= speed * ms
    }

    /// It jumped or leapt: it is drawn at the target.
    pub fn put(&mut self, target: [f64; N]) {
        *self = Pursuit::new(target);
    }

    /// A frame, `ms` after the one before: goes after the target at `speed` units a millisecond at most.
    pub fn follow(&mut self, target: [f64; N], speed: f64, ms: f64) {
        let keep = (-ms / CLOSE_MS).exp();
        let way: [f64; N] =
            std::array::from_fn(|axis| target[axis] + self.offset[axis] * keep - self.place[axis]);
        let long = length(&way);
        let most = speed * ms;
        if long > most {
            for axis in 0..N {
                self.place[axis] += way[axis] * (most / long);
            }
        } else {
            for axis in 0..N {
                self.place[axis] = target[axis] + self.offset[axis] * keep;
            }
        }
        self.offset = std::array::from_fn(|axis| self.place[axis] - target[axis]);
        if length(&self.offset) > speed * PUT_MS {
            self.put(target);
        }
    }
}

/// How fast somebody was seen to go: see the module's description. In the caller's units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TopSpeed {
    recent: [f64; RECENT],
    top: f64,
}

impl TopSpeed {
    /// The greatest so far.
    pub fn top(&self) -> f64 {
        self.top
    }

    /// Whether this speed, between two snapshots, is that of a leap.
    pub fn leaps(&self, speed: f64) -> bool {
        speed > LEAP * self.top
    }

    /// A snapshot shows this speed since the one before.
    pub fn saw(&mut self, speed: f64) {
        self.recent.rotate_left(1);
        self.recent[RECENT - 1] = speed;
        let mut two = [0.0_f64; 2];
        for seen in self.recent {
            let less = two[0].min(seen);
            two = [two[0].max(seen), two[1].max(less)];
        }
        self.top = self.top.max(two[1]);
    }
}

/// Length of a change, summed up in the order of the fields.
pub fn length<const N: usize>(change: &[f64; N]) -> f64 {
    let mut sum = 0.0;
    for axis in change {
        sum += axis * axis;
    }
    sum.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of 10 ms after targets, at 0.1 units a millisecond; each step is looked at.
    fn chase(from: [f64; 2], targets: impl Iterator<Item = [f64; 2]>) -> [f64; 2] {
        let mut pursuit = Pursuit::new(from);
        for target in targets {
            let before = pursuit.place();
            pursuit.follow(target, 0.1, 10.0);
            let way = [0, 1].map(|axis| pursuit.place()[axis] - before[axis]);
            assert!(length(&way) <= 1.0 + 1e-9, "{way:?}");
        }
        pursuit.place()
    }

    #[test]
    fn who_goes_as_seen_is_drawn_where_they_are() {
        let way = (1..100).map(|n| [f64::from(n), 5.0]);
        assert_eq!(chase([0.0, 5.0], way), [99.0, 5.0]);
    }

    #[test]
    fn who_stopped_is_reached_at_their_speed_and_softly() {
        let still = || std::iter::repeat([30.0, 40.0]);
        let off = |frames| {
            let [x, y] = chase([0.0; 2], still().take(frames));
            length(&[30.0 - x, 40.0 - y])
        };
        assert!((off(20) - 30.0).abs() < 1e-9, "at full speed");
        // The last of it fades.
        assert!(off(60) > 1.0 && off(60) < 8.0, "{}", off(60));
        assert!(off(150) < 0.1, "{}", off(150));
    }

    #[test]
    fn who_runs_straight_away_stays_ahead_and_is_caught_when_they_turn_back() {
        let away = (1..=200).map(|n| [20.0 + f64::from(n), 0.0]);
        let back = (1..=200).map(|n| [220.0 - f64::from(n), 0.0]);
        let [x, _] = chase([0.0; 2], away.clone());
        assert!((x - 200.0).abs() < 1e-9, "{x}");
        let [x, y] = chase([0.0; 2], away.chain(back));
        assert!((x - 20.0).abs() < 0.1 && y == 0.0, "{x}");
    }

    #[test]
    fn who_is_far_off_or_jumped_is_put_there() {
        let mut pursuit = Pursuit::new([0.0]);
        pursuit.follow([151.1], 0.1, 10.0);
        assert_eq!(pursuit.place(), [151.1]);
        pursuit.follow([251.1], 0.1, 10.0);
        assert_eq!(pursuit.place(), [152.1]);
        assert!(!pursuit.reaches([153.2], 0.1, 10.0));
        assert!(pursuit.reaches([153.0], 0.1, 10.0));
        pursuit.put([3.0]);
        pursuit.follow([3.5], 0.1, 10.0);
        assert_eq!(pursuit.place(), [3.5]);
    }

    #[test]
    fn a_single_leap_is_no_speed() {
        let mut top = TopSpeed::default();
        for (speed, then) in [
            (0.0, 0.0),
            (50.0, 0.0),
            (3.0, 3.0),
            (3.3, 3.3),
            (0.0, 3.3),
            (9.0, 3.3),
            (0.0, 3.3),
            (8.0, 8.0),
        ] {
            top.saw(speed);
            assert_eq!(top.top(), then);
        }
        assert!(top.leaps(33.0) && !top.leaps(32.0));
    }
}
