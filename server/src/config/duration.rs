//! Durations as operators write them: `250ms`, `5s`, `2m`, `1h`, `7d`. In settings, and in orders
//! on the operator's port.

use std::time::Duration;

use serde::Deserialize;

/// A number with its unit. A bare number is refused: nobody could tell what it counts.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a duration such as 250ms, 5s or 2m");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let ms = number.checked_mul(unit_ms).ok_or_else(wrong)?;
    Ok(Duration::from_millis(ms))
}

/// One in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Span(pub(crate) Duration);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse_duration(&text).map(Span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_required() {
        let check = |text: &str, ms: Option<u64>| {
            let parsed = parse_duration(text).ok();
            assert_eq!(parsed, ms.map(Duration::from_millis), "{text:?}");
        };
        check("250ms", Some(250));
        check("5s", Some(5000));
        check("2m", Some(120_000));
        check("1h", Some(3_600_000));
        check("7d", Some(604_800_000));
        check("0s", Some(0));
        for bad in [
            "",
            "5",
            "s",
            "-5s",
            "5 s",
            "1.5s",
            "5w",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            check(bad, None);
        }
    }
}
