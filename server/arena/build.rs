//! Tells cargo that the page is part of the program, so that a change in it builds it anew:
//! `include_dir!` can't say so itself on a stable compiler.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=page");
}
