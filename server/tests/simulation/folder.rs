//! Where the room of a run is kept that outlives its process: a folder of its own, which is gone with
//! the run. Kept by `host`.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs};

use tickwire::ids::RoomId;

/// See the module's description.
pub(crate) struct Folder {
    path: PathBuf,
    /// The first that was kept there.
    first: Option<(PathBuf, Vec<u8>)>,
}

impl Folder {
    pub(crate) fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (process, next) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = env::temp_dir().join(format!("tickwire-{process}-simulated-{next}"));
        Folder { path, first: None }
    }

    /// With what is there of a room whose maker has gone.
    pub(crate) fn with_first(mut self, room: RoomId) -> Folder {
        let path = self.path.join(format!("{:08x}.room", room.0));
        let bytes = fs::read(&path).expect("a room that falls asleep is kept");
        self.first = Some((path, bytes));
        self
    }

    /// For the settings.
    pub(crate) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Why no room is made of what is there.
    pub(crate) fn why(&self) -> String {
        let names = fs::read_dir(&self.path).map(|names| {
            let names = names.filter_map(|name| Some(name.ok()?.file_name()));
            names.collect::<Vec<_>>()
        });
        format!("{names:?} are kept")
    }

    /// What was kept of the room since is lost.
    pub(crate) fn put_the_first_back(&self) {
        if let Some((path, bytes)) = &self.first {
            fs::write(path, bytes).expect("a folder of our own");
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}
