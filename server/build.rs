//! Tells cargo that the SDK's files are part of the server, so that a change in them builds
//! it anew: `include_dir!` can't say so itself on a stable compiler.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=sdk");
}
