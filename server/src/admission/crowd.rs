//! Sockets that can be sent away because they have no seat: at the limit a newcomer is let in all
//! the same, and the oldest of the heaviest prefix goes instead. A flood pushes itself out; who
//! comes from elsewhere stays, and says hello long before the flood is lighter than it. Which limit
//! that is and what "sent away" means is the caller's: `public` has a crowd of all sockets that
//! have no seat, within `--max-connections`, and one of WebSockets that have not said hello, within
//! `--max-ungreeted`.
//!
//! **Who goes.** Of all networks (IPv4 /24, IPv6 /48) the one with the most members; in it the site
//! (IPv6 /56) and then the host (IPv4 address, IPv6 /64) with the most; of its members the one that
//! has been there longest. Of prefixes with as many, the one that has been there longest without a
//! break. A newcomer counts, and goes itself only if nobody else is there.
//!
//! [`Order`] is pure; [`Crowd`] is one that many tasks share, under a lock that is taken when a
//! socket comes and goes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use metrics::{Counter, Gauge};
use parking_lot::Mutex;

use super::prefix::{host, prefixes};
use super::sockets::Notice;

/// Who is there, in the order of who goes first. As large as the crowd.
#[derive(Debug, Default)]
struct Order<T> {
    /// Of each prefix what lies in it. The whole crowd is in `None`.
    prefixes: HashMap<Option<IpNet>, Prefix>,
    members: BTreeMap<u64, (IpAddr, T)>,
    /// The number of who comes next.
    next: u64,
}

/// A prefix with somebody in it.
#[derive(Debug, Default)]
struct Prefix {
    /// The number of who was first there, since somebody always was.
    since: u64,
    count: u32,
    /// The prefixes in it, heaviest last.
    inner: BTreeSet<(u32, Reverse<u64>, IpNet)>,
    /// Its members, if it is the narrowest.
    own: BTreeSet<u64>,
}

impl<T> Order<T> {
    fn len(&self) -> usize {
        self.members.len()
    }

    /// Somebody comes. Their number.
    fn enter(&mut self, address: IpAddr, member: T) -> u64 {
        let number = self.next;
        self.next += 1;
        self.members.insert(number, (address, member));
        self.recount(address, number, true);
        number
    }

    /// Somebody goes; `None` if they are gone.
    fn leave(&mut self, number: u64) -> Option<T> {
        let (address, member) = self.members.remove(&number)?;
        self.recount(address, number, false);
        Some(member)
    }

    /// Who is to go; `None` if nobody is there.
    fn heaviest(&self) -> Option<u64> {
        let mut at = self.prefixes.get(&None)?;
        while let Some((_, _, heaviest)) = at.inner.last() {
            at = self.prefixes.get(&Some(*heaviest))?;
        }
        at.own.first().copied()
    }

    /// Who is to go, and goes.
    fn send_away(&mut self) -> Option<(u64, T)> {
        let number = self.heaviest()?;
        Some((number, self.leave(number)?))
    }

    /// Whether who is to go is of the host of `address`, of which there are no more than so many.
    fn is_of_few(&self, address: IpAddr, few: u32) -> bool {
        let own = host(address);
        let heaviest = self.heaviest().and_then(|number| self.members.get(&number));
        let count = self.prefixes.get(&Some(own)).map_or(0, |own| own.count);
        heaviest.is_some_and(|(address, _)| host(*address) == own) && count <= few
    }

    fn recount(&mut self, address: IpAddr, number: u64, comes: bool) {
        let mut outer = None;
        self.count(None, number, comes);
        for (_, net) in prefixes(address) {
            let before = self.rank(net);
            self.count(Some(net), number, comes);
            let after = self.rank(net);
            if let Some(outer) = self.prefixes.get_mut(&outer) {
                if let Some(before) = before {
                    outer.inner.remove(&before);
                }
                outer.inner.extend(after);
            }
            outer = Some(net);
        }
        if let Some(narrowest) = self.prefixes.get_mut(&outer) {
            match comes {
                true => narrowest.own.insert(number),
                false => narrowest.own.remove(&number),
            };
        }
        // Emptied ones go last: until here each has been where it is looked for.
        if !comes {
            for net in prefixes(address).map(|(_, net)| Some(net)).chain([None]) {
                let prefix = self.prefixes.get(&net);
                if prefix.is_some_and(|prefix| prefix.count == 0) {
                    self.prefixes.remove(&net);
                }
            }
        }
    }

