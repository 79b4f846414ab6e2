//! Notices edits.
//!
//! What kind of edit it was does not matter, since everything is looked at again; so neither does it matter how an editor saves:
//! in place, or by a new file that takes the old one's name. For that reason folders are watched, never files.
//!
//! A known gap: where a folder itself is replaced by another of the same name, edits in the new one are not noticed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use super::FolderError;

/// An edit comes as several events; it is over when there was none for this long.
const QUIET: Duration = Duration::from_millis(100);
/// Where events never cease, the folder is read this often all the same.
const LONGEST: Duration = Duration::from_secs(1);

/// Watches until it is dropped.
pub(super) struct Watch {
    watcher: Option<RecommendedWatcher>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Calls `edited` after each edit, on a thread of its own.
    pub(super) fn start(paths: &[PathBuf], edited: impl Fn() + Send + 'static) -> Result<Self, FolderError> {
        let (sender, receiver) = channel();
        let failed = |path: &Path, source| FolderError::Watch { path: path.to_owned(), source };
        let first = paths.first().map_or(Path::new("."), PathBuf::as_path);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading a file is an event too, and we read files. An error means that events were lost: look again.
            if event.as_ref().is_ok_and(|event| event.kind.is_access()) {
                return;
            }
            // Nobody listens any more only when the watch is being dropped.
            let _ = sender.send(());
        })
        .map_err(|source| failed(first, source))?;
        let folders: BTreeSet<PathBuf> = paths.iter().map(|path| folder_of(path)).collect();
        for folder in folders {
            watcher.watch(&folder, RecursiveMode::NonRecursive).map_err(|source| failed(&folder, source))?;
        }
        let thread = std::thread::Builder::new()
            .name("folder".to_owned())
            .spawn(move || run(&receiver, edited))
            .map_err(|source| failed(first, notify::Error::io(source)))?;
        Ok(Self { watcher: Some(watcher), thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // The sender goes with the watcher, and the thread with the sender.
        drop(self.watcher.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed already.
            let _ = thread.join();
        }
    }
}

fn run(events: &Receiver<()>, edited: impl Fn()) {
    while events.recv().is_ok() {
        let deadline = Instant::now() + LONGEST;
        loop {
            let wait = QUIET.min(deadline.saturating_duration_since(Instant::now()));
            match events.recv_timeout(wait) {
                Ok(()) if Instant::now() < deadline => {}
                Ok(()) | Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        edited();
    }
}

/// The folder itself, or the one that a file is in.
fn folder_of(path: &Path) -> PathBuf {
    if path.is_dir() {
        return path.to_owned();
    }
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
