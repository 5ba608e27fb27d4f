//! Rooms that are named by number or code, and that no node has told of yet.

use tickwire::session::RequestError;

use super::*;
use crate::admission::addresses::Addresses;
use crate::lobby::waiting::NEWS_WITHIN;

/// What somebody asks for.
type Ask<'a> = &'a dyn Fn(&mut Session) -> Result<(), RequestError>;

/// Wrong tries that an address has at once.
const TRIES: usize = 30;

impl Land {
    /// Until all nodes have just told.
    fn until_told(&mut self, players: &mut [&mut Player]) {
        while !self.steps.is_multiple_of(EXCHANGE) {
            self.step(players);
        }
    }

    /// A room is made at a node, of which no other one has heard.
    fn just_made(&mut self, node: usize, new: &NewRoom) -> Player {
        let mut host = self.guest(node);
        self.until_told(&mut [&mut host]);
        host.session.create(new).unwrap();
        while host.session.room().is_none() {
            self.step(&mut [&mut host]);
        }
        assert!(self.steps % EXCHANGE < EXCHANGE / 2);
        host
    }

    /// How many steps after all nodes have told a guest at a node is refused what they ask for.
    fn refused_after(&mut self, node: usize, ask: Ask) -> u32 {
        let mut guest = self.guest(node);
        self.until_told(&mut [&mut guest]);
        ask(&mut guest.session).unwrap();
        let mut steps = 0;
        while guest.refused.is_none() {
            self.step(&mut [&mut guest]);
            steps += 1;
        }
        assert_eq!((guest.refused, guest.hops), (Some(Refusal::NoSuchRoom), 0));
        steps
    }
}

fn private(name: &str) -> NewRoom {
    NewRoom {
        private: true,
        ..named(name)
    }
}

/// Whoever is told a code brings it at once. That is no wrong guess: they are not held up after
/// some of them.
#[test]
fn a_room_that_was_just_made_is_joined_through_any_node() {
    let mut land = Land::new("just-made", 3);
    let mut bo = land.guest(1);
    for n in 0..8 {
        let mut host = land.just_made(0, &named("den"));
        match n % 2 {
            0 => bo.session.join(host.room()).unwrap(),
            _ => bo.session.join_code(&host.code()).unwrap(),
        }
        land.step(&mut [&mut host, &mut bo]);
        assert!(bo.session.room().is_none(), "no node has told of it");
        land.until_told(&mut [&mut host, &mut bo]);
        (0..5).for_each(|_| land.step(&mut [&mut host, &mut bo]));
        assert_eq!((bo.room(), bo.refused), (host.room(), None), "{n}");
        assert_eq!((bo.node, bo.hops), (0, 1));
        let token = bo.session.token().unwrap().to_owned();
        bo = land.connect(1, Session::new("somebody", &token));
        land.settle(&mut [&mut bo]);
    }
}

#[test]
fn who_looks_on_at_a_room_that_was_just_made_waits_too() {
    let mut land = Land::new("just-watched", 2);
    let mut cy = land.guest(1);
    cy.who.spectator = true;
    let mut host = land.just_made(0, &private("den"));
    cy.session.join_code_as(&host.code(), &cy.who).unwrap();
    land.settle(&mut [&mut host, &mut cy]);
    assert_eq!((cy.room(), cy.hops), (host.room(), 1));
}

/// Nobody tells a private room from none by the time that its number takes. What is no code at all
/// keeps nobody.
#[test]
fn every_wrong_name_waits_until_all_have_told() {
    let mut land = Land::new("wrong", 2);
    let mut hosts = [
        land.host(0, &private("here")),
        land.host(1, &private("there")),
    ];
    let all = hosts.iter_mut().collect::<Vec<_>>();
    land.settle(&mut { all });
    let [here, there] = [hosts[0].room(), hosts[1].room()];
    let mut wrong = hosts[0].code();
    wrong.replace_range(..1, if wrong.starts_with('2') { "3" } else { "2" });
    let asks: [Ask; 4] = [
        &|session| session.join(here),
        &|session| session.join(there),
        &|session| session.join(RoomId(1)),
        &|session| session.join_code(&wrong),
    ];
    for (index, ask) in asks.into_iter().enumerate() {
        let after = land.refused_after(0, ask);
        assert_eq!(after, EXCHANGE + 1, "{index}");
    }
    assert_eq!(land.refused_after(0, &|session| session.join_code("no")), 1);
}

/// As one whose link stalls: the answer comes all the same.
#[test]
fn a_node_that_does_not_tell_is_not_waited_for_for_long() {
    let mut land = Land::new("stalled", 2);
    land.have_met = false;
    let after = land.refused_after(0, &|session| session.join(RoomId(1)));
    let within = (NEWS_WITHIN.as_secs_f32() / STEP.as_secs_f32()) as u32;
    assert!((within..within + 3).contains(&after), "{after}");
}

#[test]
fn where_there_is_no_other_node_the_answer_comes_at_once() {
    let mut land = Land::new("alone", 1);
    let ask: Ask = &|session| session.join(RoomId(1));
    assert_eq!(land.refused_after(0, ask), 1);
}

/// They are refused at once, and the same way.
#[test]
fn where_too_many_wait_nobody_does() {
    let mut land = Land::new("too-many", 2);
    let nodes = land.neighbours.all.lock()[0].nodes.clone();
    while nodes.listen() {}
    let ask: Ask = &|session| session.join(RoomId(1));
    assert_eq!(land.refused_after(0, ask), 1);
    nodes.stop_listening();
    assert!(land.refused_after(0, ask) > 1);
    assert!(nodes.listen(), "who has been answered waits no longer");
}

/// Who opens many connections, and guesses by all of them before the first answer comes, has no
/// more tries than one after the other.
#[test]
fn a_guess_is_paid_for_before_it_waits() {
    let mut land = Land::new("guesses", 2);
    let config = Config {
        max_connections_per_address: 99,
        connects_per_second: 99,
        ..Config::default()
    };
    let metrics = Arc::new(Metrics::new().unwrap());
    let addresses = Addresses::new(&config, 99, metrics);
    let address = "192.0.2.1".parse().unwrap();
    let mut guests: Vec<Player> = Vec::new();
    for _ in 0..TRIES + 10 {
        let guest = land.connect(0, Session::new("somebody", ""));
        let come = land.servers[0].last_come().expect("they have just come");
        come.guest = addresses.admit(address, land.now).expect("a place");
        guests.push(guest);
    }
    let mut all: Vec<&mut Player> = guests.iter_mut().collect();
    land.settle(&mut all);
    land.until_told(&mut all);
    for (n, guest) in all.iter_mut().enumerate() {
        guest.session.join(RoomId(1 + n as u32)).unwrap();
    }
    land.step(&mut all);
    let count = |guests: &[&mut Player], refused| {
        let such = guests.iter().filter(|guest| guest.refused == refused);
        such.count()
    };
    assert_eq!(count(&all, None), TRIES, "these wait");
    assert_eq!(count(&all, Some(Refusal::TooOften)), 10);
    land.settle(&mut all);
    assert_eq!(count(&all, Some(Refusal::NoSuchRoom)), TRIES);
    // In a minute there are ten more.
    let next = addresses.admit(address, land.now).expect("a place");
    assert!(!next.may_guess(land.now));
}
