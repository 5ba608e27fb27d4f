//! Who answers for this node what programs said at other ones: `http::api`, by `programs`, which keeps
//! it with what the lobby's parts share; `of_node` asks it.

use std::pin::Pin;

/// The answer to what a program said at another node, in the bytes of who serves programs. Dropped,
/// it is done all the same, or not begun.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Vec<u8>> + Send>>;
/// Who serves what programs said at other nodes.
pub(super) type Serve = Box<dyn Fn(Vec<u8>) -> Answering + Send + Sync>;
