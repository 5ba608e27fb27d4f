//! What every engine does, whatever it is made of: each command, each comparison that fails, each
//! one that is fenced. The server's user has the rights of the documentation alone.

use tickwire::ids::{RoomId, Tick};
use tickwire_harness::Redis;

use super::super::messages::{
    Command, Epoch, Incarnation, NODES_MAX, ROOMS_TOLD_MAX, Reply, RoomRecord, Run,
};
use super::super::{CHECKPOINT_BYTES_MAX, Checkpoint, Event, Failure, Put};
use super::node::{Node, beat_of, checkpoint, event, record};

const A: Incarnation = Incarnation(0xA);
const B: Incarnation = Incarnation(0xFFFF_FFFF_FFFF_FFFB);
const C: Incarnation = Incarnation(0xC);

macro_rules! of_both {
    ($($name:ident)+) => {$(
        mod $name {
            use super::{Node, Redis};

            #[tokio::test]
            async fn embedded() {
                super::$name(&mut Node::embedded().await).await;
            }

            #[tokio::test]
            async fn redis() {
                let server = Redis::start(&[]);
                super::$name(&mut Node::with_the_acl(&server).await).await;
            }
        }
    )+};
}

of_both! {
    a_beat_registers_and_tells_of_all
    a_beat_does_not_go_back
    a_fence_needs_the_beat_that_was_seen
    the_fenced_are_told_so_and_get_nothing
    a_node_adopts_from_itself
    rooms_of_the_fenced_are_adopted_once
    a_room_is_made_once
    a_number_that_is_used_again_goes_on_above
    a_room_is_handed_over_by_its_owner_to_a_node
    a_beat_asserts_what_was_lost_and_loses_what_is_higher
    a_beat_tells_what_it_did_not_list
    a_room_is_forgotten_by_its_owner
    checkpoints_are_fenced_by_epoch
    a_beat_tells_of_as_many_nodes_as_there_may_be
    orphans_come_in_parts
    what_was_decided_on_another_connection_is_dropped
    many_rooms_are_asserted_at_once
}

async fn a_beat_registers_and_tells_of_all(node: &mut Node) {
    let first = node.beat(A, 1, &[]).await;
    assert_eq!(first.nodes, [(A, record(A, 1))]);
    assert!(first.lost.is_empty() && first.held.is_empty() && first.orphans.is_empty());
    let second = node.beat(B, 1, &[]).await;
    assert_eq!(second.nodes, [(A, record(A, 1)), (B, record(B, 1))]);
}

async fn a_beat_does_not_go_back(node: &mut Node) {
    node.beat(A, 9, &[]).await;
    let late = node.beat(A, 8, &[]).await;
    assert_eq!(late.nodes, [(A, record(A, 9))]);
    // Beats are numbers, not texts.
    let next = node.beat(A, 10, &[]).await;
    assert_eq!(next.nodes, [(A, record(A, 10))]);
    let late = node.beat(A, 9, &[(RoomId(1), Epoch(5))]).await;
    assert!(late.lost.is_empty() && late.held.is_empty());
    let next = node.beat(A, 11, &[]).await;
    assert_eq!(next.held, [], "what was overtaken asserts nothing");
}

async fn a_fence_needs_the_beat_that_was_seen(node: &mut Node) {
    assert!(!node.fence(A, 1).await, "there is none");
    node.beat(A, 2, &[]).await;
    assert!(!node.fence(A, 1).await, "it beat since");
    assert!(!node.fence(A, 3).await, "nobody saw that");
    assert!(node.fence(A, 2).await);
    assert!(node.fence(A, 2).await, "it stays so");
    assert_eq!(node.beat(B, 1, &[]).await.nodes, [(B, record(B, 1))]);
}

async fn the_fenced_are_told_so_and_get_nothing(node: &mut Node) {
    let epoch = node.create(1, A).await.unwrap();
    node.beat(A, 1, &[(RoomId(1), epoch)]).await;
    node.beat(B, 1, &[]).await;
    assert!(node.fence(A, 1).await);
    let room = RoomId(1);
    let beat = beat_of(A, 2, &[(room, epoch), (RoomId(2), Epoch(9))]);
    assert_eq!(node.ask(beat).await, Reply::Fenced);
    assert_eq!(node.create(2, A).await, None);
    assert_eq!(node.adopt(1, epoch, A, A).await, None, "its own, even");
    // None of it was done.
    let other = node.beat(B, 2, &[]).await;
    assert_eq!(other.nodes, [(B, record(B, 2))]);
    assert_eq!(other.orphans, [(room, RoomRecord { epoch, owner: A })]);
    assert_eq!(node.adopt(2, Epoch(9), A, B).await, None);
}

