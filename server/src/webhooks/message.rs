//! What is sent: a result or a line, as JSON with its type and its time, and the id by which a
//! receiver knows that it has it already. Pure.

use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;

use crate::date::Date;
use crate::store::matches::Match;
use crate::store::outbox::Key;
use crate::store::record::Message;

#[derive(Serialize)]
struct Sent<T> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: Date,
    data: T,
}

#[derive(Serialize)]
struct Ended<'a> {
    game: &'a str,
    #[serde(flatten)]
    of: &'a Match,
}

#[derive(Serialize)]
struct Said<'a> {
    channel: &'a str,
    sequence: u64,
    said_at: u64,
    player: Option<&'a str>,
    name: &'a str,
    text: &'a str,
}

/// The same for the same, whoever sends it and how often.
pub(super) fn id(key: &Key) -> String {
    let text = format!("{}.{}.{}", key.kind as u8, key.number, key.channel);
    let hash = digest(&SHA256, text.as_bytes());
    let hex = hash.as_ref()[..16].iter().map(|byte| format!("{byte:02x}"));
    format!("msg_{}", hex.collect::<String>())
}

/// A match of a game.
pub(super) fn ended(game: &str, of: &Match) -> String {
    json("match.ended", of.ended_at_ms, Ended { game, of })
}

/// A line.
pub(super) fn said(of: &Message) -> String {
    let data = Said {
        channel: &of.channel,
        sequence: of.sequence,
        said_at: of.said_at_ms,
        player: (!of.player.is_empty()).then_some(&of.player),
        name: &of.name,
        text: &of.text,
    };
    json("chat.said", of.said_at_ms, data)
}

fn json(kind: &'static str, at_ms: u64, data: impl Serialize) -> String {
    let sent = Sent {
        kind,
        timestamp: Date(at_ms / 1000),
        data,
    };
    // Of texts and numbers there is always one.
    serde_json::to_string(&sent).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::store::outbox::Kind;
    use crate::store::record::MatchPlayer;

    #[test]
    fn what_is_sent_says_what_it_is() {
        let line = Message {
            channel: "7-a".into(),
            sequence: 3,
            said_at_ms: 1_795_256_100_500,
            player: "user:ann".into(),
            name: "Ann".into(),
            text: "\"hi\"\n".into(),
            nonce: Some(1),
        };
        let sent: Value = serde_json::from_str(&said(&line)).unwrap();
        let expected = json!({
            "type": "chat.said", "timestamp": "2026-11-21T10:15:00Z",
            "data": {"channel": "7-a", "sequence": 3, "said_at": 1_795_256_100_500u64,
                "player": "user:ann", "name": "Ann", "text": "\"hi\"\n"},
        });
        assert_eq!(sent, expected);
        let nobody = MatchPlayer {
            player: String::new(),
            name: String::new(),
            team: 1,
            place: 2,
            score: -3,
            left: true,
        };
        let of = Match {
            room: "7-a".into(),
            round: 4,
            season: "s".into(),
            ended_at_ms: 1000,
            players: vec![nobody],
        };
        let sent: Value = serde_json::from_str(&ended("chess", &of)).unwrap();
        let player = json!({
            "player": null, "name": "", "team": 1, "place": 2, "score": -3, "left": true,
        });
        let data = json!({"game": "chess", "room": "7-a", "round": 4, "season": "s",
            "ended_at": 1000, "players": [player]});
        let expected = json!({
            "type": "match.ended", "timestamp": "1970-01-01T00:00:01Z", "data": data,
        });
        assert_eq!(sent, expected);
    }

    #[test]
    fn an_id_is_of_one_thing() {
        let key = |kind, channel: &str, number| Key {
            kind,
            channel: channel.into(),
            number,
        };
        let one = id(&key(Kind::Chat, "1.a", 2));
        assert_eq!(one, id(&key(Kind::Chat, "1.a", 2)));
        assert!(one.len() == 36 && one.starts_with("msg_"), "{one}");
        for other in [
            key(Kind::Result, "1.a", 2),
            key(Kind::Chat, "a", 2),
            key(Kind::Chat, "1.a", 3),
        ] {
            assert_ne!(one, id(&other));
        }
    }
}