    /// Counts in one prefix.
    fn count(&mut self, net: Option<IpNet>, number: u64, comes: bool) {
        let prefix = self.prefixes.entry(net).or_insert_with(|| Prefix {
            since: number,
            ..Prefix::default()
        });
        match comes {
            true => prefix.count += 1,
            false => prefix.count -= 1,
        }
    }

    /// How a prefix stands among those beside it; `None` if nobody is in it.
    fn rank(&self, net: IpNet) -> Option<(u32, Reverse<u64>, IpNet)> {
        let prefix = self.prefixes.get(&Some(net))?;
        (prefix.count > 0).then_some((prefix.count, Reverse(prefix.since), net))
    }
}

/// A crowd with a limit. Clones are the same crowd.
#[derive(Clone)]
pub(crate) struct Crowd(Arc<Shared>);

struct Shared {
    /// Beyond so many somebody goes for each who comes.
    limit: u32,
    order: Mutex<Order<Notice>>,
    here: Gauge,
    sent_away: Counter,
}

impl Crowd {
    /// Nobody is there; `here` shows how many are, `sent_away` counts who had to go.
    pub(crate) fn new(limit: u32, here: Gauge, sent_away: Counter) -> Crowd {
        Crowd(Arc::new(Shared {
            limit: limit.max(1),
            order: Mutex::default(),
            here,
            sent_away,
        }))
    }

    /// Lets somebody in who will hear of it by `notice` when they must go. Beyond the limit
    /// somebody else is told now.
    pub(crate) fn enter(&self, address: IpAddr, notice: &Notice) -> Spot {
        let mut order = self.0.order.lock();
        let number = order.enter(address, notice.clone());
        self.0.here.increment(1);
        while order.len() > self.0.limit as usize {
            self.send_away_from(&mut order);
        }
        drop(order);
        Spot {
            crowd: self.clone(),
            address,
            notice: notice.clone(),
            number: Some(number),
        }
    }

    /// Has one go for `newcomer`, who is the last that came, if anybody else is there. Not if it
    /// would be one of `few` of the newcomer's own host.
    pub(crate) fn make_way_for(&self, newcomer: &Spot, few: u32) {
        let mut order = self.0.order.lock();
        let others = order.len() > usize::from(newcomer.number.is_some());
        if others && !order.is_of_few(newcomer.address, few) {
            self.send_away_from(&mut order);
        }
    }

    /// Has so many go for `newcomer`, who is the last that came from then on. False: there are not
    /// so many others, and none goes, or it was sent away itself.
    pub(crate) fn make_room_for(&self, newcomer: &mut Spot, places: u32) -> bool {
        let stays = newcomer.leave();
        let mut order = self.0.order.lock();
        let has_room = stays && order.len() >= places as usize;
        if has_room {
            (0..places).for_each(|_| self.send_away_from(&mut order));
        }
        drop(order);
        newcomer.come_back();
        has_room
    }

    fn send_away_from(&self, order: &mut Order<Notice>) {
        if let Some((_, notice)) = order.send_away() {
            notice.give();
            self.0.here.decrement(1);
            self.0.sent_away.increment(1);
        }
    }
}

/// A socket's place in a crowd, which it leaves when this is dropped.
pub(crate) struct Spot {
    crowd: Crowd,
    address: IpAddr,
    pub(crate) notice: Notice,
    /// `None`: it has left.
    number: Option<u64>,
}

impl Spot {
    /// Leaves, to be sent away no more: it has a seat. False: it was sent away before, from this
    /// crowd or another.
    pub(crate) fn leave(&mut self) -> bool {
        if let Some(number) = self.number.take()
            && self.crowd.0.order.lock().leave(number).is_some()
        {
            self.crowd.0.here.decrement(1);
        }
        !self.notice.is_given()
    }

    /// Is there again, as who came last, unless it was sent away.
    pub(crate) fn come_back(&mut self) {
        if self.number.is_none() && !self.notice.is_given() {
            let mut again = self.crowd.enter(self.address, &self.notice);
            self.number = again.number.take();
        }
    }
}

