//! Go: `google.golang.org/api/compute/v1`, of the version whose discovery document this repository is held against.

use crate::program::{needed, run};
use tokio::process::Command;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/go");

#[tokio::test]
#[ignore = "long: the first time, builds Google's Go library"]
async fn the_go_library_builds_uses_and_takes_down_a_load_balancer() {
    let program = crate::cache::folder().join("go-client");
    let built = run(Command::new("go")
        .args(["build", "-mod=readonly", "-o"])
        .arg(&program)
        .arg(".")
        .env("GOFLAGS", "")
        .current_dir(FOLDER))
    .await;
    if needed("a build of google.golang.org/api", built).is_none() {
        return;
    }
    crate::runs(|| Command::new(&program)).await;
}
