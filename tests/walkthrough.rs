//! The walkthrough, word for word: the story that this project exists for.
//!
//! The commands are those that a user types, run with the real kubectl, openssl and curl. Once against a real API
//! server, with the controller as a process of its own and no more rights than deploy/manifests gives it; and once from a
//! folder of manifests alone, with `gclb local`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "walkthrough/cluster.rs"]
mod cluster;
#[path = "walkthrough/folder.rs"]
mod folder;
#[path = "walkthrough/steps.rs"]
mod steps;

use std::path::Path;

/// The program under test.
fn gclb() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_gclb"))
}
