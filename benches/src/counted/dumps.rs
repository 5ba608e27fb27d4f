//! What callgrind wrote: of each file the name under which it was asked for, and its totals by
//! event. The functions in between are `callgrind_annotate`'s to show.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// How the file says what it was written for.
const TRIGGER: &str = "desc: Trigger: Client Request: ";

/// What one stage took, in all of its turns together or by a unit of what they did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Instructions.
    pub instructions: f64,
    /// Misses of the first cache of instructions.
    pub code_misses: f64,
    /// Misses of the first cache of data.
    pub data_misses: f64,
    /// Misses of the second cache.
    pub far_misses: f64,
}

impl Counts {
    /// Of these numbers, in the order of the fields.
    pub(super) fn new([instructions, code_misses, data_misses, far_misses]: [f64; 4]) -> Counts {
        Counts {
            instructions,
            code_misses,
            data_misses,
            far_misses,
        }
    }

    /// The same numbers.
    pub(super) fn all(&self) -> [f64; 4] {
        [
            self.instructions,
            self.code_misses,
            self.data_misses,
            self.far_misses,
        ]
    }
}

/// The name and totals of one file; nothing of one that was not written by a request, as the last
/// one of a run. An error says what is wrong with the others.
pub(super) fn parse(text: &str) -> Result<Option<(&str, Counts)>, &'static str> {
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
    let Some(name) = name else { return Ok(None) };
    let broken = "has no totals of its events";
    let (events, totals) = events.zip(totals).ok_or(broken)?;
    let values: Result<Vec<f64>, _> = totals.split_whitespace().map(str::parse).collect();
    let values = values.map_err(|_| broken)?;
    let events: Vec<&str> = events.split_whitespace().collect();
    // Zeros at the end are left out; a value without an event is none.
    if values.is_empty() || values.len() > events.len() {
        return Err(broken);
    }
    let of = |event: &str| -> Result<f64, &'static str> {
        let at = events.iter().position(|&name| name == event);
        Ok(values.get(at.ok_or(broken)?).copied().unwrap_or(0.0))
    };
    let data = of("D1mr")? + of("D1mw")?;
    let far = of("ILmr")? + of("DLmr")? + of("DLmw")?;
    let totals = Counts::new([of("Ir")?, of("I1mr")?, data, far]);
    Ok(Some((name, totals)))
}

/// All named totals of a folder.
///
/// # Errors
/// The folder's, or a file's that is not as it should be.
pub(super) fn read(folder: &Path) -> io::Result<BTreeMap<String, Counts>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let text = std::fs::read_to_string(&path)?;
        let parsed =
            parse(&text).map_err(|what| io::Error::other(format!("{}: {what}", path.display())))?;
        // The end of the run, in which nothing is counted, has no name.
        all.extend(parsed.map(|(name, totals)| (name.to_owned(), totals)));
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
        let expected = Counts {
            instructions: 17_593_989.0,
            code_misses: 37_001.0,
            data_misses: 62_023.0 + 14_318.0,
            far_misses: 4.0 + 5.0,
        };
        assert_eq!(parse(ENCODE), Ok(Some(("encode/1", expected))));
    }

    #[test]
    fn a_file_without_a_name_or_totals_is_no_count() {
        let unnamed = ENCODE.replace(TRIGGER, "desc: Trigger: Program termination");
        assert_eq!(parse(&unnamed), Ok(None));
        for broken in [
            ENCODE.replace("totals:", "summary:"),
            ENCODE.replace("totals: 1", "totals: x1"),
            ENCODE.replace("D1mw", "other"),
            ENCODE.replace("totals:", "totals: 1 2 3 4"),
        ] {
            assert!(parse(&broken).is_err());
        }
    }
}
