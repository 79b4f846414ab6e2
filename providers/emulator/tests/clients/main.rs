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

use emulator::{Config, Emulator, Latency, MetadataServer, TokenCheck};
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::process::Command;

/// Runs a client twice: against an emulator that asks for no token, and against one that does, with Google's default
/// credentials from its metadata server.
async fn runs(client: impl Fn() -> Command) {
    // Another test of this process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let open = Config { latency: Latency::of(Duration::from_millis(30)), ..Config::default() };
    let closed = Config {
        tokens: TokenCheck::On,
        metadata: Some(MetadataServer {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            project: "demo".to_owned(),
            zone: "us-central1-a".to_owned(),
            token_lifetime: Duration::from_hours(1),
        }),
        ..open.clone()
    };
    let nobody = tempfile::tempdir().unwrap();
    for config in [open, closed] {
        let emulator = Emulator::start(config).await.unwrap();
        let mut client = client();
        client.arg(format!("http://{}", emulator.address()));
        if let Some(metadata) = emulator.metadata_address() {
            // Python asks twice: whether there is one by number, then for what it has by name.
            for variable in ["GCE_METADATA_HOST", "GCE_METADATA_IP"] {
                client.env(variable, metadata.to_string());
            }
            // What a developer may have of Google's, which would come first.
            client.env_remove("GOOGLE_APPLICATION_CREDENTIALS");
            client.env("HOME", nobody.path()).env("CLOUDSDK_CONFIG", nobody.path());
        }
        let said = program::run(&mut client).await.unwrap();
        used_and_gone(&said, &emulator);
        emulator.shutdown().await;
    }
}

/// What a client says at its end is what the emulator holds: nothing but the instance.
fn used_and_gone(said: &str, emulator: &emulator::Running) {
    assert!(said.starts_with("built, used and taken down"), "{said}");
    let left = emulator.state();
    let left: Vec<&String> = left["resources"].as_object().unwrap().keys().collect();
    assert_eq!(left, ["projects/demo/zones/us-central1-a/instances/web-1"]);
}
