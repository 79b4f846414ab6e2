//! Rust: `google-cloud-compute-v1`, a workspace of its own with its own lock file and target folder.

use crate::program::{needed, run};
use tokio::process::Command;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/rust");

#[tokio::test]
#[ignore = "long: the first time, builds Google's Rust library"]
async fn the_rust_library_builds_uses_and_takes_down_a_load_balancer() {
    let target = crate::cache::folder().join("rust");
    let built = run(Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked"])
        .env("CARGO_TARGET_DIR", &target)
        // Of the build of these tests, which is another.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .current_dir(FOLDER))
    .await;
    // Cargo is there, since it built this. Without a network the packages are not.
    if needed("a build of google-cloud-compute-v1", built).is_none() {
        return;
    }
    crate::runs(|| Command::new(target.join("debug/compute-client"))).await;
}
