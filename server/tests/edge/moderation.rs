//! What orders of an operator do to players on real sockets: kick, ban, mute, by identity and by
//! address, now and at their next hello. The rules on virtual time are
//! `server/src/moderation/tests.rs`.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tickwire::ids::RoomId;
use tickwire::protocol::server_message::{LeaveReason, Refusal};
use tickwire::protocol::{ClientMessage, CloseCode, ServerMessage};

use crate::admin::{admin, order, start};
use crate::player::{Got, Player};
use crate::support::{File, Server, until};

const ANN: &str = "127.0.0.5";
const BO: &str = "127.0.0.6";

/// The identity of who is connected from an address.
async fn identity(server: &Server, from: &str) -> String {
    let players = admin(server, "GET", "/admin/players", "").await;
    let players: Vec<Value> = serde_json::from_str(&players.body).unwrap();
    let line = players.iter().find(|line| line["address"] == from);
    line.unwrap()["player"].as_str().unwrap().to_owned()
}

/// Each is in a room and heard there.
async fn are_well(players: &mut [&mut Player]) {
    for player in players {
        assert_eq!(player.chat().await, None);
    }
}

#[tokio::test]
async fn who_is_kicked_loses_sockets_and_seat_and_may_come_again() {
    let server = start(|_| {});
    let (mut ann, seat) = Player::play(server.public, ANN, "").await;
    let mut tab = Player::enter(server.public, ANN, &ann.who).await;
    let (mut bo, _) = Player::play(server.public, BO, "").await;
    let player = identity(&server, ANN).await;
    let done = order(&server, "kick", json!({"player": player, "reason": "rude"})).await;
    assert_eq!(
        (&done["target"], &done["connections"]),
        (&json!(player), &json!(2))
    );
    assert!(done["until"].is_null() && done["saved"].is_null());
    ann.closed(CloseCode::Kicked).await;
    tab.closed(CloseCode::Kicked).await;
    bo.wait(|message| matches!(message, ServerMessage::MemberLeft { .. }).then_some(()))
        .await;
    are_well(&mut [&mut bo]).await;
    let mut again = Player::enter(server.public, ANN, &ann.who).await;
    again.resume(&seat).await;
    assert_eq!(
        again.refused().await,
        Refusal::NoSuchSeat,
        "the seat is void"
    );
    again.join().await;
    are_well(&mut [&mut again]).await;
    assert_eq!(identity(&server, ANN).await, player);
    let closed = "tickwire_sockets_closed_total{code=\"4011\"}";
    assert_eq!(server.figure(closed).await, 2.0);
    assert_eq!(
        server
            .figure("tickwire_moderation_total{action=\"kick\"}")
            .await,
        1.0
    );
}

