//! Google's own client libraries, unmodified, against the emulator: each builds a load balancer, uses it and takes it
//! down. The programs beside these tests are written so that they can be read as examples.
//!
//! What they need from the registries is fetched and built once, in the project's folder of the user's cache.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cache;
mod go;
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

/// What a client says at its end is what the emulator holds: nothing but the instance.
fn used_and_gone(said: &str, emulator: &emulator::Running) {
    assert!(said.starts_with("built, used and taken down"), "{said}");
    let left = emulator.state();
    let left: Vec<&String> = left["resources"].as_object().unwrap().keys().collect();
    assert_eq!(left, ["projects/demo/zones/us-central1-a/instances/web-1"]);
}
