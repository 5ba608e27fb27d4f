//! Codes of rooms: made from random bits, read as people type them. Pure.

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
