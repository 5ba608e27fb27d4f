//! Joins by number and code, and lists.

use super::*;

#[test]
fn a_room_is_joined_by_number_and_code_whichever_node_is_asked() {
    let mut land = Land::new("joins", 3);
    let mut host = land.host(0, &named("den"));
    for (node, by_code) in [(0, false), (1, false), (2, true), (0, true)] {
        let mut bo = land.guest(node);
        match by_code {
            true => bo.session.join_code(&host.code()).unwrap(),
            false => bo.session.join(host.room()).unwrap(),
        }
        land.settle(&mut [&mut host, &mut bo]);
        assert_eq!((bo.room(), bo.node), (host.room(), 0));
        assert_eq!(bo.hops, u32::from(node != 0));
    }
    let mut nobody = land.guest(1);
    nobody.session.join(RoomId(1)).unwrap();
    land.settle(&mut [&mut nobody]);
    assert_eq!(
        (nobody.refused, nobody.hops),
        (Some(Refusal::NoSuchRoom), 0)
    );
}

#[test]
fn a_private_room_is_in_no_list_and_its_number_leads_nobody_there() {
    let mut land = Land::new("private", 2);
    let den = NewRoom {
        private: true,
        ..named("den")
    };
    let mut host = land.host(0, &den);
    for node in 0..2 {
        let mut bo = land.guest(node);
        bo.session.list_rooms(&[]).unwrap();
        land.settle(&mut [&mut host, &mut bo]);
        assert_eq!(bo.listed, Some(Vec::new()));
        bo.session.join(host.room()).unwrap();
        land.settle(&mut [&mut host, &mut bo]);
        assert_eq!((bo.refused, bo.hops), (Some(Refusal::NoSuchRoom), 0));
    }
    let mut bo = land.guest(1);
    bo.session.join_code(&host.code().to_lowercase()).unwrap();
    land.settle(&mut [&mut host, &mut bo]);
    assert_eq!((bo.room(), bo.node, bo.hops), (host.room(), 0, 1));
    let mut cy = land.guest(1);
    cy.who.spectator = true;
    cy.session.join_code_as(&host.code(), &cy.who).unwrap();
    land.settle(&mut [&mut host, &mut cy]);
    assert_eq!((cy.room(), cy.hops), (host.room(), 1), "looks on there");
}

#[test]
fn every_node_lists_all_rooms_in_one_order() {
    let mut land = Land::new("lists", 3);
    let mut hosts: Vec<Player> = Vec::new();
    for n in 0..6 {
        let mut host = land.guest(n % 3);
        host.session.create(&named("den")).unwrap();
        let all = hosts.iter_mut().chain([&mut host]);
        land.settle(&mut all.collect::<Vec<_>>());
        hosts.push(host);
    }
    let mut joiner = land.guest(1);
    joiner.session.join(hosts[3].room()).unwrap();
    let mut all: Vec<&mut Player> = hosts.iter_mut().chain([&mut joiner]).collect();
    // Until nobody has done anything lately.
    (0..35 * EXCHANGE).for_each(|_| land.step(&mut all));
    let lists = [0, 1, 2].map(|node| {
        let mut reader = land.guest(node);
        reader.session.list_rooms(&[]).unwrap();
        land.settle(&mut [&mut reader]);
        reader.listed.expect("a list")
    });
    assert_eq!(lists[0].len(), 6);
    assert_eq!(lists[0][0], hosts[3].room().0, "in which most play");
    assert_eq!((&lists[1], &lists[2]), (&lists[0], &lists[0]));
}

/// It sees the rooms of the node that it came to, and no others.
#[test]
fn a_client_that_knows_of_no_redirects_is_sent_nowhere() {
    let mut land = Land::new("old", 2);
    let mut host = land.host(0, &named("den"));
    land.settle(&mut [&mut host]);
    let session = Session::new("old", "").with_features(feature::ALL & !feature::REDIRECT);
    let mut old = land.connect(1, session);
    land.settle(&mut [&mut host, &mut old]);
    old.session.list_rooms(&[]).unwrap();
    land.settle(&mut [&mut host, &mut old]);
    assert_eq!(old.listed, Some(Vec::new()));
    old.session.join_code(&host.code()).unwrap();
    land.settle(&mut [&mut host, &mut old]);
    assert_eq!(old.refused, Some(Refusal::NoSuchRoom));
    old.session.quick_join().unwrap();
    land.settle(&mut [&mut host, &mut old]);
    assert!(old.room() != host.room() && old.hops == 0);
}
