//! Running other programs.

use std::process::Stdio;
use tokio::process::Command;

/// Why a program did not do what it was asked to.
pub(crate) type Failure = String;

/// Runs a command to its end; what it printed.
pub(crate) async fn run(command: &mut Command) -> Result<String, Failure> {
    let output = command
        .stdin(Stdio::null())
        // The emulator is on this machine, whatever stands between it and the world.
        .env("NO_PROXY", "*")
        .env("no_proxy", "*")
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| format!("{command:?}: {error}"))?;
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(out) } else { Err(format!("{command:?}: {}\n{out}{err}", output.status)) }
}

/// What a test cannot do without. `None`: it is not there, which was said; under `CI=true` that is a failure.
pub(crate) fn needed<T>(what: &str, found: Result<T, Failure>) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(why) => {
            let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!ci, "{what} is needed, and in CI a skip is not a pass: {why}");
            eprintln!("SKIPPED: {what} is needed: {why}");
            None
        }
    }
}
