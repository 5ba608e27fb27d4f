//! The codec from outside: random schemas and histories, encoded and decoded.

mod bodies;
mod control;
mod corpus;
mod exact;
mod fields;
mod groups;
mod growth;
mod history;
mod hostile;
mod limits;
mod planted;
mod protocol_page;
mod reconnect;
mod reference;
mod soak;
mod tables;
mod vectors;
