//! What matches come to, and what is read of them: on both databases.

use std::time::Instant;

use super::cases::rows;
use super::{FAR_MS, Running, result};
use crate::config::{Config, StorePlace};
use crate::ratings::{Played, Rating, Side, rate};
use crate::store::boards::Place;
use crate::store::matches::Mark;
use crate::store::record::{MatchPlayer, MatchResult, Record};

/// All cases, each at a place of its own that `place` makes.
pub(super) async fn all(mut place: impl AsyncFnMut(&'static str) -> StorePlace) {
    a_match_counts_once(place("counted").await).await;
    guests_have_places_and_no_ratings(place("guests").await).await;
    sides_and_who_left_are_rated_as_such(place("sides").await).await;
    boards_are_read_in_pages_and_around_a_player(place("boards").await).await;
    matches_are_read_in_pages(place("matches").await).await;
    ratings_are_read_some_at_a_time_and_remembered(place("ratings").await).await;
    who_is_erased_is_nobody_there(place("nobody").await).await;
}

const RATINGS: &str = "SELECT player, mean, deviation, played, at FROM ratings ORDER BY player";
const SCORES: &str = "SELECT player, season, value, at FROM scores ORDER BY season, player";

/// As `rows` shows a row of [`RATINGS`].
fn rated(player: &str, rating: Rating, played: u64, at: u64) -> String {
    let Rating { mean, deviation } = rating;
    format!("{player} {mean} {deviation} {played} {at}")
}

/// What comes of who came before whom, each alone.
fn alone(before: &[Rating]) -> Vec<Rating> {
    let sides: Vec<Side> = (1..)
        .zip(before)
        .map(|(rank, rating)| Side {
            rank,
            players: vec![Played {
                rating: *rating,
                left: false,
            }],
        })
        .collect();
    rate(&sides).unwrap().concat()
}

/// As where there are users.
fn without_guests(config: &mut Config) {
    config.guest_boards = Some(false);
}

async fn a_match_counts_once(place: StorePlace) {
    let running = Running::start_with(place.clone(), without_guests).await;
    let store = &running.store;
    // Guests are in it, and neither rated nor on the board.
    let players = [("guest:di", 9), ("user:ann", 3), ("user:bo", -2), ("", 0)];
    store.put(Record::Result(result("1-a", 1, &players)));
    let first = alone(&[Rating::START; 2]);
    let once = [
        rated("user:ann", first[0], 1, 5000),
        rated("user:bo", first[1], 1, 5000),
    ];
    assert_eq!(rows(&running, RATINGS).await, once);
    let scores = ["user:ann 1 3 5000", "user:bo 1 -2 5000"];
    assert_eq!(rows(&running, SCORES).await, scores);
    // Said again: as it was, otherwise, by the next owner, in a batch and by another process.
    for epoch in [0, 0, 7] {
        for ended_at_ms in [5000, 9000] {
            let mut again = result("1-a", 1, &[("user:bo", 99), ("user:ann", 1)]);
            (again.epoch, again.ended_at_ms) = (epoch, ended_at_ms);
            store.put(Record::Result(again));
        }
    }
    assert_eq!(rows(&running, RATINGS).await, once);
    running.end();
    let running = Running::start_with(place, without_guests).await;
    assert_eq!(rows(&running, RATINGS).await, once);
    assert_eq!(rows(&running, SCORES).await, scores);

    // The next ones, in one batch: each builds on the one before, and the best value stays.
    for (round, value) in [(2, 1), (3, 8)] {
        let mut next = result("1-a", round, &[("user:bo", value), ("user:ann", value)]);
        next.ended_at_ms = 5000 + round;
        running.store.put(Record::Result(next));
    }
    let second = alone(&[first[1], first[0]]);
    let third = alone(&second);
    let now = [
        rated("user:ann", third[1], 3, 5003),
        rated("user:bo", third[0], 3, 5003),
    ];
    assert_eq!(rows(&running, RATINGS).await, now);
    let scores = ["user:ann 1 8 5003", "user:bo 1 8 5003"];
    assert_eq!(rows(&running, SCORES).await, scores);

    // Of one side, and of nobody, nothing is learnt; a season has a board of its own.
    let mut lonely = result("1-a", 4, &[("user:ann", 5), ("guest:di", 7)]);
    lonely.season = "2".into();
    running.store.put(Record::Result(lonely));
    running.store.put(Record::Result(result("1-a", 5, &[])));
    assert_eq!(rows(&running, RATINGS).await, now);
    let scores = [scores[0], scores[1], "user:ann 2 5 5000"];
    assert_eq!(rows(&running, SCORES).await, scores);
    let left = "SELECT COUNT(*) FROM matches WHERE counted = 0";
    assert_eq!(rows(&running, left).await, ["0"]);
}

async fn guests_have_places_and_no_ratings(place: StorePlace) {
    let running = Running::start(place).await;
    let store = &running.store;
    let ended = |round, at: u64, players: &[(&str, i64)]| {
        let mut ended = result("1-a", round, players);
        ended.ended_at_ms = at;
        Record::Result(ended)
    };
    // Users are rated as if guests had not been there.
    let players = [
        ("guest:di", 9),
        ("user:ann", 3),
        ("guest:ed", 3),
        ("user:bo", -2),
    ];
    store.put(ended(1, FAR_MS, &players));
    let rating = alone(&[Rating::START; 2]);
    let once = [
        rated("user:ann", rating[0], 1, FAR_MS),
        rated("user:bo", rating[1], 1, FAR_MS),
    ];
    assert_eq!(rows(&running, RATINGS).await, once);
    // Of guests alone nothing is learnt.
    store.put(ended(2, FAR_MS, &[("guest:ed", 4), ("guest:di", 1)]));
    assert_eq!(rows(&running, RATINGS).await, once);
    let told = async || {
        let board = running.store.board("chess", "1", None, 50).await.unwrap();
        let told = |at: &Place| (at.place, at.player.clone(), at.value, at.is_guest());
        board.iter().map(told).collect::<Vec<_>>()
    };
    let place = |place, player: &str, value| (place, player.into(), value, player < "h");
    let expected = [
        place(1, "guest:di", 9),
        place(2, "guest:ed", 4),
        place(3, "user:ann", 3),
        place(4, "user:bo", -2),
    ];
    assert_eq!(told().await, expected);
}

/// What was counted and erased here since is in what is remembered.
async fn ratings_are_read_some_at_a_time_and_remembered(place: StorePlace) {
    let running = Running::start(place).await;
    let store = &running.store;
    let means = async |players: &[&str]| {
        let players: Vec<String> = players.iter().map(|of| (*of).to_owned()).collect();
        store.means("chess", &players).await.unwrap()
    };
    let known = |player| store.mean_known("chess", player, Instant::now());
    let round = async |round, first, second| {
        let players = [(first, 2), (second, 1)];
        store.put(Record::Result(result("1-a", round, &players)));
        assert!(store.settled().await);
    };
    round(1, "user:ann", "user:bo").await;
    let first = alone(&[Rating::START; 2]);
    let new = Rating::START.mean;
    assert_eq!(known("user:ann"), None, "it was not read yet");
    let read = means(&["user:cy", "user:bo", "user:ann"]).await;
    assert_eq!(read, [new, first[1].mean, first[0].mean]);
    assert_eq!(known("user:cy"), Some(new));
    assert_eq!(known("user:ann"), Some(first[0].mean));
    round(2, "user:bo", "user:cy").await;
    let second = alone(&[first[1], Rating::START]);
    assert_eq!(known("user:bo"), Some(second[0].mean));
    assert_eq!(known("user:cy"), Some(second[1].mean));
    assert_eq!(known("user:ann"), Some(first[0].mean));
    store.erase("user:bo").await.unwrap();
    assert_eq!(known("user:bo"), None);
    assert_eq!(means(&["user:bo"]).await, [new]);
    // No more than one read asks for.
    let many: Vec<String> = (0..40).map(|at| format!("user:{at}")).collect();
    assert_eq!(store.means("chess", &many).await.unwrap(), [new; 16]);
}

async fn sides_and_who_left_are_rated_as_such(place: StorePlace) {
    let running = Running::start(place).await;
    let mut won = result(
        "1-a",
        1,
        &[("user:a", 4), ("user:b", 3), ("user:c", 2), ("user:d", 1)],
    );
    for (player, team) in won.players.iter_mut().zip([7, 7, 9, 9]) {
        (player.team, player.place) = (team, team / 2 - 2);
    }
    won.players[1].left = true;
    running.store.put(Record::Result(won));
    let played = |left| Played {
        rating: Rating::START,
        left,
    };
    let sides = [(1, [false, true]), (2, [false, false])].map(|(rank, left)| Side {
        rank,
        players: left.map(played).to_vec(),
    });
    let after = rate(&sides).unwrap().concat();
    assert!(after[1].mean < after[0].mean);
    let players = ["user:a", "user:b", "user:c", "user:d"];
    let expected: Vec<String> = players
        .iter()
        .zip(after)
        .map(|(player, rating)| rated(player, rating, 1, 5000))
        .collect();
    assert_eq!(rows(&running, RATINGS).await, expected);
}

/// Players of one side, with these values.
fn of_one_side(round: u64, values: impl Iterator<Item = i64>) -> MatchResult {
    let players = (0..).zip(values).map(|(number, score)| MatchPlayer {
        player: format!("user:{number:03}"),
        name: format!("p{number}"),
        team: 0,
        place: 1,
        score,
        left: false,
    });
    MatchResult {
        players: players.collect(),
        ..result("1-a", round, &[])
    }
}

async fn boards_are_read_in_pages_and_around_a_player(place: StorePlace) {
    let running = Running::start(place).await;
    let store = &running.store;
    // Of these each three tie.
    let values = (0..120).map(|number| 1000 - number / 3);
    store.put(Record::Result(of_one_side(1, values)));
    for (round, game, season) in [(2, "go", "1"), (3, "chess", "2")] {
        let mut other = of_one_side(round, std::iter::once(9999));
        (other.game, other.season) = (game.into(), season.into());
        store.put(Record::Result(other));
    }
    assert!(store.settled().await);
    let (mut all, mut after) = (Vec::<Place>::new(), None);
    loop {
        let at = after
            .as_ref()
            .map(|(value, player): &(i64, String)| (*value, player.as_str()));
        let page = store.board("chess", "1", at, 50).await.unwrap();
        assert!(page.len() <= 50);
        let Some(end) = page.last() else {
            break;
        };
        after = Some((end.value, end.player.clone()));
        all.extend(page);
    }
    assert_eq!(all.len(), 120);
    for (number, at) in (0_u64..).zip(&all) {
        let told = (at.player.as_str(), at.name.as_str(), at.place, at.rating);
        let (player, name) = (format!("user:{number:03}"), format!("p{number}"));
        assert_eq!(told, (&*player, &*name, number / 3 * 3 + 1, None));
    }
    for number in [0, 1, 61, 119] {
        let player = format!("user:{number:03}");
        let around = store.board_around("chess", "1", &player, (4, 3)).await;
        let from = usize::saturating_sub(number, 4);
        assert_eq!(
            around.unwrap(),
            all[from..(number + 4).min(120)],
            "{number}"
        );
    }
    let nobody = store.board_around("chess", "1", "user:x", (4, 4)).await;
    assert_eq!(nobody, Ok(Vec::new()));
    assert_eq!(store.board("chess", "3", None, 50).await, Ok(Vec::new()));
    // Somebody rises meanwhile: what comes after a place stays what it was.
    let risen = [("user:119", 5000), ("user:000", 1)];
    store.put(Record::Result(result("1-a", 4, &risen)));
    assert!(store.settled().await);
    let top = store.board("chess", "1", None, 2).await.unwrap();
    let told = |at: &Place| (at.place, at.player.clone(), at.value);
    let expected = [(1, "user:119".into(), 5000), (2, "user:000".into(), 1000)];
    assert_eq!(top.iter().map(told).collect::<Vec<_>>(), expected);
    assert!(
        top.iter()
            .all(|at| at.rating.is_some_and(|of| of.played == 1))
    );
    let later = store.board("chess", "1", Some((1000, "user:001")), 2).await;
    let told: Vec<_> = later.unwrap().iter().map(told).collect();
    let expected = [(2, "user:002".into(), 1000), (5, "user:003".into(), 999)];
    assert_eq!(told, expected);
}

async fn matches_are_read_in_pages(place: StorePlace) {
    let running = Running::start(place).await;
    let store = &running.store;
    // Several end in the same millisecond.
    for round in 0..45 {
        let room = if round % 2 == 0 { "1-a" } else { "2-b" };
        let player = if round % 3 == 0 {
            "user:ann"
        } else {
            "user:bo"
        };
        let mut won = result(room, round, &[("user:cy", 7), (player, -1), ("", 0)]);
        won.ended_at_ms = 5000 + round / 4;
        won.players[1].left = true;
        store.put(Record::Result(won));
    }
    let mut other = result("3-c", 1, &[("user:ann", 1)]);
    other.game = "go".into();
    store.put(Record::Result(other));
    assert!(store.settled().await);
    let all = async |player: Option<&str>| {
        let (mut all, mut sizes) = (Vec::new(), Vec::new());
        loop {
            let last: Option<&crate::store::matches::Match> = all.last();
            let before = last.map(|of| Mark {
                ended_at_ms: of.ended_at_ms,
                room: &of.room,
                round: of.round,
            });
            let page = store.matches("chess", player, before, 20).await.unwrap();
            if page.is_empty() {
                return (all, sizes);
            }
            sizes.push(page.len());
            all.extend(page);
        }
    };
    let (of_game, sizes) = all(None).await;
    assert_eq!(sizes, [20, 20, 5]);
    let order = |of: &crate::store::matches::Match| {
        (std::cmp::Reverse(of.ended_at_ms), of.room.clone(), of.round)
    };
    assert!(of_game.is_sorted_by_key(order));
    let mut rounds: Vec<u64> = of_game.iter().map(|of| of.round).collect();
    rounds.sort_unstable();
    assert!(rounds.into_iter().eq(0..45));
    let last = &of_game[0];
    let told = (last.round, last.season.as_str(), last.ended_at_ms);
    assert_eq!(told, (44, "1", 5011));
    let came = last.players.iter();
    let came: Vec<_> = came
        .map(|of| (of.player.as_str(), of.place, of.score, of.left))
        .collect();
    let expected = [
        ("user:cy", 1, 7, false),
        ("user:bo", 2, -1, true),
        ("", 3, 0, false),
    ];
    assert_eq!(came, expected);
    let (of_ann, sizes) = all(Some("user:ann")).await;
    assert_eq!(sizes, [15]);
    let rounds = of_ann
        .iter()
        .all(|of| of.round % 3 == 0 && of.players.len() == 3);
    assert!(rounds && of_ann.is_sorted_by_key(order));
    assert!(all(Some("user:x")).await.1.is_empty());

    // A crowd's is cut behind those who came first, and one of nobody is one.
    store.put(Record::Result(of_one_side(100, 0..300)));
    let mut nobody = result("1-a", 101, &[]);
    nobody.ended_at_ms = 9000;
    store.put(Record::Result(nobody));
    assert!(store.settled().await);
    let page = store.matches("chess", Some("user:299"), None, 20).await;
    let page = page.unwrap();
    assert_eq!((page.len(), page[0].players.len()), (1, 250));
    let page = store.matches("chess", None, None, 1).await.unwrap();
    assert_eq!((page[0].round, page[0].players.len()), (101, 0));
}

async fn who_is_erased_is_nobody_there(place: StorePlace) {
    let running = Running::start(place).await;
    let store = &running.store;
    let players = [("user:ann", 3), ("user:bo", 2)];
    store.put(Record::Result(result("1-a", 1, &players)));
    assert!(store.settled().await);
    store.erase("user:ann").await.unwrap();
    let board = store.board("chess", "1", None, 50).await.unwrap();
    let told = |at: &Place| (at.place, at.value, at.name.clone(), at.rating.is_some());
    let told: Vec<_> = board.iter().map(told).collect();
    assert_eq!(
        told,
        [(1, 3, String::new(), false), (2, 2, "BO".into(), true)]
    );
    assert!(board[0].player.starts_with("gone:"), "{board:?}");
    let played = store.matches("chess", None, None, 1).await.unwrap();
    let told = |of: &MatchPlayer| (of.player.clone(), of.name.clone(), of.score);
    let told: Vec<_> = played[0].players.iter().map(told).collect();
    let expected = [
        (String::new(), String::new(), 3),
        ("user:bo".to_owned(), "BO".to_owned(), 2),
    ];
    assert_eq!(told, expected);
}
