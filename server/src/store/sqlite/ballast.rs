//! A file beside the tables that is there for its size alone: on a full disk even a delete needs
//! some room, so this is given up then, and made again once there is plenty.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::posix_fallocate;
use nix::sys::statvfs::statvfs;

use super::private;

/// Its bytes: results and deletes of hours.
pub(super) const BYTES: u64 = 16 * 1024 * 1024;
/// It is made again where so much is free, so that it is not given up again at once.
const PLENTY: u64 = 2 * BYTES;
/// A disk with less is full, whatever the system calls the error.
const FULL: u64 = 1024 * 1024;
/// Until it is looked again whether there is room.
const AGAIN: Duration = Duration::from_secs(5);

/// See the module's description.
pub(super) struct Ballast {
    path: PathBuf,
    is_held: bool,
    looked_at: Instant,
}

impl Ballast {
    /// Made, if there is room.
    pub(super) fn new(path: PathBuf) -> Ballast {
        Ballast {
            is_held: make(&path).is_ok(),
            path,
            looked_at: Instant::now(),
        }
    }

    /// Whether it is there; it is made again where that can be.
    pub(super) fn is_held(&mut self) -> bool {
        if !self.is_held && self.looked_at.elapsed() >= AGAIN {
            self.looked_at = Instant::now();
            self.is_held = free(&self.path) >= PLENTY && make(&self.path).is_ok();
        }
        self.is_held
    }

    /// Something could not be written: where that is for want of room, there is some now.
    pub(super) fn give_up_if_full(&mut self) {
        if self.is_held && free(&self.path) < FULL {
            // What can't be removed can be made empty, or it is gone already.
            let _ = fs::remove_file(&self.path);
            (self.is_held, self.looked_at) = (false, Instant::now());
        }
    }
}

/// Bytes that are free where this file is or would be.
fn free(path: &Path) -> u64 {
    let folder = path.parent().filter(|path| !path.as_os_str().is_empty());
    let about = statvfs(folder.unwrap_or(Path::new(".")));
    about.map_or(0, |about| about.blocks_available() * about.fragment_size())
}

fn make(path: &Path) -> io::Result<()> {
    let made = fill(path);
    if made.is_err() {
        // What of it was made is room that others need.
        let _ = fs::remove_file(path);
    }
    made
}

fn fill(path: &Path) -> io::Result<()> {
    let mut file = private::open(path)?;
    match posix_fallocate(&file, 0, BYTES as i64) {
        Ok(()) => Ok(()),
        // A file system that can't do that.
        Err(Errno::EOPNOTSUPP | Errno::EINVAL) => {
            let zeros = vec![0; 64 * 1024];
            for _ in 0..BYTES / zeros.len() as u64 {
                file.write_all(&zeros)?;
            }
            file.sync_all()
        }
        Err(error) => Err(error.into()),
    }
}
