//! An hour of rest, in full and in virtual time: an emulator without sockets, in this process, holds what the other one does, and the same
//! controller runs on it. Counts come of it, and the processor time of the controller: everything runs on one thread, and what that spends in
//! the emulator's answers is taken off.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use emulator::{Config, Emulator, Sockets};
use gce::{Reached, Sending, TransportError};
use gclb::controller::{self, Progress};
use http::Request;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::DRIFT;
use crate::cloud::PROJECT;
use crate::controller::{Counts, Parts, parts};
use crate::story::since;

/// An hour that begins when the first pauses after a start are over.
pub(crate) struct Hour {
    /// How often each call was made.
    pub(crate) calls: BTreeMap<String, u64>,
    /// Processor time of the controller, and of what the emulator does between requests.
    pub(crate) cpu: Duration,
}

/// What this thread has spent so far.
fn spent() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap()
}

/// A future, and the processor time that it takes, in nanoseconds.
struct Metered<F> {
    future: Pin<Box<F>>,
    nanoseconds: Arc<AtomicU64>,
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let began = spent();
        let polled = self.future.as_mut().poll(context);
        let took = u64::try_from(spent().saturating_sub(began).as_nanos()).unwrap();
        self.nanoseconds.fetch_add(took, Ordering::Relaxed);
        polled
    }
}

pub(crate) fn an_hour(state: &Bytes, folder: PathBuf) -> Hour {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let config = Config { sockets: Sockets::None, request_log: 0, ..Config::default() };
        let emulator = Emulator::start(config).await.unwrap();
        let caller = emulator.caller();
        let load = Request::put("http://cloud.invalid/_emulator/snapshot").body(state.clone()).unwrap();
        let loaded = caller.call(load).await.unwrap();
        assert!(loaded.status().is_success(), "{}", String::from_utf8_lossy(loaded.body()));
        let answering = Arc::new(AtomicU64::new(0));
        let nanoseconds = Arc::clone(&answering);
        let transport = move |request: Request<Bytes>| -> Sending {
            let (caller, nanoseconds) = (caller.clone(), Arc::clone(&nanoseconds));
            Box::pin(async move {
                let future = Box::pin(async move { caller.call(request).await });
                let answer = Metered { future, nanoseconds }.await;
                answer.map_err(|error| TransportError::new(Reached::Perhaps, error))
            })
        };
        let client =
            gce::Client::builder(PROJECT).endpoint("http://localhost/compute/v1/").transport(transport);
        let counts = Arc::new(Counts::default());
        let Parts { source, cloud, options } = parts(folder, client, &counts, DRIFT);
        let (told, mut settled) = watch::channel(());
        let tell = move |progress: Progress<'_>| {
            if matches!(progress, Progress::Settled(None)) {
                told.send_replace(());
            }
        };
        let stop = CancellationToken::new();
        let running = tokio::spawn(controller::run(source, cloud, options, tell, stop.clone()));
        settled.changed().await.unwrap();
        // What has become well lately is asked about often; by then no more.
        tokio::time::sleep(Duration::from_mins(20)).await;
        let own = || spent().saturating_sub(Duration::from_nanos(answering.load(Ordering::Relaxed)));
        let (before, began) = (counts.all(), own());
        tokio::time::sleep(Duration::from_hours(1)).await;
        let hour = Hour { calls: since(&before, &counts.all()), cpu: own().saturating_sub(began) };
        stop.cancel();
        running.await.unwrap();
        hour
    })
}
