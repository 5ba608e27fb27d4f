//! What a node that is not the home asks of it for the queue and for parties, as bytes. `joint` serves
//! it there.

use bytes::Bytes;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use tickwire::protocol::{PartyRequest, QueueRequest};

use crate::lending::LOBBY;
use crate::lending::wire::append;

/// What goes to the home.
#[derive(Serialize, Deserialize)]
pub(super) enum Asks {
    Queue(QueueRequest),
    Party {
        request: PartyRequest,
        /// From where, of who makes one.
        host: Option<String>,
    },
    /// They have come into a room of this code, to which those whom they lead may follow.
    Led {
        room: u32,
        code: String,
    },
}

impl Asks {
    pub(super) fn packed(&self) -> Bytes {
        let mut body = vec![LOBBY];
        append(self, &mut body);
        body.into()
    }

    pub(super) fn of_party(request: &PartyRequest, host: Option<IpNet>) -> Asks {
        Asks::Party {
            request: request.clone(),
            host: host.map(|host| host.to_string()),
        }
    }
}
