//! Writes the generated half of this crate, and the digest `discovery.txt`, from the published discovery document.
//!
//! ```text
//! cargo run -p gce-api --example generate              # rewrite src/ and discovery.txt
//! cargo run -p gce-api --example generate -- --check   # only say whether they are current
//! ```
//!
//! The document is a file of the Go module named in [`document::MODULE`], fetched by `go mod download`; a path to
//! another copy may be given as an argument. Only names, JSON types, value lists and "set by the server" marks are
//! read from it: its prose is not ours to copy.

mod catalogue;
mod digest;
mod document;
mod source;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, String> {
    let mut check = false;
    let mut path: Option<PathBuf> = None;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--check" => check = true,
            other => path = Some(PathBuf::from(other)),
        }
    }
    let path = match path {
        Some(path) => path,
        None => document::download()?,
    };
    let document = document::read(&path)?;
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut stale = 0;
    let sources = source::files(&document, crate_folder)?.into_iter();
    let digest = (digest::FILE.to_owned(), digest::text(&document)?);
    for (name, text) in sources.map(|(name, text)| (format!("src/{name}"), text)).chain([digest]) {
        let target = crate_folder.join(&name);
        if std::fs::read_to_string(&target).is_ok_and(|current| current == text) {
            continue;
        }
        stale += 1;
        if check {
            println!("stale: {name}");
        } else {
            std::fs::write(&target, text).map_err(|error| format!("write {}: {error}", target.display()))?;
            println!("wrote {name}");
        }
    }
    Ok(if check && stale > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
