//! What one address may hold and do: sockets at once, new ones a second, rooms, wrong codes. One
//! table under one lock, taken when a connection comes and goes, when it makes a room and when it
//! asks for one by a code, never on the tick path. Rates are for a host (`prefix`); what is held is
//! counted by wider prefixes too, and shared out when little of it is left (`shares`).
//!
//! `public` admits connections; the [`AddressLease`] that it gets stays with the connection, and
//! gives everything back when it is dropped.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use ipnet::IpNet;
use metrics::Counter;
use parking_lot::Mutex;

use super::limiter::Budget;
use super::prefix::{host, network};
use super::shares::{self, Fill, Shares, Spread};
use crate::config::Config;
use crate::metrics::Metrics;

/// Seconds of the average rate of new connections that may come at once: a class of 30 opens the
/// same page, and each browser six sockets.
const CONNECTS_BURST_SECONDS: f32 = 10.0;
/// Wrong codes and room numbers an address may try a second, on average: ten a minute find
/// one of 1,000 rooms in 200 years.
const WRONG_PER_SECOND: f32 = 10.0 / 60.0;
/// And at once. A connection's own budget is tighter; this holds whoever opens many.
const WRONG_BURST: f32 = 30.0;
/// Addresses that are remembered for what they did lately. Beyond: all are forgotten, which
/// gives each the burst anew; who has so many addresses is not held by such limits anyway.
const ADDRESSES_MAX: usize = 65_536;
/// Addresses below which nobody is forgotten.
const SWEEP_FROM: usize = 1024;

/// The addresses of one server. Clones are the same table.
#[derive(Clone)]
pub(crate) struct Addresses(Arc<Shared>);

struct Shared {
    connections_max: u32,
    /// Players at most, all sockets being theirs.
    players_max: u32,
    connects_per_second: f32,
    rooms_max: u32,
    /// Whether this machine's own addresses are in no limit: nobody forwards for others then.
    loopback_free: bool,
    metrics: Arc<Metrics>,
    table: Mutex<Table>,
}

struct Table {
    /// By [`Held`].
    held: [Shares; 3],
    /// What hosts did lately.
    entries: HashMap<IpNet, Entry>,
    /// How many entries there may be until rested ones are looked for.
    sweep_at: usize,
}

struct Entry {
    connects: Budget,
    wrong: Budget,
}

impl Addresses {
    /// Nobody is there yet; limits are the operator's, but for `connections`, of which the system
    /// may allow fewer.
    pub(crate) fn new(config: &Config, connections: u32, metrics: Arc<Metrics>) -> Addresses {
        Addresses(Arc::new(Shared {
            connections_max: config.max_connections_per_address,
            players_max: connections,
            connects_per_second: config.connects_per_second as f32,
            rooms_max: config.max_rooms_per_address,
            loopback_free: config.trusted_proxies.is_empty(),
            metrics,
            table: Mutex::new(Table {
                held: Default::default(),
                entries: HashMap::new(),
                sweep_at: SWEEP_FROM,
            }),
        }))
    }

    /// A place for a connection from `address`; `None` if it has as many as it may, or opened too
    /// many lately.
    pub(crate) fn admit(&self, address: IpAddr, now: Instant) -> Option<AddressLease> {
        let shared = &self.0;
        if shared.loopback_free && address.to_canonical().is_loopback() {
            return Some(AddressLease::unlimited());
        }
        let mut table = shared.table.lock();
        // Not by shares: of connections without a seat the heaviest go when there are too many.
        let cap = Some(shared.connections_max);
        let connections = &mut table.held[Held::Connection as usize];
        let taken = connections.take(address, cap, Spread::Host, None);
        if taken.is_err() {
            shared.metrics.address_connections_hit.increment(1);
            return None;
        }
        let rate = shared.connects_per_second;
        let burst = rate * CONNECTS_BURST_SECONDS;
        let entry = table.entry(address, shared, now);
        if !entry.connects.spend(rate, burst, now, 1.0) {
            table.held[Held::Connection as usize].give_back(address);
            shared.metrics.address_connects_hit.increment(1);
            return None;
        }
        Some(AddressLease(Some(Place {
            shared: self.0.clone(),
            address,
            held: Held::Connection,
            has_seat: false,
        })))
    }
}

