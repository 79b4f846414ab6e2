//! What a test does when the machine lacks what it needs.

use std::error::Error;
use std::io::Write as _;

use crate::assets::AssetsError;

/// Something that a machine must have for a test, and this one has not.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Missing(pub(crate) String);

/// Whether these programs are on `PATH`.
pub fn programs(names: &[&str]) -> Result<(), Missing> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = |name: &str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    match names.iter().find(|name| !found(name)) {
        None => Ok(()),
        Some(name) => Err(Missing(format!("there is no '{name}' on PATH: install it"))),
    }
}

/// The value; or nothing, said aloud, when this machine lacks what it needs: the programs of the
/// control plane and a Go toolchain to build them, or ports below 1024.
///
/// A skip is not a pass: with `CI=true` in the environment it is a failure.
///
/// # Panics
/// When it failed for any other reason, and under CI.
pub fn or_skip<T, E: Error + 'static>(result: Result<T, E>) -> Option<T> {
    let error = match result {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    let missing = causes(&error).find(|cause| {
        let assets = cause.downcast_ref::<AssetsError>();
        matches!(assets, Some(AssetsError::GoMissing | AssetsError::Incomplete { .. }))
            || cause.is::<Missing>()
    });
    match missing {
        Some(missing) if std::env::var("CI").as_deref() != Ok("true") => {
            // Straight to standard error: the test runner shows nothing of what a passing test prints.
            let _ = writeln!(std::io::stderr(), "SKIPPED: {missing}");
            None
        }
        #[expect(clippy::panic, reason = "this is how a test says that it failed")]
        _ => panic!("{}", chain(&error)),
    }
}

/// An error and what caused it, in one line.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named() {
        assert!(programs(&["sh", "env"]).is_ok());
        let missing = programs(&["sh", "no-such-program-anywhere"]).unwrap_err().to_string();
        assert!(missing.contains("'no-such-program-anywhere'"), "{missing}");
    }
}
