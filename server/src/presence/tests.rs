//! The table of connections, and what stands in each.

use tickwire::protocol::CloseCode;

use super::*;
use crate::date::Date;

fn enter(presence: &Presence, subject: &str, address: &str) -> Present {
    let identity = Identity::read(subject).unwrap();
    let present = presence.enter("chess", "name", &identity, address.parse().unwrap());
    present.welcome()
}

fn shown(presence: &Presence) -> Vec<(String, bool)> {
    let lines = presence.lines(Date(0)).into_iter();
    lines
        .map(|line| (line.player, line.gone_s.is_some()))
        .collect()
}

#[test]
fn who_went_is_shown_behind_those_who_are_here() {
    let presence = Presence::default();
    let ann = enter(&presence, "user:ann", "10.0.0.7");
    let _bo = enter(&presence, "user:bo", "10.0.0.8");
    drop(ann);
    let _cy = enter(&presence, "user:cy", "10.0.0.9");
    let expected = [("user:cy", false), ("user:bo", false), ("user:ann", true)];
    assert_eq!(
        shown(&presence),
        expected.map(|(who, gone)| (who.to_owned(), gone))
    );
    for _ in 0..GONE_MAX {
        drop(enter(&presence, "user:dee", "10.0.0.7"));
    }
    assert_eq!(
        shown(&presence).len(),
        2 + GONE_MAX,
        "the first is forgotten"
    );
}

#[test]
fn of_who_is_erased_no_connection_that_is_gone_is_shown() {
    let presence = Presence::default();
    drop(enter(&presence, "user:ann", "10.0.0.7"));
    drop(enter(&presence, "user:bo", "10.0.0.8"));
    let _ann = enter(&presence, "user:ann", "10.0.0.7");
    presence.forget(&Identity::read("user:ann").unwrap());
    let left = [("user:ann", false), ("user:bo", true)];
    assert_eq!(
        shown(&presence),
        left.map(|(who, gone)| (who.to_owned(), gone))
    );
}

#[test]
fn a_player_is_where_their_connections_are() {
    let presence = Presence::default();
    let ann = [1, 2].map(|_| enter(&presence, "user:ann", "10.0.0.7"));
    let _bo = enter(&presence, "user:bo", "10.0.0.8");
    ann[1].set_room(Some(RoomId(7)), false);
    let players = ["user:cy", "user:ann", "guest:ann"];
    let players = players.map(|player| Identity::read(player).unwrap());
    let rooms = || -> Vec<Vec<Option<u32>>> {
        let found = presence.whereabouts(&players).into_iter();
        let rooms = |player: Vec<Whereabouts>| {
            let rooms = player.into_iter().map(|at| at.room.map(|room| room.0));
            rooms.collect()
        };
        found.map(rooms).collect()
    };
    assert_eq!(rooms(), [vec![], vec![None, Some(7)], vec![]]);
    drop(ann);
    assert_eq!(rooms(), [vec![], vec![], vec![]]);
}

#[test]
fn orders_reach_those_who_are_meant() {
    let presence = Presence::default();
    let tabs = [1, 2].map(|_| enter(&presence, "user:ann", "10.0.0.7"));
    let neighbour = enter(&presence, "user:bo", "::ffff:10.0.0.7");
    let ann = Identity::read("user:ann").unwrap();
    let address: IpAddr = "10.0.0.7".parse().unwrap();
    assert_eq!(presence.of_player(&ann).len(), 2);
    let there = presence.all(|online| online.address == address);
    assert_eq!(there.len(), 3);
    for online in presence.of_player(&ann) {
        online.expel(CloseCode::Kicked);
        online.expel(CloseCode::Banned);
        online.mute(Some(Date(60)));
    }
    assert!(
        tabs.iter()
            .all(|tab| tab.expelled() == Some(CloseCode::Kicked))
    );
    assert_eq!(
        (tabs[0].muted_s(Date(50)), tabs[0].muted_s(Date(60))),
        (10, 0)
    );
    assert_eq!(
        (neighbour.expelled(), neighbour.muted_s(Date(0))),
        (None, 0)
    );
}

#[test]
fn those_of_a_room_are_found_and_who_was_lost_there() {
    let presence = Presence::default();
    let who = |online: &[Arc<Online>]| -> Vec<String> {
        let who = online.iter().map(|online| online.identity.to_string());
        who.collect()
    };
    let (here, there) = (RoomId(7), RoomId(8));
    let ann = enter(&presence, "user:ann", "10.0.0.7");
    let bo = enter(&presence, "user:bo", "10.0.0.8");
    let cy = enter(&presence, "user:cy", "10.0.0.9");
    ann.set_room(Some(here), false);
    bo.set_room(Some(here), false);
    cy.set_room(Some(there), false);
    assert_eq!(who(&presence.of_room(here)), ["user:ann", "user:bo"]);
    bo.set_room(None, false);
    assert_eq!(who(&presence.of_room(here)), ["user:ann"]);
    assert_eq!(who(&presence.of_room(RoomId(6))), [""; 0]);
    drop((ann, bo, cy));
    assert!(presence.of_room(here).is_empty() && presence.of_room(there).is_empty());
    let minute = Duration::from_secs(60);
    let lost = presence.lost_in(here, minute);
    assert_eq!(lost, [Identity::read("user:ann").unwrap()]);
    let _ann = enter(&presence, "user:ann", "10.0.0.7");
    assert!(presence.lost_in(here, minute).is_empty(), "they are back");
    let table = presence.0.table.lock();
    assert_eq!((table.of_player.len(), table.of_room.len()), (1, 0));
}
