//! Characters that show nothing of their own or turn the text around them.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Whether a character shows nothing of its own, or what it shows is nobody's business but its
/// font's (private use): two texts that look the same should be the same, and none may reach into
/// the line around it. A few of them are needed in their places, which [`super::joiners`] knows.
///
/// Characters that are not assigned yet are not hidden: next year's letters and emoji are.
pub(crate) fn is_hidden(c: char) -> bool {
    #[cfg(test)]
    super::tests::LOOKS.set(super::tests::LOOKS.get() + 1);
    match c.general_category() {
        // Bidirectional controls, zero width ones, tags, the byte order mark, separators of lines
        // and paragraphs.
        GeneralCategory::Control
        | GeneralCategory::Format
        | GeneralCategory::PrivateUse
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator => !is_visible_format(c),
        _ => is_noncharacter(c) || shows_nothing(c),
    }
}

/// Signs that belong to numbers and verses of Arabic, Syriac, Kaithi and Egyptian text: they show
/// and are of the category `Format` because they stand around other characters.
fn is_visible_format(c: char) -> bool {
    matches!(c,
        '\u{600}'..='\u{605}'
        | '\u{6DD}'
        | '\u{70F}'
        | '\u{890}'..='\u{891}'
        | '\u{8E2}'
        | '\u{110BD}'
        | '\u{110CD}'
        | '\u{13430}'..='\u{1343F}')
}

fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{FDD0}'..='\u{FDEF}') || c as u32 & 0xFFFE == 0xFFFE
}

/// What Unicode calls default ignorable and is no `Format`, and two more that are blank in every
/// font.
fn shows_nothing(c: char) -> bool {
    matches!(c,
        '\u{34F}'                     // combining grapheme joiner
        | '\u{115F}' | '\u{1160}'     // hangul fillers
        | '\u{17B4}' | '\u{17B5}'     // khmer inherent vowels
        | '\u{180B}'..='\u{180F}'     // mongolian selectors and vowel separator
        | '\u{2065}'                  // reserved among the invisible operators
        | '\u{2800}'                  // empty braille pattern
        | '\u{3164}' | '\u{FFA0}'     // hangul fillers
        | '\u{FE00}'..='\u{FE0F}'     // variation selectors
        | '\u{FFF0}'..='\u{FFFD}'     // specials: objects that are not there, characters that were lost
        | '\u{E0000}'..='\u{E0FFF}'   // tags, variation selectors
    )
}
