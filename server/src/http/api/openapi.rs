//! The description of all this for programs (OpenAPI 3.1), as it stands beside this file. A test
//! holds it to what the server answers.

use crate::http::reply::{self, Reply};

const DOCUMENT: &str = include_str!("openapi.json");

pub(super) fn answer() -> Reply {
    reply::fresh("application/json", DOCUMENT.into())
}
