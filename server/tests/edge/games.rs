//! Two games in a process, as pages and operators see them.

use std::io::ErrorKind;

use bevy_ecs::prelude::*;
use tickwire::protocol::ClientMessage;
use tickwire::protocol::client_message::NewRoom;
use tickwire::protocol::server_message::Member;
use tickwire_server::Site;
use tickwire_server::config::{Config, GameSettings};
use tickwire_server::game::{
    Game, Out, Player as Who, RoomOptions, Roster, RoundResult, Schema, Standing, int, text,
};

use crate::player::Player;
use crate::support::{GOOD, Press, Server, Still, config, get, request, serve, site};

/// Another game in which nothing happens.
struct Calm;

/// What a program may raise.
#[derive(Resource, Default)]
struct Level(i32);

/// How a program ends a round: all who are there came first.
#[derive(Default)]
struct Over {
    round: i32,
    season: String,
}

/// What a program may say in it.
struct Alarm {
    level: i32,
    place: String,
}

impl Game for Calm {
    const NAME: &'static str = "calm";
    type Input = Press;

    fn schema(s: &mut Schema<Self>) {
        s.metadata::<Level>(|k| k.field("level", |l| &mut l.0, int(0, 10)));
        s.on_backend::<Level>(
            "raise",
            |k| k.field("to", |l| &mut l.0, int(0, 10)),
            |world, to| {
                if to.0 > 7 {
                    return Err("too high".into());
                }
                world.insert_resource(to);
                Ok(())
            },
        );
        s.on_backend::<Over>(
            "over",
            |k| {
                k.field("round", |o| &mut o.round, int(0, 1000)).field(
                    "season",
                    |o| &mut o.season,
                    text(8),
                )
            },
            |world, over| {
                let members = &world.resource::<Roster>().members;
                let standing = |member: &Member| Standing {
                    player: member.player,
                    team: u32::from(member.player.0),
                    place: 1 + u32::from(member.player.0),
                    score: i64::from(over.round),
                    left: false,
                };
                let result = RoundResult {
                    round: over.round as u32,
                    season: over.season,
                    standings: members.iter().map(standing).collect(),
                };
                world.resource_mut::<Out>().result(result);
                Ok(())
            },
        );
        s.event::<Alarm>("alarm", |k| {
            k.field("level", |a| &mut a.level, int(-10, 10)).field(
                "where",
                |a| &mut a.place,
                text(8),
            )
        });
    }

    fn setup(world: &mut World, _: &mut Schedule, _: &RoomOptions) {
        world.init_resource::<Level>();
    }

    fn join(world: &mut World, _: &Who) -> Entity {
        world.spawn_empty().id()
    }
}

pub(crate) fn both(change: impl FnOnce(&mut Config)) -> Server {
    Server::run(config(change), |listeners, config, stopped| {
        let calm = Site::new().with_file("/index.html", "<!doctype html><title>calm</title>");
        tickwire_server::Server::new(config)
            .game::<Still>(site())
            .game::<Calm>(calm)
            .run(listeners, stopped)
    })
}

/// Somebody in the lobby.
pub(crate) async fn enter(server: &Server, game: &str) -> Player {
    let mut player = Player::of_game(server.public, game).await;
    player.welcome("").await;
    player
}

/// Somebody in a room that they made.
pub(crate) async fn host(server: &Server, game: &str, room: &str) -> Player {
    host_as(server, game, room, "").await
}

/// The same with a token.
pub(crate) async fn host_as(server: &Server, game: &str, room: &str, token: &str) -> Player {
    let mut player = Player::of_game(server.public, game).await;
    player.welcome(token).await;
    player
        .say(&ClientMessage::CreateRoom(NewRoom {
            name: room.into(),
            private: false,
            seats: 4,
            kicks: false,
            ..NewRoom::default()
        }))
        .await;
    player.seat().await;
    player
}