impl Table {
    fn entry(&mut self, address: IpAddr, shared: &Shared, now: Instant) -> &mut Entry {
        let host = host(address);
        if self.entries.len() >= self.sweep_at && !self.entries.contains_key(&host) {
            self.sweep(shared, now);
        }
        self.entries.entry(host).or_insert_with(|| Entry {
            connects: Budget::new(now),
            wrong: Budget::new(now),
        })
    }

    /// Forgets addresses that did nothing lately, or all if there are too many of them.
    fn sweep(&mut self, shared: &Shared, now: Instant) {
        let rate = shared.connects_per_second;
        self.entries.retain(|_, entry| {
            let rested = entry.connects.is_rested(rate, now);
            !rested || !entry.wrong.is_rested(WRONG_PER_SECOND, now)
        });
        if self.entries.len() >= ADDRESSES_MAX {
            self.entries.clear();
        }
        self.sweep_at = SWEEP_FROM.max(2 * self.entries.len());
    }
}

/// A connection's place at its address.
#[derive(Default)]
pub(crate) struct AddressLease(Option<Place>);

impl AddressLease {
    /// One that no limit by address holds.
    pub(crate) fn unlimited() -> AddressLease {
        AddressLease(None)
    }

    /// The host that it comes from, an IPv6 /64; `None` if no limit by address holds it.
    pub(crate) fn host(&self) -> Option<IpNet> {
        self.0.as_ref().map(|place| host(place.address))
    }

    /// Whether it may ask for a room by a code or a number.
    pub(crate) fn may_guess(&self, now: Instant) -> bool {
        self.wrong(now, 0.0)
    }

    /// It asked for a room that is not there.
    pub(crate) fn guessed_wrong(&self, now: Instant) {
        self.wrong(now, 1.0);
    }

    /// The room that it asked for is there after all.
    pub(crate) fn guessed_right(&self, now: Instant) {
        if let Some(place) = &self.0 {
            let mut table = place.shared.table.lock();
            let entry = table.entry(place.address, &place.shared, now);
            entry.wrong.pardon(1.0);
        }
    }

    fn wrong(&self, now: Instant, cost: f32) -> bool {
        let Some(place) = &self.0 else {
            return true;
        };
        let shared = &place.shared;
        let mut table = shared.table.lock();
        let entry = table.entry(place.address, shared, now);
        // A budget that holds less than a whole try holds none.
        let burst = WRONG_BURST - 1.0 + cost;
        let allowed = entry.wrong.spend(WRONG_PER_SECOND, burst, now, cost);
        if !allowed {
            shared.metrics.address_guesses_hit.increment(1);
        }
        allowed
    }

    /// Takes the place of a player besides, which a connection with a seat has, unless it has it; false
    /// when few are left and its address or the neighbours have had their share of them. Of who has
    /// the seat already that is not asked.
    pub(crate) fn sit(&mut self, is_theirs: bool) -> bool {
        let Some(place) = &mut self.0 else {
            return true;
        };
        if !place.has_seat {
            place.has_seat = place.take(Held::Seat, |seated, shared, address| {
                let fill = (!is_theirs).then_some(Fill {
                    taken: seated.all,
                    limit: shared.players_max,
                });
                let taken = seated.take(address, None, Spread::All, fill);
                taken.map_err(|_| &shared.metrics.players_share_hit)
            });
        }
        place.has_seat
    }

    /// Gives that one back.
    pub(crate) fn stand_up(&mut self) {
        if let Some(place) = &mut self.0
            && std::mem::take(&mut place.has_seat)
        {
            place.give_back(Held::Seat);
        }
    }

    /// The network that it comes from, whose rooms are listed together; `None` where no limit by
    /// address holds.
    pub(crate) fn network(&self) -> Option<IpNet> {
        self.0.as_ref().map(|place| network(place.address))
    }

