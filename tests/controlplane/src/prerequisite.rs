//! What a test does when the machine lacks what it needs.

use std::error::Error;
use std::io::Write as _;

use crate::assets::AssetsError;
use crate::control_plane::ControlPlaneError;

/// The value; or nothing, said aloud, when the programs of the control plane are not there and cannot be built.
///
/// A skip is not a pass: with `CI=true` in the environment it is a failure.
///
/// # Panics
/// When it failed for any other reason, and under CI.
pub fn or_skip<T>(result: Result<T, ControlPlaneError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(ControlPlaneError::Assets(error @ (AssetsError::GoMissing | AssetsError::Incomplete { .. })))
            if std::env::var("CI").as_deref() != Ok("true") =>
        {
            // Straight to standard error: the test runner shows nothing of what a passing test prints.
            let _ = writeln!(std::io::stderr(), "SKIPPED: {error}");
            None
        }
        #[expect(clippy::panic, reason = "this is how a test says that it failed")]
        Err(error) => panic!("{}", chain(&error)),
    }
}

/// An error and what caused it, in one line.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.extend([": ", &cause.to_string()]);
        source = cause.source();
    }
    text
}
