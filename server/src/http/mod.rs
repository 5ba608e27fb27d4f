//! The edge: what strangers and operators ask over HTTP, until a socket is a WebSocket.
//! In the order of a connection's life: `listen`, `http1` with what `public`, `ops` and `api` answer,
//! the `handshake`. Who may come in is `admission`'s, what follows `transport`'s.

pub(crate) mod admin;
pub(crate) mod api;
mod attempts;
mod authority;
pub(crate) mod board;
mod body;
mod descriptors;
mod encoding;
mod forwarded;
mod handshake;
mod http1;
mod json;
mod linger;
mod listen;
pub(crate) mod ops;
mod origin;
mod pages;
mod policy;
mod public;
mod reply;
mod site;
mod stream_request;
mod streams;
#[cfg(test)]
mod tests;
mod upgrade;

pub use listen::Listeners;
pub(crate) use pages::NamedPages;
pub(crate) use public::Public;
pub use site::Site;
