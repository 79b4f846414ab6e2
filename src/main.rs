//! The `gclb` program.
fn main() {}
