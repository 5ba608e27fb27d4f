//! Which rooms are where: their names, codes, seats and what they cost, who is kept out of which.
//! The lobby looks rooms up and takes seats; workers give back what they no longer hold.

pub(crate) mod code;
pub(crate) mod kept_out;
pub(crate) mod local;