    /// The place of a room that it makes, `fill` being how many rooms there are of all; `None` when
    /// its address has as many as it may, or they are few and shared out.
    pub(crate) fn room(&self, fill: Fill) -> Option<AddressLease> {
        let Some(place) = &self.0 else {
            return Some(AddressLease::unlimited());
        };
        let is_taken = place.take(Held::Room, |rooms, shared, address| {
            let cap = Some(shared.rooms_max);
            let taken = rooms.take(address, cap, Spread::All, Some(fill));
            taken.map_err(|refused| match refused {
                shares::Refused::Cap => &shared.metrics.address_rooms_hit,
                shares::Refused::Share => &shared.metrics.rooms_share_hit,
            })
        });
        is_taken.then(|| {
            AddressLease(Some(Place {
                shared: place.shared.clone(),
                address: place.address,
                held: Held::Room,
                has_seat: false,
            }))
        })
    }
}

struct Place {
    shared: Arc<Shared>,
    address: IpAddr,
    held: Held,
    /// Whether that of a player is its too.
    has_seat: bool,
}

impl Place {
    /// Has `take` find one of a kind; where there is none the limit that was hit is counted.
    fn take(
        &self,
        held: Held,
        take: impl for<'a> FnOnce(&mut Shares, &'a Shared, IpAddr) -> Result<(), &'a Counter>,
    ) -> bool {
        let kind = &mut self.shared.table.lock().held[held as usize];
        let taken = take(kind, &self.shared, self.address);
        taken.map_err(|hit| hit.increment(1)).is_ok()
    }

    fn give_back(&self, held: Held) {
        self.shared.table.lock().held[held as usize].give_back(self.address);
    }
}

