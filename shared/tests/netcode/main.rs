//! The netcode's vectors under `shared/vectors/netcode` that both languages prove, which
//! `client-web` reproduces: each is made here from a seed, by the Rust side as it is.
//! `TICKWIRE_BLESS=1 cargo test -p tickwire --test netcode` writes them anew. What is drawn only
//! JavaScript knows and proves: `client-web/test/netcode_vectors.test.js`.

mod clock;
mod kept;
mod link;
mod timing;
