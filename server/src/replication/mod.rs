//! From a world to bytes: slots for entities, capture into an image, the ring of images, bodies
//! encoded once per layer and baseline. `room` drives it; nothing here knows a socket.

pub(crate) mod capture;
pub(crate) mod fan_out;
pub(crate) mod image;
pub(crate) mod slots;
