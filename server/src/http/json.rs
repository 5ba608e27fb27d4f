//! JSON in which everything can be seen: characters that show nothing or turn the text around them
//! are written as escapes, which parsers read as the same characters. An operator's list shows who
//! is who by it: the `sub` of a token is the login's to choose, and two that look the same on a
//! terminal may be two people.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::text::is_hidden;

/// `value` as text.
///
/// # Errors
/// It has something that JSON has not, such as a map whose keys are no texts.
pub(super) fn write(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(128);
    value.serialize(&mut Serializer::with_formatter(&mut text, Visible))?;
    Ok(text)
}

struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, hidden)) = rest.char_indices().find(|(_, c)| is_hidden(*c)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            for unit in hidden.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + hidden.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_escaped_and_read_back() {
        let check = |value: &str, text: &str| {
            let written = String::from_utf8(write(&value).unwrap()).unwrap();
            assert_eq!(written, text);
            let read: String = serde_json::from_str(&written).unwrap();
            assert_eq!(read, value);
        };
        check("ann \"é\" 🐶\n", r#""ann \"é\" 🐶\n""#);
        check("user:a\u{202E}nna\u{200B}", r#""user:a\u202enna\u200b""#);
        check("\u{E0041}\u{FEFF}", r#""\udb40\udc41\ufeff""#);
    }
}
