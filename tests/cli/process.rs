//! The program as a process: run to its end, or beside the test.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// The one deadline for everything that is waited for.
const DEADLINE: Duration = Duration::from_secs(90);

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gclb"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GCLB_") || name.to_string_lossy().starts_with("GCE_EMULATOR_")
        {
            command.env_remove(name);
        }
    }
    command.env_remove("RUST_LOG");
    command
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program to its end.
pub(crate) fn gclb(arguments: &[&str]) -> Ended {
    let Output { status, stdout, stderr } = command(arguments).output().unwrap();
    Ended {
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// Runs the program to its end, with a text as its input stream.
pub(crate) fn gclb_reading(arguments: &[&str], text: &str) -> Ended {
    let mut child = command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Ends the stream when dropped. The program reads all of it before it writes anything.
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    Ended {
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// The program, running. It is killed if the test ends without stopping it.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, seen: Vec::new() }
    }

    /// Waits for a new line with this text in it.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(error) => {
                    let why = match error {
                        RecvTimeoutError::Timeout => "in time",
                        RecvTimeoutError::Disconnected => "before the program ended",
                    };
                    panic!("{text:?} was not printed {why}:\n{}", self.seen.join("\n"));
                }
            }
        }
    }

    /// The URL of its Compute Engine.
    pub(crate) fn api(&mut self) -> String {
        let line = self.wait_for("Compute Engine");
        line.split_whitespace().next_back().unwrap().to_owned()
    }

    /// Waits until, from now on, both a line with this text and curl lines have been printed, and returns the latter.
    pub(crate) fn lines_to_try_when(&mut self, text: &str) -> Vec<String> {
        let start = self.seen.len();
        loop {
            // A block of lines ends with an empty one.
            self.wait_for("");
            let new = &self.seen[start..];
            let block = new.iter().rposition(|line| line.starts_with("Try ")).map(|at| &new[at + 1..]);
            let lines: Vec<String> = block
                .into_iter()
                .flatten()
                .map(|line| line.trim().to_owned())
                .take_while(|line| line.starts_with("curl "))
                .collect();
            let whole = block.is_some_and(|block| block.len() > lines.len());
            if whole && new.iter().any(|line| line.contains(text)) {
                return lines;
            }
        }
    }

    /// Sends a signal and returns the code with which the program ends.
    pub(crate) fn stop(&mut self, signal: &str) -> Option<i32> {
        let sent = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let deadline = Instant::now() + DEADLINE;
        // Its output ends with it.
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return self.child.wait().unwrap().code(),
                Err(RecvTimeoutError::Timeout) => panic!("it did not end after SIG{signal}"),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What curl brought.
#[derive(Debug)]
pub(crate) struct Brought {
    /// The first status line and everything after it, without the marks of `curl -v`.
    pub(crate) headers: String,
    pub(crate) body: String,
    /// All that `curl -v` said.
    pub(crate) talk: String,
}

/// Types a printed line, asking for more words.
pub(crate) fn curl(line: &str) -> Brought {
    let words = line.strip_prefix("curl ").unwrap();
    let output = shell(&format!("curl -q -sS -v --noproxy '*' --max-time 20 {words}"));
    let talk = String::from_utf8_lossy(&output.stderr).replace('\r', "");
    let headers: Vec<&str> = talk.lines().filter_map(|line| line.strip_prefix("< ")).collect();
    Brought { headers: headers.join("\n"), body: String::from_utf8_lossy(&output.stdout).into_owned(), talk }
}

pub(crate) fn shell(line: &str) -> Output {
    Command::new("sh").args(["-c", line]).stdin(Stdio::null()).output().unwrap()
}

/// Under CI a missing curl is a failure.
pub(crate) fn has_curl() -> bool {
    let there = Command::new("curl")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    assert!(there || std::env::var_os("CI").is_none(), "curl is not installed");
    if !there {
        eprintln!("skipped: curl is not installed");
    }
    there
}
