//! What players say to one another beyond rooms, on real sockets and over a server's end: to somebody
//! who is away, in the lobby, and to who does not want to hear it.

use tickwire::protocol::people::{Line, Unread};
use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{
    ClientMessage, PartyRequest, PartyState, PeopleNews, PeopleRequest, ServerMessage,
};
use tickwire_server::config::Config;

use crate::admin::{order, start};
use crate::player::Player;
use crate::stored::{Folder, KEY, kept, store, token};
use crate::support::{File, Server};

const ANN: &str = "127.0.0.5";
const BO: &str = "127.0.0.6";

fn server(folder: &Folder, key: &File) -> Server {
    start(|config: &mut Config| store(config, folder, key))
}

/// Somebody who hears what is said to them and in the lobby: their handle, and what they have not
/// read.
pub(crate) async fn enter(player: &mut Player) -> (String, Vec<Unread>) {
    let enter = PeopleRequest::Enter {
        nonce: 7,
        lobby: true,
    };
    player.say(&ClientMessage::People(enter)).await;
    player
        .wait(|message| match message {
            ServerMessage::People(PeopleNews::You { handle, unread, .. }) => Some((handle, unread)),
            _ => None,
        })
        .await
}

async fn said(player: &mut Player, channel: &str, nonce: u32, text: &str) -> Result<u32, Refusal> {
    player
        .say(&ClientMessage::Say {
            channel: channel.to_owned(),
            nonce,
            text: text.to_owned(),
        })
        .await;
    player
        .wait(|message| match message {
            ServerMessage::Said { nonce: of, result } if of == nonce => Some(result),
            _ => None,
        })
        .await
}

async fn hears(player: &mut Player) -> (String, Line) {
    player
        .wait(|message| match message {
            ServerMessage::Line { channel, line } => Some((channel, line)),
            _ => None,
        })
        .await
}

async fn history(player: &mut Player, channel: &str) -> Vec<(u32, String)> {
    player
        .say(&ClientMessage::History {
            channel: channel.to_owned(),
            nonce: 9,
            before: 0,
        })
        .await;
    let mut lines = Vec::new();
    loop {
        let page = player
            .wait(|message| match message {
                ServerMessage::Past { nonce: 9, result } => Some(result.unwrap()),
                _ => None,
            })
            .await;
        lines.extend(page.lines.into_iter().map(|line| (line.id, line.text)));
        if !page.more {
            return lines;
        }
    }
}

#[tokio::test]
async fn who_was_away_reads_what_was_said_to_them_also_of_a_server_that_ended() {
    let (folder, key) = (Folder::new("people"), File::new("key", KEY));
    let first = server(&folder, &key);
    let mut ann = Player::enter(first.public, ANN, &token("ann")).await;
    let mut bo = Player::enter(first.public, BO, &token("bo")).await;
    let (ann_is, _) = enter(&mut ann).await;
    let (bo_is, _) = enter(&mut bo).await;
    // In a room she hears the lobby, too.
    ann.join().await;
    let number = said(&mut bo, "lobby", 1, "hello").await.unwrap();
    let (channel, line) = hears(&mut ann).await;
    assert_eq!(
        (&*channel, line.id, &*line.from),
        ("lobby", number, &*bo_is)
    );
    drop(bo);
    let to_bo = format!("@{bo_is}");
    let one = said(&mut ann, &to_bo, 2, "psst").await.unwrap();
    drop(ann);
    first.close().await;
    let second = server(&folder, &key);
    let mut ann = Player::enter(second.public, ANN, &token("ann")).await;
    assert_eq!(enter(&mut ann).await.0, ann_is, "it is theirs for good");
    assert_eq!(
        said(&mut ann, &to_bo, 2, "psst").await,
        Ok(one),
        "it was said already"
    );
    let mut bo = Player::enter(second.public, BO, &token("bo")).await;
    let (_, unread) = enter(&mut bo).await;
    assert_eq!((unread.len(), unread[0].newest), (1, one));
    assert_eq!(unread[0].peer.handle, ann_is);
    let to_ann = format!("@{ann_is}");
    assert_eq!(history(&mut bo, &to_ann).await, [(one, "psst".to_owned())]);
    second.close().await;
}

