//! Who ticks which room when there are several nodes: leases, fencing tokens, adoption.

#![expect(dead_code, reason = "the cluster's task is what calls it")]

pub(crate) mod messages;
