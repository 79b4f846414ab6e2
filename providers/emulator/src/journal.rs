//! The state file: what has become of each part of the state, line after line.
//!
//! The state is in memory; the file only remembers it. Whatever is changed while the state is held becomes one entry of
//! the queue, and a thread of its own writes what has queued up as one line with a checksum and waits until the disk has
//! it. No answer leaves before everything it may speak of is there: see [`Journal::settled`]. When the file has grown to
//! several times what it holds, it is written anew beside the old one and takes its place in one step.

mod line;
mod lock;
mod writer;

pub(crate) use self::line::ReadError;

use self::line::Read;
use self::lock::Lock;
use self::writer::{Message, Progress, Writer};
use crate::snapshot::{Entry, Snapshot, SnapshotError};
use crate::state::State;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use tokio::sync::watch;

/// A state file that is open. Only one program has it.
#[derive(Debug)]
pub(crate) struct Journal {
    /// None once it is closed.
    queue: Mutex<Option<mpsc::Sender<Message>>>,
    queued: AtomicU64,
    progress: watch::Receiver<Progress>,
    /// Set by the writer when the file should be written anew.
    grown: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Why a state file could not be opened, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StateFileError {
    /// Another program has it.
    #[error(
        "opening the state file '{}': another emulator has it open{holder}; stop that one, or give another file with \
         --state",
        path.display()
    )]
    Busy {
        /// The file.
        path: PathBuf,
        /// Which process, where it is known.
        holder: String,
    },
    /// The system refused something.
    #[error("{doing} the state file '{}'", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What is in it cannot be read.
    #[error("opening the state file '{}': {source}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        source: StateFileContentError,
    },
}

/// Why what is in a state file cannot be used, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StateFileContentError(#[from] Content);

#[derive(Debug, thiserror::Error)]
enum Content {
    #[error(transparent)]
    Lines(#[from] ReadError),
    #[error("{0}; take the file away to begin with nothing, or bring back a copy")]
    State(#[from] SnapshotError),
}

/// The state file can no longer be written. What was answered before is in it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("writing the state file: {0}; nothing is answered any more; make room and start the emulator again")]
pub(crate) struct JournalFailed(Arc<str>);

/// The state that a state file holds.
pub(crate) fn read(bytes: &[u8]) -> Result<State, StateFileContentError> {
    read_file(bytes).map(|(state, _)| state)
}

fn read_file(bytes: &[u8]) -> Result<(State, usize), StateFileContentError> {
    let Read { snapshot, valid } = line::read(bytes).map_err(Content::Lines)?;
    let state = snapshot.into_state().map_err(Content::State)?;
    Ok((state, valid))
}

impl Journal {
    /// Opens a file, or makes it; and the state it holds.
    pub(crate) fn open(path: &Path) -> Result<(Self, State), StateFileError> {
        let io = |doing| move |source| StateFileError::Io { doing, path: path.to_owned(), source };
        let lock = Lock::take(path)?;
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(io("reading")(source)),
        };
        let (state, valid) = if bytes.is_empty() {
            writer::write_anew(path, Snapshot::default()).map_err(io("making"))?;
            (State::default(), 0)
        } else {
            read_file(&bytes).map_err(|source| StateFileError::Content { path: path.to_owned(), source })?
        };
        drop(bytes);
        let file = writer::open(path, valid).map_err(io("opening"))?;
        let grown = Arc::new(AtomicBool::new(false));
        let (queue, messages) = mpsc::channel();
        let (sender, progress) = watch::channel(Progress::Written(0));
        let writer = Writer::new(path, file, lock, sender, Arc::clone(&grown)).map_err(io("opening"))?;
        let thread = std::thread::Builder::new()
            .name("state-file".to_owned())
            .spawn(move || writer.run(&messages))
            .map_err(io("beginning to write"))?;
        let journal = Self {
            queue: Mutex::new(Some(queue)),
            queued: AtomicU64::new(0),
            progress,
            grown,
            thread: Mutex::new(Some(thread)),
        };
        Ok((journal, state))
    }

    /// Queues what was changed together. Must be called while the state is held, so that the order is that of the
    /// changes.
    pub(crate) fn append(&self, entries: Vec<Entry>) {
        self.send(Message::Append(entries));
    }

    /// Queues the whole state, to be written in the place of what the file holds. As for [`Self::append`].
    pub(crate) fn replace(&self, snapshot: Snapshot) {
        self.grown.store(false, Ordering::Relaxed);
        self.send(Message::Replace(Box::new(snapshot)));
    }

    /// Whether the file has grown so much that it should be replaced.
    pub(crate) fn has_grown(&self) -> bool {
        self.grown.load(Ordering::Relaxed)
    }

    fn send(&self, message: Message) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        self.queued.fetch_add(1, Ordering::Relaxed);
        // A writer that has ended has said why.
        drop(queue.as_ref().map(|queue| queue.send(message)));
    }

    /// Returns when everything that was queued before the call is on the disk.
    pub(crate) async fn settled(&self) -> Result<(), JournalFailed> {
        let queued = self.queued.load(Ordering::Relaxed);
        let mut progress = self.progress.clone();
        let reached = progress
            .wait_for(|progress| match progress {
                Progress::Written(count) => *count >= queued,
                Progress::Failed(_) => true,
            })
            .await;
        match reached.as_deref() {
            Ok(Progress::Written(_)) => Ok(()),
            Ok(Progress::Failed(why)) => Err(JournalFailed(Arc::clone(why))),
            Err(_) => Err(JournalFailed("the emulator is stopping".into())),
        }
    }

    /// Writes what is queued and lets go of the file.
    pub(crate) fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that writes the state file ended badly");
        }
    }
}
