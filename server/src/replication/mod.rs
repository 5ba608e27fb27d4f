//! From a world to bytes: slots for entities, capture into an image, the images that somebody
//! holds, who gets which and how often, bodies encoded once per layer and baseline. `room` drives it; nothing here knows a socket.

pub(crate) mod capture;
pub(crate) mod fan_out;
pub(crate) mod image;
pub(crate) mod slots;
