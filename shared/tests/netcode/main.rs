//! The netcode's vectors under `shared/vectors/netcode`, which `client-web` reproduces: each is made here from a seed, by
//! the Rust side as it is. `TICKWIRE_BLESS=1 cargo test -p tickwire --test netcode` writes them anew.

mod clock;
mod kept;
mod link;
mod timing;
mod view;
