//! gcloud, unmodified, against the emulator: the script that the documentation gives its readers.

use super::cloud::Cloud;
use emulator::{Config, Latency};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// gcloud takes a second or two for each of its hundred commands, more where others work as well.
const PATIENCE: Duration = Duration::from_mins(15);

#[tokio::test]
#[ignore = "long: gcloud takes a second or two for each of a hundred commands"]
async fn the_script_of_the_documentation_runs_to_its_end() {
    for program in ["gcloud", "openssl", "curl", "python3"] {
        if Command::new(program).arg("--version").output().await.is_err() {
            assert!(
                std::env::var_os("CI").is_none(),
                "{program} is not installed, and in CI a skip is not a pass"
            );
            eprintln!("SKIPPED: {program} is not installed");
            return;
        }
    }
    let cloud =
        Cloud::with(Config { latency: Latency::of(Duration::from_millis(20)), ..Config::default() }).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/gcloud.sh");
    let run = Command::new(script)
        .arg(format!("http://{}", cloud.running.address()))
        .env("PROJECT", "p")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, run).await.expect("the script ends").unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && out.trim_end().ends_with("done"), "{out}\n{err}");
    let left = cloud.running.state();
    let left: Vec<&String> = left["resources"].as_object().unwrap().keys().collect();
    assert_eq!(left, ["projects/p/zones/us-central1-a/instances/web-1"]);
}
