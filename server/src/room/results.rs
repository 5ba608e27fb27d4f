//! Which rounds of a room have ended, and who left since the last one did: of what its game reports
//! each round counts once, each person in it once, and somebody who left before the end is still
//! known. Who they are outside of the room is all that is kept of them, until the next report.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use tickwire::ids::PlayerId;
use tickwire::limits::{NAME_CHARS_MAX, PLAYERS_PER_ROOM_MAX};

use super::effect::{Came, Effect};
use crate::game::{Identity, RoundResult};

/// Who left that a room remembers, where it has fewer seats than this: a small room may have its
/// places taken by several one after the other. Beyond: who left first is in no result.
const GONE_MIN: usize = 64;
/// Bytes of an identity's subject: 128 characters.
const SUBJECT_BYTES_MAX: usize = 4 * 128;

/// See the module's description.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Results {
    /// The newest round that was reported.
    newest: Option<u32>,
    /// Who left since, the last ones.
    gone: VecDeque<Gone>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Gone {
    player: PlayerId,
    name: String,
    subject: Box<str>,
    is_guest: bool,
}

impl Gone {
    fn is(&self, identity: &Identity) -> bool {
        self.is_guest == identity.is_guest && *self.subject == *identity.subject
    }
}

impl Results {
    /// Somebody left for good a room of so many seats.
    pub(super) fn left(&mut self, player: PlayerId, name: &str, identity: &Identity, seats: u16) {
        if self.gone.len() >= GONE_MIN.max(seats.into()) {
            self.gone.pop_front();
        }
        self.gone.push_back(Gone {
            player,
            name: name.to_owned(),
            subject: (*identity.subject).into(),
            is_guest: identity.is_guest,
        });
    }

    /// Somebody is not to be known here any more.
    pub(super) fn forget(&mut self, identity: &Identity) {
        self.gone.retain(|gone| !gone.is(identity));
    }

    /// What comes of a report, where `here` says who somebody is who has a seat. Nothing of a round
    /// that was reported before, and of one in which there is nobody whom the room knows.
    pub(super) fn end<'a>(
        &mut self,
        result: RoundResult,
        here: impl Fn(PlayerId) -> Option<(&'a str, &'a Identity)>,
    ) -> Option<Effect> {
        if self.newest.is_some_and(|newest| result.round <= newest) {
            return None;
        }
        let (mut players, mut known) = (Vec::<Came>::new(), BTreeMap::new());
        for mut standing in result.standings {
            let came = here(standing.player).map(|(name, who)| (name.to_owned(), who.clone()));
            let Some((name, identity)) = came.or_else(|| {
                standing.left = true;
                self.who_left(standing.player)
            }) else {
                continue;
            };
            let is_nobody = identity.subject.is_empty();
            let came = Came {
                identity: identity.clone(),
                name,
                standing,
            };
            if is_nobody {
                players.push(came);
                continue;
            }
            match known.entry(identity) {
                Entry::Vacant(new) => {
                    new.insert(players.len());
                    players.push(came);
                }
                // Who left and came again is here; of who left twice the last time counts.
                Entry::Occupied(of) if players[*of.get()].standing.left => {
                    players[*of.get()] = came;
                }
                Entry::Occupied(_) => {}
            }
        }
        self.newest = Some(result.round);
        self.gone.clear();
        players.sort_by_key(|came| came.standing.place);
        (!players.is_empty()).then_some(Effect::Result {
            round: result.round,
            season: result.season,
            players,
        })
    }

    /// Who somebody was that left since the last report.
    fn who_left(&self, player: PlayerId) -> Option<(String, Identity)> {
        let gone = self.gone.iter().rev().find(|gone| gone.player == player);
        gone.map(|gone| {
            let identity = Identity {
                subject: (*gone.subject).into(),
                is_guest: gone.is_guest,
            };
            (gone.name.clone(), identity)
        })
    }

    /// Whether it can be a room's: it was read from a save.
    pub(super) fn is_sound(&self) -> bool {
        let fits = |gone: &Gone| {
            gone.name.len() <= 4 * NAME_CHARS_MAX && gone.subject.len() <= SUBJECT_BYTES_MAX
        };
        self.gone.len() <= usize::from(PLAYERS_PER_ROOM_MAX) && self.gone.iter().all(fits)
    }
}
