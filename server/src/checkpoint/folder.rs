//! A folder with a file a room: what `--state-file` names. A file is written beside, synced and put
//! in the place of the old one; so after a kill or a power cut it is the old one or the new one,
//! whole. One process at a time has the folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tickwire::ids::RoomId;

use super::envelope::CHECKPOINT_BYTES_MAX;
use super::{Keeper, Outcome, Sealed};
use crate::config::ConfigError;

/// For the owner alone: checkpoints name players and addresses.
const MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;
/// Ends of names.
const KEPT: &str = ".room";
const BESIDE: &str = ".new";
const REFUSED: &str = ".refused";
/// The file that is locked.
const LOCK: &str = "lock";

/// See the module's description.
pub(crate) struct Folder {
    path: PathBuf,
    /// Locked for as long as it is open.
    _lock: File,
}

impl Folder {
    /// Takes the folder at `path` for this process; it is made if it is not there.
    ///
    /// # Errors
    /// One line: another process has it, or it can't be used.
    pub(crate) fn take(path: &Path) -> Result<Folder, ConfigError> {
        let failed = |why: &dyn std::fmt::Display| {
            ConfigError::new(format!("state-file {} {why}", path.display()))
        };
        let unusable = |error: io::Error| failed(&format!("can't be used: {error}"));
        match fs::DirBuilder::new().mode(FOLDER_MODE).create(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(unusable(error)),
            _ => {}
        }
        if !path.is_dir() {
            return Err(failed(
                &"is no directory: it names one, with a file for each room",
            ));
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(MODE);
        let lock = options.open(path.join(LOCK)).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Folder {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(failed(&"is in use by another server")),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    /// The rooms of which there is a checkpoint, by rising number. What was being written when a
    /// process ended is removed.
    ///
    /// # Errors
    /// The folder can't be read.
    pub(crate) fn rooms(&self) -> io::Result<Vec<RoomId>> {
        let mut rooms = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let Some(name) = name.to_str() else {
                continue;
            };
            if let Some(room) = name.strip_suffix(KEPT).and_then(number) {
                rooms.push(room);
            } else if name.strip_suffix(BESIDE).and_then(number).is_some() {
                // One that stays is written over.
                let _ = fs::remove_file(self.path.join(name));
            }
        }
        rooms.sort_unstable();
        Ok(rooms)
    }

    /// The bytes of a room's checkpoint, one more than [`CHECKPOINT_BYTES_MAX`] at most.
    ///
    /// # Errors
    /// It can't be read, or is no file of its own.
    pub(crate) fn read(&self, room: RoomId) -> io::Result<Vec<u8>> {
        let path = self.file(room, KEPT);
        // Before it is opened: to open a pipe is to wait for its other end.
        if !fs::symlink_metadata(&path)?.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        let mut bytes = Vec::new();
        File::open(path)?
            .take(CHECKPOINT_BYTES_MAX + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Sets a room's checkpoint aside, for a person to look at: it is not read again, and not
    /// written over but by another one of the same number that is refused. Where it is then.
    ///
    /// # Errors
    /// It is where it was.
    pub(crate) fn set_aside(&self, room: RoomId) -> io::Result<PathBuf> {
        let aside = self.file(room, &format!("{KEPT}{REFUSED}"));
        fs::rename(self.file(room, KEPT), &aside)?;
        Ok(aside)
    }

    /// The bytes of a secret of this name, which are made by `make` where there is none yet.
    ///
    /// # Errors
    /// One line: it can't be read or written.
    pub(crate) fn secret(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<Vec<u8>, ConfigError>,
    ) -> Result<PathBuf, ConfigError> {
        secret(self.path.join(name), make)
    }

    fn keep_one(&self, room: RoomId, parts: &[&[u8]]) -> io::Result<u64> {
        let beside = self.file(room, BESIDE);
        let kept = write(&beside, parts).and_then(|()| fs::rename(&beside, self.file(room, KEPT)));
        if kept.is_err() {
            // On a disk that is full every byte counts.
            let _ = fs::remove_file(&beside);
        }
        kept.map(|()| parts.iter().map(|part| part.len() as u64).sum())
    }

    fn file(&self, room: RoomId, end: &str) -> PathBuf {
        self.path.join(format!("{:08x}{end}", room.0))
    }
}

impl Keeper for Folder {
    fn name(&self) -> String {
        format!("state-file {}", self.path.display())
    }

    fn at_once(&self) -> usize {
        1
    }

    fn keep(&mut self, rooms: &[Sealed<'_>]) -> Vec<io::Result<Outcome>> {
        let keep = |sealed: &Sealed<'_>| {
            let kept = self.keep_one(sealed.room, &sealed.parts);
            kept.map(Outcome::Kept)
        };
        rooms.iter().map(keep).collect()
    }

    fn forget(&mut self, room: RoomId) -> io::Result<()> {
        match fs::remove_file(self.file(room, KEPT)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn settle(&mut self) -> io::Result<()> {
        sync(&self.path)
    }
}

/// A file with a secret, which is made by `make` where there is none yet; where it is.
///
/// # Errors
/// One line: it can't be read or written.
pub(crate) fn secret(
    path: PathBuf,
    make: impl FnOnce() -> Result<Vec<u8>, ConfigError>,
) -> Result<PathBuf, ConfigError> {
    // What is there but can't be used is for its reader to say.
    if fs::symlink_metadata(&path).is_ok() {
        return Ok(path);
    }
    let mut beside = path.clone().into_os_string();
    beside.push(BESIDE);
    let bytes = make()?;
    let written = write(Path::new(&beside), &[&bytes])
        .and_then(|()| fs::rename(&beside, &path))
        .and_then(|()| match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => sync(folder),
            _ => sync(Path::new(".")),
        });
    match written {
        Ok(()) => Ok(path),
        Err(error) => Err(ConfigError::new(format!(
            "{} can't be written: {error}",
            path.display()
        ))),
    }
}

/// Writes a file anew, down to the disk.
fn write(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(MODE);
    let mut file = options.open(path)?;
    parts.iter().try_for_each(|part| file.write_all(part))?;
    file.sync_data()
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The room whose number a name begins with, and ends.
fn number(name: &str) -> Option<RoomId> {
    let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    let is_number = name.len() == 8 && name.bytes().all(is_digit);
    let number = u32::from_str_radix(name, 16).ok();
    number.filter(|_| is_number).map(RoomId)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Place {
            let path = format!("tickwire-{}-state-{name}", std::process::id());
            Place(std::env::temp_dir().join(path))
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let names = entries.map(|entry| entry.unwrap().file_name());
            let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_was_kept_is_there_and_what_was_forgotten_is_not() {
        let place = Place::new("kept");
        let mut folder = Folder::take(&place.0).unwrap();
        assert_eq!(folder.rooms().unwrap(), []);
        folder.keep_one(RoomId(2), &[b"a", b"b"]).unwrap();
        folder.keep_one(RoomId(0xab_cdef), &[b"", b"c"]).unwrap();
        assert_eq!(folder.keep_one(RoomId(2), &[b"ab", b"cd"]).unwrap(), 4);
        folder.settle().unwrap();
        assert_eq!(folder.rooms().unwrap(), [RoomId(2), RoomId(0xab_cdef)]);
        assert_eq!(folder.read(RoomId(2)).unwrap(), b"abcd");
        folder.forget(RoomId(2)).unwrap();
        folder.forget(RoomId(2)).unwrap();
        assert_eq!(folder.rooms().unwrap(), [RoomId(0xab_cdef)]);
        assert_eq!(place.names(), ["00abcdef.room", "lock"]);
    }

    #[test]
    fn one_server_at_a_time_has_it() {
        let place = Place::new("locked");
        let folder = Folder::take(&place.0).unwrap();
        let other = Folder::take(&place.0).err().unwrap().to_string();
        assert!(other.ends_with("is in use by another server"), "{other}");
        drop(folder);
        assert!(Folder::take(&place.0).is_ok());
    }

    /// What a kill leaves, and what somebody else put there.
    #[test]
    fn what_is_none_of_its_files_is_left_alone_and_half_written_ones_go() {
        let place = Place::new("strange");
        let folder = Folder::take(&place.0).unwrap();
        folder.keep_one(RoomId(1), &[b"whole", b""]).unwrap();
        for name in ["00000001.new", "00000009.new"] {
            fs::write(place.0.join(name), "half").unwrap();
        }
        for name in ["notes.new", "0000000A.room", "1.room", "+0000001.room"] {
            fs::write(place.0.join(name), "theirs").unwrap();
        }
        std::os::unix::fs::symlink("/dev/zero", place.0.join("00000005.room")).unwrap();
        let fifo = place.0.join("00000006.room");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        assert_eq!(folder.rooms().unwrap(), [RoomId(1), RoomId(5), RoomId(6)]);
        assert_eq!(folder.read(RoomId(1)).unwrap(), b"whole");
        assert!(folder.read(RoomId(5)).is_err() && folder.read(RoomId(6)).is_err());
        assert!(!place.names().contains(&"00000001.new".to_owned()));
        assert!(place.names().contains(&"notes.new".to_owned()));
        let aside = folder.set_aside(RoomId(1)).unwrap();
        assert_eq!(fs::read(aside).unwrap(), b"whole");
        assert_eq!(folder.rooms().unwrap(), [RoomId(5), RoomId(6)]);
    }

    /// A folder in the place of the file that is written first stands for a disk that takes
    /// nothing.
    #[test]
    fn a_write_that_fails_leaves_the_old_one_whole() {
        let place = Place::new("full");
        let folder = Folder::take(&place.0).unwrap();
        folder.keep_one(RoomId(1), &[b"old", b""]).unwrap();
        fs::create_dir(place.0.join("00000001.new")).unwrap();
        assert!(folder.keep_one(RoomId(1), &[b"new", b""]).is_err());
        assert_eq!(folder.read(RoomId(1)).unwrap(), b"old");
    }

    #[test]
    fn a_secret_is_made_once() {
        use std::os::unix::fs::PermissionsExt;
        let place = Place::new("secret");
        let folder = Folder::take(&place.0).unwrap();
        let path = folder.secret("key", || Ok(vec![1; 32])).unwrap();
        assert_eq!(fs::read(&path).unwrap(), [1; 32]);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let again = folder.secret("key", || panic!("there is one")).unwrap();
        assert_eq!(fs::read(again).unwrap(), [1; 32]);
    }

    #[test]
    fn what_can_not_be_a_folder_is_told_in_one_line() {
        let place = Place::new("file");
        fs::write(&place.0, "").unwrap();
        let told = Folder::take(&place.0).err().unwrap().to_string();
        assert!(
            told.contains("is no directory") && !told.contains('\n'),
            "{told}"
        );
        fs::remove_file(&place.0).unwrap();
        let told = Folder::take(Path::new("/proc/none")).err().unwrap();
        assert!(told.to_string().contains("can't be used"), "{told}");
    }
}
