//! The thread that writes.

use super::line;
use super::lock::{Lock, beside};
use crate::snapshot::{Entry, Snapshot};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use tokio::sync::watch;

/// Something to write.
#[derive(Debug)]
pub(super) enum Message {
    Append(Vec<Entry>),
    Replace(Box<Snapshot>),
}

/// How far the writer has come.
#[derive(Debug, Clone)]
pub(super) enum Progress {
    /// So many messages are on the disk.
    Written(u64),
    /// It has given up.
    Failed(Arc<str>),
}

/// A file of less than this is never written anew: reading it takes no time.
const SMALL: u64 = 16 << 20;

/// A file that is so many times larger than when it was written is mostly past.
const MOSTLY_PAST: u64 = 4;

/// How many entries one line has at most, so that no line grows without bounds.
const ENTRIES_PER_LINE: usize = 4096;

pub(super) struct Writer {
    path: PathBuf,
    file: File,
    _lock: Lock,
    progress: watch::Sender<Progress>,
    grown: Arc<AtomicBool>,
    /// The size of the file, and its size when it was written or opened.
    size: u64,
    began_with: u64,
}

impl Writer {
    pub(super) fn new(
        path: &Path,
        file: File,
        lock: Lock,
        progress: watch::Sender<Progress>,
        grown: Arc<AtomicBool>,
    ) -> io::Result<Self> {
        let size = file.metadata()?.len();
        // What is past in a file that is opened is not known; the first time it is written anew tells.
        let began_with = size / MOSTLY_PAST;
        Ok(Self { path: path.to_owned(), file, _lock: lock, progress, grown, size, began_with })
    }

    /// Writes until the queue is closed, or until writing fails.
    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        let mut written = 0;
        while let Ok(first) = messages.recv() {
            let mut count = 0;
            let outcome = self.write(first, messages, &mut count);
            if let Err(error) = outcome {
                tracing::error!(%error, path = %self.path.display(), "the state file cannot be written");
                self.progress.send_replace(Progress::Failed(error.to_string().into()));
                return;
            }
            written += count;
            self.progress.send_replace(Progress::Written(written));
            if self.size > SMALL && self.size > self.began_with.saturating_mul(MOSTLY_PAST) {
                self.grown.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Writes a message and whatever has queued up behind it as one, and waits for the disk.
    fn write(&mut self, first: Message, messages: &Receiver<Message>, count: &mut u64) -> io::Result<()> {
        let mut entries = Vec::new();
        let mut next = Some(first);
        while let Some(message) = next {
            *count += 1;
            match message {
                Message::Append(more) => entries.extend(more),
                Message::Replace(snapshot) => {
                    // Everything before is in it.
                    entries.clear();
                    write_anew(&self.path, *snapshot)?;
                    self.file = open(&self.path, 0)?;
                    self.size = self.file.metadata()?.len();
                    self.began_with = self.size;
                }
            }
            next = if entries.len() < ENTRIES_PER_LINE { messages.try_recv().ok() } else { None };
        }
        if !entries.is_empty() {
            let line = line::print(&entries);
            self.file.write_all(&line)?;
            self.file.sync_data()?;
            self.size += line.len() as u64;
        }
        Ok(())
    }
}

/// How files are opened that hold secrets: for their owner alone.
pub(super) fn options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "the mode is set on Unix"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Opens a file to add to it, without what stands after its good bytes if their number is given.
pub(super) fn open(path: &Path, valid: usize) -> io::Result<File> {
    let mut file = options().write(true).open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    let length = file.metadata()?.len();
    let valid = valid as u64;
    if valid > 0 && valid < length {
        tracing::warn!(
            path = %path.display(),
            bytes = length - valid,
            "the last line of the state file was cut short; nobody was told of what it says, and it is dropped"
        );
        file.set_len(valid)?;
        file.sync_data()?;
    }
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}

/// Writes a file beside the old one and puts it in its place in one step.
pub(super) fn write_anew(path: &Path, snapshot: Snapshot) -> io::Result<()> {
    let new = beside(path, "new");
    let file = options().write(true).create(true).truncate(true).open(&new)?;
    let mut file = BufWriter::new(file);
    file.write_all(&line::header())?;
    let mut entries = snapshot.into_entries();
    loop {
        let some: Vec<Entry> = entries.by_ref().take(ENTRIES_PER_LINE / 64).collect();
        if some.is_empty() {
            break;
        }
        file.write_all(&line::print(&some))?;
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(&new, path)?;
    // The new name is in the directory, which is a file of its own.
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}
