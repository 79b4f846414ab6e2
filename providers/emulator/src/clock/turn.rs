//! A sleep, and the turn that the sleeper has when it is woken.

use super::Clock;
use jiff::Timestamp;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// Something to do now. A step goes on when it is dropped.
#[derive(Debug)]
#[must_use = "keep the turn until what was due is done, so that a step waits for it"]
pub struct Turn {
    turns: watch::Sender<usize>,
}

impl Turn {
    pub(super) fn new(turns: &watch::Sender<usize>) -> Self {
        turns.send_modify(|turns| *turns += 1);
        Self { turns: turns.clone() }
    }

    /// Ends the turn with another sleep. The sleep begins before the turn ends, so that a step never passes between them.
    pub async fn sleep(self, clock: &Clock, span: Duration) -> Self {
        let sleep = clock.sleep(span);
        drop(self);
        sleep.await
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.send_modify(|turns| *turns -= 1);
    }
}

/// A sleep that has begun. Dropping it ends it.
#[derive(Debug)]
#[must_use = "a sleep that nobody waits for holds nothing up"]
pub struct Sleep {
    clock: Clock,
    /// None: it was over when it began.
    key: Option<(Timestamp, u64)>,
    turn: oneshot::Receiver<Turn>,
}

impl Sleep {
    pub(super) fn new(clock: Clock, key: Option<(Timestamp, u64)>, turn: oneshot::Receiver<Turn>) -> Self {
        Self { clock, key, turn }
    }
}

impl Future for Sleep {
    type Output = Turn;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Turn> {
        Pin::new(&mut self.turn).poll(context).map(|turn| {
            turn.expect("the clock, which the sleep holds, lets go of a sleeper only by waking it")
        })
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.clock.forget(key);
        }
    }
}
