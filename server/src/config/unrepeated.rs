//! How a setting is read that may have a password in it: clap's own words for what can't be read
//! repeat it, these don't.

use std::ffi::OsStr;
use std::marker::PhantomData;
use std::str::FromStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command};

use super::error::ConfigError;

/// Reads a `T`, whose error does not repeat what was given.
pub(super) struct Unrepeated<T>(PhantomData<fn() -> T>);

impl<T> Unrepeated<T> {
    pub(super) const fn new() -> Unrepeated<T> {
        Unrepeated(PhantomData)
    }
}

impl<T> Clone for Unrepeated<T> {
    fn clone(&self) -> Unrepeated<T> {
        Unrepeated::new()
    }
}

impl<T> TypedValueParser for Unrepeated<T>
where
    T: FromStr<Err = ConfigError> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, _: &Command, _: Option<&Arg>, value: &OsStr) -> Result<T, clap::Error> {
        let value = value.to_string_lossy().parse();
        value.map_err(|why: ConfigError| clap::Error::raw(ErrorKind::ValueValidation, why))
    }
}
