//! How good players of a game are, as far as it was read lately, so that who queues again costs no
//! read ([`super::means`]). What this process counts and erases changes what is remembered; what
//! another one counts is seen once that is forgotten.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Players that are remembered, a few hundred bytes each: those who queue within some minutes.
/// Beyond: who was read first is read again.
const KEPT_MAX: usize = 4096;
/// For how long, which is how late a match that another process counted is seen.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// See the module's description.
#[derive(Default)]
pub(super) struct Rated(Mutex<Table>);

#[derive(Default)]
struct Table {
    of: HashMap<Arc<str>, Kept>,
    /// By when each was read, the first first.
    order: VecDeque<(Instant, Arc<str>)>,
    /// How often something became otherwise than it may have been read.
    changes: u64,
}

struct Kept {
    mean: f64,
    read: Instant,
}

impl Rated {
    /// The mean of somebody's rating, as far as it is remembered.
    pub(super) fn mean(&self, game: &str, player: &str, now: Instant) -> Option<f64> {
        let table = self.0.lock();
        let kept = table.of.get(&*key(game, player))?;
        (now.saturating_duration_since(kept.read) < KEPT_FOR).then_some(kept.mean)
    }

    /// How often something became otherwise than it may have been read.
    pub(super) fn changes(&self) -> u64 {
        self.0.lock().changes
    }

    /// Remembers what was read since there had been so many changes.
    pub(super) fn keep<'a>(
        &self,
        changes: u64,
        game: &str,
        read: impl Iterator<Item = (&'a str, f64)>,
        now: Instant,
    ) {
        let mut table = self.0.lock();
        // It may be what was before.
        if table.changes != changes {
            return;
        }
        for (player, mean) in read {
            let key = key(game, player);
            table.of.insert(key.clone(), Kept { mean, read: now });
            table.order.push_back((now, key));
        }
        while let Some((read, _)) = table.order.front()
            && (table.order.len() > KEPT_MAX || now.saturating_duration_since(*read) >= KEPT_FOR)
            && let Some((read, key)) = table.order.pop_front()
        {
            // It may have been read again since.
            if table.of.get(&key).is_some_and(|kept| kept.read == read) {
                table.of.remove(&key);
            }
        }
    }

    /// A match that was counted says so.
    pub(super) fn learn(&self, game: &str, player: &str, mean: f64) {
        let mut table = self.0.lock();
        table.changes += 1;
        if let Some(kept) = table.of.get_mut(&*key(game, player)) {
            kept.mean = mean;
        }
    }

    /// Somebody was erased.
    pub(super) fn forget(&self, player: &str) {
        let mut table = self.0.lock();
        table.changes += 1;
        let is_theirs = |key: &str| key.split_once('\n').is_some_and(|(_, of)| of == player);
        table.of.retain(|key, _| !is_theirs(key));
        table.order.retain(|(_, key)| !is_theirs(key));
    }
}

/// A game's name has no line's end.
fn key(game: &str, player: &str) -> Arc<str> {
    format!("{game}\n{player}").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::means::ASKED_MAX;

    fn read(rated: &Rated, changes: u64, players: &[String], now: Instant) {
        let read = players.iter().map(|player| (player.as_str(), 30.0));
        rated.keep(changes, "chess", read, now);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_of_late() {
        let (rated, start) = (Rated::default(), Instant::now());
        let players: Vec<String> = (0..2 * KEPT_MAX).map(|at| format!("user:{at}")).collect();
        for (at, some) in (0..).zip(players.chunks(ASKED_MAX)) {
            read(&rated, 0, some, start + Duration::from_millis(at));
        }
        let at_end = start + Duration::from_secs(1);
        let known = |now| {
            let is_known = |player: &&String| rated.mean("chess", player, now).is_some();
            players.iter().filter(is_known).count()
        };
        assert_eq!(known(at_end), KEPT_MAX);
        assert!(rated.mean("chess", &players[0], at_end).is_none());
        assert!(rated.mean("go", &players[KEPT_MAX], at_end).is_none());
        assert_eq!(known(at_end + KEPT_FOR), 0);
        // Those go when others come, and who is read again stays.
        let again = &players[players.len() - 1..];
        read(&rated, 0, again, at_end + KEPT_FOR);
        let table = rated.0.lock();
        assert_eq!((table.of.len(), table.order.len()), (1, 1));
    }

    #[test]
    fn what_was_read_before_a_change_is_not_remembered() {
        let (rated, now) = (Rated::default(), Instant::now());
        let ann = ["user:ann".to_owned()];
        let before = rated.changes();
        rated.learn("chess", "user:ann", 31.0);
        read(&rated, before, &ann, now);
        assert_eq!(rated.mean("chess", "user:ann", now), None);
        read(&rated, rated.changes(), &ann, now);
        assert_eq!(rated.mean("chess", "user:ann", now), Some(30.0));
        rated.learn("chess", "user:ann", 31.0);
        rated.learn("go", "user:ann", 2.0);
        assert_eq!(rated.mean("chess", "user:ann", now), Some(31.0));
        rated.forget("user:bo");
        assert_eq!(rated.mean("chess", "user:ann", now), Some(31.0));
        rated.forget("user:ann");
        assert_eq!(rated.mean("chess", "user:ann", now), None);
    }
}
