//! Spans reach an OpenTelemetry collector, nested as the work is, whatever the filter of log lines says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use gclb::telemetry::Telemetry;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;
use tracing::{debug_span, info_span};

type Spans = Arc<Mutex<Vec<Span>>>;

async fn collect(State(spans): State<Spans>, body: Bytes) {
    let request = ExportTraceServiceRequest::decode(body).expect("the body is an export of spans");
    let found = request.resource_spans.into_iter().flat_map(|of| of.scope_spans).flat_map(|of| of.spans);
    spans.lock().unwrap().extend(found);
}

async fn collector() -> (SocketAddr, Spans) {
    let spans = Spans::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/v1/traces", post(collect)).with_state(Arc::clone(&spans));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, spans)
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_reach_the_collector_nested() {
    let (address, spans) = collector().await;
    let collector = Some(format!("http://{address}").parse().unwrap());
    let telling = Telemetry { filter: "error".to_owned(), format: None, collector }.start().unwrap();
    info_span!(target: "gclb::controller", "turn").in_scope(|| {
        debug_span!(target: "gce::request", "attempt", number = 1).in_scope(|| {});
        info_span!(target: "kube::client", "not ours").in_scope(|| {});
    });
    // Sends what is still to be sent.
    tokio::task::spawn_blocking(move || drop(telling)).await.unwrap();

    let spans = spans.lock().unwrap();
    let by_name: BTreeMap<&str, &Span> = spans.iter().map(|span| (span.name.as_str(), span)).collect();
    assert_eq!(by_name.keys().collect::<Vec<_>>(), [&"attempt", &"turn"]);
    assert_eq!(by_name["attempt"].parent_span_id, by_name["turn"].span_id);
    assert!(by_name["attempt"].attributes.iter().any(|pair| pair.key == "number"));
}
