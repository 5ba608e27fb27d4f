//! A client whose memory is not to be trusted: now and then an integer of an image that it holds
//! changes. Beside it listens a twin whose memory is, which the oracle judges. What the client
//! holds must be what its twin holds, always where nothing was changed, and again within a stated
//! time where something was. Kept by `conn`.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use tickwire::ids::LayerId;
use tickwire::session::{Event, Session};
use tickwire::snapshot::image::LayerImage;

use crate::broken::{Broken, Check};

/// Between two changes of a client's memory, on average, in microseconds.
const EVERY_US: u64 = 1_500_000;
/// Images until a client that gets all of them notices at the latest: the 30th has a checksum.
const IMAGES: u64 = 30;
/// What asking for a keyframe takes at most, in microseconds: one a second is granted, and what was
/// asked for too soon is asked for again after two; and the way there and back.
const ASKED_US: u64 = 3_000_000 + 500_000;

/// See the module's description.
pub(crate) struct Planted {
    pub(crate) twin: Session,
    /// By layer, when an integer of it was changed that may be wrong still.
    since_us: [Option<u64>; LayerId::FIXED.len()],
    next_us: u64,
    pub(crate) seen: Seen,
}

/// What became of changes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) planted: u64,
    /// Layers that were dropped.
    pub(crate) dropped: u64,
    /// Layers that became the server's again.
    pub(crate) healed: u64,
}

impl Seen {
    /// Adds what became of another client's.
    pub(crate) fn add(&mut self, other: Seen) {
        self.planted += other.planted;
        self.dropped += other.dropped;
        self.healed += other.healed;
    }
}

impl Planted {
    /// With a twin that has heard as much as the client.
    pub(crate) fn new(twin: Session) -> Planted {
        Planted {
            twin,
            since_us: [None; LayerId::FIXED.len()],
            next_us: 0,
            seen: Seen::default(),
        }
    }

    /// The twin hears what the client hears.
    pub(crate) fn hear(&mut self, message: &[u8], now_us: u64) -> Result<(), Broken> {
        self.twin
            .handle_message(message, now_us)
            .map_err(|error| Broken::new(Check::Protocol, error.to_string()))?;
        while let Some(event) = self.twin.poll_event() {
            if let Event::Desync { layer } = event {
                let what = format!("the checksum of {layer} differs");
                return Err(Broken::new(Check::Image, what));
            }
        }
        Ok(())
    }

    /// Maybe changes an integer.
    pub(crate) fn plant(&mut self, session: &mut Session, now_us: u64, rng: &mut ChaCha8Rng) {
        if now_us < self.next_us {
            return;
        }
        self.next_us = now_us + rng.random_range(1..2 * EVERY_US);
        let layer = LayerId(rng.random_range(0..LayerId::FIXED.len()) as u16);
        let since = &mut self.since_us[usize::from(layer.0)];
        if since.is_none()
            && let Some(image) = session.layer_mut(layer)
        {
            change(image, rng);
            *since = Some(now_us);
            self.seen.planted += 1;
        }
    }

    /// A layer was dropped, for which there must be a reason.
    pub(crate) fn on_desync(&mut self, layer: LayerId) -> Result<(), Broken> {
        self.seen.dropped += 1;
        match self.since_us[usize::from(layer.0)] {
            Some(_) => Ok(()),
            None => Err(Broken::new(
                Check::Image,
                format!("the checksum of {layer} differs"),
            )),
        }
    }

    /// Compares a client with its twin, which has heard the same; its link has been well since
    /// then, and an image takes so long.
    pub(crate) fn compare(
        &mut self,
        session: &Session,
        (now_us, well_since_us): (u64, u64),
        image_us: u64,
    ) -> Result<(), Broken> {
        for layer in [LayerId::ROOM, LayerId::OWNER, LayerId::TEAM] {
            let (ours, twins) = (held(session, layer), held(&self.twin, layer));
            let is_same = ours == twins;
            let since = &mut self.since_us[usize::from(layer.0)];
            match *since {
                None if is_same => {}
                Some(_) if is_same => {
                    *since = None;
                    // Not where the room was left.
                    self.seen.healed += u64::from(ours.is_some());
                }
                Some(us) if now_us - us.max(well_since_us) <= IMAGES * image_us + ASKED_US => {}
                _ => {
                    let what = format!("{layer} is wrong, where a change was made at {since:?}");
                    return Err(Broken::new(Check::Image, what));
                }
            }
        }
        Ok(())
    }
}

fn held(session: &Session, layer: LayerId) -> Option<&LayerImage> {
    session.room()?.layer(layer)
}

/// Changes one integer of an image: its tick, its gap, what its entities' heads have, or a value.
fn change(image: &mut LayerImage, rng: &mut ChaCha8Rng) {
    let heads = image.entities.len();
    let bit = 1 << rng.random_range(0..32);
    // As likely a small one: bits of great numbers are rarely in reach.
    let bit: u32 = if rng.random() {
        bit
    } else {
        1 << rng.random_range(0..4)
    };
    let short = bit as u16 | (bit >> 16) as u16;
    match rng.random_range(0..2 + 4 * heads + image.values.len()) {
        0 => image.tick.0 ^= bit,
        1 => image.gap ^= bit,
        at if at < 2 + 4 * heads => {
            let head = &mut image.entities[(at - 2) / 4];
            match at % 4 {
                0 => head.slot ^= short,
                1 => head.generation ^= short,
                2 => head.owner ^= short,
                _ => head.mask ^= bit,
            }
        }
        at => image.values[at - 2 - 4 * heads] ^= bit as i32,
    }
}
