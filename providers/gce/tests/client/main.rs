//! The client against a scripted server: what goes over the wire, and what is made of what comes back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod auth;
mod changes;
mod gate;
mod operations;
mod paging;
mod retries;
mod server;
mod verbs;

use std::time::Duration;

use gce::{Backoff, Builder, Client, RetryPolicy, Timeouts};
use server::Server;

/// Pauses of milliseconds, so that a test of ten tries takes none.
fn quick() -> RetryPolicy {
    let backoff = Backoff { first: Duration::from_millis(1), most: Duration::from_millis(4), times: 3 };
    RetryPolicy { transient: backoff, throttled: backoff, not_ready: backoff }
}

fn builder(server: &Server) -> Builder {
    Client::builder("p")
        .endpoint(server.endpoint())
        .retry(quick())
        .timeouts(Timeouts { wait_floor: Duration::from_millis(1), ..Timeouts::default() })
}

fn client(server: &Server) -> Client {
    builder(server).build().unwrap()
}
