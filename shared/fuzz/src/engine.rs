//! The way into what the server reads of a cluster's engine: the files themselves, so that fuzzing
//! builds no server.

#[path = "../../../server/src/directory/engine/codec.rs"]
mod codec;
#[path = "../../../server/src/directory/engine/tests/decoded.rs"]
mod decoded;
#[path = "../../../server/src/directory/ownership/messages.rs"]
mod messages;
#[path = "../../../server/src/directory/engine/replies.rs"]
mod replies;

/// Runs one input.
pub(crate) fn run(bytes: &[u8]) {
    decoded::run(bytes);
}
