//! The file in which sanctions outlast the process: JSON, read at the start, written anew after each order. It is
//! replaced in one step, so that a stop or a full disk in the middle leaves the old one whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::sanctions::Sanction;
use crate::config::{ConfigError, read_file};

/// For the owner alone: it says who was banned from where.
const MODE: u32 = 0o600;

/// What is in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contents {
    pub(super) bans: Vec<Sanction>,
    pub(super) mutes: Vec<Sanction>,
}

/// See the module's description.
pub(super) struct SanctionsFile {
    path: PathBuf,
    /// Held while the file is written: a later order is not overtaken by an earlier one.
    writing: tokio::sync::Mutex<()>,
}

impl SanctionsFile {
    /// Reads the file, or makes an empty one, so that a path that can't be written is found at the start.
    ///
    /// # Errors
    /// One line: it can't be read or written, or is none of these files.
    pub(super) fn open(path: &Path) -> Result<(SanctionsFile, Contents), ConfigError> {
        let failed = |what: String| {
            let shown = path.display();
            ConfigError::new(format!("bans-file {shown} {what}"))
        };
        let contents = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let empty = Contents::default();
                let written = write(path, &empty);
                written.map_err(|error| failed(format!("can't be written: {error}")))?;
                empty
            }
            _ => {
                let text = read_file(path, "bans-file")?;
                let contents = serde_json::from_slice(&text);
                contents.map_err(|error| failed(format!("is broken: {error}")))?
            }
        };
        let file = SanctionsFile {
            path: path.to_owned(),
            writing: tokio::sync::Mutex::default(),
        };
        Ok((file, contents))
    }

    /// Replaces the file by what `contents` gives once earlier writes are through. In a tokio runtime's context.
    ///
    /// # Errors
    /// The system's; the old file is whole then.
    pub(super) async fn save(&self, contents: impl FnOnce() -> Contents) -> io::Result<()> {
        let _writing = self.writing.lock().await;
        let (path, contents) = (self.path.clone(), contents());
        let written = tokio::task::spawn_blocking(move || write(&path, &contents));
        written
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

/// Written beside it, then put in its place.
fn write(path: &Path, contents: &Contents) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let text = serde_json::to_vec_pretty(contents)?;
    let options = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(MODE)
        .clone();
    let mut file = options.open(&beside)?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::date::Date;
    use crate::moderation::target::Target;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("tickwire-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        fn file(&self) -> PathBuf {
            self.0.join("bans.json")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn some() -> Contents {
        let sanction = |target| Sanction {
            target,
            until: Date(2_000_000_000),
            since: Date(1_000_000_000),
            reason: "said \"no\"\n".into(),
        };
        Contents {
            bans: vec![sanction(Target::address("2001:db8::1").unwrap())],
            mutes: vec![sanction(Target::player("user:ann").unwrap())],
        }
    }

    #[tokio::test]
    async fn what_was_saved_is_read_again() {
        let folder = Folder::new("bans-saved");
        let (file, empty) = SanctionsFile::open(&folder.file()).unwrap();
        assert_eq!(empty, Contents::default());
        assert!(folder.file().exists(), "its place can be written to");
        file.save(some).await.unwrap();
        assert_eq!(SanctionsFile::open(&folder.file()).unwrap().1, some());
        let left: Vec<_> = fs::read_dir(&folder.0).unwrap().collect();
        assert_eq!(left.len(), 1, "nothing is left beside it: {left:?}");
    }

    /// A folder in the place of the file that is written first stands for a disk that takes nothing.
    #[tokio::test]
    async fn a_write_that_fails_leaves_the_old_file_whole() {
        let folder = Folder::new("bans-full");
        let (file, _) = SanctionsFile::open(&folder.file()).unwrap();
        file.save(some).await.unwrap();
        fs::create_dir(folder.0.join("bans.json.new")).unwrap();
        assert!(file.save(Contents::default).await.is_err());
        assert_eq!(SanctionsFile::open(&folder.file()).unwrap().1, some());
    }

    #[test]
    fn a_broken_file_is_named_with_what_is_wrong() {
        let folder = Folder::new("bans-broken");
        for (text, word) in [
            ("", "broken"),
            ("{\"bans\": []}", "mutes"),
            ("{\"bans\": [], \"mutes\": [], \"more\": 1}", "more"),
            (
                "{\"bans\": [{\"target\": \"everybody\"}], \"mutes\": []}",
                "target",
            ),
        ] {
            fs::write(folder.file(), text).unwrap();
            let error = SanctionsFile::open(&folder.file())
                .err()
                .unwrap()
                .to_string();
            assert!(
                error.contains(word) && error.contains("bans.json"),
                "{error}"
            );
            assert!(!error.contains('\n'), "{error}");
        }
        let nowhere = folder.0.join("missing/bans.json");
        let error = SanctionsFile::open(&nowhere).err().unwrap().to_string();
        assert!(error.contains("can't be written"), "{error}");
    }
}