async fn a_node_adopts_from_itself(node: &mut Node) {
    let epoch = node.create(1, A).await.unwrap();
    assert_eq!(node.adopt(1, epoch, A, B).await, None);
    let next = node.adopt(1, epoch, A, A).await.expect("it is its own");
    assert!(next > epoch);
    assert_eq!(node.adopt(1, epoch, A, A).await, None);
    assert_eq!(node.beat(A, 1, &[]).await.held, [(RoomId(1), next)]);
}

async fn rooms_of_the_fenced_are_adopted_once(node: &mut Node) {
    let epoch = node.create(1, A).await.unwrap();
    let old = RoomRecord { epoch, owner: A };
    node.beat(A, 1, &[(RoomId(1), epoch)]).await;
    node.beat(B, 1, &[]).await;
    assert_eq!(node.adopt(1, epoch, A, B).await, None, "its owner lives");
    assert!(node.beat(B, 2, &[]).await.orphans.is_empty());
    assert!(node.fence(A, 1).await);
    assert_eq!(node.beat(B, 3, &[]).await.orphans, [(RoomId(1), old)]);
    let wrong = Epoch(epoch.0 - 1);
    assert_eq!(node.adopt(1, wrong, A, B).await, None, "another epoch");
    assert_eq!(node.adopt(1, epoch, C, B).await, None, "another owner");
    assert_eq!(node.adopt(2, epoch, A, B).await, None, "another room");
    let next = node.adopt(1, epoch, A, B).await.expect("it may");
    assert!(next > epoch);
    assert_eq!(node.adopt(1, epoch, A, C).await, None, "B has it");
    let after = node.beat(B, 4, &[(RoomId(1), next)]).await;
    assert!(
        after.orphans.is_empty() && after.lost.is_empty(),
        "{after:?}"
    );
    // And on, when its next owner is gone too.
    assert!(node.fence(B, 4).await);
    let last = node.adopt(1, next, B, C).await.expect("it may");
    assert!(last > next);
}

async fn a_room_is_made_once(node: &mut Node) {
    let first = node.create(1, A).await.expect("it is free");
    assert_eq!(node.create(1, A).await, None);
    assert_eq!(node.create(1, B).await, None);
    let second = node.create(2, B).await.expect("it is free");
    assert!(second > first, "epochs rise over all rooms");
}

async fn a_number_that_is_used_again_goes_on_above(node: &mut Node) {
    let first = node.create(1, A).await.unwrap();
    let put = node.engine.checkpoints();
    assert_eq!(
        put.put(vec![checkpoint(1, first, b"old")]).await,
        [Put::Stored]
    );
    node.forget(1, first, A).await;
    let second = node.create(1, B).await.expect("it is free again");
    assert!(second > first);
    assert_eq!(put.get(RoomId(1)).await, Ok(None));
    assert_eq!(
        put.put(vec![checkpoint(1, first, b"late")]).await,
        [Put::Fenced]
    );
}

async fn a_room_is_handed_over_by_its_owner_to_a_node(node: &mut Node) {
    let epoch = node.create(1, A).await.unwrap();
    assert_eq!(node.hand_over(1, epoch, A, B).await, None, "no such node");
    node.beat(B, 1, &[]).await;
    let wrong = Epoch(epoch.0 - 1);
    assert_eq!(node.hand_over(1, wrong, A, B).await, None, "another epoch");
    assert_eq!(node.hand_over(1, epoch, C, B).await, None, "another owner");
    assert_eq!(node.hand_over(2, epoch, A, B).await, None, "another room");
    let next = node.hand_over(1, epoch, A, B).await.expect("it may");
    assert!(next > epoch);
    assert_eq!(node.hand_over(1, epoch, A, B).await, None, "it was");
    let now = RoomRecord {
        epoch: next,
        owner: B,
    };
    let lost = node.beat(A, 1, &[(RoomId(1), epoch)]).await.lost;
    assert_eq!(lost, [(RoomId(1), now)]);
    assert_eq!(node.beat(B, 2, &[]).await.held, [(RoomId(1), next)]);
    // Its rooms are the new owner's when that is fenced.
    assert!(node.fence(B, 2).await);
    assert_eq!(node.beat(A, 2, &[]).await.orphans, [(RoomId(1), now)]);
    assert_eq!(node.hand_over(1, next, A, B).await, None);
    let back = node.adopt(1, next, B, A).await.expect("it may");
    assert_eq!(node.hand_over(1, back, A, B).await, None, "B is fenced");
}

