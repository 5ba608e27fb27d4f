//! What a server says from the first message on, and where a client refuses to listen on: the
//! form in which an input for a decoder of the client's is given to any client, and the verdict
//! that they have to agree on.

use serde::de::IgnoredAny;
use tickwire::ids::LayerId;
use tickwire::session::{Event, NoticeOf, Session, State};
use tickwire::snapshot::checksum::checksum;

/// Whole messages in order; the first ones are sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conversation {
    /// Which game's opening goes before, if any.
    pub(crate) opening: Option<u8>,
    pub(crate) messages: Vec<Vec<u8>>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    /// The message that was refused, by its place after the opening.
    pub(crate) refused: Option<usize>,
    /// How often a layer was dropped, by a checksum or by a body that made no sense.
    pub(crate) dropped: u64,
    /// Of each layer the checksum of its image, where one is held and nothing was refused.
    pub(crate) checksums: [Option<u32>; LayerId::FIXED.len()],
    /// Numbers and checksums of the groups that are held then.
    pub(crate) groups: Vec<(LayerId, u32)>,
}

const PERIOD_US: u64 = 33_333;
/// Inputs that are asked for at once; a session asks for far fewer.
const INPUTS_MAX: usize = 1_000;

/// Lets a session listen, doing between messages all that a driver does.
pub(crate) fn listen(opening: &[Vec<u8>], messages: &[Vec<u8>]) -> Ending {
    let mut session = Session::new("Ann", "");
    let mut refused = None;
    let mut now_us = 1_000_000;
    for (index, message) in opening.iter().chain(messages).enumerate() {
        let result = session.handle_message(message, now_us);
        assert_eq!(result.is_err(), session.state() == State::Failed);
        if let Err(error) = &result {
            let _ = (error.to_string(), error.close_code());
        }
        if !drive(&mut session, now_us) || result.is_err() {
            refused = Some(index.checked_sub(opening.len()).expect("a sound opening"));
            break;
        }
        now_us += PERIOD_US;
    }
    let layers = [LayerId::ROOM, LayerId::OWNER, LayerId::TEAM];
    let checksums = layers.map(|layer| {
        if refused.is_some() {
            return None;
        }
        let image = session.room()?.layer(layer)?;
        let set = session.layout()?.of(layer)?;
        Some(checksum(image.view(), set))
    });
    let room = session.room().filter(|_| refused.is_none());
    let groups = room.zip(session.layout()).map_or(vec![], |(room, layout)| {
        let groups = room.layers().filter(|(layer, _)| layer.is_group());
        let sums = groups.map(|(layer, image)| (layer, checksum(image.view(), &layout.room)));
        sums.collect()
    });
    Ending {
        groups,
        refused,
        dropped: session.stats().desyncs,
        checksums,
    }
}

/// Whether the driver, which reads payloads, had nothing to refuse.
fn drive(session: &mut Session, now_us: u64) -> bool {
    session.handle_timeout(now_us);
    let neutral: Vec<i32> = session.schema().map_or(vec![], |schema| {
        let fields = schema.input.iter();
        fields.map(|field| field.kind.q_zero()).collect()
    });
    let mut inputs = 0;
    while let Some(tick) = session.next_input(now_us) {
        inputs += 1;
        assert!(inputs < INPUTS_MAX, "inputs without end");
        // Refused when too many messages wait, which are drained below.
        let _ = session.send_input(tick, &neutral, 0);
    }
    while session.poll_transmit().is_some() {}
    let mut sound = true;
    while let Some(event) = session.poll_event() {
        if let Event::Game {
            event,
            payload: Some(payload),
            ..
        }
        | Event::Notice {
            event:
                Some(NoticeOf {
                    event,
                    payload: Some(payload),
                    ..
                }),
            ..
        } = event
        {
            let schema = session.schema().expect("there was a welcome");
            let declared = schema.events[usize::from(event)].payload.as_ref();
            let json = declared.is_some_and(|declared| declared.json);
            sound &= !json || serde_json::from_slice::<IgnoredAny>(&payload).is_ok();
        }
    }
    let _ = (session.poll_timeout(), session.next_input_us());
    let _ = session
        .room()
        .and_then(tickwire::session::RoomSession::avatar);
    sound
}
