//! The one slow step: building the control plane with the Go toolchain.
//!
//! It is done in a scratch folder beside its destination and moved there when everything is complete, under a
//! lock that other processes wait for, so that no one ever sees half of it and no one builds it twice.

use std::fs::{self, File, TryLockError};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{AssetsError, KUBERNETES_VERSION, MODULE, Program};

/// How often the progress is said. A line per compiled package would be 2,700 lines.
const PROGRESS_EVERY: Duration = Duration::from_secs(15);

/// How much of what the toolchain printed goes into an error.
const LINES_IN_ERROR: usize = 30;

/// What `go build` is called with, except for the destination.
///
/// Without symbols and debug information the programs are half as large and link faster. The version must be
/// set as Kubernetes' own build sets it: clients refuse to work with the `v0.0.0-master` that it is otherwise.
pub(super) fn arguments() -> Vec<String> {
    let (major, minor) = major_and_minor();
    let mut linker = "-s -w".to_owned();
    for package in ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"] {
        for (variable, value) in [
            ("gitVersion", KUBERNETES_VERSION),
            ("gitMajor", major),
            ("gitMinor", minor),
            ("gitTreeState", "clean"),
        ] {
            linker.extend([" -X ", package, ".", variable, "=", value]);
        }
    }
    ["build", "-v", "-mod=readonly", "-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false", "-ldflags"]
        .into_iter()
        .map(str::to_owned)
        .chain([linker])
        .collect()
}

fn major_and_minor() -> (&'static str, &'static str) {
    let mut parts = KUBERNETES_VERSION.trim_start_matches('v').split('.');
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// Builds all programs into `folder`, unless another process does so while this one waits for the lock in `cache`.
pub(super) fn into(folder: &Path, cache: &Path) -> Result<(), AssetsError> {
    at("creating", cache, fs::create_dir_all(cache))?;
    let lock_path = cache.join("build.lock");
    let lock = at("opening", &lock_path, File::create(&lock_path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            say("another process is building the control plane; waiting for it");
            at("locking", &lock_path, lock.lock())?;
        }
        Err(TryLockError::Error(source)) => {
            return Err(AssetsError::File { action: "locking", path: lock_path, source });
        }
    }
    if folder.is_dir() {
        return Ok(());
    }
    // Whoever holds the lock owns the scratch folder; one that a killed build left behind is in the way.
    let scratch = cache.join("building");
    if scratch.exists() {
        at("removing", &scratch, fs::remove_dir_all(&scratch))?;
    }
    let (module, out) = (scratch.join("module"), scratch.join("bin"));
    at("creating", &module, fs::create_dir_all(&module))?;
    at("creating", &out, fs::create_dir_all(&out))?;
    for (name, text) in MODULE {
        let path = module.join(name);
        at("writing", &path, fs::write(&path, text))?;
    }
    compile(&module, &out)?;
    // Go names the program after its folder, which for etcd is "server".
    let server = out.join("server");
    at("renaming", &server, fs::rename(&server, out.join(Program::Etcd.file_name())))?;
    at("renaming", &out, fs::rename(&out, folder))?;
    at("removing", &scratch, fs::remove_dir_all(&scratch))
}

fn compile(module: &Path, out: &Path) -> Result<(), AssetsError> {
    let started = Instant::now();
    say(&format!(
        "building etcd and Kubernetes {KUBERNETES_VERSION} from Go modules, once for this machine (some minutes)"
    ));
    let packages = Program::ALL.map(Program::go_package);
    let total = count_packages(module, &packages)?;

    let mut build = go(module);
    build.args(arguments()).arg("-o").arg(format!("{}/", out.display())).args(packages);
    build.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = build.spawn().map_err(|source| run_failed("go build", source))?;
    let mut tail: Vec<String> = Vec::new();
    let mut compiled = 0_usize;
    let mut said = Instant::now();
    if let Some(output) = child.stderr.take() {
        // With -v the toolchain prints the name of each package that it compiles; what else it prints is an error.
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            compiled += 1;
            if tail.len() == LINES_IN_ERROR {
                tail.remove(0);
            }
            tail.push(line);
            if said.elapsed() >= PROGRESS_EVERY {
                said = Instant::now();
                say(&format!("{compiled} of {total} packages after {} s", started.elapsed().as_secs()));
            }
        }
    }
    let status = child.wait().map_err(|source| run_failed("go build", source))?;
    if !status.success() {
        return Err(AssetsError::Go { command: "go build".into(), status, output: tail.join("\n") });
    }
    say(&format!("the control plane is built, in {} s", started.elapsed().as_secs()));
    Ok(())
}

/// How many packages there are to compile at most. Fetches the modules on the way.
fn count_packages(module: &Path, packages: &[&str]) -> Result<usize, AssetsError> {
    let listed = go(module)
        .args(["list", "-mod=readonly", "-deps"])
        .args(packages)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| run_failed("go list", source))?;
    if !listed.status.success() {
        let output = String::from_utf8_lossy(&listed.stderr);
        let lines: Vec<&str> = output.lines().collect();
        let output = lines[lines.len().saturating_sub(LINES_IN_ERROR)..].join("\n");
        return Err(AssetsError::Go { command: "go list".into(), status: listed.status, output });
    }
    Ok(listed.stdout.split(|byte| *byte == b'\n').count())
}

fn go(module: &Path) -> Command {
    let mut command = Command::new("go");
    // Pure Go programs run on any Linux of this architecture, and need no C compiler here.
    command.current_dir(module).env("CGO_ENABLED", "0").env("GOWORK", "off").env_remove("GOFLAGS");
    command
}

fn run_failed(command: &str, source: std::io::Error) -> AssetsError {
    if source.kind() == std::io::ErrorKind::NotFound {
        AssetsError::GoMissing
    } else {
        AssetsError::Run { command: command.to_owned(), source }
    }
}

fn at<T>(action: &'static str, path: &Path, result: std::io::Result<T>) -> Result<T, AssetsError> {
    result.map_err(|source| AssetsError::File { action, path: PathBuf::from(path), source })
}

/// Written to the real standard error, which the test runner does not swallow: a test that builds must not look hung.
fn say(text: &str) {
    // Nobody to tell is no reason to stop.
    let _ = writeln!(std::io::stderr(), "controlplane: {text}");
}