async fn a_beat_asserts_what_was_lost_and_loses_what_is_higher(node: &mut Node) {
    let (one, two, three) = (RoomId(1), RoomId(2), RoomId(3));
    // Nothing is stored: as after an empty restart.
    let all = [(one, Epoch(100)), (two, Epoch(200)), (three, Epoch(300))];
    let beat = node.beat(A, 1, &all).await;
    assert!(beat.lost.is_empty() && beat.held.is_empty(), "{beat:?}");
    // B comes with a lower, a higher and the same epoch.
    let theirs = [(one, Epoch(99)), (two, Epoch(1000)), (three, Epoch(300))];
    let of = |epoch, owner| RoomRecord {
        epoch: Epoch(epoch),
        owner,
    };
    let lost = node.beat(B, 1, &theirs).await.lost;
    assert_eq!(lost, [(one, of(100, A)), (three, of(300, A))]);
    assert_eq!(node.beat(A, 2, &all).await.lost, [(two, of(1000, B))]);
    // The record went from A to B, and so does what an adoption finds.
    assert!(node.fence(B, 1).await);
    assert_eq!(node.beat(C, 1, &[]).await.orphans, [(two, of(1000, B))]);
}

async fn a_beat_tells_what_it_did_not_list(node: &mut Node) {
    let one = node.create(1, A).await.unwrap();
    let two = node.create(2, A).await.unwrap();
    node.create(3, B).await.unwrap();
    let beat = node.beat(A, 1, &[(RoomId(2), two)]).await;
    assert_eq!(beat.held, [(RoomId(1), one)]);
    assert!(beat.lost.is_empty());
    let mut all = node.beat(A, 2, &[]).await.held;
    all.sort();
    assert_eq!(all, [(RoomId(1), one), (RoomId(2), two)]);
}

async fn a_room_is_forgotten_by_its_owner(node: &mut Node) {
    let epoch = node.create(1, A).await.unwrap();
    let keeper = node.engine.checkpoints();
    let kept = checkpoint(1, epoch, b"room");
    assert_eq!(keeper.put(vec![kept.clone()]).await, [Put::Stored]);
    node.forget(1, Epoch(epoch.0 - 1), A).await;
    node.forget(1, epoch, B).await;
    assert_eq!(
        keeper.get(RoomId(1)).await,
        Ok(Some(kept.clone())),
        "it is A's"
    );
    let two = vec![RoomId(1), RoomId(2)];
    assert_eq!(keeper.owners(two.clone()).await, Ok(vec![Some(A), None]));
    node.forget(1, epoch, A).await;
    assert_eq!(keeper.owners(two).await, Ok(vec![None, None]));
    assert_eq!(keeper.owners(Vec::new()).await, Ok(Vec::new()));
    assert_eq!(keeper.get(RoomId(1)).await, Ok(None));
    assert!(node.beat(A, 3, &[]).await.held.is_empty());
    // What is not there is forgotten.
    node.forget(77, Epoch(1), A).await;
    assert!(node.fence(A, 3).await);
    assert!(node.beat(B, 1, &[]).await.orphans.is_empty());
}

