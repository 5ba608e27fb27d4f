//! Who was sent away from a room and does not come back for a while, and whether a room keeps its
//! players. Pure: the time is an argument. The registry has one of each for every room.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ipnet::IpNet;

use crate::auth::Identity;

/// For how long who was sent away is kept out of that room: longer than a round, and than most bear
/// a grudge.
const KEPT_OUT: Duration = Duration::from_secs(600);
/// Those who are kept out of one room. Beyond: the first of them may come back early.
const KEPT_OUT_MAX: usize = 64;
/// Half of what is remembered against a room is forgotten after so long.
const HALF_LIFE_SECONDS: f32 = 300.0;
/// A room that sent away fewer lately is not passed by for it, however few are there.
const KICKS_MIN: f32 = 3.0;

/// Somebody who asks for a seat.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    /// Who they are. Guests are somebody else at will.
    pub(crate) identity: Identity,
    /// From where: a host as limits by address see it, an IPv6 /64; `None` where none of them
    /// holds, and for who asks for a seat that is theirs: others may have been sent away from
    /// there, and the seat is not those'.
    pub(crate) host: Option<IpNet>,
}

/// Those who are kept out of one room.
#[derive(Debug, Default)]
pub(crate) struct KeptOut(VecDeque<(Instant, Who)>);

impl KeptOut {
    /// `who` was sent away at `now`.
    pub(crate) fn add(&mut self, who: Who, now: Instant) {
        self.0.retain(|(until, _)| *until > now);
        if self.0.len() == KEPT_OUT_MAX {
            self.0.pop_front();
        }
        self.0.push_back((now + KEPT_OUT, who));
    }

    /// Those who were kept out so much longer, from `now` on.
    pub(super) fn restored(all: impl Iterator<Item = (Duration, Who)>, now: Instant) -> KeptOut {
        let until = |left: Duration| now + left.min(KEPT_OUT);
        let all = all.take(KEPT_OUT_MAX);
        KeptOut(all.map(|(left, who)| (until(left), who)).collect())
    }

    /// All of them, and until when; it may be over.
    pub(super) fn all(&self) -> impl Iterator<Item = &(Instant, Who)> {
        self.0.iter()
    }

    /// Whether somebody is kept out: they, or who came from where they come from.
    pub(crate) fn has(&self, who: &Who, now: Instant) -> bool {
        let is_them = |kept: &Who| {
            kept.identity == who.identity || (kept.host.is_some() && kept.host == who.host)
        };
        self.0
            .iter()
            .any(|(until, kept)| *until > now && is_them(kept))
    }
}

/// How a quick join takes a room. In this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Repute {
    /// Its players stay.
    Good,
    /// It sent somebody away lately, or more left soon after they came than are there: other rooms
    /// come first.
    Poor,
    /// It sent away a quarter as many as are there, and three at least: rather a new room.
    Bad,
}

/// What is remembered of how a room keeps its players.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    /// Who left soon after they came.
    left: f32,
    /// Who was sent away by the room's game.
    kicked: f32,
    at: Option<Instant>,
}

impl Losses {
    pub(crate) fn left_soon(&mut self, now: Instant) {
        self.fade(now);
        self.left += 1.0;
    }

    pub(crate) fn kicked(&mut self, now: Instant) {
        self.fade(now);
        self.kicked += 1.0;
    }

    fn fade(&mut self, now: Instant) {
        let share = self.share(now);
        self.left *= share;
        self.kicked *= share;
        self.at = Some(now);
    }

    /// Of a room with so many players.
    pub(crate) fn repute(&self, players: u16, now: Instant) -> Repute {
        let share = self.share(now);
        let (left, kicked) = (self.left * share, self.kicked * share);
        let players = f32::from(players);
        // A little less, since the first of three has faded when the third comes.
        if kicked > KICKS_MIN - 0.5 && kicked >= players / 4.0 {
            Repute::Bad
        } else if kicked > 0.5 || left > players {
            Repute::Poor
        } else {
            Repute::Good
        }
    }

    /// What is left of what was remembered at `at`.
    fn share(&self, now: Instant) -> f32 {
        let age = self
            .at
            .map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f32());
        (-age / HALF_LIFE_SECONDS).exp2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(guest: u16, host: Option<u8>) -> Who {
        Who {
            identity: Identity::read(&format!("guest:{guest}")).unwrap(),
            host: host.map(|last| IpNet::from(std::net::IpAddr::from([192, 0, 2, last]))),
        }
    }

    #[test]
    fn who_was_sent_away_is_kept_out_under_any_name_and_not_for_ever() {
        let start = Instant::now();
        let mut kept = KeptOut::default();
        kept.add(who(1, Some(1)), start);
        kept.add(who(2, None), start);
        for (asks, is_kept) in [
            (who(1, Some(1)), true),
            (who(1, Some(9)), true),
            (who(9, Some(1)), true),
            (who(2, None), true),
            (who(9, Some(9)), false),
            (who(9, None), false),
        ] {
            assert_eq!(kept.has(&asks, start), is_kept, "{asks:?}");
        }
        assert!(kept.has(&who(1, None), start + KEPT_OUT - Duration::from_secs(1)));
        assert!(!kept.has(&who(1, Some(1)), start + KEPT_OUT));
    }

    #[test]
    fn those_who_are_kept_out_are_bounded() {
        let start = Instant::now();
        let mut kept = KeptOut::default();
        (0..200).for_each(|guest| kept.add(who(guest, None), start));
        assert_eq!(kept.0.len(), KEPT_OUT_MAX);
        assert!(!kept.has(&who(0, None), start) && kept.has(&who(199, None), start));
        kept.add(who(200, None), start + KEPT_OUT);
        assert_eq!(kept.0.len(), 1, "those whose time is over make place");
    }

    #[test]
    fn a_room_is_judged_by_whom_it_lost_lately() {
        let start = Instant::now();
        let mut losses = Losses::default();
        assert_eq!(losses.repute(0, start), Repute::Good);
        (0..4).for_each(|_| losses.left_soon(start));
        assert_eq!(losses.repute(4, start), Repute::Good, "as many are there");
        assert_eq!(losses.repute(3, start), Repute::Poor);
        (0..99).for_each(|_| losses.left_soon(start));
        assert_eq!(
            losses.repute(3, start),
            Repute::Poor,
            "who leaves can not close a room to others"
        );
        let later = start + Duration::from_secs(3600);
        assert_eq!(losses.repute(3, later), Repute::Good, "it is forgotten");
        losses.kicked(later);
        assert_eq!(losses.repute(50, later), Repute::Poor);
        losses.kicked(later);
        losses.kicked(later + Duration::from_secs(60));
        assert_eq!(losses.repute(50, later), Repute::Poor, "three of fifty");
        assert_eq!(losses.repute(8, later), Repute::Bad, "three of eight");
        assert_eq!(
            losses.repute(8, later + Duration::from_secs(600)),
            Repute::Poor
        );
    }
}
