//! Waiting until others have left the machine alone, but not for ever. `look` is what takes time:
//! it watches for a while.

use super::repeat::is_calm;

/// What waiting came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Waited {
    /// Looks that it took.
    pub looks: usize,
    /// What others had of the cores in the last one.
    pub others: Option<f64>,
}

impl Waited {
    /// Whether the machine was calm in the end.
    pub fn is_calm(&self) -> bool {
        is_calm(self.others)
    }
}

/// Looks until the machine is calm, `looks_max` times at most and once at least.
pub fn until_calm(looks_max: usize, mut look: impl FnMut() -> Option<f64>) -> Waited {
    let mut waited = Waited {
        looks: 1,
        others: look(),
    };
    while !waited.is_calm() && waited.looks < looks_max {
        waited = Waited {
            looks: waited.looks + 1,
            others: look(),
        };
    }
    waited
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(shares: &[Option<f64>], looks_max: usize) -> Waited {
        let mut shares = shares.iter();
        until_calm(looks_max, || {
            *shares.next().expect("no more looks than that")
        })
    }

    #[test]
    fn it_ends_when_the_machine_is_calm() {
        let waited = wait(&[Some(0.9), Some(0.4), Some(0.01)], 10);
        assert_eq!((waited.looks, waited.is_calm()), (3, true));
    }

    #[test]
    fn it_ends_when_the_machine_never_is() {
        let waited = wait(&[Some(0.9), Some(0.4)], 2);
        assert_eq!((waited.looks, waited.others), (2, Some(0.4)));
        assert!(!waited.is_calm());
    }

    #[test]
    fn where_nobody_knows_there_is_nothing_to_wait_for() {
        assert_eq!(wait(&[None], 5).looks, 1);
    }
}
