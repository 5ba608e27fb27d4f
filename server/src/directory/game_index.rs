//! Which of a server's games something is of: what the directory and its filters know of games.

/// Which of the server's games: its place in the table of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GameIndex(pub(crate) u8);
