//! Load balancers from the first apply to the last delete: a real API server, the emulated cloud, and `gclb controller` as a
//! process of its own, asserted by what a client gets through the data plane.
//!
//! Most tests share one world, each with a namespace of its own. Those that kill the controller or empty the API server
//! have worlds of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_backends;
mod bad_certificates;
mod commands;
mod custom_resources;

mod emptied;
mod gate;
mod groups;
mod ingresses;
mod manifests;
#[path = "../custom_resources/odd.rs"]
mod odd;
mod refused;
mod reserved;
mod restart;
mod settings;
mod shared;
mod traffic;
mod variations;
mod visitor;
mod watched;

use std::path::Path;

/// The program under test.
fn gclb() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_gclb"))
}
