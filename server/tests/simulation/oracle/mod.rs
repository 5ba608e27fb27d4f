//! The judge: remembers what the world was and what was said, tick by tick, and compares what
//! clients decode with it. It knows the game's components and the client's images, and nothing of
//! how the server makes one of the other.

mod handles;
mod told;
mod truth;

use std::collections::VecDeque;

use tickwire::ids::{LayerId, PlayerId, Tick};
use tickwire::session::{Event, RoomSession};
use tickwire::snapshot::layout::Layout;
use tickwire_server::room::Room;

use crate::broken::{Broken, Check};
use crate::yard::{Diary, Yard};
use handles::Handles;
use told::Told;
pub(crate) use told::{Ear, Got};
use truth::{Scope, Truth};

pub(crate) use truth::{Witness, witness};

/// See the module's description.
#[derive(Default)]
pub(crate) struct Oracle {
    truths: VecDeque<Truth>,
    told: Told,
    handles: Handles,
    moves: u64,
}

impl Oracle {
    /// The room has ticked.
    pub(crate) fn witness(&mut self, room: &mut Room<Yard>) {
        let due = room.snapshot_due();
        let world = room.world_mut();
        let mut diary = world.resource_mut::<Diary>();
        self.told.note(diary.said.drain(..));
        self.moves += std::mem::take(&mut diary.moves);
        let truth = world.resource_mut::<Witness>().truth.take();
        self.truths.extend(truth.filter(|_| due));
    }

    /// The room is what it was at `tick`, and what came after that has not been.
    pub(crate) fn fall_back(&mut self, tick: Tick) {
        self.truths.retain(|truth| truth.tick <= tick);
        self.told.fall_back(tick);
        self.handles.fall_back(tick);
    }

    /// No client will apply what is older.
    pub(crate) fn forget_before(&mut self, tick: Tick) {
        while self.truths.front().is_some_and(|truth| truth.tick < tick) {
            self.truths.pop_front();
        }
        self.told.forget_before(tick);
    }

    /// A client has applied the snapshot of `now`, which brought the layers `bare` as keyframes,
    /// and heard these events with it; `ear` says what it had before. How many of the events are
    /// durable.
    pub(crate) fn judge(
        &mut self,
        layout: &Layout,
        stay: &RoomSession,
        bare: &[LayerId],
        ear: &Ear,
        now: Tick,
        heard: &[Event],
    ) -> Result<u64, Broken> {
        let (player, last) = (ear.player, ear.judged);
        let private = [LayerId::OWNER, LayerId::TEAM];
        if stay.spectates() && private.iter().any(|layer| stay.layer(*layer).is_some()) {
            let what = format!("{player} looks on and holds a private layer at {now}");
            return Err(Broken::new(Check::Privacy, what));
        }
        let at = self.truths.binary_search_by_key(&now, |truth| truth.tick);
        let team = at.ok().and_then(|at| self.truths[at].team_of(player));
        let team = team.flatten();
        let durable = self.told.judge(ear, team, now, heard, &mut self.handles)?;
        for layer in [LayerId::ROOM, LayerId::OWNER, LayerId::TEAM] {
            let Some(image) = stay.layer(layer).filter(|image| image.tick > last) else {
                continue;
            };
            let at = self
                .truths
                .binary_search_by_key(&image.tick, |truth| truth.tick)
                .map_err(|_| {
                    let what = format!("{player} shows {layer} of {}, which was none", image.tick);
                    Broken::new(Check::Image, what)
                })?;
            let truth = &mut self.truths[at];
            let scope = scope_of(truth, layer, player)?;
            let bare = bare.contains(&layer);
            truth.judge(scope, (image, bare), layout, &mut self.handles)?;
        }
        if let Ok(at) = at {
            self.judge_groups(at, layout, (stay, player), bare)?;
        }
        Ok(durable)
    }

    /// The groups that a client holds after a snapshot: those that it is to hold and no others,
    /// each as it is. Which is which is told by what is in them.
    fn judge_groups(
        &mut self,
        at: usize,
        layout: &Layout,
        (stay, player): (&RoomSession, PlayerId),
        bare: &[LayerId],
    ) -> Result<(), Broken> {
        let truth = &mut self.truths[at];
        let held = truth.held_by(player).ok_or_else(|| {
            let what = format!(
                "{player} got a snapshot of {}, before they came",
                truth.tick
            );
            Broken::new(Check::Protocol, what)
        })?;
        let mut missing = held.to_vec();
        let mut empty = 0;
        for (layer, image) in stay.layers().filter(|(layer, _)| layer.is_group()) {
            let Some(group) = truth.group_of(image, &layout.room) else {
                empty += 1;
                continue;
            };
            let Some(place) = missing.iter().position(|of| *of == group) else {
                let what = format!("{} holds group {group} at {}", player, truth.tick);
                return Err(Broken::new(Check::Privacy, what));
            };
            missing.remove(place);
            let image = (image, bare.contains(&layer));
            truth.judge(Scope::Group(group), image, layout, &mut self.handles)?;
        }
        let is_empty = |group: &u16| truth.is_empty(*group);
        if missing.len() != empty || !missing.iter().all(is_empty) {
            let what = format!("{} lacks groups {missing:?} at {}", player, truth.tick);
            return Err(Broken::new(Check::Image, what));
        }
        Ok(())
    }

    /// How many things went from one group to another.
    pub(crate) fn moves(&self) -> u64 {
        self.moves
    }

    /// How many slots were given to more than one thing.
    pub(crate) fn slots_reused(&self) -> u64 {
        self.handles.reused()
    }
}

fn scope_of(truth: &Truth, layer: LayerId, player: PlayerId) -> Result<Scope, Broken> {
    Ok(match layer {
        LayerId::ROOM => Scope::Room,
        LayerId::OWNER => Scope::Owner(player),
        _ => Scope::Team(truth.team_of(player).ok_or_else(|| {
            let what = format!(
                "{player} got a snapshot of {}, before they came",
                truth.tick
            );
            Broken::new(Check::Protocol, what)
        })?),
    })
}
