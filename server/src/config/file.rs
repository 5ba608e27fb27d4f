//! Files that settings name: how they are read, whatever is in them. What is no regular file is
//! refused and not waited for, as a pipe that nobody writes to would be.

use std::fs::{self, FileType};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::SystemTime;

use super::error::ConfigError;

/// Bytes of such a file: two full lists of bans with the longest entries are less. Beyond: it is
/// another file.
pub(crate) const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The bytes of the file that `setting` names. A link to a file will do.
///
/// # Errors
/// One line with the setting and the path: it is no file, too large, or can't be read.
pub(crate) fn read_file(path: &Path, setting: &str) -> Result<Vec<u8>, ConfigError> {
    let failed = |why: &dyn std::fmt::Display| {
        ConfigError::new(format!("{setting} {} can't be read: {why}", path.display()))
    };
    read(path).map_err(|error| failed(&error))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Before it is opened: to open a pipe is to wait for its other end.
    let about = fs::metadata(path)?;
    if !about.is_file() {
        let what = what_is(about.file_type());
        return Err(io::Error::other(format!("it is {what}, not a file")));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let why = format!("it is larger than {FILE_BYTES_MAX} bytes");
        return Err(io::Error::other(why));
    }
    Ok(bytes)
}

/// What shows that a file changed: two of the same file differ then. `None`: it is not there.
pub(crate) type Stamp = Option<(SystemTime, u64)>;

/// The stamp of a file now.
pub(crate) fn stamp(path: &Path) -> Stamp {
    let about = fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}

fn what_is(kind: FileType) -> &'static str {
    match kind {
        _ if kind.is_dir() => "a directory",
        _ if kind.is_fifo() => "a FIFO",
        _ if kind.is_socket() => "a socket",
        _ if kind.is_char_device() || kind.is_block_device() => "a device",
        _ => "something else",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_named_and_not_waited_for() {
        let folder = std::env::temp_dir().join(format!("tickwire-{}-kinds", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let fifo = folder.join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        let link = folder.join("link");
        std::os::unix::fs::symlink(&fifo, &link).unwrap();
        for (path, word) in [
            (folder.as_path(), "a directory"),
            (&fifo, "a FIFO"),
            (&link, "a FIFO"),
            (Path::new("/dev/zero"), "a device"),
            (&folder.join("missing"), "os error 2"),
        ] {
            let error = read_file(path, "bans-file").unwrap_err().to_string();
            let told = format!("bans-file {} can't be read: ", path.display());
            assert!(error.starts_with(&told) && error.contains(word), "{error}");
        }
        fs::write(folder.join("file"), "text").unwrap();
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(folder.join("file"), &link).unwrap();
        assert_eq!(read_file(&link, "bans-file").unwrap(), b"text");
        fs::remove_dir_all(folder).unwrap();
    }
}
