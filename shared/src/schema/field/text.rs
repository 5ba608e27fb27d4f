//! Texts as integers: UTF-8 in words of four bytes, the first byte in the lowest bits, filled with
//! zeros.

/// Bytes of the longest text.
const BYTES_MAX: u8 = 64;

pub(super) fn check(bytes: u8) -> Result<(), &'static str> {
    let is_sound = bytes.is_multiple_of(4) && (4..=BYTES_MAX).contains(&bytes);
    is_sound
        .then_some(())
        .ok_or("a text's bytes must be a multiple of 4 from 4 to 64")
}

/// The integers of a text in a field of `words` integers: cut between characters where it does
/// not fit, and at its first NUL.
pub fn text_words(text: &str, words: usize) -> impl Iterator<Item = i32> + '_ {
    let end = text.find('\0').unwrap_or(text.len()).min(words * 4);
    let bytes = &text.as_bytes()[..text.floor_char_boundary(end)];
    (0..words).map(move |word| {
        let mut four = [0; 4];
        let rest = bytes.get(word * 4..).unwrap_or_default();
        let here = rest.len().min(4);
        four[..here].copy_from_slice(&rest[..here]);
        i32::from_le_bytes(four)
    })
}

/// The text of a field's integers, `None` if they are not UTF-8.
pub fn words_text(words: &[i32]) -> Option<String> {
    let bytes: Vec<u8> = words
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .take_while(|&byte| byte != 0)
        .collect();
    String::from_utf8(bytes).ok()
}

/// Whether [`words_text`] has a text for these integers; most have ASCII only.
pub fn is_text(words: &[i32]) -> bool {
    let all = words.iter().fold(0, |all, word| all | word);
    all as u32 & 0x8080_8080 == 0 || words_text(words).is_some()
}
