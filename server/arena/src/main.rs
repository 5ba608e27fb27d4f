//! The arena's server: the game and its page. Everything else is [`tickwire_server::serve`].

use std::process::ExitCode;

use include_dir::{Dir, include_dir};
use tickwire_arena::Arena;
use tickwire_server::{Site, serve};

/// The arena's page.
static PAGE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/page");

fn main() -> ExitCode {
    serve::<Arena>(Site::new().with_dir(&PAGE))
}
