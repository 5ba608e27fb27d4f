//! What is published, to whom it comes, once and in order; connections are entries of the table
//! without a socket.

use std::time::Duration;

use tickwire::codec::decode_server;
use tickwire::ids::RoomId;
use tickwire::protocol::ServerMessage;
use tickwire::protocol::server_message::NoticeEvent;

use super::*;
use crate::auth::Identity;

const NOW: Date = Date(1_000_000_000);
const DAY: Duration = Duration::from_secs(86_400);

struct Server {
    notices: Notices,
}

/// A connection, and what it was told.
struct Tab(Present);

impl Server {
    fn new() -> Server {
        let metrics = Arc::new(Metrics::new().unwrap());
        Server {
            notices: Notices::new(Presence::default(), metrics, Keeping::default()),
        }
    }

    /// Says hello, and knows of notices.
    fn hello(&self, who: &str) -> Tab {
        self.hello_at(who, "chess", NOW)
    }

    fn hello_at(&self, who: &str, game: &'static str, now: Date) -> Tab {
        let address = "10.0.0.7".parse().unwrap();
        let present = self
            .notices
            .presence
            .enter(game, "name", &player(who), address)
            .welcome();
        self.notices.arrive(&present, now);
        Tab(present)
    }

    fn say(&self, to: &To, text: &str, class: Class) -> Result<(u32, u32), Refused> {
        self.say_at(to, text, class, NOW)
    }

    fn say_at(&self, to: &To, text: &str, class: Class, now: Date) -> Result<(u32, u32), Refused> {
        let notice = Notice {
            text: text.to_owned(),
            event: None,
            class,
        };
        let reached = self.notices.publish(to, &notice, now)?;
        Ok((reached.now, reached.later))
    }
}

impl Tab {
    /// What it was told since the last time: numbers and texts.
    fn told(&self) -> Vec<(u32, String)> {
        let mut letters = Vec::new();
        self.0.take(usize::MAX, None, &mut letters);
        let decoded = letters.iter().map(|letter| match decode_server(letter) {
            Ok(Some(ServerMessage::Notice { number, text, .. })) => (number, text),
            other => panic!("{other:?}"),
        });
        decoded.collect()
    }

    fn texts(&self) -> Vec<String> {
        let told = self.told().into_iter();
        told.map(|(_, text)| text).collect()
    }
}

fn player(who: &str) -> Identity {
    Identity::read(&format!("user:{who}")).unwrap()
}

fn to(who: &str) -> To {
    To::Player(player(who))
}

const KEPT: Class = Class::Durable { ttl: DAY };

#[test]
fn it_comes_to_those_who_are_meant() {
    let server = Server::new();
    let ann = [server.hello("ann"), server.hello("ann")];
    let bo = server.hello("bo");
    let cy = server.hello_at("cy", "go", NOW);
    bo.0.set_room(Some(RoomId(7)), false);
    let say = |to: &To| server.say(to, "hi", Class::NowOnly).unwrap();
    assert_eq!(say(&to("ann")), (2, 0));
    assert_eq!(say(&to("dee")), (0, 0));
    assert_eq!(say(&To::Room(RoomId(7))), (1, 0));
    assert_eq!(say(&To::Room(RoomId(8))), (0, 0));
    assert_eq!(say(&To::Game("go".into())), (1, 0));
    assert_eq!(say(&To::Everybody), (4, 0));
    let told = [&ann[0], &ann[1], &bo, &cy].map(|tab| tab.told().len());
    assert_eq!(told, [2, 2, 2, 2]);
}

#[test]
fn what_cannot_be_shown_is_refused() {
    let server = Server::new();
    let ann = server.hello("ann");
    let say = |text: &str| server.say(&to("ann"), text, Class::NowOnly);
    assert_eq!(say(""), Err(Refused::BadText));
    assert_eq!(say(" \u{200B} "), Err(Refused::BadText));
    assert_eq!(say(&"x".repeat(201)), Err(Refused::BadText));
    assert_eq!(say(" a \u{202E} b "), Ok((1, 0)));
    assert_eq!(ann.texts(), ["a b"]);
}

