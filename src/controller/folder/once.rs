//! The files of folders, once, without watching them: for commands that look and go.
//!
//! Reading YAML is most of the work where there are thousands of manifests, so all processors read.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::FolderError;
use super::files::list;
use crate::snapshot::manifests::{Diagnostic, File, Manifests};

/// The path that stands for the input stream.
pub const INPUT_STREAM: &str = "-";

/// How diagnostics call the input stream.
const INPUT_NAME: &str = "<stdin>";

/// Reads folders and files; `-` is the input stream, which is read to its end.
///
/// # Errors
/// When a path cannot be read at all. A manifest that is wrong is not an error but a diagnostic.
pub fn read(paths: &[PathBuf]) -> Result<Manifests, FolderError> {
    let mut sources = Vec::new();
    for path in paths {
        if path == Path::new(INPUT_STREAM) {
            sources.push(Source::Text(INPUT_NAME.to_owned(), input()?));
            continue;
        }
        let failed = |source| FolderError::Read { path: path.clone(), source };
        sources.extend(list(path).map_err(failed)?.into_iter().map(Source::Path));
    }
    Ok(Manifests::of(read_all(&sources)))
}

enum Source {
    Path(PathBuf),
    Text(String, Vec<u8>),
}

fn input() -> Result<Vec<u8>, FolderError> {
    let mut bytes = Vec::new();
    match std::io::stdin().lock().read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(source) => Err(FolderError::Read { path: INPUT_NAME.into(), source }),
    }
}

/// Every file, in the order of the sources.
fn read_all(sources: &[Source]) -> Vec<File> {
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(sources.len());
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, File)>> = Mutex::new(Vec::with_capacity(sources.len()));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let mut mine = Vec::new();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(source) = sources.get(index) else { break };
                    mine.push((index, read_one(source)));
                }
                // Nothing can panic while it is held.
                done.lock().unwrap_or_else(PoisonError::into_inner).extend(mine);
            });
        }
    });
    let mut files = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    files.sort_by_key(|(index, _)| *index);
    files.into_iter().map(|(_, file)| file).collect()
}

fn read_one(source: &Source) -> File {
    match source {
        Source::Text(name, bytes) => of_bytes(name, bytes),
        Source::Path(path) => {
            let name = path.to_string_lossy();
            match std::fs::read(path) {
                Ok(bytes) => of_bytes(&name, &bytes),
                Err(error) => unreadable(&name, &error, "make it readable"),
            }
        }
    }
}

fn of_bytes(name: &str, bytes: &[u8]) -> File {
    match std::str::from_utf8(bytes) {
        Ok(text) => File::read(name, text),
        Err(_) => unreadable(name, &"it is not UTF-8 text", "save it as UTF-8"),
    }
}

fn unreadable(name: &str, why: &dyn std::fmt::Display, help: &str) -> File {
    File {
        name: name.into(),
        objects: Vec::new(),
        diagnostics: vec![Diagnostic::unreadable(name, why, help)],
    }
}
