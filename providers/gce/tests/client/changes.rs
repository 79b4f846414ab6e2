//! The standard verbs: paths, bodies, and what the answer becomes.

use std::time::Duration;

use gce::{Error, Global, Region, Zone};
use gce_api::{NetworkEndpointGroup, Scope, UrlMap};
use serde_json::json;
use tokio::time::Instant;

use crate::client;
use crate::server::{Answer, Server, ok, operation, refusal};

#[tokio::test]
async fn every_scope_has_its_path() {
    let server = Server::start(vec![ok(&json!({})); 7]).await;
    let client = client(&server);
    client.url_maps(Global).get("web").await.unwrap();
    client.addresses(Region::new("r")).get("a").await.unwrap();
    client.network_endpoint_groups(Zone::new("z")).get("n").await.unwrap();
    client.network_endpoint_groups(Scope::Zone("z".into())).get("n").await.unwrap();
    client.zones().get("z").await.unwrap();
    client.regions().list().await.unwrap();
    client.get_project().await.unwrap();
    assert_eq!(
        server.lines(),
        [
            "GET global/urlMaps/web",
            "GET regions/r/addresses/a",
            "GET zones/z/networkEndpointGroups/n",
            "GET zones/z/networkEndpointGroups/n",
            "GET zones/z",
            "GET regions",
            "GET /compute/v1/projects/p",
        ]
    );
}

#[tokio::test]
async fn what_has_no_path_is_not_sent() {
    let server = Server::start([]).await;
    let client = client(&server);
    let zonal = client.url_maps(Scope::Zone("z".into())).get("web").await.unwrap_err();
    assert!(matches!(zonal, Error::Unaddressable { .. }), "{zonal}");
    for name in ["", ".", ".."] {
        let nameless = client.url_maps(Global).delete(name).await.unwrap_err();
        assert!(matches!(nameless, Error::Unaddressable { .. }), "{nameless}");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_name_cannot_leave_its_place_in_the_path() {
    let server = Server::start([ok(&json!({}))]).await;
    client(&server).url_maps(Global).get("a/../b?c#d").await.unwrap();
    assert_eq!(server.lines(), ["GET global/urlMaps/a%2F..%2Fb%3Fc%23d"]);
}

#[tokio::test]
async fn bodies_go_as_they_are_given() {
    let server = Server::start(vec![operation("RUNNING"); 4]).await;
    let maps = client(&server).url_maps(Global);
    let map = UrlMap { name: Some("web".into()), fingerprint: Some("f".into()), ..UrlMap::default() };
    let started = maps.insert(&map).await.unwrap();
    assert_eq!(
        (started.name(), started.target_id(), started.scope()),
        ("operation-1", Some(42), &Scope::Global)
    );
    assert!(!started.is_done());
    let _ = maps.update("web", &map).await.unwrap();
    let patch = json!({"description": null, "hostRules": [], "fingerprint": "f"});
    let _ = maps.patch("web", &patch).await.unwrap();
    let _ = maps.delete("web").await.unwrap();
    let asked = server.asked();
    assert_eq!(
        server.lines(),
        [
            "POST global/urlMaps",
            "PUT global/urlMaps/web",
            "PATCH global/urlMaps/web",
            "DELETE global/urlMaps/web"
        ]
    );
    assert_eq!(asked[0].body, json!({"name": "web", "fingerprint": "f"}));
    assert_eq!(asked[1].body, asked[0].body);
    assert_eq!(asked[2].body, patch, "null removes and an empty list empties: both must arrive");
    assert!(asked[3].body.is_null());
    let mut ids: Vec<&str> = asked.iter().map(super::server::Asked::request_id).collect();
    assert!(ids.iter().all(|id| id.len() == 36), "{ids:?}");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4, "each change has a request id of its own");
}

#[tokio::test]
async fn a_read_carries_no_request_id() {
    let server = Server::start([ok(&json!({"name": "web"}))]).await;
    let map = client(&server).url_maps(Global).get("web").await.unwrap();
    assert_eq!(map.name.as_deref(), Some("web"));
    assert_eq!(server.asked()[0].request_id(), "");
}

#[tokio::test]
async fn refusals_keep_verb_and_resource() {
    let server = Server::start([
        refusal(404, "notFound", "The resource 'projects/p/global/urlMaps/web' was not found"),
        refusal(409, "alreadyExists", "exists"),
        refusal(412, "conditionNotMet", "Invalid fingerprint."),
    ])
    .await;
    let client = client(&server);
    let missing = client.url_maps(Global).get("web").await.unwrap_err();
    assert!(missing.is_not_found());
    assert_eq!(
        missing.to_string(),
        "get url map web: 404 notFound: The resource 'projects/p/global/urlMaps/web' was not found"
    );
    let group = NetworkEndpointGroup { name: Some("n".into()), ..NetworkEndpointGroup::default() };
    let taken = client.network_endpoint_groups(Zone::new("z")).insert(&group).await.unwrap_err();
    assert!(taken.is_already_exists());
    assert_eq!(taken.to_string(), "insert network endpoint group n in z: 409 alreadyExists: exists");
    assert!(client.url_maps(Global).patch("web", &json!({})).await.unwrap_err().is_stale_fingerprint());
    assert_eq!(server.left(), 0);
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_an_error_of_its_own() {
    let server = Server::start([
        Answer::Say(200, "<html>".into(), Vec::new()),
        ok(&json!({"kind": "compute#operation"})),
    ])
    .await;
    let maps = client(&server).url_maps(Global);
    let page = maps.get("web").await.unwrap_err();
    assert!(matches!(page, Error::Decode { .. }), "{page}");
    let nameless = maps.delete("web").await.unwrap_err();
    assert!(matches!(nameless, Error::Unexpected { .. }) && nameless.is_outcome_unknown(), "{nameless}");
}

#[tokio::test]
async fn nothing_is_sent_after_the_deadline() {
    let server = Server::start([]).await;
    let late = client(&server).until(Instant::now());
    let error = late.url_maps(Global).get("web").await.unwrap_err();
    assert!(matches!(error, Error::OutOfTime { .. }) && !error.is_outcome_unknown(), "{error}");
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_try_does_not_outlast_the_deadline() {
    let server = Server::start([Answer::Hang]).await;
    // Making a client takes a while, which is not to count.
    let client = client(&server);
    let begun = Instant::now();
    let soon = client.until(begun + Duration::from_millis(500));
    let error = soon.url_maps(Global).delete("web").await.unwrap_err();
    assert!(matches!(error, Error::Transport { .. }) && error.is_outcome_unknown(), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10), "the ordinary time-out is a minute");
    assert_eq!(server.asked().len(), 1, "there was no time for a second try");
}
