//! From a world to bytes: capture into an image, layers of it, bodies encoded once each.

pub mod capture;
