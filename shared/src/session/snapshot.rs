//! What a snapshot changes: its sections applied in order, then what it had none of.

use super::{EVENTS_WAITING_MAX, Event, Session, SessionError, TICK_MAX, event};
use crate::protocol::frame;

impl Session {
    pub(super) fn on_snapshot(&mut self, bytes: &[u8], now_us: u64) -> Result<(), SessionError> {
        let (Some(welcome), Some(room)) = (&self.welcome, &mut self.room) else {
            return Err(SessionError::Unexpected);
        };
        let (head, sections) = frame::SnapshotHead::decode(bytes).map_err(SessionError::Frame)?;
        if head.tick <= room.newest || head.tick > TICK_MAX {
            return Err(SessionError::BadTick);
        }
        let layout = &welcome.game.layout;
        for section in sections {
            let (kind, section) = section.map_err(SessionError::Frame)?;
            match kind {
                frame::SectionKind::Layer(layer) => {
                    let got = room
                        .layers
                        .apply(layer, section, head.tick, layout, now_us)
                        .map_err(SessionError::Snapshot)?;
                    self.stats.keyframes += u64::from(got.keyframe);
                    if let Some(layer) = got.differs {
                        self.stats.desyncs += 1;
                        self.events.push_back(Event::Desync { layer });
                    }
                }
                frame::SectionKind::Closed => {
                    let closed = room.layers.close(section, head.tick);
                    closed.map_err(SessionError::Snapshot)?;
                }
                frame::SectionKind::Events => {
                    let events = &mut self.events;
                    let dropped = &mut self.stats.events_dropped;
                    event::decode_events(section, head.tick, &welcome.game.schema, |event| {
                        if events.len() < EVENTS_WAITING_MAX {
                            events.push_back(event);
                        } else {
                            *dropped += 1;
                        }
                    })?;
                }
            }
        }
        room.layers.finish(head.tick, layout, now_us, |layer| {
            self.stats.desyncs += 1;
            self.events.push_back(Event::Desync { layer });
        });
        room.on_snapshot(&head, now_us);
        self.stats.snapshots += 1;
        self.stats.snapshot_bytes += bytes.len() as u64;
        self.stats.substituted += u64::from(head.substituted);
        self.events.push_back(Event::Snapshot { head });
        Ok(())
    }
}
