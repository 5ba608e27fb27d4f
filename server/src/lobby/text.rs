//! Text that clients choose and others see: names of players and rooms, codes that are typed.
//! Pure. Whether it may be shown as markup is not decided here: clients show it as text only.

use tickwire::limits::{NAME_CHARS_MAX, ROOM_NAME_CHARS_MAX};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Marks on one letter: Vietnamese and IPA need two. Further ones, which would reach into the
/// lines above and below, are left out.
const MARKS_MAX: usize = 2;

/// A player's name as others see it; "player" if nothing is left of it.
pub(crate) fn player_name(text: &str) -> String {
    tidy(text, NAME_CHARS_MAX).unwrap_or_else(|| "player".into())
}

/// A room's name as the lobby shows it; its maker's if nothing is left of it.
pub(crate) fn room_name(text: &str, maker: &str) -> String {
    tidy(text, ROOM_NAME_CHARS_MAX)
        .or_else(|| tidy(&format!("{maker}'s room"), ROOM_NAME_CHARS_MAX))
        .unwrap_or_else(|| "room".into())
}

/// `text` in the Unicode form NFKC, in which what looks the same mostly is the same (ﬁ and fi, Ａ
/// and A, é in one character or two), with runs of white space as one space, without characters
/// that show nothing or turn the text around them, cut to `chars_max` characters. `None` if
/// nothing is left.
fn tidy(text: &str, chars_max: usize) -> Option<String> {
    let mut tidied = String::new();
    let mut chars = 0;
    let mut marks = 0;
    let mut space = false;
    let shown = |c: &char| c.is_whitespace() || !is_hidden(*c);
    // Hidden ones between a letter and its mark go first; some come only from the normal form.
    for c in text.chars().filter(shown).nfkc().filter(shown) {
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        if marks > MARKS_MAX {
            continue;
        }
        if c.is_whitespace() {
            space = chars > 0;
            continue;
        }
        let needed = 1 + usize::from(space);
        if chars + needed > chars_max {
            break;
        }
        if space {
            tidied.push(' ');
        }
        tidied.push(c);
        chars += needed;
        space = false;
    }
    (chars > 0).then_some(tidied)
}

/// Whether a character shows nothing of its own: two names that look the same should be the
/// same, and none may reach into the line around it.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{AD}'                      // soft hyphen
            | '\u{34F}'                   // combining grapheme joiner
            | '\u{61C}'                   // arabic letter mark
            | '\u{115F}' | '\u{1160}'     // hangul fillers
            | '\u{17B4}' | '\u{17B5}'     // khmer inherent vowels
            | '\u{180B}'..='\u{180F}'     // mongolian selectors and vowel separator
            | '\u{200B}'..='\u{200F}'     // zero width, joiners, left and right marks
            | '\u{202A}'..='\u{202E}'     // bidi embeddings and overrides
            | '\u{2060}'..='\u{206F}'     // word joiner, invisible operators, bidi isolates
            | '\u{2800}'                  // empty braille pattern
            | '\u{3164}' | '\u{FFA0}'     // hangul fillers
            | '\u{FE00}'..='\u{FE0F}'     // variation selectors
            | '\u{FEFF}'                  // byte order mark
            | '\u{FFF0}'..='\u{FFFF}'     // specials
            | '\u{E000}'..='\u{F8FF}'     // private use
            | '\u{1BCA0}'..='\u{1BCA3}'   // shorthand format controls
            | '\u{1D173}'..='\u{1D17A}'   // musical format controls
            | '\u{E0000}'..='\u{10FFFF}'  // tags, private use
        )
}

/// Characters of a room's code: Crockford's base 32, which leaves out what is easily misread.
const CODE_DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Digits of a code. 40 random bits: who guesses once a second hits one of 1,000 rooms in 35
/// years.
pub(crate) const CODE_CHARS: usize = 8;

/// The code that 40 of these bits spell.
pub(crate) fn room_code(bits: u64) -> String {
    (0..CODE_CHARS)
        .map(|digit| char::from(CODE_DIGITS[(bits >> (5 * digit)) as usize & 31]))
        .collect()
}

/// A typed code as [`room_code`] writes it: any case, O for 0, I and L for 1, hyphens and
/// spaces left out. `None` if it can't be one.
pub(crate) fn read_code(typed: &str) -> Option<String> {
    let mut code = String::with_capacity(CODE_CHARS);
    for c in typed.chars().filter(|c| !matches!(c, '-' | ' ')) {
        let digit = match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            digit => digit,
        };
        let known = digit.is_ascii() && CODE_DIGITS.contains(&(digit as u8));
        if !known || code.len() == CODE_CHARS {
            return None;
        }
        code.push(digit);
    }
    (code.len() == CODE_CHARS).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tidied() {
        let check = |text: &str, name: &str| assert_eq!(player_name(text), name, "{text:?}");
        check("  Ada   Lovelace\n", "Ada Lovelace");
        check("Zoë 🦀 李", "Zoë 🦀 李");
        check("", "player");
        check(" \u{200B}\u{202E}\u{3164}\u{FEFF} ", "player");
        check("a\u{202E}b\u{200D}c\u{7}d\u{1B}[31m", "abcd[31m");
        check("a\u{A0}\u{2003}\u{3000}b", "a b");
        check("a\u{E0041}b\u{10FFFF}", "ab");
        check("<b>&amp;</b>", "<b>&amp;</b>");
        check("e\u{200D}\u{301}", "\u{E9}");
        check("\u{FB01}sh \u{FF21}\u{FF44}\u{FF41}", "fish Ada");
        check(
            "\u{FFA0}\u{FDFA}",
            "\u{635}\u{644}\u{649} \u{627}\u{644}\u{644}\u{647} \u{639}\u{644}\u{64A}\u{647} \u{648}\u{633}\u{644}\u{645}",
        );
        check(&format!("Z{}o", "\u{335}".repeat(99)), "Z\u{335}\u{335}o");
        check("Vi\u{1EC7}t", "Vi\u{1EC7}t");
        check(&"x".repeat(99), &"x".repeat(NAME_CHARS_MAX));
        let cut = format!("{} y", "x".repeat(NAME_CHARS_MAX - 1));
        check(&cut, &"x".repeat(NAME_CHARS_MAX - 1));
    }

    #[test]
    fn rooms_without_a_name_are_named_after_their_maker() {
        assert_eq!(room_name(" the  den ", "Ada"), "the den");
        assert_eq!(room_name("\u{200B}", "Ada"), "Ada's room");
    }

    #[test]
    fn codes_are_read_as_they_are_typed() {
        let code = room_code(0x12_3456_789A);
        assert_eq!(code.len(), CODE_CHARS);
        assert_eq!(read_code(&code), Some(code.clone()));
        assert_eq!(read_code(&code.to_lowercase()), Some(code.clone()));
        let spaced = format!(" {}-{} ", &code[..4], &code[4..]);
        assert_eq!(read_code(&spaced), Some(code));
        assert_eq!(read_code("oOiIlL00").as_deref(), Some("00111100"));
        for wrong in [
            "",
            "1234567",
            "123456789",
            "1234567U",
            "1234567é",
            "1234567ſ",
        ] {
            assert_eq!(read_code(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_bit_of_a_code_matters() {
        let codes: std::collections::BTreeSet<String> =
            (0..40).map(|bit| room_code(1 << bit)).collect();
        assert_eq!(codes.len(), 40);
    }
}
