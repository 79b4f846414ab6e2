//! Calls pass a gate, which is told what became of them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gce::{Effect, Entered, Entering, Error, Gate, Global, Knock, Passage, Zone};
use gce_api::UrlMap;
use serde_json::json;
use tokio::time::Instant;

use crate::builder;
use crate::server::{Answer, Server, ok, operation, refusal};

/// Lets everybody through and writes down who came and what became of them.
#[derive(Default)]
struct Book(Arc<Mutex<Vec<String>>>);

struct Guest {
    book: Arc<Mutex<Vec<String>>>,
    call: String,
}

impl Gate for Book {
    fn enter<'a>(&'a self, knock: Knock<'a>) -> Entering<'a> {
        let Knock { verb, collection, effect, scope, resource } = knock;
        assert!(!resource.is_empty());
        let effect = match effect {
            Effect::Read => "reads",
            Effect::Change => "changes",
        };
        let call = format!("{verb} {effect} {collection} in {scope}");
        Box::pin(async move {
            let guest: Box<dyn Entered> = Box::new(Guest { book: Arc::clone(&self.0), call });
            guest
        })
    }
}

impl Entered for Guest {
    fn answered(self: Box<Self>, passage: Passage) {
        self.book.lock().unwrap().push(format!("{}: {passage:?}", self.call));
    }
}

/// Lets nobody through.
struct Shut;

impl Gate for Shut {
    fn enter<'a>(&'a self, _: Knock<'a>) -> Entering<'a> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn every_try_passes_it_and_tells_what_became_of_it() {
    let server = Server::start([
        Answer::Drop,
        Answer::Say(429, "{}".into(), vec![("retry-after", "0")]),
        refusal(404, "notFound", "not found"),
        refusal(403, "rateLimitExceeded", "slow down"),
        operation("RUNNING"),
        operation("DONE"),
        ok(&json!({"items": {}})),
    ])
    .await;
    let book = Book::default();
    let written = Arc::clone(&book.0);
    let client = builder(&server).gate(Arc::new(book)).build().unwrap();
    client.network_endpoint_groups(Zone::new("r-a")).get("web").await.unwrap_err();
    let map = UrlMap { name: Some("web".into()), ..UrlMap::default() };
    let error = client.url_maps(Global).insert(&map).await.unwrap_err();
    assert!(error.is_throttled(), "{error}");
    let change = client.url_maps(Global).delete("web").await.unwrap();
    let _ = client.wait(change).await.unwrap();
    let _ = client.aggregated_list::<UrlMap>(&gce::Query::all()).await.unwrap();
    assert_eq!(
        *written.lock().unwrap(),
        [
            "get reads networkEndpointGroups in zones/r-a: Unknown",
            "get reads networkEndpointGroups in zones/r-a: Throttled { retry_after: Some(0ns) }",
            "get reads networkEndpointGroups in zones/r-a: LetThrough",
            "insert changes urlMaps in global: Throttled { retry_after: None }",
            "delete changes urlMaps in global: LetThrough",
            "wait reads operations in global: LetThrough",
            "aggregatedList reads urlMaps in global: LetThrough",
        ]
    );
}

#[tokio::test]
async fn nobody_waits_before_it_for_longer_than_their_deadline() {
    let server = Server::start([]).await;
    let shut = builder(&server).gate(Arc::new(Shut)).build().unwrap();
    let soon = shut.until(Instant::now() + Duration::from_millis(20));
    let error = soon.url_maps(Global).get("web").await.unwrap_err();
    assert!(matches!(error, Error::OutOfTime { .. }), "{error}");
    assert!(server.asked().is_empty());
}
