//! Where what must not be guessed comes from: keys, tokens, codes, numbers of rooms. The operating
//! system's, or for a server that is stepped by hand what a seed gives, so that a run can be
//! repeated.

use std::sync::Arc;

use parking_lot::Mutex;
use rand::rngs::{ChaCha8Rng, SysError, SysRng};
use rand::{Rng, SeedableRng, TryRng};

/// Clones are the same source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entropy(Option<Arc<Mutex<ChaCha8Rng>>>);

impl Entropy {
    /// What a seed gives. Whoever knows the seed guesses all of it.
    pub(crate) fn seeded(seed: u64) -> Entropy {
        Entropy(Some(Arc::new(Mutex::new(ChaCha8Rng::seed_from_u64(seed)))))
    }

    /// So many bytes.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub(crate) fn bytes<const N: usize>(&self) -> Result<[u8; N], SysError> {
        let mut bytes = [0; N];
        match &self.0 {
            Some(seeded) => seeded.lock().fill_bytes(&mut bytes),
            None => SysRng.try_fill_bytes(&mut bytes)?,
        }
        Ok(bytes)
    }
}
