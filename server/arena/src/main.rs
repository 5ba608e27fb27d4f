//! The arena's server: the game and its page. Everything else is [`tickwire_server::serve`].

use std::process::ExitCode;

use tickwire_arena::{Arena, page};
use tickwire_server::serve;

fn main() -> ExitCode {
    serve::<Arena>(page())
}
