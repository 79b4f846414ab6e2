//! A child process that cannot outlive its parent.
//!
//! Drop and signal handlers are not enough for that: a test process may be killed with SIGKILL, and statics are
//! never dropped. The kernel's "die with the parent" needs unsafe code. So each program is started by a few lines of
//! shell that hold the reading end of a pipe; this process holds the writing end. Each line through the pipe is the
//! name of a signal to send to the program; the end of the pipe, however this process ended, is SIGKILL.
//!
//! The shell is put into a process group of its own, so that Ctrl-C in a terminal reaches only this process, which
//! then stops what it started in its own order.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Runs "$@" and does what the pipe says; see the module's documentation. Closing descriptor 3 for the program
/// matters little (it is the reading end), but it is none of the program's business.
const SUPERVISOR: &str = r#"
exec 3<&0 </dev/null
"$@" 3<&- &
program=$!
(
  while read -r signal <&3; do kill -s "$signal" "$program"; done
  kill -s KILL "$program"
) 2>/dev/null &
watchdog=$!
exec 3<&-
wait "$program"
status=$?
kill -s KILL "$watchdog" 2>/dev/null
exit "$status"
"#;

/// Removes "$1" once the pipe ends. Programs that still write to it are being killed at that moment, so it tries again.
const JANITOR: &str = r#"
read -r _
tries=0
until rm -rf "$1" 2>/dev/null || [ "$tries" -ge 50 ]; do tries=$((tries + 1)); sleep 0.1; done
"#;

/// How much of a log an error shows.
const TAIL_BYTES: u64 = 4096;

/// Why a program could not be run.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// Its log could not be opened.
    #[error("starting {name}: opening its log {} failed", path.display())]
    Log {
        /// The program.
        name: String,
        /// The log.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It could not be started.
    #[error("starting {name} failed")]
    Start {
        /// The program.
        name: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Its end could not be waited for.
    #[error("waiting for the end of {name} failed")]
    Wait {
        /// The program.
        name: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

/// A signal that can be sent to a [`Process`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The polite request to end.
    Term,
    /// What Ctrl-C sends.
    Interrupt,
    /// The end at once, no code of the program runs.
    Kill,
    /// The program stands still.
    Stop,
    /// The program goes on.
    Continue,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Term => "TERM",
            Self::Interrupt => "INT",
            Self::Kill => "KILL",
            Self::Stop => "STOP",
            Self::Continue => "CONT",
        }
    }
}

/// What to run.
#[derive(Debug, Clone)]
pub struct Program {
    /// How logs and errors call it.
    pub name: String,
    /// The executable.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Added to the environment of this process.
    pub environment: Vec<(OsString, OsString)>,
    /// Both of its output streams are appended here.
    pub log: PathBuf,
}

/// A running program. Dropping it kills the program and waits for its end.
#[derive(Debug)]
pub struct Process {
    name: String,
    log: PathBuf,
    supervisor: Child,
    signals: Option<ChildStdin>,
}

impl Process {
    /// Starts the program.
    pub fn start(program: &Program) -> Result<Self, ProcessError> {
        let Program { name, path, arguments, environment, log } = program;
        let log_failed = |source| ProcessError::Log { name: name.clone(), path: log.clone(), source };
        let output = OpenOptions::new().create(true).append(true).open(log).map_err(log_failed)?;
        let errors = output.try_clone().map_err(log_failed)?;
        let mut supervisor = Command::new("/bin/sh")
            .args(["-c", SUPERVISOR, "supervisor"])
            .arg(path)
            .args(arguments)
            .envs(environment.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(|source| ProcessError::Start { name: name.clone(), source })?;
        let signals = supervisor.stdin.take();
        Ok(Self { name: name.clone(), log: log.clone(), supervisor, signals })
    }

    /// How logs and errors call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the program ended, if it has. A signal's number is added to 128, as the shell does.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>, ProcessError> {
        self.supervisor.try_wait().map_err(|source| ProcessError::Wait { name: self.name.clone(), source })
    }

    /// Sends a signal. A program that has ended gets none, which is no error.
    pub fn signal(&mut self, signal: Signal) {
        if let Some(signals) = &mut self.signals {
            let _ = writeln!(signals, "{}", signal.name());
        }
    }

    /// Ends the program with SIGKILL and waits until it is gone.
    pub fn kill(&mut self) -> Result<ExitStatus, ProcessError> {
        self.signals = None;
        self.supervisor.wait().map_err(|source| ProcessError::Wait { name: self.name.clone(), source })
    }

    /// Asks the program to end; after `patience` it is killed. Returns how it ended.
    pub async fn terminate(&mut self, patience: Duration) -> Result<ExitStatus, ProcessError> {
        self.signal(Signal::Term);
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.kill()
    }

    /// The last lines the program wrote.
    #[must_use]
    pub fn log_tail(&self) -> String {
        tail(&self.log)
    }

    /// Where the program's output is.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A program whose end cannot be waited for is killed all the same, by the closed pipe.
        let _ = self.kill();
    }
}

/// The last lines of a log; says so when it cannot be read.
#[must_use]
pub fn tail(log: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        let skipped = length.saturating_sub(TAIL_BYTES);
        file.seek(SeekFrom::Start(skipped))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        // The first line is cut somewhere, unless the whole log is shown.
        Ok(match text.split_once('\n') {
            Some((_, rest)) if skipped > 0 => rest.to_owned(),
            _ => text.into_owned(),
        })
    };
    read().unwrap_or_else(|error| format!("({} cannot be read: {error})", log.display()))
}

/// Removes a folder when this process ends, however it ends.
#[derive(Debug)]
pub struct Janitor {
    // Its end is the signal.
    _pipe: Option<ChildStdin>,
}

impl Janitor {
    /// Starts watching.
    pub fn start(folder: &Path) -> Result<Self, ProcessError> {
        let mut child = Command::new("/bin/sh")
            .args(["-c", JANITOR, "janitor"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|source| ProcessError::Start { name: "janitor".into(), source })?;
        Ok(Self { _pipe: child.stdin.take() })
    }
}

#[cfg(test)]
mod tests;
