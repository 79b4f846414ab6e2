//! Programs that a user would type: run to their end, with what they printed.

use std::ffi::OsStr;
use std::process::{Output, Stdio};

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// A program could not be run, or did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It could not be run.
    #[error("running '{command}' failed")]
    Run {
        /// The program and its arguments.
        command: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It said no.
    #[error("'{command}' ended with {status}: {errors}")]
    Failed {
        /// The program and its arguments.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it printed on standard error.
        errors: String,
    },
}

/// Runs a program and returns what it printed on standard output.
pub async fn run<Argument: AsRef<OsStr>>(
    program: &str,
    arguments: &[Argument],
) -> Result<String, CommandError> {
    let mut command = Command::new(program);
    command.args(arguments);
    let Output { status, stdout, stderr } = output(&mut command, "")
        .await
        .map_err(|source| CommandError::Run { command: spelled(program, arguments), source })?;
    if !status.success() {
        let errors = String::from_utf8_lossy(&stderr).trim().to_owned();
        return Err(CommandError::Failed { command: spelled(program, arguments), status, errors });
    }
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}

/// Runs a command with something on its standard input, and waits for its end.
pub(crate) async fn output(command: &mut Command, input: &str) -> std::io::Result<Output> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        // One that does not read its input closes it, which is no failure.
        let _ = pipe.write_all(input.as_bytes()).await;
    }
    child.wait_with_output().await
}

pub(crate) fn spelled<Argument: AsRef<OsStr>>(program: &str, arguments: &[Argument]) -> String {
    let words = arguments.iter().map(|argument| argument.as_ref().to_string_lossy());
    [program.into()].into_iter().chain(words).collect::<Vec<_>>().join(" ")
}
