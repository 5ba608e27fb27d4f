//! The file of an operator who names one (`--bans-file`): one document, read at the start, written
//! beside it and then put in its place, so that a stop or a full disk in the middle leaves the old
//! one whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::kept::Document;
use crate::config::{ConfigError, read_file};

/// For the owner alone: documents name players and addresses.
const MODE: u32 = 0o600;

/// See the module's description.
pub(super) struct FileDocument {
    path: PathBuf,
    setting: &'static str,
}

impl FileDocument {
    /// At `path`, which the operator named by `setting`.
    pub(super) fn new(path: &Path, setting: &'static str) -> FileDocument {
        let path = path.to_owned();
        FileDocument { path, setting }
    }
}

impl Document for FileDocument {
    fn name(&self) -> String {
        format!("{} {}", self.setting, self.path.display())
    }

    fn read(&self) -> Result<Option<Vec<u8>>, ConfigError> {
        match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            _ => read_file(&self.path, self.setting).map(Some),
        }
    }

    fn replace(&self, document: &[u8]) -> io::Result<()> {
        let mut beside = self.path.as_os_str().to_owned();
        beside.push(".new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(MODE);
        let mut file = options.open(&beside)?;
        file.write_all(document)?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        let folder = self.path.parent();
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("tickwire-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        fn document(&self) -> FileDocument {
            FileDocument::new(&self.0.join("document"), "some-file")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_was_put_there_is_read_again() {
        let folder = Folder::new("store-kept");
        assert_eq!(folder.document().read().unwrap(), None);
        folder.document().replace(b"one").unwrap();
        folder.document().replace(b"two").unwrap();
        assert_eq!(
            folder.document().read().unwrap().as_deref(),
            Some(&b"two"[..])
        );
        let left: Vec<_> = fs::read_dir(&folder.0).unwrap().collect();
        assert_eq!(left.len(), 1, "nothing is left beside it: {left:?}");
    }

    /// A folder in the place of the file that is written first stands for a disk that takes
    /// nothing.
    #[test]
    fn a_write_that_fails_leaves_the_old_document_whole() {
        let folder = Folder::new("store-full");
        folder.document().replace(b"old").unwrap();
        fs::create_dir(folder.0.join("document.new")).unwrap();
        assert!(folder.document().replace(b"new").is_err());
        assert_eq!(
            folder.document().read().unwrap().as_deref(),
            Some(&b"old"[..])
        );
    }
}