#[test]
fn an_event_comes_to_connections_of_its_game_alone() {
    let server = Server::new();
    let (chess, go) = (server.hello("ann"), server.hello_at("ann", "go", NOW));
    let notice = |class| Notice {
        text: String::new(),
        event: Some(GameEvent {
            game: "go".into(),
            packed: NoticeEvent {
                event: 1,
                fields: vec![9],
            },
            name: "alarm".into(),
            fields: "{}".into(),
        }),
        class,
    };
    let publish = |to: &To, class| server.notices.publish(to, &notice(class), NOW);
    let other = publish(&To::Game("chess".into()), Class::NowOnly);
    assert_eq!(other, Err(Refused::OtherGame));
    for class in [Class::NowOnly, KEPT] {
        assert_eq!(publish(&To::Everybody, class).unwrap().now, 1);
        assert_eq!(publish(&to("ann"), class).unwrap().now, 1);
    }
    assert_eq!((chess.told().len(), go.told().len()), (0, 4));
    server.say(&to("ann"), "all", KEPT).unwrap();
    // Having seen the last one there is not having seen the event.
    chess.told();
    chess.0.saw(u32::MAX);
    server.notices.tend(NOW);
    assert!(server.hello("ann").told().is_empty());
    assert_eq!(server.hello_at("ann", "go", NOW).told().len(), 2);
}

#[test]
fn who_is_away_gets_it_when_they_come_in_order_and_until_it_was_seen() {
    let server = Server::new();
    assert_eq!(server.say(&to("ann"), "one", KEPT), Ok((0, 1)));
    assert_eq!(server.say(&To::Everybody, "two", KEPT), Ok((0, 0)));
    assert_eq!(server.say(&to("ann"), "gone", Class::NowOnly), Ok((0, 0)));
    assert_eq!(server.say(&to("bo"), "not hers", KEPT), Ok((0, 1)));
    let ann = server.hello("ann");
    assert_eq!(server.say(&to("ann"), "three", KEPT), Ok((1, 0)));
    let told = ann.told();
    let texts: Vec<&str> = told.iter().map(|(_, text)| &**text).collect();
    assert_eq!(texts, ["one", "two", "three"]);
    assert!(told.is_sorted_by(|a, b| a.0 < b.0 && a.0 > 0), "{told:?}");
    // Lost before she said that it was shown.
    drop(ann);
    let ann = server.hello("ann");
    assert_eq!(ann.texts(), ["one", "two", "three"]);
    ann.0.saw(told[1].0);
    server.notices.tend(NOW);
    drop(ann);
    let ann = server.hello("ann");
    assert_eq!(ann.texts(), ["three"]);
    ann.0.saw(told[2].0);
    server.notices.tend(NOW);
    assert!(server.hello("ann").told().is_empty());
    assert_eq!(server.hello("bo").texts(), ["two", "not hers"]);
}

#[test]
fn who_says_to_have_seen_what_they_were_not_given_has_not() {
    let server = Server::new();
    let ann = server.hello("ann");
    ann.0.saw(u32::MAX);
    server.notices.tend(NOW);
    server.say(&to("ann"), "one", KEPT).unwrap();
    drop(ann);
    assert_eq!(server.hello("ann").texts(), ["one"]);
}

#[test]
fn its_time_ends() {
    let server = Server::new();
    let second = Class::Durable {
        ttl: Duration::from_secs(1),
    };
    server.say(&to("ann"), "short", second).unwrap();
    server.say(&To::Everybody, "short, to all", second).unwrap();
    let years = Class::Durable {
        ttl: Duration::from_secs(u64::MAX),
    };
    server.say(&to("ann"), "long", years).unwrap();
    let later = NOW.after(Duration::from_secs(1));
    assert_eq!(server.hello_at("ann", "chess", later).texts(), ["long"]);
    let end = NOW.after(TTL_MAX);
    assert!(server.hello_at("ann", "chess", end).told().is_empty());
    server.say_at(&to("bo"), "new", KEPT, end).unwrap();
    assert_eq!(server.notices.kept.lock().len(), 1, "the rest is gone");
}

