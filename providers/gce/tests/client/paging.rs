//! Lists.

use gce::{Error, Global, HealthStatus, InstanceState, Query, Zone};
use gce_api::{NetworkEndpointGroup, Resource, Scope, UrlMap};
use serde_json::json;

use crate::client;
use crate::server::{Server, ok};

#[tokio::test]
async fn all_pages_are_read() {
    let server = Server::start([
        ok(&json!({"items": [{"name": "a"}, {"name": "b"}], "nextPageToken": "t1"})),
        ok(&json!({"nextPageToken": "t2"})),
        ok(&json!({"items": [{"name": "c"}]})),
    ])
    .await;
    let query = Query::all().filter("name eq a.*").page_size(2);
    let maps = client(&server).url_maps(Global).list_where(&query).await.unwrap();
    assert_eq!(maps.iter().filter_map(UrlMap::name).collect::<Vec<_>>(), ["a", "b", "c"]);
    let asked = server.asked();
    let tokens: Vec<_> = asked.iter().map(|asked| asked.query.get("pageToken").map(String::as_str)).collect();
    assert_eq!(tokens, [None, Some("t1"), Some("t2")]);
    assert!(
        asked.iter().all(|asked| asked.query["filter"] == "name eq a.*" && asked.query["maxResults"] == "2")
    );
}

#[tokio::test]
async fn a_list_that_runs_in_a_circle_ends() {
    let page = ok(&json!({"items": [{"name": "a"}], "nextPageToken": "t"}));
    let server = Server::start(vec![page; 10]).await;
    let error = client(&server).url_maps(Global).list().await.unwrap_err();
    assert!(matches!(error, Error::Unexpected { .. }), "{error}");
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_list_with_missing_parts_is_not_a_list() {
    let server = Server::start([
        ok(&json!({"items": [{"name": "a"}], "unreachables": ["regions/r"]})),
        ok(&json!({"warning": {"code": "UNREACHABLE", "message": "away"}})),
        ok(&json!({"warning": {"code": "NO_RESULTS_ON_PAGE"}})),
    ])
    .await;
    let maps = client(&server).url_maps(Global);
    let error = maps.list().await.unwrap_err();
    assert_eq!(error.to_string(), "list urlMaps: the list is incomplete: regions/r could not be reached");
    assert!(!error.is_not_found() && error.is_transient());
    assert!(matches!(maps.list().await.unwrap_err(), Error::Incomplete { .. }));
    assert!(maps.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_aggregated_list_gathers_scopes_over_pages() {
    let server = Server::start([
        ok(&json!({"nextPageToken": "t", "items": {
            "global": {"warning": {"code": "NO_RESULTS_ON_PAGE"}},
            "zones/a": {"networkEndpointGroups": [{"name": "n1"}]},
        }})),
        ok(&json!({"items": {
            "zones/a": {"networkEndpointGroups": [{"name": "n2"}]},
            "regions/r": {"networkEndpointGroups": [{"name": "n3"}]},
        }})),
    ])
    .await;
    let list = client(&server).aggregated_list::<NetworkEndpointGroup>(&Query::all()).await.unwrap();
    assert!(list.unreachable.is_empty());
    assert!(list.covers(&Scope::Zone("a".into())));
    let items = list.complete().unwrap();
    let names = |scope: &Scope| items[scope].iter().filter_map(Resource::name).collect::<Vec<_>>();
    assert_eq!(names(&Scope::Zone("a".into())), ["n1", "n2"]);
    assert_eq!(names(&Scope::Region("r".into())), ["n3"]);
    assert_eq!(items.len(), 2);
    let first = &server.asked()[0];
    assert_eq!(first.line(), "GET aggregated/networkEndpointGroups");
    assert_eq!(first.query["returnPartialSuccess"], "true");
    assert_eq!(first.query["includeAllScopes"], "true");
}

#[tokio::test]
async fn unreachable_scopes_are_named_and_not_covered() {
    let server = Server::start([ok(&json!({
        "items": {
            "zones/a": {"networkEndpointGroups": [{"name": "n1"}]},
            "zones/b": {"warning": {"code": "UNREACHABLE", "message": "zone is down"}},
        },
        "unreachables": ["projects/p/zones/c"],
    }))])
    .await;
    let list = client(&server).aggregated_list::<NetworkEndpointGroup>(&Query::all()).await.unwrap();
    let zone = |name: &str| Scope::Zone(name.into());
    assert!(list.covers(&zone("a")) && !list.covers(&zone("b")) && !list.covers(&zone("c")));
    assert_eq!(list.items.len(), 1, "what was reached is there");
    let error = list.complete().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("zones/c could not be reached") && text.contains("zone is down"), "{text}");
}

#[tokio::test]
async fn a_warning_about_everything_covers_nothing() {
    let server = Server::start([ok(&json!({"warning": {"code": "UNREACHABLE"}}))]).await;
    let list = client(&server).aggregated_list::<NetworkEndpointGroup>(&Query::all()).await.unwrap();
    assert!(!list.covers(&Scope::Global));
}

#[tokio::test]
async fn members_are_paged_too() {
    let server = Server::start([
        ok(&json!({"items": [{"networkEndpoint": {"ipAddress": "10.0.0.1", "port": 80}}], "nextPageToken": "t"})),
        ok(&json!({"items": [{
            "networkEndpoint": {"ipAddress": "10.0.0.2", "port": 80},
            "healths": [{"healthState": "HEALTHY"}],
        }]})),
        ok(&json!({"items": [{"instance": "i1", "status": "RUNNING"}], "nextPageToken": "t"})),
        ok(&json!({})),
    ])
    .await;
    let client = client(&server);
    let endpoints =
        client.network_endpoint_groups(Zone::new("z")).list_endpoints("n", HealthStatus::Show).await.unwrap();
    assert_eq!(endpoints.len(), 2);
    assert_eq!(endpoints[1].healths.as_ref().unwrap()[0].health_state.as_deref(), Some("HEALTHY"));
    let instances =
        client.instance_groups(Zone::new("z")).list_instances("g", InstanceState::All).await.unwrap();
    assert_eq!(instances.len(), 1);
    let asked = server.asked();
    assert_eq!(asked[0].line(), "POST zones/z/networkEndpointGroups/n/listNetworkEndpoints");
    assert_eq!(asked[1].body, json!({"healthStatus": "SHOW"}), "the body goes with every page");
    assert_eq!(asked[1].query["pageToken"], "t");
    assert_eq!(asked[3].body, json!({"instanceState": "ALL"}));
    assert!(asked.iter().all(|asked| asked.request_id().is_empty()), "nothing was changed");
}
