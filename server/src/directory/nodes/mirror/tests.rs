//! What two other nodes tell, and what is found of it.

use tickwire::schema::{Kind, Predictor};

use super::super::batch::tests::told;
use super::*;

const GAME: GameIndex = GameIndex(1);
const A: Incarnation = Incarnation(1);
const B: Incarnation = Incarnation(2);

fn games() -> Vec<KnownGame> {
    let level = Field {
        name: "level".into(),
        kind: Kind::Int { min: 0, max: 99 },
        predictor: Predictor::Hold,
    };
    let game = |name: &str, metadata| KnownGame {
        name: name.into(),
        metadata,
    };
    vec![game("leveled", vec![level]), game("chess", Vec::new())]
}

/// Two other nodes that have told nothing yet.
fn mirror() -> Mirror {
    let mut mirror = Mirror::new(games());
    mirror.live([(A, "ws://a/ws".into()), (B, "ws://b/ws".into())].into_iter());
    mirror
}

fn tell(mirror: &mut Mirror, node: Incarnation, rooms: Vec<Told>) {
    let rooms = rooms.into_iter().map(|room| ("chess".to_owned(), room));
    let batch = Batch {
        load: 100,
        left_out: 0,
        rooms: rooms.collect(),
    };
    mirror.told(node, batch);
}

fn any() -> Filter {
    Filter::every(GAME, &[])
}

fn listed(mirror: &Mirror) -> Vec<u32> {
    let rooms = mirror.standings(&any()).into_iter();
    let mut rooms: Vec<u32> = rooms.map(|room| room.room.0).collect();
    rooms.sort_unstable();
    rooms
}

#[test]
fn a_batch_replaces_the_one_before_and_goes_with_its_node() {
    let mut mirror = mirror();
    assert!(!mirror.is_whole());
    tell(&mut mirror, A, vec![told(1, "a", 1, 4), told(2, "b", 1, 4)]);
    tell(&mut mirror, B, vec![told(3, "c", 1, 4)]);
    assert!(mirror.is_whole());
    assert_eq!(listed(&mirror), [1, 2, 3]);
    tell(&mut mirror, A, vec![told(2, "b", 1, 4)]);
    assert_eq!(listed(&mirror), [2, 3]);
    assert_eq!(mirror.by_code(GAME, &told(1, "a", 1, 4).code), None);
    assert_eq!(mirror.owner(RoomId(1)), None);
    mirror.live([(B, "ws://b/ws".into())].into_iter());
    assert_eq!(listed(&mirror), [3]);
    assert_eq!((mirror.owner(RoomId(2)), mirror.url(A)), (None, None));
    tell(&mut mirror, A, vec![told(2, "b", 1, 4)]);
    assert_eq!(listed(&mirror), [3], "nothing is kept of who does not live");
    assert_eq!((mirror.rooms.len(), mirror.codes.len()), (1, 1));
}

/// But for those of another version, whose batches are not read.
#[test]
fn what_was_told_since_is_what_each_that_lives_has_told_since() {
    let mut mirror = mirror();
    assert!(!mirror.have_told(0));
    tell(&mut mirror, A, vec![]);
    assert!(!mirror.have_told(0));
    tell(&mut mirror, B, vec![]);
    assert!(mirror.have_told(0));
    let since = mirror.batches();
    assert!(!mirror.have_told(since));
    (0..2).for_each(|_| tell(&mut mirror, A, vec![]));
    assert!(!mirror.have_told(since), "one of them twice");
    tell(&mut mirror, B, vec![]);
    assert!(mirror.have_told(since));
    let mut silent = self::mirror();
    tell(&mut silent, A, vec![]);
    silent.give_up();
    assert!(silent.have_told(0));
    let since = silent.batches();
    assert!(!silent.have_told(since));
    tell(&mut silent, A, vec![]);
    assert!(silent.have_told(since));
}

#[test]
fn of_a_room_that_is_handed_over_the_last_word_counts() {
    let mut mirror = mirror();
    tell(&mut mirror, A, vec![told(1, "a", 1, 4)]);
    tell(&mut mirror, B, vec![told(1, "a", 2, 4)]);
    assert_eq!(mirror.owner(RoomId(1)), Some(B));
    assert_eq!(listed(&mirror), [1], "listed once");
    tell(&mut mirror, A, vec![]);
    assert_eq!(mirror.owner(RoomId(1)), Some(B));
    let code = told(1, "a", 2, 4).code;
    assert_eq!(mirror.by_code(GAME, &code), Some(RoomId(1)));
    mirror.live([(B, "ws://b/ws".into())].into_iter());
    assert_eq!(mirror.owner(RoomId(1)), Some(B));
    tell(&mut mirror, B, vec![]);
    assert!(mirror.rooms.is_empty() && mirror.codes.is_empty());
}

