//! What the command line chooses for rooms and players, and asks of rooms: `mode=teams`,
//! `level>=3`. Names and values are checked by the game's schema once a server told it, so what is
//! wrong ends the bots with a word of what is. Called by `player`.

use tickwire::protocol::client_message::{Condition, Test};
use tickwire::schema::{Field, Kind, text_words};
use tickwire::snapshot::fields::pack;

/// A choice: `NAME=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    name: String,
    value: String,
}

/// A condition: `NAME=VALUE`, or `NAME>=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    choice: Choice,
    test: Test,
}

impl Choice {
    /// Reads one.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Choice, String> {
        let (name, value) = text.split_once('=').ok_or("it is no NAME=VALUE")?;
        let (name, value) = (name.to_owned(), value.to_owned());
        Ok(Choice { name, value })
    }
}

impl Wish {
    /// Reads one.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Wish, String> {
        let mut choice = Choice::parse(text)?;
        let least = choice.name.strip_suffix('>').map(str::to_owned);
        let test = least.as_ref().map_or(Test::Equal, |_| Test::AtLeast);
        choice.name = least.unwrap_or(choice.name);
        Ok(Wish { choice, test })
    }
}

/// Options packed as the schema declares them; nothing where nothing is given.
///
/// # Errors
/// Which of them is wrong, or missing.
pub(crate) fn options(flag: &str, declared: &[Field], given: &[Choice]) -> Result<Vec<u8>, String> {
    if given.is_empty() {
        return Ok(Vec::new());
    }
    for choice in given {
        find(flag, declared, &choice.name)?;
    }
    let mut values = Vec::new();
    for field in declared {
        let given = given.iter().rfind(|choice| choice.name == field.name);
        let given = given.ok_or_else(|| format!("{flag} {}=… is missing", field.name))?;
        values.extend(words(flag, field, &given.value)?);
    }
    let mut bytes = Vec::new();
    pack(declared, &values, &mut bytes);
    Ok(bytes)
}

/// Conditions on the schema's metadata.
///
/// # Errors
/// Which of them is wrong.
pub(crate) fn conditions(
    flag: &str,
    metadata: &[Field],
    wishes: &[Wish],
) -> Result<Vec<Condition>, String> {
    let condition = |wish: &Wish| {
        let Choice { name, value } = &wish.choice;
        let index = find(flag, metadata, name)?;
        let field = &metadata[index];
        match words(flag, field, value)?[..] {
            [value] if !matches!(field.kind, Kind::Text { .. }) => Ok(Condition {
                field: index as u8,
                test: wish.test,
                value,
            }),
            _ => Err(format!("{flag} {name}: rooms can't be filtered by a text")),
        }
    };
    wishes.iter().map(condition).collect()
}

fn find(flag: &str, declared: &[Field], name: &str) -> Result<usize, String> {
    let index = declared.iter().position(|field| field.name == name);
    index.ok_or_else(|| {
        let names: Vec<&str> = declared.iter().map(|field| field.name.as_str()).collect();
        match names.is_empty() {
            true => format!("{flag} {name}: the game declares none"),
            false => format!("{flag} {name}: there is none, but {}", names.join(", ")),
        }
    })
}

