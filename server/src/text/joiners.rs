//! Where hidden characters are needed: joiners within words of scripts whose letters join and
//! within emoji sequences, selectors of a form behind what has several, tags behind the flag that
//! they make another's. Anywhere else they show nothing.

use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_properties::UnicodeEmoji;
use unicode_script::{Script, UnicodeScript};

/// Asks for letters that don't join.
const ZWNJ: char = '\u{200C}';
/// Asks for letters or emoji that do.
const ZWJ: char = '\u{200D}';
/// The combining class of signs that silence a vowel: what follows may join.
const VIRAMA: u8 = 9;
/// The sign that makes a key of a digit.
const KEYCAP: char = '\u{20E3}';
/// A black flag, which tags turn into a country's.
pub(super) const FLAG: char = '\u{1F3F4}';
/// Those that there are: England, Scotland, Wales. Others show as a black flag with hidden text
/// behind it.
const TAGGED_FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];

/// Characters on either side of a hidden one that are looked at: no language puts so many marks on
/// a letter, and nobody needs so many hidden ones in a row. Without this a text that is full of
/// them costs the square of its length.
const LOOK_MAX: usize = 16;

/// The tags of a known flag that `rest`, behind a black flag, starts with.
pub(super) fn flag_tags(rest: &str) -> Option<&str> {
    TAGGED_FLAGS.iter().find_map(|flag| {
        // Tags are ASCII in a plane of its own; four bytes each. The last is the end's.
        let spelt = flag
            .bytes()
            .chain([0x7F])
            .map(|byte| char::from_u32(0xE0000 + u32::from(byte)));
        let length = 4 * (flag.len() + 1);
        let tags = rest.get(..length)?;
        spelt.eq(tags.chars().map(Some)).then_some(tags)
    })
}

/// Whether the hidden `c` is needed between `before`, which is tidied, and `rest`, which is not.
pub(super) fn is_needed(c: char, before: &str, rest: &str) -> bool {
    let Some(last) = before.chars().next_back() else {
        return false;
    };
    // Of several in a row the first counts.
    let next = || {
        let mut near = rest.chars().take(LOOK_MAX);
        near.find(|c| c.is_whitespace() || !super::hidden::is_hidden(*c))
    };
    match c {
        ZWJ | ZWNJ => joins(c, before, last, next()),
        // Text or emoji.
        '\u{FE0E}' | '\u{FE0F}' if last.is_ascii() => is_key(last) && next() == Some(KEYCAP),
        '\u{FE0E}' | '\u{FE0F}' => last.is_emoji_char(),
        // Which of an ideograph's forms: people write their names with a certain one.
        '\u{FE00}'..='\u{FE02}' | '\u{E0100}'..='\u{E01EF}' => last.script() == Script::Han,
        '\u{180B}'..='\u{180F}' => {
            let follows = || next().is_some_and(|next| next.script() == Script::Mongolian);
            let is_letter = last.script() == Script::Mongolian && !super::hidden::is_hidden(last);
            is_letter && (c != '\u{180E}' || follows())
        }
        _ => false,
    }
}

fn is_key(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '#' | '*')
}

fn joins(joiner: char, before: &str, last: char, next: Option<char>) -> bool {
    if matches!(last, ZWJ | ZWNJ) {
        return false;
    }
    if joiner == ZWJ && next.is_some_and(is_pictograph) {
        return ends_with_pictograph(before);
    }
    let mut near = before.chars().rev().take(LOOK_MAX);
    let base = near.find(|c| !is_combining_mark(*c));
    let script = base.map_or(Script::Common, |base| base.script());
    let is_followed = next.is_some_and(|next| next.script() == script);
    let is_virama = |c: char| canonical_combining_class(c) == VIRAMA;
    if is_cursive(script) {
        // A letter that joins nothing shows by it that it could: ه‍.
        return is_followed || joiner == ZWJ;
    }
    if is_brahmic(script) {
        // Behind a virama it ends words too, for a letter without its vowel.
        return is_followed || joiner == ZWJ && is_virama(last);
    }
    false
}

/// Whether an emoji is at the end, a selector and the colour of its skin included.
fn ends_with_pictograph(before: &str) -> bool {
    let dress = |c: &char| matches!(c, '\u{FE0F}' | '\u{1F3FB}'..='\u{1F3FF}');
    let mut near = before.chars().rev().take(LOOK_MAX);
    near.find(|c| !dress(c)).is_some_and(is_pictograph)
}

/// Whether sequences are made of it: emoji but for digits, letters of flags and colours of skins.
fn is_pictograph(c: char) -> bool {
    let is_part = matches!(c, '\u{1F1E6}'..='\u{1F1FF}' | '\u{1F3FB}'..='\u{1F3FF}');
    !c.is_ascii() && !is_part && c.is_emoji_char()
}

/// Scripts whose letters have another form at the ends of a word.
pub(super) fn is_cursive(script: Script) -> bool {
    use Script::*;
    matches!(
        script,
        Arabic
            | Syriac
            | Mongolian
            | Nko
            | Mandaic
            | Manichaean
            | Psalter_Pahlavi
            | Phags_Pa
            | Adlam
            | Hanifi_Rohingya
            | Sogdian
            | Chorasmian
            | Old_Uyghur
    )
}

/// Scripts of the Indian family, whose consonants grow together where no vowel is between them.
fn is_brahmic(script: Script) -> bool {
    use Script::*;
    matches!(
        script,
        Devanagari
            | Bengali
            | Gurmukhi
            | Gujarati
            | Oriya
            | Tamil
            | Telugu
            | Kannada
            | Malayalam
            | Sinhala
            | Tibetan
            | Myanmar
            | Khmer
            | Javanese
            | Balinese
            | Sundanese
            | Tai_Tham
            | Meetei_Mayek
            | Chakma
            | Newa
            | Grantha
            | Tirhuta
            | Kaithi
            | Sharada
            | Brahmi
            | Siddham
            | Modi
            | Takri
            | Khojki
            | Saurashtra
            | Nandinagari
            | Masaram_Gondi
            | Gunjala_Gondi
            | Dogra
            | Bhaiksuki
    )
}
