//! A server that stops while players go on sending: all hear of it, and no socket is reset under
//! what they were told.

use tickwire::protocol::{ClientMessage, CloseCode, ServerMessage};

use crate::player::{Got, Player};
use crate::support::serve;

/// How often each says the same, before and after it is told: less than is too often.
const TIMES: usize = 50;

/// Told when to come back, and closed. What was sent meanwhile is unread where it is closed, and
/// must not matter.
async fn insist(mut player: Player, message: ClientMessage) {
    for _ in 0..TIMES {
        player.say(&message).await;
    }
    let mut told = false;
    let code = loop {
        match player.next().await {
            Got::Control(got) => told |= matches!(*got, ServerMessage::Stopping { .. }),
            Got::Closed(code, _) => break code,
        }
    };
    assert!(told, "{message:?}");
    assert_eq!(code, CloseCode::Restart.number(), "{message:?}");
    for _ in 0..TIMES {
        player.say(&message).await;
    }
    // An end, and no reset.
    assert_eq!(player.rest().await.unwrap(), b"", "{message:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_players_send_meanwhile_resets_nobody() {
    let server = serve(|_| {});
    let text = "still here".to_owned();
    let said = [
        ClientMessage::Ready { ready: true },
        ClientMessage::Chat { text },
        ClientMessage::quick_join(),
        ClientMessage::LeaveRoom,
        ClientMessage::list_rooms(),
        ClientMessage::Ping { nonce: 1 },
    ];
    let mut players = Vec::new();
    for message in said {
        let in_lobby = Player::enter(server.public, "127.0.0.1", "").await;
        let (in_room, _) = Player::play(server.public, "127.0.0.1", "").await;
        players.push((in_lobby, message.clone()));
        players.push((in_room, message));
    }
    let run = server.stop();
    let insisting: Vec<_> = players
        .into_iter()
        .map(|(player, message)| tokio::spawn(insist(player, message)))
        .collect();
    for insisting in insisting {
        insisting.await.unwrap();
    }
    run.await.unwrap().unwrap();
}
