//! An hour of rest, in full and in virtual time: an emulator without sockets, in this process, holds what the other one does, and the same
//! controller runs on it. Only counts come of it: nothing here takes the time that it takes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use emulator::{Config, Emulator, Sockets};
use gce::{Reached, Sending, TransportError};
use gclb::controller::{self, Progress};
use http::Request;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::DRIFT;
use crate::cloud::PROJECT;
use crate::controller::{Counts, Parts, parts};
use crate::story::since;

/// The calls of an hour that begins when the first pauses after a start are over.
pub(crate) fn an_hour(state: &Bytes, folder: PathBuf) -> BTreeMap<String, u64> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let config = Config { sockets: Sockets::None, request_log: 0, ..Config::default() };
        let emulator = Emulator::start(config).await.unwrap();
        let caller = emulator.caller();
        let load = Request::put("http://cloud.invalid/_emulator/snapshot").body(state.clone()).unwrap();
        let loaded = caller.call(load).await.unwrap();
        assert!(loaded.status().is_success(), "{}", String::from_utf8_lossy(loaded.body()));
        let transport = move |request: Request<Bytes>| -> Sending {
            let caller = caller.clone();
            Box::pin(async move {
                let answer = caller.call(request).await;
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
        let before = counts.all();
        tokio::time::sleep(Duration::from_hours(1)).await;
        let resting = since(&before, &counts.all());
        stop.cancel();
        running.await.unwrap();
        resting
    })
}
