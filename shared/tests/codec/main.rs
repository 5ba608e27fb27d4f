//! The codec from outside: random schemas and histories, encoded and decoded.

mod bodies;
mod control;
mod fields;
mod history;
mod protocol_page;
mod vectors;
