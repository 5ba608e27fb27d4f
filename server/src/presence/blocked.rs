//! Whom a player does not want to hear. Changed by making another one: who has it shares it.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crate::auth::Identity;

/// They, with what they were called then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Blocked(BTreeMap<Identity, String>);

impl Blocked {
    /// Nobody, as of most players: one for all of them.
    pub(crate) fn nobody() -> Arc<Blocked> {
        static NOBODY: LazyLock<Arc<Blocked>> = LazyLock::new(Arc::default);
        NOBODY.clone()
    }

    pub(crate) fn has(&self, who: &Identity) -> bool {
        self.0.contains_key(who)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Identity, &str)> {
        self.0.iter().map(|(who, name)| (who, &**name))
    }

    /// The same with somebody, or without.
    pub(crate) fn changed(&self, who: &Identity, name: &str, is_in: bool) -> Blocked {
        let mut changed = self.clone();
        match is_in {
            true => drop(changed.0.insert(who.clone(), name.to_owned())),
            false => drop(changed.0.remove(who)),
        }
        changed
    }
}

impl FromIterator<(Identity, String)> for Blocked {
    fn from_iter<T: IntoIterator<Item = (Identity, String)>>(them: T) -> Blocked {
        Blocked(them.into_iter().collect())
    }
}