/// Of who lost their connection in the room a moment ago a seat is held.
#[test]
fn those_of_a_room_get_it_who_were_just_lost_there() {
    let server = Server::new();
    let (ann, bo) = (server.hello("ann"), server.hello("bo"));
    for tab in [&ann, &bo] {
        tab.0.set_room(Some(RoomId(7)), false);
    }
    drop(bo);
    assert_eq!(server.say(&To::Room(RoomId(7)), "here", KEPT), Ok((1, 1)));
    assert_eq!(server.say(&To::Room(RoomId(8)), "there", KEPT), Ok((0, 0)));
    assert_eq!(server.hello("bo").texts(), ["here"]);
    assert!(server.hello("cy").told().is_empty());
    assert_eq!(ann.texts(), ["here"]);
}

/// As many as a connection holds at once, and the others as it says that it has shown them.
#[test]
fn more_than_a_mailbox_holds_comes_bit_by_bit() {
    let server = Server::new();
    let long = "x".repeat(200);
    let texts: Vec<String> = (0..60).map(|number| format!("{number} {long}")).collect();
    let texts: Vec<&str> = texts.iter().map(|text| &text[..200]).collect();
    for text in &texts {
        server.say(&to("ann"), text, KEPT).unwrap();
        server.say(&To::Everybody, text, KEPT).unwrap();
    }
    let ann = server.hello("ann");
    // One that comes now does not overtake.
    assert_eq!(server.say(&to("ann"), "last", KEPT), Ok((0, 1)));
    let mut told = Vec::new();
    let mut rounds = 0;
    loop {
        let more = ann.told();
        let Some((last, _)) = more.last() else { break };
        ann.0.saw(*last);
        told.extend(more);
        server.notices.tend(NOW);
        rounds += 1;
    }
    assert!(rounds > 1, "{rounds}");
    assert_eq!(told.len(), 121);
    assert!(told.is_sorted_by(|a, b| a.0 < b.0), "{told:?}");
    assert_eq!(told[120].1, "last");
    assert_eq!(
        server.notices.kept.lock().of(&player("ann"), "chess", NOW),
        []
    );
}

#[test]
fn what_is_kept_is_bounded() {
    let server = Server::new();
    for _ in 0..64 {
        server.say(&to("ann"), "x", KEPT).unwrap();
        server.say(&To::Everybody, "x", KEPT).unwrap();
    }
    assert_eq!(server.say(&to("ann"), "x", KEPT), Err(Refused::PlayerFull));
    assert_eq!(server.say(&To::Everybody, "x", KEPT), Err(Refused::Full));
    let ann = server.hello("ann");
    ann.0.set_room(Some(RoomId(7)), false);
    let bo = server.hello("bo");
    bo.0.set_room(Some(RoomId(7)), false);
    bo.told();
    let there = To::Room(RoomId(7));
    assert_eq!(server.say(&there, "one is full", KEPT), Ok((1, 1)));
    for number in 0..65_536u32 {
        let refused = server.say(&to(&number.to_string()), "x", KEPT).err();
        assert_eq!(refused, (number >= 65_536 - 65).then_some(Refused::Full));
    }
    assert_eq!(server.notices.kept.lock().len(), 65_536 + 64);
}

/// A thousand connected and two thousand notices a second: what a second of it takes.
#[test]
#[ignore = "a figure, printed"]
fn a_second_of_notices() {
    let server = Server::new();
    let names: Vec<String> = (0..1000).map(|number| format!("p{number}")).collect();
    let tabs: Vec<Tab> = names.iter().map(|name| server.hello(name)).collect();
    for class in [Class::NowOnly, KEPT] {
        let start = std::time::Instant::now();
        for number in 0..2000 {
            let to = to(&names[number % names.len()]);
            server.say(&to, "the second of two words", class).unwrap();
        }
        println!("{class:?}, each to a player: {:?}", start.elapsed());
        let start = std::time::Instant::now();
        for _ in 0..20 {
            server.say(&To::Everybody, "all of you", class).unwrap();
        }
        println!("{class:?}, 20 to everybody: {:?}", start.elapsed());
        let start = std::time::Instant::now();
        for tab in &tabs {
            for (number, _) in tab.told() {
                tab.0.saw(number);
            }
        }
        server.notices.tend(NOW);
        println!("taken and seen: {:?}", start.elapsed());
    }
}
