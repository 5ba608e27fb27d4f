//! Names for the numbers that cross the wire. Not allocation: the server hands them out.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Number of a simulation step of one room, from 1. A room closes long before 2^31, so ticks
/// never wrap.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Tick(pub u32);

impl Tick {
    /// Ticks from `earlier` to `self`, 0 when `earlier` is later.
    pub fn since(self, earlier: Tick) -> u32 {
        self.0.saturating_sub(earlier.0)
    }

    /// The tick after this one.
    pub fn next(self) -> Tick {
        Tick(self.0 + 1)
    }
}

impl fmt::Display for Tick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A player's number within its room, from 0, below [`crate::limits::PLAYER_NUMBERS`]. It is theirs
/// for as long as they have the seat; then it is nobody's until the numbers have gone round.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct PlayerId(pub u16);

impl fmt::Display for PlayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A room's number: the upper 8 bits name the node that runs it (0 today), the lower 24 are random.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct RoomId(pub u32);

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A replicated entity as events and clients name it: a slot, and how often it was given out.
///
/// The generation counts modulo 2^16. A slot whose generation has come round is used only when
/// there is no other, and no sooner than [`crate::limits::BASELINE_BACK_MAX`] ticks after: so a
/// handle names another entity again only after 65,536 entities for every slot that the room has
/// beyond those in use, and never within 65,536 snapshots.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Handle {
    /// Index in the room's slot table, below [`crate::limits::ENTITIES_MAX`].
    pub slot: u16,
    /// Times the slot was given out before, modulo 2^16.
    pub generation: u16,
}

impl Handle {
    /// The integer that stands for "no entity" in a field.
    pub const NONE: i32 = -1;

    /// The handle as one integer of a field: generation in the upper half, slot in the lower.
    /// Never [`Handle::NONE`], because slot 0xFFFF is not given out.
    pub fn to_field(self) -> i32 {
        ((u32::from(self.generation) << 16) | u32::from(self.slot)) as i32
    }

    /// The handle in a field, `None` for [`Handle::NONE`].
    pub fn from_field(value: i32) -> Option<Handle> {
        let bits = value as u32;
        (value != Handle::NONE).then_some(Handle {
            slot: (bits & 0xFFFF) as u16,
            generation: (bits >> 16) as u16,
        })
    }
}

/// A part of a room's state that some clients hold: the unit of baselines and of privacy.
///
/// On the wire a client sees [`LayerId::ROOM`], its own [`LayerId::OWNER`] and its team's
/// [`LayerId::TEAM`]; which player's or team's layer those are follows from the socket. The numbers
/// from there up to [`LayerId::LAST`] are the client's own names for the groups of entities that it
/// holds: another client calls the same group by another one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct LayerId(pub u16);

impl LayerId {
    /// What everyone in the room sees.
    pub const ROOM: LayerId = LayerId(0);
    /// What only the receiving player sees.
    pub const OWNER: LayerId = LayerId(1);
    /// What the receiving player's team sees.
    pub const TEAM: LayerId = LayerId(2);
    /// Those that every client calls alike, by rising number.
    pub const FIXED: [LayerId; 3] = [LayerId::ROOM, LayerId::OWNER, LayerId::TEAM];
    /// The first number of a group.
    pub const FIRST_GROUP: LayerId = LayerId(LayerId::FIXED.len() as u16);
    /// The last one, and of all layers: a section's kind has no more room for them.
    pub const LAST: LayerId = LayerId(123);
    /// Groups that one client can hold.
    pub const GROUPS: usize = (LayerId::LAST.0 - LayerId::FIRST_GROUP.0 + 1) as usize;

    /// Whether it is a group's.
    pub fn is_group(self) -> bool {
        (LayerId::FIRST_GROUP..=LayerId::LAST).contains(&self)
    }
}

impl fmt::Display for LayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
