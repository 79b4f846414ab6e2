//! Tasks of the data plane: every one is counted, so that shutdown can wait for the last.

use std::future::Future;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Where tasks are started. Clones share one count.
#[derive(Debug, Clone, Default)]
pub(super) struct Tasks {
    tracker: TaskTracker,
    /// Ends every task wherever it stands.
    abort: CancellationToken,
}

impl Tasks {
    /// Starts a task that ends by itself or when everything is aborted. The handle may be dropped.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.tracker.spawn(unless(self.abort.clone(), task))
    }

    /// Ends every task now; [`Tasks::wait`] then returns soon.
    pub(super) fn abort(&self) {
        self.abort.cancel();
    }

    /// Until every task has ended.
    pub(super) async fn wait(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.spawn(task);
    }
}

/// Runs a task until it ends or the token is cancelled; then it is dropped where it stands.
pub(super) async fn unless(token: CancellationToken, task: impl Future<Output = ()>) {
    tokio::select! {
        biased;
        () = token.cancelled_owned() => {}
        () = task => {}
    }
}
