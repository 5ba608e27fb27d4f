//! One bot, from its first connection to its end and what the swarm is told of it. Its doing is `life`'s.

use std::sync::Arc;

use crate::life::{Goal, Life};
use crate::rooms::Way;
use crate::socket::Socket;
use crate::swarm::Swarm;

/// A bot that has not started.
pub(crate) struct Bot {
    /// Its number in the swarm.
    pub(crate) index: usize,
    /// Its room's number in the swarm.
    pub(crate) room: usize,
    /// How it gets there.
    pub(crate) way: Way,
    /// What all bots share.
    pub(crate) swarm: Arc<Swarm>,
}

/// How a bot's life went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    /// Whether it was in a room at some time.
    pub(crate) joined: bool,
    /// What ended it.
    pub(crate) cause: Cause,
    /// Layers whose checksum disagreed.
    pub(crate) desyncs: u64,
}

/// What ended a bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The swarm's end: it said goodbye.
    Stopped,
    /// The server or the network, with this close code.
    Closed(u16),
    /// The server sent it out of the room.
    SentOut,
    /// It never connected, or could not go on; why.
    Failed(String),
}

impl Bot {
    /// Lives until the swarm stops or something ends it. The socket is given to the first bot,
    /// which was used to find out whether there is a server.
    pub(crate) async fn live(self, socket: Option<Socket>) -> Ending {
        let swarm = Arc::clone(&self.swarm);
        let mut stop = swarm.stop.subscribe();
        let opened = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => Err(Cause::Failed("the swarm stopped first".to_owned())),
            opened = self.open(socket) => opened,
        };
        let ending = match opened {
            Err(cause) => Ending {
                joined: false,
                cause,
                desyncs: 0,
            },
            Ok((socket, life)) => life.lead(socket, &mut stop).await,
        };
        if self.way == Way::Make {
            swarm.doors.lose(self.room);
        }
        ending
    }

    async fn open(&self, socket: Option<Socket>) -> Result<(Socket, Life), Cause> {
        let goal = match &self.way {
            Way::Make => Goal::Make(format!("bots {}", self.room + 1)),
            Way::Code(code) => Goal::Code(code.clone()),
            Way::Follow => match self.swarm.doors.wait(self.room).await {
                Some(id) => Goal::Join(id),
                None => return Err(Cause::Failed("its room was not made".to_owned())),
            },
        };
        let socket = match socket {
            Some(socket) => socket,
            None => Socket::connect(&self.swarm.flags.url)
                .await
                .map_err(Cause::Failed)?,
        };
        Ok((socket, Life::new(self, goal)))
    }
}