#[tokio::test]
async fn a_seat_that_is_held_is_given_up_too() {
    let server = start(|_| {});
    let (mut ann, seat) = Player::play(server.public, ANN, "").await;
    ann.acknowledge().await;
    let (player, who) = (identity(&server, ANN).await, ann.who.clone());
    drop(ann);
    until(async || server.figure("tickwire_players_dropped_total").await == 1.0).await;
    let done = order(&server, "kick", json!({ "player": player })).await;
    assert_eq!(
        (&done["connections"], &done["seats"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(server.figure("tickwire_players").await, 0.0);
    let mut again = Player::enter(server.public, ANN, &who).await;
    again.resume(&seat).await;
    assert_eq!(again.refused().await, Refusal::NoSuchSeat);
}

#[tokio::test]
async fn a_banned_player_stays_out_from_any_address_until_it_is_lifted() {
    let server = start(|_| {});
    let (mut ann, _) = Player::play(server.public, ANN, "").await;
    let player = identity(&server, ANN).await;
    let mut bo = Player::enter(server.public, ANN, "").await;
    let done = order(&server, "ban", json!({"player": player, "for": "1h"})).await;
    assert_eq!(
        (&done["connections"], &done["saved"]),
        (&json!(1), &Value::Null)
    );
    ann.closed(CloseCode::Banned).await;
    for from in [ANN, BO] {
        let mut again = Player::hello(server.public, from, &ann.who).await;
        again.closed(CloseCode::Banned).await;
    }
    bo.join().await;
    are_well(&mut [&mut bo]).await;
    let bans = admin(&server, "GET", "/admin/bans", "").await;
    let bans: Value = serde_json::from_str(&bans.body).unwrap();
    assert_eq!(
        (&bans[0]["target"], &bans[0]["until"]),
        (&json!(player), &done["until"])
    );
    order(&server, "unban", json!({ "player": player })).await;
    Player::enter(server.public, ANN, &ann.who).await;
    assert_eq!(admin(&server, "GET", "/admin/bans", "").await.body, "[]");
}

#[tokio::test]
async fn a_banned_address_stays_out_before_it_says_a_word() {
    let server = start(|_| {});
    let (mut ann, _) = Player::play(server.public, ANN, "").await;
    let mut lobby = Player::enter(server.public, ANN, "").await;
    let (mut bo, _) = Player::play(server.public, BO, "").await;
    order(&server, "ban", json!({"address": ANN, "for": "7d"})).await;
    ann.closed(CloseCode::Banned).await;
    lobby.closed(CloseCode::Banned).await;
    let mut silent = Player::connect(server.public, ANN).await;
    silent.closed(CloseCode::Banned).await;
    let mut elsewhere = Player::enter(server.public, "127.0.1.5", &ann.who).await;
    elsewhere.join().await;
    are_well(&mut [&mut bo, &mut elsewhere]).await;
    let network = json!({"address": "127.0.1.0/24", "for": "7d"});
    assert_eq!(
        order(&server, "ban", network).await["target"],
        "127.0.1.0/24"
    );
    elsewhere.closed(CloseCode::Banned).await;
    are_well(&mut [&mut bo]).await;
}

#[tokio::test]
async fn behind_a_proxy_it_is_the_clients_address() {
    let server = start(|config| config.trusted_proxies = vec!["127.0.0.9".parse().unwrap()]);
    let through = |client| Player::connect_through(server.public, "127.0.0.9", client);
    order(
        &server,
        "ban",
        json!({"address": "2001:db8::7", "for": "7d"}),
    )
    .await;
    through("2001:db8::8").await.closed(CloseCode::Banned).await;
    let mut other = through("2001:db8:0:1::7").await;
    other.say(&ClientMessage::list_rooms()).await;
    other.closed(CloseCode::OutOfOrder).await;
}

#[tokio::test]
async fn a_ban_ends_by_itself() {
    let server = start(|_| {});
    let ann = Player::enter(server.public, ANN, "").await;
    let player = identity(&server, ANN).await;
    order(&server, "ban", json!({"player": player, "for": "2s"})).await;
    let mut early = Player::hello(server.public, ANN, &ann.who).await;
    early.closed(CloseCode::Banned).await;
    until(async || {
        let mut again = Player::hello(server.public, ANN, &ann.who).await;
        matches!(again.next().await, Got::Control(_))
    })
    .await;
}

/// A user keeps their identity, whichever token says it: another of the operator's, or the one with
/// which the server lets them come back.
#[tokio::test]
async fn a_banned_user_does_not_come_back_with_any_token() {
    let secret = "a secret that is long enough: 0123456789";
    let key = File::new("moderation-key", secret);
    let server = start(|config| {
        config.auth_key_file = Some(key.path().into());
        config.auth_issuer = "shop".into();
        config.auth_audience = "game".into();
    });
    let signed = |expires: u64| {
        let claims = json!({"sub": "ann", "iss": "shop", "aud": "game", "exp": expires});
        let key = EncodingKey::from_secret(secret.as_bytes());
        encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap()
    };
    let mut ann = Player::enter(server.public, ANN, &signed(4_000_000_000)).await;
    order(&server, "ban", json!({"player": "user:ann", "for": "30m"})).await;
    ann.closed(CloseCode::Banned).await;
    for token in [&signed(4_000_000_001), &ann.who] {
        let mut again = Player::hello(server.public, BO, token).await;
        again.closed(CloseCode::Banned).await;
    }
}

#[tokio::test]
async fn who_is_muted_plays_on_unheard_wherever_they_come_back() {
    let server = start(|_| {});
    let (mut ann, seat) = Player::play(server.public, ANN, "").await;
    let (mut bo, _) = Player::play(server.public, BO, "").await;
    are_well(&mut [&mut ann, &mut bo]).await;
    let player = identity(&server, ANN).await;
    let mute = json!({"player": player, "for": "1h", "reason": "spam"});
    assert_eq!(order(&server, "mute", mute).await["connections"], 1);
    assert_eq!(ann.chat().await, Some(Refusal::Muted));
    are_well(&mut [&mut bo]).await;

    let who = ann.who.clone();
    drop(ann);
    let mut ann = Player::enter(server.public, ANN, &who).await;
    ann.resume(&seat).await;
    ann.seat().await;
    assert_eq!(
        ann.chat().await,
        Some(Refusal::Muted),
        "in the seat that was held"
    );
    ann.say(&ClientMessage::LeaveRoom).await;
    let left = ann.wait(|message| match message {
        ServerMessage::Left { reason } => Some(reason),
        _ => None,
    });
    assert_eq!(left.await, LeaveReason::Asked);
    ann.join().await;
    assert_eq!(ann.chat().await, Some(Refusal::Muted), "in a new one");
    let (mut anew, _) = Player::play(server.public, ANN, &who).await;
    assert_eq!(anew.chat().await, Some(Refusal::Muted), "on another socket");
    assert_eq!(server.figure("tickwire_mutes").await, 1.0);

    order(&server, "unmute", json!({ "player": player })).await;
    are_well(&mut [&mut ann, &mut anew, &mut bo]).await;
    until(async || server.figure("tickwire_chat_muted_total").await == 4.0).await;
    order(&server, "mute", json!({"address": BO, "for": "1h"})).await;
    assert_eq!(bo.chat().await, Some(Refusal::Muted), "by address");
    are_well(&mut [&mut ann]).await;
}

#[tokio::test]
async fn bans_and_mutes_outlast_the_process_in_their_file() {
    let file = File::missing("bans.json");
    let with_file = || start(|config| config.bans_file = Some(file.path().into()));
    let first = with_file();
    let ban = json!({"address": ANN, "for": "1h", "reason": "\"quoted\"\n"});
    assert_eq!(order(&first, "ban", ban).await["saved"], true);
    let mute = json!({"address": BO, "for": "1h"});
    assert_eq!(order(&first, "mute", mute).await["saved"], true);
    let short = json!({"player": "user:bo", "for": "1h"});
    order(&first, "ban", short.clone()).await;
    order(&first, "unban", json!({"player": "user:bo"})).await;
    let kept = admin(&first, "GET", "/admin/bans", "").await.body;
    first.stop().await.unwrap().unwrap();

    let second = with_file();
    assert_eq!(admin(&second, "GET", "/admin/bans", "").await.body, kept);
    let mut ann = Player::connect(second.public, ANN).await;
    ann.closed(CloseCode::Banned).await;
    let (mut bo, _) = Player::play(second.public, BO, "").await;
    assert_eq!(bo.chat().await, Some(Refusal::Muted));
}

/// Who looks on is within an operator's reach like anybody: their socket goes, and a ban keeps them
/// from looking on again.
#[tokio::test]
async fn who_looks_on_is_kicked_and_banned_like_anybody() {
    let server = start(|_| {});
    let (mut bo, seat) = Player::play(server.public, BO, "").await;
    let room = RoomId(u32::from_str_radix(&seat[..8], 16).unwrap());
    let spectators = "tickwire_spectators";
    let mut ann = Player::enter(server.public, ANN, "").await;
    ann.watch(room).await;
    let player = identity(&server, ANN).await;
    let players = admin(&server, "GET", "/admin/players", "").await;
    let players: Vec<Value> = serde_json::from_str(&players.body).unwrap();
    let line = players.iter().find(|line| line["address"] == ANN).unwrap();
    assert_eq!(line["room"], room.0, "an operator sees where they are");
    let done = order(&server, "kick", json!({ "player": player })).await;
    assert_eq!(
        (&done["connections"], &done["seats"]),
        (&json!(1), &json!(0))
    );
    ann.closed(CloseCode::Kicked).await;
    assert_eq!(server.figure(spectators).await, 0.0);
    let mut ann = Player::enter(server.public, ANN, &ann.who).await;
    ann.watch(room).await;
    assert_eq!(server.figure(spectators).await, 1.0);
    order(&server, "ban", json!({"player": player, "for": "1h"})).await;
    ann.closed(CloseCode::Banned).await;
    assert_eq!(server.figure(spectators).await, 0.0);
    let mut again = Player::hello(server.public, ANN, &ann.who).await;
    again.closed(CloseCode::Banned).await;
    // By address, and with a room's players the last to notice anything.
    let mut crowd = Player::enter(server.public, ANN, "").await;
    crowd.watch(room).await;
    order(&server, "ban", json!({"address": ANN, "for": "1h"})).await;
    crowd.closed(CloseCode::Banned).await;
    assert_eq!(server.figure(spectators).await, 0.0);
    are_well(&mut [&mut bo]).await;
}
