//! Google's own client libraries, unmodified, against the emulator: each builds a load balancer, uses it and takes it
//! down. The programs beside these tests are written so that they can be read as examples.
//!
//! What they need from the registries is fetched and built once, in the project's folder of the user's cache.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cache;
mod program;
mod python;
mod rust;

/// An emulator whose operations take a moment.
async fn emulator() -> emulator::Running {
    // Another test of this process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let latency = emulator::Latency::of(std::time::Duration::from_millis(30));
    emulator::Emulator::start(emulator::Config { latency, ..emulator::Config::default() }).await.unwrap()
}