/// However often a room changes its code, and whoever else tells of it.
#[test]
fn codes_that_were_are_not_kept() {
    let mut mirror = mirror();
    for n in 2..9 {
        for node in [A, B] {
            let mut room = told(1, "a", 1, 4);
            room.code = told(10 * n + node.0 as u32, "a", 1, 4).code;
            let code = room.code.clone();
            tell(&mut mirror, node, vec![room]);
            assert_eq!(mirror.by_code(GAME, &code), Some(RoomId(1)));
        }
        assert!(mirror.codes.len() <= 2, "{:?}", mirror.codes);
    }
    tell(&mut mirror, A, Vec::new());
    tell(&mut mirror, B, Vec::new());
    assert!(mirror.rooms.is_empty() && mirror.codes.is_empty());
}

#[test]
fn nobody_is_led_to_a_node_that_is_not_heard() {
    let mut mirror = mirror();
    tell(&mut mirror, A, vec![told(1, "den", 1, 4)]);
    mirror.doubt(A);
    assert!(listed(&mirror).is_empty() && mirror.loads().is_empty());
    assert_eq!(mirror.best_to_join(&any(), |_| false), None);
    assert!(mirror.best_to_watch(&any(), |_| false).is_none());
    let found = mirror.named(GAME, "den");
    assert!(
        found.is_some(),
        "another one of its name would be one too many"
    );
    assert_eq!(mirror.owner(RoomId(1)), Some(A));
    tell(&mut mirror, A, vec![told(1, "den", 1, 4)]);
    assert_eq!(listed(&mirror), [1]);
}

#[test]
fn a_private_room_is_found_by_its_code_alone() {
    let mut mirror = mirror();
    let mut den = told(1, "den", 1, 4);
    den.info.private = true;
    let code = den.code.clone();
    tell(&mut mirror, A, vec![den]);
    assert!(listed(&mirror).is_empty() && !mirror.listed(GAME, RoomId(1)));
    assert_eq!(mirror.by_code(GAME, &code), Some(RoomId(1)));
    assert_eq!(mirror.by_code(GameIndex(0), &code), None, "of another game");
    assert_eq!(mirror.best_to_join(&any(), |_| false), None);
    assert!(mirror.best_to_watch(&any(), |_| false).is_none());
    assert_eq!(mirror.named(GAME, "den"), None);
}

#[test]
fn a_quick_join_takes_the_fullest_of_good_repute_that_has_a_seat() {
    let mut mirror = mirror();
    let with = |number, players, change: fn(&mut Told)| {
        let mut room = told(number, "a", players, 4);
        change(&mut room);
        room
    };
    let rooms = vec![
        with(1, 1, |_| {}),
        with(2, 2, |_| {}),
        with(3, 3, |told| told.repute = 1),
        with(4, 3, |told| told.info.locked = true),
        with(5, 3, |told| told.info.kicks = true),
        with(6, 4, |_| {}),
        with(7, 3, |told| told.repute = 2),
    ];
    tell(&mut mirror, A, rooms);
    tell(&mut mirror, B, vec![told(8, "a", 2, 4)]);
    let mut order = Vec::new();
    while let Some((_, room)) = mirror.best_to_join(&any(), |_| false) {
        order.push(room.0);
        mirror.expect(room, u16::MAX);
    }
    assert_eq!(order, [2, 8, 1, 3], "as full as one another: the oldest");
    tell(&mut mirror, A, vec![told(9, "a", 2, 4)]);
    mirror.expect(RoomId(9), 1);
    let next = |mirror: &Mirror| mirror.best_to_join(&any(), |_| false).map(|(_, room)| room);
    assert_eq!(next(&mirror), Some(RoomId(9)));
    mirror.expect(RoomId(9), 1);
    assert_eq!(next(&mirror), None, "its last seats are asked for");
}

#[test]
fn of_rooms_of_a_name_one_that_lets_in_is_found_then_the_oldest() {
    let mut mirror = mirror();
    tell(
        &mut mirror,
        A,
        vec![told(1, "den", 4, 4), told(3, "den", 1, 4)],
    );
    tell(
        &mut mirror,
        B,
        vec![told(2, "den", 1, 4), told(9, "hut", 1, 4)],
    );
    let found = mirror.named(GAME, "den");
    assert_eq!(found, Some((RoomId(2), true, 2)));
    assert_eq!(mirror.named(GameIndex(0), "den"), None);
}

#[test]
fn what_a_game_says_elsewhere_is_read_by_this_versions_fields() {
    let mut mirror = mirror();
    let level = |number, bytes: &[u8]| {
        let mut room = told(number, "a", 1, 4);
        room.info.metadata = bytes.to_vec();
        ("leveled".to_owned(), room)
    };
    let mut rooms = vec![
        level(1, &[42]),
        level(2, &[100]),
        level(3, &[1, 2]),
        level(4, &[]),
    ];
    rooms.push(("go".to_owned(), told(5, "a", 1, 4)));
    let batch = Batch {
        rooms,
        ..Batch::default()
    };
    mirror.told(A, batch);
    let filter = Filter::every(GameIndex(0), &games()[0].metadata);
    let shown: Vec<u32> = mirror
        .standings(&filter)
        .iter()
        .map(|of| of.room.0)
        .collect();
    assert_eq!(shown, [1], "whose metadata can be read");
    let said = |room| mirror.info(RoomId(room)).map(|info| info.metadata);
    assert_eq!(said(2), Some(Vec::new()));
    assert_eq!(said(5), None, "of a game that is not here");
}
