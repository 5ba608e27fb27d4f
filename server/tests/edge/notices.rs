//! What an operator has to say to players, on real sockets: in the lobby, in a room, and to who is
//! away. How connections move meanwhile, on virtual time, is `server/src/lobby/stepped/tests`.

use serde_json::json;
use tickwire::protocol::{ClientMessage, ServerMessage};

use crate::admin::{admin, order, start};
use crate::player::Player;
use crate::support::until;

const ANN: &str = "127.0.0.5";

/// The next notice: its number and its text.
async fn notice(player: &mut Player) -> (u32, String) {
    let told = |message| match message {
        ServerMessage::Notice { number, text, .. } => Some((number, text)),
        _ => None,
    };
    player.wait(told).await
}

#[tokio::test]
async fn what_is_announced_comes_to_lobby_and_room_and_to_who_was_away() {
    let server = start(|_| {});
    let mut ann = Player::enter(server.public, ANN, "").await;
    let (mut bo, _) = Player::play(server.public, "127.0.0.6", "").await;
    let said = order(&server, "announce", json!({"text": " Supper \n is ready "})).await;
    assert_eq!(said, json!({"now": 2, "later": 0}));
    for player in [&mut ann, &mut bo] {
        assert_eq!(notice(player).await, (0, "Supper is ready".to_owned()));
    }
    let players = admin(&server, "GET", "/admin/players", "").await;
    let players: serde_json::Value = serde_json::from_str(&players.body).unwrap();
    let lines = players.as_array().unwrap().iter();
    let mut of_ann = lines.filter(|line| line["address"] == ANN);
    let player = of_ann.next().unwrap()["player"].clone();
    let who = ann.who.clone();
    drop(ann);
    until(async || server.figure("tickwire_sockets_open").await == 1.0).await;
    let to_ann = |text: &str| json!({"text": text, "player": player, "durable": true, "for": "1h"});
    for text in ["one", "two"] {
        let said = order(&server, "announce", to_ann(text)).await;
        assert_eq!(said, json!({"now": 0, "later": 1}));
    }
    let mut ann = Player::enter(server.public, ANN, &who).await;
    let (first, one) = notice(&mut ann).await;
    let (second, two) = notice(&mut ann).await;
    assert_eq!((&*one, &*two), ("one", "two"));
    assert!(0 < first && first < second);
    ann.say(&ClientMessage::NoticesSeen { number: first }).await;
    until(async || server.figure("tickwire_notices_kept").await == 1.0).await;
    let mut again = Player::enter(server.public, ANN, &who).await;
    assert_eq!(notice(&mut again).await, (second, two));
}

#[tokio::test]
async fn what_cannot_be_said_is_refused_with_the_reason() {
    let server = start(|_| {});
    let long = "x".repeat(201);
    for (body, status) in [
        (json!({"text": ""}), 400),
        (json!({}), 400),
        (json!({"event": "none of its"}), 400),
        (json!({"text": long}), 400),
        (json!({"text": "hi", "game": "chess"}), 404),
        (json!({"text": "hi", "player": "ann"}), 400),
        (json!({"said": "hi"}), 400),
    ] {
        let answer = admin(&server, "POST", "/admin/announce", &body.to_string()).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
    }
    assert_eq!(
        admin(&server, "GET", "/admin/announce", "").await.status,
        405
    );
    let said = "tickwire_notices_total{class=\"now\"}";
    assert_eq!(server.figure(said).await, 0.0);
}
