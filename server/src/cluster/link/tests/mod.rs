//! A link's ends in memory on virtual time ([`session`]), bytes that are none ([`decoded`], which
//! the fuzz target of the same code runs too), and nodes on loopback ([`sockets`]).

mod decoded;
mod session;
mod sockets;

use super::wire;