/// What is given back when the place is dropped.
#[derive(Clone, Copy)]
enum Held {
    Connection,
    /// A connection's with a seat in a room.
    Seat,
    Room,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.give_back(self.held);
        if self.has_seat {
            self.give_back(Held::Seat);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// So many places that nothing is shared out.
    const AMPLE: Fill = Fill {
        taken: 0,
        limit: u32::MAX,
    };

    struct Server {
        addresses: Addresses,
        now: Instant,
    }

    impl Server {
        fn new(change: impl FnOnce(&mut Config)) -> Server {
            let mut config = Config {
                max_connections_per_address: 3,
                connects_per_second: 1,
                max_rooms_per_address: 2,
                ..Config::default()
            };
            change(&mut config);
            Server {
                addresses: Addresses::new(&config, 8, Arc::new(Metrics::new().unwrap())),
                now: Instant::now(),
            }
        }

        fn admit(&self, address: &str) -> Option<AddressLease> {
            self.addresses.admit(address.parse().unwrap(), self.now)
        }

        fn remembered(&self) -> usize {
            self.addresses.0.table.lock().entries.len()
        }
    }

    #[test]
    fn an_address_has_so_many_connections_and_gets_them_back() {
        let server = Server::new(|_| {});
        let mut held: Vec<AddressLease> =
            (0..3).map(|_| server.admit("192.0.2.1").unwrap()).collect();
        assert!(server.admit("192.0.2.1").is_none());
        assert!(server.admit("::ffff:192.0.2.1").is_none());
        assert!(server.admit("192.0.2.2").is_some(), "others are unaffected");
        held.pop();
        assert!(server.admit("192.0.2.1").is_some());
    }

    #[test]
    fn an_ipv6_address_is_its_network() {
        let server = Server::new(|_| {});
        let _held: Vec<AddressLease> = (0..3)
            .map(|host| server.admit(&format!("2001:db8::{host}:1")).unwrap())
            .collect();
        assert!(server.admit("2001:db8::ffff").is_none());
        assert!(server.admit("2001:db8:0:1::1").is_some());
    }

    #[test]
    fn new_connections_come_at_a_rate() {
        let mut server = Server::new(|_| {});
        for _ in 0..10 {
            drop(server.admit("192.0.2.1").unwrap());
        }
        assert!(server.admit("192.0.2.1").is_none());
        assert!(server.admit("192.0.2.2").is_some(), "others are unaffected");
        server.now += Duration::from_secs(1);
        drop(server.admit("192.0.2.1").unwrap());
        assert!(server.admit("192.0.2.1").is_none());
    }

    #[test]
    fn this_machine_is_free_unless_it_forwards_for_others() {
        let server = Server::new(|_| {});
        let held: Vec<_> = (0..99)
            .map(|_| server.admit("127.0.0.1").unwrap())
            .collect();
        assert!(held.iter().all(|guest| guest.0.is_none()));
        assert!(server.admit("::1").unwrap().0.is_none());
        let behind = Server::new(|config| {
            config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        });
        let _held: Vec<_> = (0..3).map(|_| behind.admit("127.0.0.2").unwrap()).collect();
        assert!(behind.admit("127.0.0.2").is_none());
        assert!(behind.admit("127.0.0.3").is_some());
    }

    #[test]
    fn rooms_are_counted_until_they_are_gone() {
        let server = Server::new(|_| {});
        let (one, other) = (
            server.admit("192.0.2.1").unwrap(),
            server.admit("192.0.2.1").unwrap(),
        );
        let first = one.room(AMPLE).unwrap();
        let _second = other.room(AMPLE).unwrap();
        assert!(one.room(AMPLE).is_none());
        // The maker may go before the room does.
        drop((one, other, first));
        let back = server.admit("192.0.2.1").unwrap();
        assert!(back.room(AMPLE).is_some());
    }

    /// Of eight places six are taken: who has some gets no more, a neighbour of theirs neither, and
    /// a stranger does.
    #[test]
    fn the_last_places_are_for_those_who_have_few() {
        let server = Server::new(|config| config.max_connections_per_address = 99);
        let guest = |address: &str| server.admit(address).unwrap();
        let sits = |address: &str| {
            let mut guest = guest(address);
            guest.sit(false).then_some(guest)
        };
        let (heavy, neighbour, stranger) = ("192.0.2.1", "192.0.2.2", "198.51.100.1");
        let mut seated: Vec<AddressLease> = (0..6).map(|_| sits(heavy).unwrap()).collect();
        assert!(sits(heavy).is_none() && sits(neighbour).is_none());
        seated.push(sits(stranger).unwrap());
        assert!(sits(stranger).is_none());
        let mut back = guest(heavy);
        assert!(back.sit(true) && back.sit(false), "it has one");
        let all = || server.addresses.0.table.lock().held[Held::Seat as usize].all;
        assert_eq!(all(), 8);
        back.stand_up();
        back.stand_up();
        assert_eq!(all(), 7);
        drop(seated.split_off(5));
        assert!(all() == 5 && sits(heavy).is_some());
        let (heavy, neighbour, stranger) = (guest(heavy), guest(neighbour), guest(stranger));
        let room = |guest: &AddressLease, taken| guest.room(Fill { taken, limit: 4 });
        let made = room(&heavy, 2);
        assert!(made.is_some() && room(&neighbour, 3).is_none());
        assert!(room(&stranger, 3).is_some());
    }

    #[test]
    fn guessing_goes_on_across_connections() {
        let mut server = Server::new(|config| config.connects_per_second = 100);
        let mut tries = 0;
        while server.admit("192.0.2.1").unwrap().may_guess(server.now) {
            server.admit("192.0.2.1").unwrap().guessed_wrong(server.now);
            tries += 1;
        }
        assert_eq!(tries, 30);
        assert!(server.admit("192.0.2.2").unwrap().may_guess(server.now));
        server.now += Duration::from_secs(7);
        let guest = server.admit("192.0.2.1").unwrap();
        assert!(guest.may_guess(server.now));
        guest.guessed_wrong(server.now);
        assert!(!guest.may_guess(server.now));
        guest.guessed_right(server.now);
        assert!(guest.may_guess(server.now), "it was none");
        AddressLease::unlimited().guessed_right(server.now);
    }

    #[test]
    fn addresses_that_hold_nothing_are_forgotten() {
        let mut server = Server::new(|_| {});
        let held = server.admit("192.0.2.1").unwrap();
        let from = u32::from_be_bytes([198, 18, 0, 0]);
        for host in 0..200_000 {
            let address = std::net::Ipv4Addr::from(from + host).to_string();
            server.admit(&address).unwrap();
            assert!(server.remembered() <= 2 * ADDRESSES_MAX);
        }
        server.now += Duration::from_secs(60);
        let shared = &server.addresses.0;
        shared.table.lock().sweep(shared, server.now);
        assert_eq!(server.remembered(), 0);
        let is_empty = || shared.table.lock().held[Held::Connection as usize].is_empty();
        assert!(!is_empty(), "what is held is");
        drop(held);
        assert!(is_empty());
    }
}
