//! Dates in tokens: seconds since 1970, whole ones or with a fraction (RFC 7519 §2).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// Finite; may be negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NumericDate(f64);

impl NumericDate {
    /// The whole second that is not before it; what is before 1970 is 1970, and what no clock will
    /// reach the last one that there is.
    pub(super) fn ceil(self) -> u64 {
        // The conversion saturates.
        self.0.ceil() as u64
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = NumericDate;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("seconds since 1970")
            }

            fn visit_u64<E: Error>(self, seconds: u64) -> Result<NumericDate, E> {
                Ok(NumericDate(seconds as f64))
            }

            fn visit_i64<E: Error>(self, seconds: i64) -> Result<NumericDate, E> {
                Ok(NumericDate(seconds as f64))
            }

            fn visit_f64<E: Error>(self, seconds: f64) -> Result<NumericDate, E> {
                if seconds.is_finite() {
                    return Ok(NumericDate(seconds));
                }
                Err(E::invalid_value(Unexpected::Float(seconds), &self))
            }
        }

        from.deserialize_any(Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_dates_and_nothing_else_is() {
        let check = |text: &str, whole: Option<u64>| {
            let read: Option<NumericDate> = serde_json::from_str(text).ok();
            assert_eq!(read.map(NumericDate::ceil), whole, "{text}");
        };
        check("1700000000", Some(1_700_000_000));
        check("1700000000.25", Some(1_700_000_001));
        check("1.7e9", Some(1_700_000_000));
        check("-3", Some(0));
        check("-0.5", Some(0));
        check("1e300", Some(u64::MAX));
        check("18446744073709551615", Some(u64::MAX));
        for text in ["1e400", "NaN", "\"1700000000\"", "[1]", "true", "null"] {
            check(text, None);
        }
    }
}
