//! What a process does to the world outside it, call by call; and its death at one of them.

use std::sync::Mutex;

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
    calls: Mutex<Vec<String>>,
    death: Mutex<Option<Death>>,
    dead: CancellationToken,
}

impl Gate {
    pub(crate) fn new(death: Option<Death>) -> Self {
        Self { death: Mutex::new(death), ..Self::default() }
    }

    /// Makes a call. Never returns in a process that is dead by then.
    pub(crate) async fn pass<T>(&self, what: String, call: impl Future<Output = T>) -> T {
        let number = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(what);
            calls.len() - 1
        };
        self.die_at(number, Side::Before).await;
        let answer = tokio::select! {
            biased;
            () = self.dead.cancelled() => std::future::pending().await,
            answer = call => answer,
        };
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

    /// Every call so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

/// Whether a call, as it is written in a [`Gate`]'s list, changes something in the cloud.
pub(crate) fn is_write(call: &str) -> bool {
    // These POSTs only ask.
    const ASKS: [&str; 5] = ["/listInstances", "/listNetworkEndpoints", "/getHealth", "/wait", "/validate"];
    let Some((method, path)) = call.split_once(" /compute/") else { return false };
    method != "GET" && !ASKS.iter().any(|ask| path.ends_with(ask))
}