#[tokio::test]
async fn mutes_hold_beyond_rooms_and_so_do_blocks() {
    let (folder, key) = (Folder::new("mutes"), File::new("key", KEY));
    let server = server(&folder, &key);
    let mut ann = Player::enter(server.public, ANN, &token("ann")).await;
    let mut bo = Player::enter(server.public, BO, &token("bo")).await;
    let (ann_is, _) = enter(&mut ann).await;
    let (bo_is, _) = enter(&mut bo).await;
    let block = PeopleRequest::Block {
        nonce: 3,
        who: bo_is,
        blocked: true,
    };
    ann.say(&ClientMessage::People(block)).await;
    let done = |message| match message {
        ServerMessage::People(PeopleNews::Answer { nonce: 3, result }) => Some(result),
        _ => None,
    };
    assert!(ann.wait(done).await.is_ok());
    let to_ann = format!("@{ann_is}");
    assert!(said(&mut bo, &to_ann, 1, "hi").await.is_ok());
    assert_eq!(hears(&mut ann).await.1.text, "");
    assert_eq!(history(&mut ann, "lobby").await, []);
    order(
        &server,
        "mute",
        serde_json::json!({"player": "user:bo", "for": "1h"}),
    )
    .await;
    for channel in ["lobby", &to_ann] {
        assert_eq!(said(&mut bo, channel, 2, "hi").await, Err(Refusal::Muted));
    }
    server.close().await;
}

/// The channel of the party that it is in.
pub(crate) async fn talk(player: &mut Player) -> String {
    player
        .wait(|message| match message {
            ServerMessage::People(PeopleNews::Party { channel }) => Some(channel),
            _ => None,
        })
        .await
}

/// Makes a party, or joins that of a code: its code.
pub(crate) async fn party(player: &mut Player, code: Option<String>) -> String {
    let nonce = 5;
    let request = match code {
        Some(code) => PartyRequest::Join { nonce, code },
        None => PartyRequest::Create { nonce },
    };
    player.say(&ClientMessage::Party(request)).await;
    player
        .wait(|message| match message {
            ServerMessage::Party {
                state: PartyState::In { code, .. },
                ..
            } => Some(code),
            _ => None,
        })
        .await
}

/// In which channel it sees somebody write, and whom.
pub(crate) async fn writer(player: &mut Player) -> (String, String) {
    player
        .wait(|message| match message {
            ServerMessage::PeerTyping { channel, peer } => Some((channel, peer.handle)),
            _ => None,
        })
        .await
}

pub(crate) async fn types(player: &mut Player, channel: &str) {
    let channel = channel.to_owned();
    player.say(&ClientMessage::Typing { channel }).await;
}

#[tokio::test]
async fn a_party_talks_by_itself_and_what_a_member_said_is_exported_and_erased() {
    let (folder, key) = (Folder::new("party_talk"), File::new("key", KEY));
    let server = server(&folder, &key);
    let mut ann = Player::enter(server.public, ANN, &token("ann")).await;
    let mut bo = Player::enter(server.public, BO, &token("bo")).await;
    enter(&mut ann).await;
    let (bo_is, _) = enter(&mut bo).await;
    let code = party(&mut ann, None).await;
    let channel = talk(&mut ann).await;
    assert_eq!(
        said(&mut bo, &channel, 1, "let me in").await,
        Err(Refusal::NotInRoom)
    );
    party(&mut bo, Some(code)).await;
    assert_eq!(talk(&mut bo).await, channel);
    types(&mut bo, &channel).await;
    assert_eq!(writer(&mut ann).await, (channel.clone(), bo_is.clone()));
    let number = said(&mut bo, &channel, 2, "hello").await.unwrap();
    let (told, line) = hears(&mut ann).await;
    assert_eq!((&told, line.id, &line.from), (&channel, number, &bo_is));
    // Back after a lost connection, to the same party.
    drop(ann);
    let second = said(&mut bo, &channel, 3, "still there?").await.unwrap();
    let mut ann = Player::enter(server.public, ANN, &token("ann")).await;
    enter(&mut ann).await;
    let all = [(number, "hello"), (second, "still there?")];
    let all = all.map(|(number, text)| (number, text.to_owned()));
    assert_eq!(history(&mut ann, &channel).await, all);
    let stored = kept(&server, "user%3Abo").await;
    let said = stored["stored"]["messages"].as_array().unwrap();
    let key = format!("party:{}", &channel[1..]);
    assert!(
        said.iter().all(|line| line["channel"] == key) && said.len() == 2,
        "{said:?}"
    );
    bo.say(&ClientMessage::Party(PartyRequest::Leave)).await;
    assert_eq!(talk(&mut bo).await, "");
    drop(bo);
    order(&server, "erase", serde_json::json!({"player": "user:bo"})).await;
    assert_eq!(history(&mut ann, &channel).await, []);
    server.close().await;
}
