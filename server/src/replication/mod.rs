//! From a world to bytes: slots for entities, capture into an image of layers, who is to hold which
//! and what they hold, bodies encoded once per layer and baseline. `room` drives it; nothing here
//! knows a socket.

pub(crate) mod capture;
pub(crate) mod fan_out;
pub(crate) mod group;
pub(crate) mod held;
pub(crate) mod image;
pub(crate) mod interest;
pub(crate) mod layer;
pub(crate) mod owner;
pub(crate) mod raw;
pub(crate) mod slots;
pub(crate) mod value;
