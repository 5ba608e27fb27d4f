//! What callgrind wrote: of each file the name under which it was asked for, and its totals by
//! event. The functions in between are `callgrind_annotate`'s to show.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;

/// How the file says what it was written for.
const TRIGGER: &str = "desc: Trigger: Client Request: ";

/// What one stage took, in all of its turns together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Instructions.
    pub instructions: u64,
    /// Lines that the first cache of instructions lacked.
    pub code_misses: u64,
    /// Lines that the first cache of data lacked, read or written.
    pub data_misses: u64,
    /// Lines of either kind that the second cache lacked too.
    pub far_misses: u64,
}

/// Why a file says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DumpError {
    /// It was not written by a request, as the last one of a run, or is not callgrind's.
    Unnamed,
    /// It has no totals, or they are not of the events that it names.
    Broken,
}

impl fmt::Display for DumpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DumpError::Unnamed => "was not written by a request",
            DumpError::Broken => "has no totals of its events",
        })
    }
}

impl std::error::Error for DumpError {}

/// The name and totals of one file.
pub(super) fn parse(text: &str) -> Result<(&str, Totals), DumpError> {
    let (mut name, mut events, mut totals) = (None, None, None);
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix(TRIGGER) {
            name = Some(rest.trim());
        } else if let Some(rest) = line.strip_prefix("events:") {
            events = Some(rest);
        } else if let Some(rest) = line.strip_prefix("totals:") {
            totals = Some(rest);
        }
    }
    let name = name.ok_or(DumpError::Unnamed)?;
    let (events, totals) = events.zip(totals).ok_or(DumpError::Broken)?;
    let values: Result<Vec<u64>, _> = totals.split_whitespace().map(str::parse).collect();
    let values = values.map_err(|_| DumpError::Broken)?;
    let events: Vec<&str> = events.split_whitespace().collect();
    // Zeros at the end are left out; a value without an event is none.
    if values.is_empty() || values.len() > events.len() {
        return Err(DumpError::Broken);
    }
    let of = |event: &str| {
        let at = events.iter().position(|&name| name == event);
        let at = at.ok_or(DumpError::Broken)?;
        Ok(values.get(at).copied().unwrap_or(0))
    };
    let totals = Totals {
        instructions: of("Ir")?,
        code_misses: of("I1mr")?,
        data_misses: of("D1mr")? + of("D1mw")?,
        far_misses: of("ILmr")? + of("DLmr")? + of("DLmw")?,
    };
    Ok((name, totals))
}

/// All named totals of a folder.
///
/// # Errors
/// The folder's, or a file's that is not as it should be.
pub(super) fn read(folder: &Path) -> io::Result<BTreeMap<String, Totals>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let text = std::fs::read_to_string(&path)?;
        match parse(&text) {
            Ok((name, totals)) => {
                all.insert(name.to_owned(), totals);
            }
            // The end of the run, in which nothing is counted.
            Err(DumpError::Unnamed) => {}
            Err(error) => {
                return Err(io::Error::other(format!("{}: {error}", path.display())));
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As callgrind 3.19 wrote it, shortened; its totals leave out the zeros at the end, and its
    /// summary is below nothing.
    const ENCODE: &str = include_str!("encode_1.callgrind");

    #[test]
    fn a_real_dump_gives_its_name_and_totals() {
        let expected = Totals {
            instructions: 17_593_989,
            code_misses: 37_001,
            data_misses: 62_023 + 14_318,
            far_misses: 4 + 5,
        };
        assert_eq!(parse(ENCODE), Ok(("encode/1", expected)));
    }

    #[test]
    fn a_file_without_a_name_or_totals_is_no_count() {
        let unnamed = ENCODE.replace(TRIGGER, "desc: Trigger: Program termination");
        assert_eq!(parse(&unnamed), Err(DumpError::Unnamed));
        for broken in [
            ENCODE.replace("totals:", "summary:"),
            ENCODE.replace("totals: 1", "totals: x1"),
            ENCODE.replace("D1mw", "other"),
            ENCODE.replace("totals:", "totals: 1 2 3 4"),
        ] {
            assert_eq!(parse(&broken), Err(DumpError::Broken));
        }
    }
}
