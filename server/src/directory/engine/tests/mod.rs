//! Both engines by one suite; what a real server does to a node, and what hostile values do.

mod conformance;
mod cost;
pub(super) mod decoded;
mod differential;
mod faults;
mod hostile;
mod node;
mod sentinel;
mod starts;

use super::{codec, messages, replies};