#[tokio::test]
async fn each_game_has_its_page_and_the_top_lists_them() {
    let server = both(|_| {});
    for (path, text) in [
        ("/g/still/", "<title>still</title>"),
        ("/g/calm/index.html", "<title>calm</title>"),
        ("/g/calm/client/tickwire.js", "export"),
        ("/client/tickwire.js", "export"),
        ("/games.css", "main"),
        (
            "/",
            "href=\"./g/calm/\"><b>calm</b> <span>0 rooms, 0 players<",
        ),
        ("/healthz", "ok"),
    ] {
        let response = get(server.public, path).await;
        let body = &response.body;
        assert!(
            response.status == 200 && body.contains(text),
            "{path}: {body}"
        );
    }
    let list = get(server.public, "/").await;
    assert_eq!(
        list.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let policy = list.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'self'"), "{policy}");
    for path in [
        "/main.js",
        "/g/",
        "/g/chess/",
        "/g/calm/main.js",
        "/g/calm/healthz",
    ] {
        assert_eq!(get(server.public, path).await.status, 404, "{path}");
    }
    let folder = get(server.public, "/g/calm").await;
    let to = folder.header("location");
    assert_eq!((folder.status, to), (308, Some("./calm/")));
    assert_eq!(
        request(server.public, "HEAD", "/g/calm/ws", "")
            .await
            .status,
        405
    );
    let nowhere = request(server.public, "GET", "/g/chess/ws", GOOD).await;
    assert_eq!(nowhere.status, 404);
}

#[tokio::test]
async fn the_only_game_has_a_folder_too() {
    let server = serve(|_| {});
    for path in ["/", "/g/still/"] {
        let page = get(server.public, path).await.body;
        assert!(page.contains("<title>still</title>"), "{path}: {page}");
    }
    assert_eq!(get(server.public, "/g/still/api/rooms").await.body, "[]");
}

#[tokio::test]
async fn lists_of_rooms_name_the_game() {
    let server = both(|_| {});
    let _ann = host(&server, "still", "den").await;
    let _bo = host(&server, "calm", "lair").await;
    let rooms = async |path: &str| {
        let list = get(server.public, path).await.body;
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        let named = |room: &serde_json::Value| format!("{}: {}", room["game"], room["name"]);
        let mut rooms: Vec<String> = list.as_array().unwrap().iter().map(named).collect();
        rooms.sort();
        rooms.join(", ").replace('"', "")
    };
    assert_eq!(rooms("/api/rooms").await, "calm: lair, still: den");
    assert_eq!(rooms("/g/still/api/rooms").await, "still: den");
    assert_eq!(rooms("/g/calm/api/rooms").await, "calm: lair");

    let lines: serde_json::Value =
        serde_json::from_str(&get(server.ops, "/rooms").await.body).unwrap();
    for line in lines.as_array().unwrap() {
        let room = get(server.ops, &format!("/rooms/{}", line["id"]))
            .await
            .body;
        let room: serde_json::Value = serde_json::from_str(&room).unwrap();
        assert_eq!(room["game"], line["game"]);
        let game = if line["name"] == "den" {
            "still"
        } else {
            "calm"
        };
        assert_eq!(line["game"], game);
    }
    assert_eq!(lines.as_array().unwrap().len(), 2);
    let list = get(server.public, "/").await.body;
    assert!(
        list.contains("<b>calm</b> <span>1 room, 1 player<"),
        "{list}"
    );
    for game in ["still", "calm"] {
        let players = format!("tickwire_players{{game=\"{game}\"}}");
        assert_eq!(server.figure(&players).await, 1.0);
    }
}

#[tokio::test]
async fn what_can_not_be_served_is_told_at_the_start() {
    let failed = async |server: Server, word: &str| {
        let error = server.failure().await;
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    };
    let own =
        |own: GameSettings| move |config: &mut Config| _ = config.games.insert("calm".into(), own);
    let uneven = GameSettings {
        snapshot_rate: Some(7),
        ..GameSettings::default()
    };
    failed(both(own(uneven)), "game calm: snapshot-rate 7 ").await;
    let narrow = GameSettings {
        tick_rate: Some(60),
        bytes_per_second: Some(1024),
        ..GameSettings::default()
    };
    failed(both(own(narrow)), "game calm: bytes-per-second 1024 ").await;
    let of_none = |config: &mut Config| {
        config.games.insert("chess".into(), GameSettings::default());
    };
    failed(both(of_none), "games.chess: there is no such game here").await;
    let twice = Server::run(config(|_| {}), |listeners, config, stopped| {
        tickwire_server::Server::new(config)
            .game::<Calm>(Site::new())
            .game::<Calm>(Site::new())
            .run(listeners, stopped)
    });
    failed(twice, "two games are called calm").await;
}
