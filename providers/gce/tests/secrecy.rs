//! No token is printed: not in logs at any level, not in errors, not in `Debug`.
//!
//! A test binary of its own, because the log of a whole process is read.
#![allow(clippy::unwrap_used)]

#[path = "client/server.rs"]
#[allow(dead_code, reason = "shared with the tests in `client`, which use all of it")]
mod server;

use std::fmt::Write as _;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gce::{Backoff, Client, Credentials, Error, Global, RetryPolicy};
use google_cloud_auth::credentials::{CacheableResource, CredentialsProvider, EntityTag};
use google_cloud_auth::errors::CredentialsError;
use http::{Extensions, HeaderMap, HeaderValue};
use server::{Answer, Server, refusal};

/// Gives out one token, and forgets to mark it as sensitive.
#[derive(Debug)]
struct Fixed;

impl CredentialsProvider for Fixed {
    async fn headers(&self, _: Extensions) -> Result<CacheableResource<HeaderMap>, CredentialsError> {
        let mut data = HeaderMap::new();
        data.insert("authorization", HeaderValue::from_static("Bearer ya29.the-secret-token"));
        Ok(CacheableResource::New { entity_tag: EntityTag::new(), data })
    }

    async fn universe_domain(&self) -> Option<String> {
        None
    }
}

/// What would be in a log file.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An error and all its sources, in both renderings.
fn everything_said(error: &Error) -> String {
    let mut said = format!("{error:?} {error:#?}");
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(current) = next {
        let _ = write!(said, "{current} {current:?}");
        next = current.source();
    }
    said
}

#[tokio::test]
async fn no_token_is_printed() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let server = Server::start([
        Answer::Drop,
        refusal(503, "backendError", "Backend Error"),
        refusal(401, "authError", "Invalid Credentials"),
        Answer::Say(200, "{".into(), Vec::new()),
        Answer::Drop,
        Answer::Drop,
        Answer::Drop,
        Answer::Drop,
    ])
    .await;
    let backoff = Backoff { first: Duration::from_millis(1), most: Duration::from_millis(4), times: 3 };
    let client = Client::builder("p")
        .endpoint(server.endpoint())
        .retry(RetryPolicy { transient: backoff, throttled: backoff, not_ready: backoff })
        .credentials(Credentials::Custom(Fixed.into()))
        .build()
        .unwrap();
    let maps = client.url_maps(Global);
    let mut said = format!("{client:?} {client:#?} {maps:?} {:?}", Credentials::Custom(Fixed.into()));
    for _ in 0..3 {
        said.push_str(&everything_said(&maps.get("web").await.unwrap_err()));
    }
    assert_eq!(server.left(), 0);
    assert!(server.asked().iter().all(|asked| asked.headers.contains_key("authorization")));
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("will try again") && logged.contains("compute_call"), "{logged}");
    for text in [&said, &logged] {
        assert!(!text.contains("secret") && !text.contains("ya29"), "{text}");
    }
}