impl Drop for Spot {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    /// Lets them in by name in this order, then has all go: in which order they do.
    fn goes(members: &[(&'static str, &str)]) -> Vec<&'static str> {
        let mut order = Order::default();
        for (name, address) in members {
            order.enter(at(address), *name);
        }
        let gone = std::iter::from_fn(|| order.send_away())
            .map(|(_, name)| name)
            .collect();
        assert!(order.prefixes.is_empty() && order.members.is_empty());
        gone
    }

    #[test]
    fn the_oldest_of_the_heaviest_host_goes_first() {
        let gone = goes(&[
            ("honest", "192.0.2.1"),
            ("flood 1", "198.51.100.1"),
            ("flood 2", "198.51.100.1"),
            ("flood 3", "198.51.100.1"),
            ("late", "203.0.113.1"),
        ]);
        assert_eq!(gone, ["flood 1", "flood 2", "honest", "flood 3", "late"]);
    }

    #[test]
    fn neighbours_weigh_together() {
        let gone = goes(&[
            ("pair 1", "192.0.2.1"),
            ("pair 2", "192.0.2.1"),
            ("range 1", "198.51.100.1"),
            ("range 2", "198.51.100.2"),
            ("range 3", "198.51.100.3"),
        ]);
        assert_eq!(gone, ["range 1", "pair 1", "range 2", "pair 2", "range 3"]);
    }

    #[test]
    fn of_ipv6_the_heaviest_48_then_56_then_64_pays() {
        let gone = goes(&[
            ("other", "2001:db8:ffff::1"),
            ("lone site", "2001:db8:1:100::1"),
            ("a1", "2001:db8:1:200::1"),
            ("b1", "2001:db8:1:201::1"),
            ("b2", "2001:db8:1:201::2"),
            ("other 2", "2001:db8:ffff:1::1"),
        ]);
        // The /48 of four; in it the /56 of three; in that the /64 of two.
        assert_eq!(gone[..2], ["b1", "a1"]);
        // As many in both: the one that is there longest.
        assert_eq!(gone[2..], ["other", "lone site", "other 2", "b2"]);
    }

    #[test]
    fn who_left_does_not_weigh() {
        let mut order = Order::default();
        let heavy: Vec<u64> = (0..3).map(|n| order.enter(at("192.0.2.1"), n)).collect();
        order.enter(at("198.51.100.1"), 10);
        order.enter(at("198.51.100.2"), 11);
        assert_eq!(order.leave(heavy[0]), Some(0));
        assert_eq!(order.leave(heavy[0]), None);
        assert_eq!(order.leave(heavy[2]), Some(2));
        assert_eq!(order.send_away(), Some((3, 10)));
        assert_eq!(order.len(), 2);
    }

    /// Against a plain search through all of them, for random comings and goings.
    #[test]
    fn it_is_who_a_plain_search_finds() {
        use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
        let mut random = ChaCha8Rng::seed_from_u64(14);
        let mut order = Order::default();
        let mut plain: Vec<(u64, IpAddr)> = Vec::new();
        for step in 0..3000 {
            if plain.len() > 60 || (random.random_bool(0.3) && !plain.is_empty()) {
                let (number, ()) = order.send_away().unwrap();
                let weight = |address: IpAddr| {
                    let counts = prefixes(address).map(|(_, net)| {
                        let inside = plain
                            .iter()
                            .filter(|(_, a)| net.contains(&a.to_canonical()));
                        inside.count()
                    });
                    counts.collect::<Vec<_>>()
                };
                let at = plain.iter().position(|(n, _)| *n == number).unwrap();
                let heaviest = plain.iter().map(|(_, a)| weight(*a)[0]).max().unwrap();
                assert_eq!(weight(plain[at].1)[0], heaviest, "step {step}");
                let older = |(n, a): &&(u64, IpAddr)| *n < number && *a == plain[at].1;
                assert!(!plain.iter().any(|member| older(&member)), "step {step}");
                plain.remove(at);
            } else {
                let address = match random.random_bool(0.5) {
                    true => {
                        IpAddr::from([10, 0, random.random_range(0..4), random.random_range(0..4)])
                    }
                    false => at(&format!(
                        "2001:db8:{:x}:{:x}::1",
                        random.random_range(0..3),
                        random.random_range(0..600)
                    )),
                };
                plain.push((order.enter(address, ()), address));
            }
            assert_eq!(order.len(), plain.len());
        }
    }

    #[test]
    fn beyond_the_limit_the_heaviest_is_told_and_the_newcomer_stays() {
        let crowd = Crowd::new(3, Gauge::noop(), Counter::noop());
        let enter = |address: &str| crowd.enter(at(address), &Notice::default());
        let flood: Vec<Spot> = (0..5).map(|_| enter("198.51.100.1")).collect();
        let told = |spots: &[Spot]| {
            spots
                .iter()
                .map(|spot| spot.notice.is_given())
                .collect::<Vec<_>>()
        };
        assert_eq!(told(&flood), [true, true, false, false, false]);
        let honest = [enter("192.0.2.1"), enter("203.0.113.1")];
        assert_eq!(told(&flood), [true, true, true, true, false]);
        assert_eq!(told(&honest), [false, false]);
        drop((flood, honest));
        assert_eq!(crowd.0.order.lock().len(), 0);
    }

    #[test]
    fn the_few_of_one_browser_do_not_push_one_another_out() {
        let crowd = Crowd::new(99, Gauge::noop(), Counter::noop());
        let come = |address: &str| {
            let spot = crowd.enter(at(address), &Notice::default());
            crowd.make_way_for(&spot, 6);
            spot
        };
        let mut browser: Vec<Spot> = (0..6).map(|_| come("192.0.2.1")).collect();
        let gone = |browser: &[Spot]| {
            let gone = browser.iter().map(|spot| spot.notice.is_given());
            gone.collect::<Vec<_>>()
        };
        assert_eq!(gone(&browser), [false; 6]);
        browser.push(come("192.0.2.1"));
        assert_eq!(
            gone(&browser),
            [true, false, false, false, false, false, false],
            "a flood does"
        );
        let other = come("198.51.100.1");
        assert!(
            browser[1].notice.is_given(),
            "nor are they spared by others"
        );
        assert!(!crowd.make_room_for(&mut browser[2], 9));
        assert_eq!(gone(&browser[2..]), [false; 5], "it would be in vain");
        assert!(crowd.make_room_for(&mut browser[2], 3));
        assert_eq!(
            gone(&browser[2..]),
            [false, true, true, true, false],
            "one may play"
        );
        assert!(!other.notice.is_given());
    }

    #[test]
    fn who_has_a_seat_stays_and_who_is_back_is_the_last() {
        let crowd = Crowd::new(9, Gauge::noop(), Counter::noop());
        let enter = |address: &str| crowd.enter(at(address), &Notice::default());
        let (mut seated, idle) = (enter("192.0.2.1"), enter("192.0.2.1"));
        assert!(seated.leave() && seated.leave());
        let newcomer = enter("203.0.113.1");
        crowd.make_way_for(&newcomer, 6);
        assert!(idle.notice.is_given() && !seated.notice.is_given());
        crowd.make_way_for(&newcomer, 0);
        assert!(!newcomer.notice.is_given(), "nobody else is there");
        let mut told = idle;
        assert!(!told.leave(), "too late for a seat");
        seated.come_back();
        crowd.make_way_for(&enter("198.51.100.1"), 6);
        assert!(newcomer.notice.is_given());
    }

    #[test]
    fn who_one_crowd_sent_away_gets_no_seat_in_another() {
        let (all, few) = (
            Crowd::new(9, Gauge::noop(), Counter::noop()),
            Crowd::new(1, Gauge::noop(), Counter::noop()),
        );
        let notice = Notice::default();
        let mut spot = all.enter(at("192.0.2.1"), &notice);
        let silent = few.enter(at("192.0.2.1"), &notice);
        let _newcomer = few.enter(at("203.0.113.1"), &Notice::default());
        // It says hello in the same moment, and joins.
        drop(silent);
        assert!(!spot.leave());
        assert_eq!(all.0.order.lock().len(), 0);
    }
}
