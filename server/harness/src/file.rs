//! Files that tests hand to servers.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A file of this process that is gone with the test.
pub struct File(PathBuf);

impl File {
    /// With this text. Its name ends in `name`, so that settings which go by it hold.
    pub fn new(name: &str, text: &str) -> File {
        let file = File::missing(name);
        std::fs::write(&file.0, text).expect("temporary files can be written");
        file
    }

    /// Only its name, as yet.
    pub fn missing(name: &str) -> File {
        static FILES: AtomicU32 = AtomicU32::new(0);
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let name = format!("tickwire-{}-{number}-{name}", std::process::id());
        File(std::env::temp_dir().join(name))
    }

    /// Its path, for a flag.
    pub fn path(&self) -> &str {
        self.0
            .to_str()
            .expect("the temporary folder's name is text")
    }

    /// What is in it.
    pub fn text(&self) -> String {
        std::fs::read_to_string(&self.0).unwrap_or_else(|error| panic!("{}: {error}", self.path()))
    }
}

impl AsRef<Path> for File {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
