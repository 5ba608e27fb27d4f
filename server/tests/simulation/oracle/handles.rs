//! Which handle names which thing, learnt from everything that any client is shown: a handle never
//! names two things, and a thing never has two handles.

use std::collections::HashMap;

use tickwire::ids::{Handle, Tick};

use crate::broken::{Broken, Check};

/// All handles that were shown. Looked up, never iterated.
#[derive(Default)]
pub(crate) struct Handles {
    tags: HashMap<Handle, u32>,
    /// And the earliest tick of which they were shown.
    handles: HashMap<u32, (Handle, Tick)>,
}

impl Handles {
    /// A handle was shown with the tag of a thing, as it was at `tick`.
    pub(crate) fn learn(&mut self, handle: Handle, tag: u32, tick: Tick) -> Result<(), Broken> {
        let known = *self.tags.entry(handle).or_insert(tag);
        let (by, since) = self.handles.entry(tag).or_insert((handle, tick));
        *since = tick.min(*since);
        let by = *by;
        if known != tag {
            let what = format!("{handle:?} named thing {known} and now {tag}");
            return Err(Broken::new(Check::Handles, what));
        }
        if by != handle {
            let what = format!("thing {tag} was {by:?} and is now {handle:?}");
            return Err(Broken::new(Check::Handles, what));
        }
        Ok(())
    }

    /// What came after `tick` has not been.
    pub(crate) fn fall_back(&mut self, tick: Tick) {
        self.handles.retain(|_, (_, since)| *since <= tick);
        let handles = &self.handles;
        self.tags.retain(|_, tag| handles.contains_key(tag));
    }

    /// The thing that a handle names.
    pub(crate) fn tag(&self, handle: Handle) -> Option<u32> {
        self.tags.get(&handle).copied()
    }

    /// Whether anybody was shown a thing, or told of it.
    pub(crate) fn knows(&self, tag: u32) -> bool {
        self.handles.contains_key(&tag)
    }

    /// How many slots were given to more than one thing.
    pub(crate) fn reused(&self) -> u64 {
        self.tags
            .keys()
            .filter(|handle| handle.generation > 0)
            .count() as u64
    }
}
