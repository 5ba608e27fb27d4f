//! Who may watch how many, for how long, and who is seen before it is known whom they have blocked.

use tickwire::protocol::{PeerAt, PeerPresence};

use super::*;

impl Town {
    fn watch(&mut self, who: &Present, whom: &[&Present]) -> Vec<PeerAt> {
        let handles: Vec<String> = whom.iter().map(|of| self.handle(of)).collect();
        self.people.watch(&who.handle(), handles, self.now);
        self.tend(who)
    }

    fn tend(&mut self, who: &Present) -> Vec<PeerAt> {
        self.people.tend_watches(self.now);
        let told = taken(who).into_iter().filter_map(|message| match message {
            ServerMessage::Presence { peers } => Some(peers),
            _ => None,
        });
        let mut told: Vec<PeerPresence> = told.flatten().collect();
        told.sort_by(|a, b| a.handle.cmp(&b.handle));
        told.into_iter().map(|of| of.at).collect()
    }
}

fn lobby() -> PeerAt {
    let game = "chess".to_owned();
    PeerAt::Lobby { game }
}

#[tokio::test]
async fn a_watch_beyond_what_there_is_room_for_is_said_to_be_none_until_there_is() {
    let mut town = Town::open("watches").await;
    town.people.watching.limit_to(3);
    let (ann, bo) = (town.come("user:ann").await, town.come("user:bo").await);
    let cy = town.come("user:cy").await;
    assert_eq!(town.watch(&ann, &[&bo, &cy]), [lobby(), lobby()]);
    let told = town.watch(&bo, &[&ann, &cy]);
    assert_eq!(told.iter().filter(|at| **at == lobby()).count(), 1);
    assert!(told.contains(&PeerAt::Unwatched), "{told:?}");
    town.figure("tickwire_watches 3");
    town.figure("tickwire_watches_refused_total 1");
    // Its watches end with a connection; of who is watched already nothing is said again.
    drop(ann);
    town.tend(&bo);
    town.figure("tickwire_watches 1");
    town.watch(&bo, &[&bo, &cy]);
    town.figure("tickwire_watches 2");
    assert_eq!(town.watch(&bo, &[&cy, &bo]), []);
    drop((bo, cy));
    town.people.tend_watches(town.now);
    town.figure("tickwire_watches 0");
    assert!(town.people.watching.is_empty(), "nothing is kept of it");
}

#[tokio::test]
async fn a_list_of_a_connection_that_is_gone_is_nobodys() {
    let mut town = Town::open("late").await;
    let (ann, bo) = (town.come("user:ann").await, town.come("user:bo").await);
    let handle = town.handle(&bo);
    town.people.watch(&ann.handle(), vec![handle], town.now);
    drop(ann);
    town.people.tend_watches(town.now);
    town.figure("tickwire_watches 0");
    drop(bo);
    town.people.tend_watches(town.now);
    assert!(town.people.watching.is_empty());
}

#[tokio::test]
async fn who_comes_is_seen_once_it_is_known_whom_they_have_blocked() {
    let mut town = Town::open("greets").await;
    let (ann, bo) = (town.come("user:ann").await, town.come("user:bo").await);
    let handle = town.handle(&bo);
    town.block(&ann, &handle, true).await.unwrap();
    drop(ann);
    let cy = town.come("user:cy").await;
    let identity = Identity::read("user:ann").unwrap();
    let address = std::net::Ipv4Addr::LOCALHOST.into();
    let ann = town.presence.enter("chess", "ann", &identity, address);
    assert_eq!(town.watch(&bo, &[&ann]), [PeerAt::Offline]);
    assert_eq!(town.watch(&cy, &[&ann]), [PeerAt::Offline]);
    town.people.greet(&ann.handle(), false, town.now);
    town.serve().await;
    assert_eq!(town.tend(&cy), [lobby()]);
    assert_eq!(town.tend(&bo), []);
}

#[tokio::test]
async fn of_several_connections_one_in_a_room_counts_then_the_newest() {
    let mut town = Town::open("several").await;
    let bo = town.come("user:bo").await;
    let first = town.come("user:ann").await;
    let second = town.come("user:ann").await;
    let room = |room| PeerAt::Room {
        game: "chess".to_owned(),
        room,
    };
    assert_eq!(town.watch(&bo, &[&first]), [lobby()]);
    first.set_room(Some(tickwire::ids::RoomId(7)), true);
    let seen = Some(tickwire::ids::RoomId(7));
    assert_eq!(town.tend(&bo), [room(seen)]);
    second.set_room(Some(tickwire::ids::RoomId(8)), false);
    assert_eq!(town.tend(&bo), [room(None)]);
    drop(second);
    assert_eq!(town.tend(&bo), [room(seen)]);
    first.set_room(None, false);
    assert_eq!(town.tend(&bo), [lobby()]);
}
