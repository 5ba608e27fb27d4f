//! What a directory knows of a room that outlasts the process: what the room itself knows is in its
//! own save. `checkpoint` keeps it.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::kept_out::{KeptOut, Who};
use super::rank::NetworkMark;
use super::{GameIndex, Mark};
use crate::auth::Identity;
use crate::game::RoomOptions;

/// A network, as it is written.
type Net = (IpAddr, u8);

/// See the module's description.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// See `Entry::made`.
    pub(super) made: u64,
    /// As the process that ended hashed it: rooms of one network stay together in lists.
    network: Option<u64>,
    kept_out: Vec<Outcast>,
}

/// Who is kept out, and for how long yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Outcast {
    subject: String,
    is_guest: bool,
    host: Option<Net>,
    seconds: u32,
}

/// A room that outlasted the process, to be found again.
#[derive(Clone)]
pub(crate) struct Restored {
    pub(crate) game: GameIndex,
    pub(crate) options: RoomOptions,
    pub(crate) kept: Kept,
    /// Whose its seats are; all of them are away.
    pub(crate) takers: Vec<Mark>,
    /// What its game says of it, packed.
    pub(crate) metadata: Box<[u8]>,
    /// Whether it lets nobody new in.
    pub(crate) locked: bool,
}

impl Kept {
    /// Of a room made as the `made`th, from `network`.
    pub(super) fn of(
        made: u64,
        network: Option<NetworkMark>,
        kept_out: &KeptOut,
        now: Instant,
    ) -> Kept {
        let outcast = |(until, who): &(Instant, Who)| Outcast {
            subject: who.identity.subject.as_ref().to_owned(),
            is_guest: who.identity.is_guest,
            host: who.host.map(written),
            seconds: until.saturating_duration_since(now).as_secs() as u32,
        };
        Kept {
            made,
            network: network.map(|NetworkMark(network)| network),
            kept_out: kept_out.all().map(outcast).collect(),
        }
    }

    /// So many seconds have passed since.
    pub(crate) fn pass(&mut self, seconds: u64) {
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        self.kept_out.retain_mut(|outcast| {
            outcast.seconds = outcast.seconds.saturating_sub(seconds);
            outcast.seconds > 0
        });
    }

    /// From where the room was made.
    pub(super) fn network(&self) -> Option<NetworkMark> {
        self.network.map(NetworkMark)
    }

    /// Who is kept out of it from `now` on.
    pub(super) fn kept_out(&self, now: Instant) -> KeptOut {
        let outcasts = self.kept_out.iter().map(|outcast| {
            let identity = Identity {
                subject: outcast.subject.as_str().into(),
                is_guest: outcast.is_guest,
            };
            let host = outcast.host.and_then(read);
            let left = Duration::from_secs(outcast.seconds.into());
            (left, Who { identity, host })
        });
        KeptOut::restored(outcasts, now)
    }
}

fn written(net: IpNet) -> Net {
    (net.addr(), net.prefix_len())
}

/// `None` if it can't be one.
fn read((address, prefix): Net) -> Option<IpNet> {
    IpNet::new(address, prefix).ok()
}

#[cfg(test)]
impl Kept {
    /// Of a room that keeps two people out.
    pub(crate) fn sample() -> Kept {
        let outcast = |is_guest| Outcast {
            subject: "somebody".to_owned(),
            is_guest,
            host: is_guest.then_some((IpAddr::from([192, 0, 2, 1]), 32)),
            seconds: 300,
        };
        Kept {
            made: 1_700_000_000_000,
            network: Some(7),
            kept_out: vec![outcast(true), outcast(false)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_kept_out_stays_out_for_as_long_as_they_would_have() {
        let now = Instant::now();
        let who = |guest: u8| Who {
            identity: Identity::read(&format!("guest:{guest}")).unwrap(),
            host: Some(IpNet::from(IpAddr::from([192, 0, 2, guest]))),
        };
        let mut before = KeptOut::default();
        before.add(who(1), now);
        before.add(who(2), now + Duration::from_secs(300));
        let network = Some(NetworkMark(99));
        let now = now + Duration::from_secs(400);
        let mut kept = Kept::of(7, network, &before, now);
        kept.pass(100);
        assert_eq!((kept.made, kept.network()), (7, network));
        let later = Instant::now() + Duration::from_secs(9999);
        let after = kept.kept_out(later);
        for seconds in [0, 99, 101, 399, 401] {
            let (at, was) = (
                Duration::from_secs(seconds),
                now + Duration::from_secs(100 + seconds),
            );
            for guest in [1, 2] {
                let is_out = before.has(&who(guest), was);
                assert_eq!(
                    after.has(&who(guest), later + at),
                    is_out,
                    "{guest} {seconds}"
                );
            }
        }
        kept.pass(u64::MAX);
        assert!(kept.kept_out.is_empty());
    }

    /// Bytes of a file are a peer's.
    #[test]
    fn what_can_not_be_is_taken_for_nothing() {
        let now = Instant::now();
        let outcast = Outcast {
            subject: "x".repeat(999),
            is_guest: false,
            host: Some((IpAddr::from([1, 2, 3, 4]), 99)),
            seconds: u32::MAX,
        };
        let kept = Kept {
            made: u64::MAX,
            network: None,
            kept_out: vec![outcast; 1000],
        };
        let kept_out = kept.kept_out(now);
        assert_eq!(kept_out.all().count(), 64);
        let most = now + Duration::from_secs(600);
        assert!(
            kept_out
                .all()
                .all(|(until, who)| who.host.is_none() && *until <= most)
        );
    }
}
