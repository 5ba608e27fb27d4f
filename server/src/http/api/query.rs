//! What stands behind the `?` of a target: names and values, as forms write them. Pure; what is not
//! asked for, twice where once is meant, or badly written is refused, so that a slip in a name is no
//! request for everything.

use super::problem::Problem;

/// Names and values in the order in which they came.
#[derive(Debug, PartialEq)]
pub(in crate::http) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads one in which each of `once` is there at most once, those of `often` as often as they
    /// like, and nothing else.
    pub(in crate::http) fn read(
        text: &str,
        once: &[&str],
        often: &[&str],
    ) -> Result<Query, Problem> {
        let mut query: Vec<(String, String)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name).ok_or_else(|| badly_written(name))?;
            let value = decoded(value).ok_or_else(|| badly_written(&name))?;
            let is_once = once.contains(&&*name);
            if !is_once && !often.contains(&&*name) {
                let all = [once, often].concat().join(", ");
                return Err(Problem::of_query(&name, format!("there is {all} alone")));
            }
            if is_once && query.iter().any(|(other, _)| *other == name) {
                return Err(Problem::of_query(&name, "is there twice"));
            }
            query.push((name, value));
        }
        Ok(Query(query))
    }

    /// The value of a name.
    pub(in crate::http) fn value(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        let found = pairs.find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    /// All values of a name.
    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let of_name = self.0.iter().filter(move |(other, _)| other == name);
        of_name.map(|(_, value)| value.as_str())
    }

    /// A whole number within `least..=most`, `usual` where there is none.
    pub(super) fn number(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<u32>,
        usual: u32,
    ) -> Result<u32, Problem> {
        let Some(text) = self.value(name) else {
            return Ok(usual);
        };
        let is_plain = text.bytes().all(|digit| digit.is_ascii_digit());
        let number = text
            .parse()
            .ok()
            .filter(|number| is_plain && range.contains(number));
        number.ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            Problem::of_query(name, format!("is no whole number within {least} to {most}"))
        })
    }
}

fn badly_written(name: &str) -> Problem {
    Problem::of_query(name, "is not percent-encoded UTF-8")
}

/// A part of a query as it is meant; `None`: it is badly written.
pub(in crate::http) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                (high * 16 + low) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Query> {
        Query::read(text, &["game", "limit"], &["player"]).ok()
    }

    #[test]
    fn what_is_asked_for_is_read() {
        let query = read("player=user%3Aann+b&&player=%E2%82%AC&limit=7&game").unwrap();
        let players: Vec<&str> = query.values("player").collect();
        assert_eq!(players, ["user:ann b", "€"]);
        assert_eq!(
            (query.value("game"), query.value("other")),
            (Some(""), None)
        );
        assert_eq!(query.number("limit", 1..=9, 5).ok(), Some(7));
        assert_eq!(query.number("after", 1..=9, 5).ok(), Some(5));
        assert_eq!(read("").map(|query| query.0.len()), Some(0));
    }

    #[test]
    fn the_rest_is_refused() {
        for wrong in [
            "games=x",
            "game=x&game=x",
            "player=%",
            "player=%2",
            "player=%gg",
            "player=%ff",
            "%=x",
            "player=%+1",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        for wrong in ["", "0", "10", "-1", "%2B7", "7x", "99999999999"] {
            let query = read(&format!("limit={wrong}")).unwrap();
            assert!(query.number("limit", 1..=9, 5).is_err(), "{wrong}");
        }
    }
}
