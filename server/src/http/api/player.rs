//! A player that a request names.

use super::problem::Problem;
use super::query::Query;
use crate::auth::Identity;

/// Who `text` is, of the query's field `name`.
///
/// # Errors
/// 400.
pub(super) fn read(text: &str, name: &str) -> Result<Identity, Problem> {
    let identity = Identity::read(text);
    identity.ok_or_else(|| Problem::of_query(name, "is not guest:… or user:…"))
}

/// As they are written in this field, if they are.
///
/// # Errors
/// 400.
pub(super) fn named<'a>(query: &'a Query, name: &str) -> Result<Option<&'a str>, Problem> {
    let player = query.value(name);
    player
        .map(|player| read(player, name).map(|_| player))
        .transpose()
}