async fn checkpoints_are_fenced_by_epoch(node: &mut Node) {
    let keeper = node.engine.checkpoints();
    let epoch = node.create(1, A).await.unwrap();
    assert_eq!(keeper.get(RoomId(1)).await, Ok(None));
    let binary: Vec<u8> = (0..=255).cycle().take(20_000).collect();
    let kept = checkpoint(1, epoch, &binary);
    let ahead = checkpoint(1, Epoch(epoch.0 + 1), b"ahead");
    let long = checkpoint(1, epoch, &vec![1; CHECKPOINT_BYTES_MAX + 1]);
    let many = vec![
        kept.clone(),
        checkpoint(2, epoch, b"no such room"),
        long,
        checkpoint(1, Epoch(epoch.0 - 1), b"before"),
    ];
    let put = keeper.put(many).await;
    let too_big = Put::Failed(Failure::TooBig);
    assert_eq!(put, [Put::Stored, Put::Unknown, too_big, Put::Fenced]);
    assert_eq!(keeper.get(RoomId(1)).await, Ok(Some(kept)));
    let longest = checkpoint(1, epoch, &vec![2; CHECKPOINT_BYTES_MAX]);
    let empty = checkpoint(1, epoch, b"");
    for last in [longest.clone(), empty.clone()] {
        assert_eq!(keeper.put(vec![last.clone()]).await, [Put::Stored]);
        assert_eq!(keeper.get(RoomId(1)).await, Ok(Some(last)));
    }
    let at = |tick| Checkpoint {
        tick: Tick(tick),
        ..checkpoint(1, epoch, b"another")
    };
    // Ticks are numbers, not texts.
    let earlier = vec![at(empty.tick.0 - 1), at(9)];
    assert_eq!(keeper.put(earlier).await, [Put::Stored, Put::Stored]);
    assert_eq!(keeper.get(RoomId(1)).await, Ok(Some(empty)), "it is later");
    // A failover may take the record back below its owner's, who may write before it asserts.
    let ahead = Checkpoint {
        tick: Tick(9),
        ..ahead
    };
    assert_eq!(keeper.put(vec![ahead.clone()]).await, [Put::Stored]);
    assert_eq!(keeper.get(RoomId(1)).await, Ok(Some(ahead.clone())));
    assert_eq!(keeper.put(vec![longest]).await, [Put::Fenced]);
    assert_eq!(keeper.get(RoomId(1)).await, Ok(Some(ahead.clone())));
    assert_eq!(keeper.put(Vec::new()).await, []);
    // More than one round trip has.
    let many = (0..500)
        .map(|_| checkpoint(1, ahead.epoch, &binary))
        .collect();
    assert_eq!(keeper.put(many).await, vec![Put::Stored; 500]);
}

async fn a_beat_tells_of_as_many_nodes_as_there_may_be(node: &mut Node) {
    let count = NODES_MAX as u64 + 6;
    for number in (1..=count).rev() {
        node.beat(Incarnation(number), 1, &[]).await;
    }
    let told = node.beat(Incarnation(count), 2, &[]).await.nodes;
    let told: Vec<u64> = told.iter().map(|(who, _)| who.0).collect();
    assert_eq!(told, (1..=NODES_MAX as u64).collect::<Vec<_>>());
}

async fn orphans_come_in_parts(node: &mut Node) {
    let rooms: Vec<_> = (0..2 * ROOMS_TOLD_MAX as u32)
        .map(|room| (RoomId(room), Epoch(1)))
        .collect();
    node.beat(A, 1, &rooms).await;
    assert!(node.fence(A, 1).await);
    let mut left = rooms.len();
    for beat in 1.. {
        let orphans = node.beat(B, beat, &[]).await.orphans;
        assert_eq!(orphans.len(), left.min(ROOMS_TOLD_MAX));
        if left == 0 {
            break;
        }
        for (room, record) in orphans {
            assert_eq!(record.owner, A);
            let adopted = node.adopt(room.0, record.epoch, A, B).await;
            assert!(adopted.is_some(), "{room:?}");
            left -= 1;
        }
    }
}

async fn what_was_decided_on_another_connection_is_dropped(node: &mut Node) {
    node.beat(A, 1, &[]).await;
    let before = Run(node.run.0 - 1);
    let fence = Command::Fence { who: A, beat: 1 };
    node.engine.send(before, fence).unwrap();
    node.send(beat_of(A, 2, &[]));
    // The next answer is the beat's.
    match event(&mut node.engine).await {
        Event::Replied {
            reply: Reply::Beat { nodes, .. },
            ..
        } => assert_eq!(nodes, [(A, record(A, 2))]),
        other => panic!("{other:?}"),
    }
}

async fn many_rooms_are_asserted_at_once(node: &mut Node) {
    let rooms: Vec<_> = (0..5000).map(|room| (RoomId(room * 7), Epoch(9))).collect();
    assert!(node.beat(A, 1, &rooms).await.lost.is_empty());
    let again = node.beat(A, 2, &rooms).await;
    assert!(again.lost.is_empty() && again.held.is_empty());
    let lost = node.beat(B, 1, &rooms).await.lost;
    let lost: Vec<RoomId> = lost.iter().map(|(room, _)| *room).collect();
    let all: Vec<RoomId> = rooms.iter().map(|(room, _)| *room).collect();
    assert_eq!(lost, all);
    let held = node.beat(A, 3, &rooms[1..]).await.held;
    assert_eq!(held, [rooms[0]]);
    assert_eq!(node.beat(A, 4, &[]).await.held.len(), ROOMS_TOLD_MAX);
}
