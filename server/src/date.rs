//! Dates of the wall clock: when tokens and sanctions end, when something was said. The only place that reads
//! that clock; ticks and timeouts are `Instant`s, which no change of the date moves.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Milliseconds since 1970: when something was said, for those who read it later.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    // Fits for as long as there are people.
    since.map_or(0, |since| since.as_millis() as u64)
}

/// Seconds since 1970, as people read them: `2026-11-21T10:15:00Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Date(pub(crate) u64);

impl Date {
    /// What the machine's clock says.
    pub(crate) fn now() -> Date {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Date(since.map_or(0, |since| since.as_secs()))
    }

    /// So much later, whole seconds.
    pub(crate) fn after(self, span: Duration) -> Date {
        Date(self.0.saturating_add(span.as_secs()))
    }

    /// Seconds from `now` to here, 0 if it is past.
    pub(crate) fn seconds_after(self, now: Date) -> u64 {
        self.0.saturating_sub(now.0)
    }

    fn calendar(self) -> Option<OffsetDateTime> {
        let seconds = i64::try_from(self.0).ok()?;
        OffsetDateTime::from_unix_timestamp(seconds).ok()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.calendar().and_then(|date| date.format(&Rfc3339).ok()) {
            Some(text) => f.write_str(&text),
            // Beyond the year 9999.
            None => write!(f, "@{}", self.0),
        }
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Date, D::Error> {
        let text = String::deserialize(from)?;
        let date = OffsetDateTime::parse(&text, &Rfc3339).map_err(de::Error::custom)?;
        let seconds = u64::try_from(date.unix_timestamp());
        seconds
            .map(Date)
            .map_err(|_| de::Error::custom("a date before 1970"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_and_read_to_the_second() {
        let date = Date(1_795_256_100);
        assert_eq!(date.to_string(), "2026-11-21T10:15:00Z");
        let json = serde_json::to_string(&date).unwrap();
        assert_eq!(serde_json::from_str::<Date>(&json).unwrap(), date);
        let elsewhere = serde_json::from_str::<Date>("\"2026-11-21T11:15:00.7+01:00\"");
        assert_eq!(elsewhere.unwrap(), date);
        for wrong in ["\"tomorrow\"", "\"1969-12-31T23:59:59Z\"", "1795256100"] {
            assert!(serde_json::from_str::<Date>(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Date(u64::MAX).to_string(), "@18446744073709551615");
        assert_eq!(date.after(Duration::from_secs(60)).seconds_after(date), 60);
        assert_eq!(date.seconds_after(Date(u64::MAX)), 0);
    }
}