/// The integers of a value.
fn words(flag: &str, field: &Field, value: &str) -> Result<Vec<i32>, String> {
    let wrong = |expected: String| format!("{flag} {}={value}: expected {expected}", field.name);
    let within = |min: f64, max: f64| {
        let number = value.parse::<f64>().ok();
        number.filter(|number| (min..=max).contains(number))
    };
    let whole = |min: f64, max: f64| within(min, max).filter(|number| number.fract() == 0.0);
    let number = match &field.kind {
        Kind::Text { bytes } => {
            let fits = value.len() <= usize::from(*bytes) && !value.contains('\0');
            let expected = || wrong(format!("at most {bytes} bytes of text"));
            let words = text_words(value, field.kind.words());
            return fits.then(|| words.collect()).ok_or_else(expected);
        }
        Kind::Enum { names } => {
            let index = names.iter().position(|name| name == value);
            index
                .map(|index| index as f64)
                .ok_or_else(|| wrong(format!("one of {}", names.join(", "))))?
        }
        Kind::Bool => match value {
            "true" => 1.0,
            "false" => 0.0,
            _ => return Err(wrong("true or false".to_owned())),
        },
        Kind::Int { min, max } => whole(f64::from(*min), f64::from(*max))
            .ok_or_else(|| wrong(format!("a whole number from {min} to {max}")))?,
        Kind::Real { min, max, .. } => {
            within(*min, *max).ok_or_else(|| wrong(format!("a number from {min} to {max}")))?
        }
        Kind::Bits => whole(0.0, f64::from(u32::MAX))
            .ok_or_else(|| wrong(format!("a whole number from 0 to {}", u32::MAX)))?,
        Kind::Turn { .. } => {
            within(f64::MIN, f64::MAX).ok_or_else(|| wrong("an angle in radians".to_owned()))?
        }
        Kind::Entity => return Err(wrong("nothing: entities can't be given".to_owned())),
    };
    Ok(vec![field.kind.quantise(number)])
}

#[cfg(test)]
mod tests {
    use tickwire::schema::Predictor;

    use super::*;

    fn field(name: &str, kind: Kind) -> Field {
        Field {
            name: name.into(),
            kind,
            predictor: Predictor::Hold,
        }
    }

    fn fields() -> Vec<Field> {
        let names = ["alone", "teams"].map(String::from).into();
        vec![
            field("mode", Kind::Enum { names }),
            field("level", Kind::Int { min: -5, max: 9 }),
            field("late", Kind::Bool),
            field("map", Kind::Text { bytes: 4 }),
        ]
    }

    fn choices(line: &str) -> Vec<Choice> {
        let parse = |text| Choice::parse(text).expect("a choice");
        line.split(' ').map(parse).collect()
    }

    #[test]
    fn choices_are_packed_by_the_schema() {
        let packed = options(
            "--option",
            &fields(),
            &choices("mode=teams level=-4 late=true map=a=b"),
        );
        let mut expected = Vec::new();
        pack(&fields(), &[1, 1, 1, 0x62_3D_61], &mut expected);
        assert_eq!(packed, Ok(expected));
        assert_eq!(options("--option", &fields(), &[]), Ok(Vec::new()));
    }

    #[test]
    fn what_is_wrong_is_told_by_name() {
        for (line, what) in [
            (
                "mode=solo level=1 late=true map=a",
                "mode=solo: expected one of alone, teams",
            ),
            (
                "mode=teams level=10 late=true map=a",
                "level=10: expected a whole number from -5 to 9",
            ),
            ("mode=teams level=1.5 late=true map=a", "level=1.5"),
            (
                "mode=teams level=1 late=yes map=a",
                "late=yes: expected true or false",
            ),
            (
                "mode=teams level=1 late=true map=caves",
                "map=caves: expected at most 4 bytes",
            ),
            ("mode=teams level=1 late=true", "map=… is missing"),
            (
                "colour=1",
                "colour: there is none, but mode, level, late, map",
            ),
        ] {
            let error = options("--option", &fields(), &choices(line)).expect_err(line);
            assert!(
                error.starts_with("--option ") && error.contains(what),
                "{error}"
            );
        }
        let error = options("--option", &[], &choices("mode=teams")).expect_err("none");
        assert!(error.contains("the game declares none"), "{error}");
        assert!(Choice::parse("teams").is_err());
    }

    #[test]
    fn wishes_are_equal_or_at_least() {
        let wish = |text| Wish::parse(text).expect("a wish");
        let asked = conditions(
            "--filter",
            &fields(),
            &[wish("mode=teams"), wish("level>=0")],
        );
        let of = |field, test, value| Condition { field, test, value };
        let expected = vec![of(0, Test::Equal, 1), of(1, Test::AtLeast, 5)];
        assert_eq!(asked, Ok(expected));
        for text in ["map=cave", "mode=solo", "colour=1"] {
            let error = conditions("--filter", &fields(), &[wish(text)]);
            assert!(error.is_err(), "{text}");
        }
    }
}
