//! Marks on letters: as many as languages put on one. Further ones, which would reach into the
//! lines above and below, are left out.

use unicode_normalization::char::is_combining_mark;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_script::{Script, UnicodeScript};

use super::joiners::is_cursive;

/// Marks on one letter that belong to no script in particular, or to another than the letter's:
/// Vietnamese and the phonetic alphabet need two.
const FOREIGN_MAX: usize = 2;

/// Marks of a script's own on one of its letters. Counted in words that are in use, those of
/// religious texts included.
fn own_max(script: Script) -> usize {
    match script {
        Script::Latin | Script::Greek | Script::Cyrillic | Script::Common | Script::Inherited => {
            FOREIGN_MAX
        }
        // A vowel's sign, a tone's and one that silences; they stand on top of each other.
        Script::Thai | Script::Lao | Script::Thaana => 3,
        cursive if is_cursive(cursive) => 3,
        // Letters are stacked as marks: medials, vowels and tones in Burmese, consonants in
        // Tibetan.
        Script::Myanmar | Script::Tibetan | Script::Tai_Tham => 6,
        // A point, a vowel's sign, a nasal and an accent in Hindi; three points and an accent in
        // Hebrew.
        _ => 4,
    }
}

/// `text` without marks beyond those bounds, without the same one twice on a letter where it takes
/// no room of its own, and without those that are on no letter: at the start they would stand on
/// what is before the text.
pub(super) fn capped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Where the marks of the last letter start in `out`, how many there are, and its script.
    let (mut start, mut count, mut script) = (0, 0, None);
    for c in text.chars() {
        if !is_combining_mark(c) {
            // A joiner between a letter and its marks is no letter.
            if !super::hidden::is_hidden(c) {
                script = (c != ' ').then(|| c.script());
                (start, count) = (out.len() + c.len_utf8(), 0);
            }
            out.push(c);
            continue;
        }
        if super::hidden::is_hidden(c) {
            // A selector, which is where it is needed.
            out.push(c);
            continue;
        }
        let Some(script) = script else { continue };
        let extension = c.script_extension();
        let is_own = !extension.is_inherited() && extension.contains_script(script);
        let max = if is_own { own_max(script) } else { FOREIGN_MAX };
        let is_spacing = c.general_category() == GeneralCategory::SpacingMark;
        if count < max && (is_spacing || !out[start..].contains(c)) {
            out.push(c);
            count += 1;
        }
    }
    out
}
