//! SQL as values: a statement with its parameters, and rows that come back, the same for both
//! databases. Parameters are `$1`, `$2` …, which first appear in this order (SQLite numbers them
//! so); whole numbers are 64 bits, as all columns of them are.

use std::fmt;

/// A value of a column or a parameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Real(f64),
    Text(Box<str>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Int(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Value {
        Value::Int(value.into())
    }
}

/// Counts and times, which are far from the end; what is beyond is the largest that there is.
impl From<u64> for Value {
    fn from(value: u64) -> Value {
        Value::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Value::Real(value)
    }
}

/// PostgreSQL's text can't have the character 0: another stands in its place.
impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(match text.contains('\0') {
            true => text.replace('\0', "\u{fffd}").into(),
            false => text.into(),
        })
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Value {
        text.as_str().into()
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

/// SQL with the values of its parameters.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Statement {
    pub(crate) sql: &'static str,
    pub(crate) values: Vec<Value>,
}

impl Statement {
    /// `values` are `$1`, `$2` … in this order.
    pub(crate) fn new<const N: usize>(sql: &'static str, values: [Value; N]) -> Statement {
        Statement {
            sql,
            values: values.into(),
        }
    }
}

/// A row, with its values in the order of the `SELECT`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row(pub(crate) Vec<Value>);

/// A column is not what its reader takes it for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoSuchValue;

impl fmt::Display for NoSuchValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row is not what it should be")
    }
}

impl Row {
    /// A whole number.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn int(&self, column: usize) -> Result<i64, NoSuchValue> {
        match self.0.get(column) {
            Some(Value::Int(value)) => Ok(*value),
            _ => Err(NoSuchValue),
        }
    }

    /// One that is not negative: a count, a time.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn count(&self, column: usize) -> Result<u64, NoSuchValue> {
        u64::try_from(self.int(column)?).map_err(|_| NoSuchValue)
    }

    /// A number.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn real(&self, column: usize) -> Result<f64, NoSuchValue> {
        match self.0.get(column) {
            Some(Value::Real(value)) => Ok(*value),
            _ => Err(NoSuchValue),
        }
    }

    /// A text.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn text(&self, column: usize) -> Result<String, NoSuchValue> {
        match self.0.get(column) {
            Some(Value::Text(text)) => Ok(text.to_string()),
            _ => Err(NoSuchValue),
        }
    }
}
