//! Text that peers choose and others see: names of players and rooms, chat. What shows nothing,
//! turns the text around it or reaches into other lines goes; what a language or an emoji needs
//! stays. Pure. Whether text may be shown as markup is not decided here: clients show it as text
//! only. A game's own texts (fields of the kind `Text`) are the game's.
//!
//! **Lengths are those of the tidied text**: what counts is what others see.

mod hidden;
mod joiners;
mod marks;

use tickwire::limits::{CHAT_CHARS_MAX, NAME_CHARS_MAX, ROOM_NAME_CHARS_MAX};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

pub(crate) use hidden::is_hidden;
use joiners::flag_tags;

/// Times that a text is normalised and gone through again until it stays as it is. Two are enough
/// for all that is known (a test tries); what is left after four is shown as it is, which is
/// bounded and harmless.
const PASSES_MAX: usize = 4;

/// A player's name as others see it; "player" if nothing is left of it.
pub(crate) fn player_name(text: &str) -> String {
    name(text, NAME_CHARS_MAX).unwrap_or_else(|| "player".into())
}

/// A room's name as the lobby shows it; its maker's if nothing is left of it.
pub(crate) fn room_name(text: &str, maker: &str) -> String {
    name(text, ROOM_NAME_CHARS_MAX)
        .or_else(|| name(&format!("{maker}'s room"), ROOM_NAME_CHARS_MAX))
        .unwrap_or_else(|| "room".into())
}

/// A line of chat as others see it. `None` if nothing is left of it or it is too long.
pub(crate) fn chat_line(text: &str) -> Option<String> {
    let tidied = tidy(text, |text| text.nfc().collect());
    (1..=CHAT_CHARS_MAX)
        .contains(&tidied.chars().count())
        .then_some(tidied)
}

/// `text` in the Unicode form NFKC, in which what looks the same mostly is the same (ﬁ and fi, Ａ
/// and A), cut to `chars_max` characters, not within what is seen as one. `None` if nothing is
/// left.
fn name(text: &str, chars_max: usize) -> Option<String> {
    let tidied = tidy(text, |text| text.nfkc().collect());
    let cut = tidy(cut(&tidied, chars_max), |text| text.nfkc().collect());
    (!cut.is_empty()).then_some(cut)
}

/// The first `chars_max` characters, fewer if one that consists of several would be cut in two.
fn cut(text: &str, chars_max: usize) -> &str {
    let mut chars = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        let here = grapheme.chars().count();
        if chars + here > chars_max {
            if at > 0 {
                return &text[..at];
            }
            // One that is longer than a whole name is no word of any language.
            let end = grapheme.char_indices().nth(chars_max);
            return end.map_or(grapheme, |(end, _)| &grapheme[..end]);
        }
        chars += here;
    }
    text
}

/// `text` in a normal form, with runs of white space as one space, without what may not be seen,
/// until nothing changes.
fn tidy(text: &str, normal: impl Fn(&str) -> String) -> String {
    // Hidden ones between a letter and its mark go first, so that the two can become one.
    let mut tidied = shown(text);
    for _ in 0..PASSES_MAX {
        // Some hidden ones come only from the normal form.
        let next = shown(&marks::capped(&shown(&normal(&tidied))));
        if next == tidied {
            break;
        }
        tidied = next;
    }
    tidied
}

/// `text` without hidden characters, except where a language or an emoji needs them, and with runs
/// of white space as one space, none at the ends.
fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c.is_whitespace() {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
        } else if c == joiners::FLAG
            && let Some(tags) = flag_tags(rest)
        {
            out.push(c);
            out.push_str(tags);
            rest = &rest[tags.len()..];
        } else if !is_hidden(c) || joiners::is_needed(c, &out, rest) {
            out.push(c);
        }
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests;
