//! What a process does to the world outside it, call by call; and its death at one of them.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// On which side of a call a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The call is not made.
    Before,
    /// The call is made and answered, and nobody is there to read the answer.
    After,
}

/// Where a process is to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Death {
    /// At which call, counted from 0.
    pub(crate) at: usize,
    pub(crate) side: Side,
}

/// Through here goes every call of one process. Once it is dead, none does.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    calls: Mutex<Vec<Call>>,
    /// What was asked to be made, by its path.
    made: Mutex<Vec<String>>,
    /// Calls to the cloud that contain this text are held back by the network for so long, whether or not anybody still waits for them.
    held_back: Mutex<Option<(String, Duration)>>,
    death: Mutex<Option<Death>>,
    dead: CancellationToken,
}

#[derive(Debug, Clone)]
struct Call {
    sent: Instant,
    what: String,
    answered: Option<Instant>,
}

impl Gate {
    pub(crate) fn new(death: Option<Death>) -> Self {
        Self { death: Mutex::new(death), ..Self::default() }
    }

    /// Makes a call. Never returns in a process that is dead by then.
    pub(crate) async fn pass<T>(&self, what: String, call: impl Future<Output = T>) -> T {
        let number = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(Call { sent: Instant::now(), what, answered: None });
            calls.len() - 1
        };
        self.die_at(number, Side::Before).await;
        let answer = tokio::select! {
            biased;
            () = self.dead.cancelled() => std::future::pending().await,
            answer = call => answer,
        };
        self.calls.lock().unwrap()[number].answered = Some(Instant::now());
        self.die_at(number, Side::After).await;
        answer
    }

    async fn die_at(&self, number: usize, side: Side) {
        if *self.death.lock().unwrap() == Some(Death { at: number, side }) {
            self.dead.cancel();
        }
        if self.dead.is_cancelled() {
            std::future::pending::<()>().await;
        }
    }

    /// Kills the process.
    pub(crate) fn kill(&self) {
        self.dead.cancel();
    }

    /// It is to die there.
    pub(crate) fn doom(&self, death: Death) {
        *self.death.lock().unwrap() = Some(death);
    }

    /// It is to live on.
    pub(crate) fn spare(&self) {
        *self.death.lock().unwrap() = None;
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.is_cancelled()
    }

    /// Resolves when it is dead.
    pub(crate) async fn died(&self) {
        self.dead.cancelled().await;
    }

    /// From now on the network holds calls that contain `text` back.
    pub(crate) fn hold_back(&self, text: &str, by: Duration) {
        *self.held_back.lock().unwrap() = Some((text.to_owned(), by));
    }

    /// For how long the network holds this call back.
    pub(crate) fn held_back(&self, call: &str) -> Option<Duration> {
        let held = self.held_back.lock().unwrap();
        held.as_ref().filter(|(text, _)| call.contains(text)).map(|(_, by)| *by)
    }

    /// Every call so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().iter().map(|call| call.what.clone()).collect()
    }

    /// When each change of the cloud was sent.
    pub(crate) fn writes(&self) -> Vec<(Instant, String)> {
        let calls = self.calls.lock().unwrap();
        let writes = calls.iter().filter(|call| is_write(&call.what));
        writes.map(|call| (call.sent, call.what.clone())).collect()
    }

    /// From when to when each change of the cloud, and each wait for the end of one, was under way. Those without an answer are left out.
    pub(crate) fn under_way(&self) -> Vec<(Instant, Instant)> {
        let calls = self.calls.lock().unwrap();
        let changes = calls.iter().filter(|call| is_write(&call.what) || call.what.ends_with("/wait"));
        changes.filter_map(|call| Some((call.sent, call.answered?))).collect()
    }

    /// This is asked to be made, and the cloud hears it.
    pub(crate) fn makes(&self, path: String) {
        self.made.lock().unwrap().push(path);
    }

    /// What the cloud was asked to make, as often as it was.
    pub(crate) fn made(&self) -> Vec<String> {
        self.made.lock().unwrap().clone()
    }
}

/// Whether a call, as it is written in a [`Gate`]'s list, changes something in the cloud.
pub(crate) fn is_write(call: &str) -> bool {
    // These POSTs only ask.
    const ASKS: [&str; 6] = [
        "/listInstances",
        "/listNetworkEndpoints",
        "/getHealth",
        "/wait",
        "/validate",
        "/testIamPermissions",
    ];
    let Some((method, path)) = call.split_once(" /compute/") else { return false };
    method != "GET" && !ASKS.iter().any(|ask| path.ends_with(ask))
}
