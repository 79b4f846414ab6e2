//! Lists, pages, filters, order, and the aggregated form.

use super::cloud::Cloud;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().into_iter().flatten().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_empty_list_has_no_items() {
    let cloud = Cloud::start().await;
    assert_eq!(
        cloud.get("global/addresses").await.ok(),
        json!({
            "kind": "compute#addressList",
            "id": "projects/p/global/addresses",
            "selfLink": "https://www.googleapis.com/compute/v1/projects/p/global/addresses",
        })
    );
}

#[tokio::test]
async fn pages_filters_and_order() {
    let cloud = Cloud::start().await;
    for name in ["c", "a", "b", "web-1", "web-2"] {
        cloud.insert("global/healthChecks", json!({ "name": name, "type": "HTTP" })).await;
    }
    let list = "global/healthChecks";
    assert_eq!(names(&cloud.get(list).await.ok()), ["a", "b", "c", "web-1", "web-2"]);
    let newest = cloud.get(&format!("{list}?orderBy=creationTimestamp%20desc")).await.ok();
    assert_eq!(names(&newest), ["web-2", "web-1", "b", "a", "c"]);
    for order in ["name", "creationTimestamp%20desc"] {
        let mut seen = Vec::new();
        let mut token = String::new();
        loop {
            let path = format!("{list}?maxResults=2&orderBy={order}&pageToken={token}");
            let page = cloud.get(&path).await.ok();
            assert!(names(&page).len() <= 2);
            seen.extend(names(&page).into_iter().map(str::to_owned));
            match page["nextPageToken"].as_str() {
                Some(next) => next.clone_into(&mut token),
                None => break,
            }
        }
        assert_eq!(seen.len(), 5, "{order}: {seen:?}");
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 5, "{order}: {seen:?}");
    }
    for (filter, expected) in [
        ("name eq web-.*", vec!["web-1", "web-2"]),
        ("name eq web", vec![]),
        ("name eq \".*\\bweb\\b.*\"", vec!["web-1", "web-2"]),
        ("(name ne web-.*) (name ne a)", vec!["b", "c"]),
        ("name = web-1", vec!["web-1"]),
        ("name != a AND name != b", vec!["c", "web-1", "web-2"]),
        ("httpHealthCheck.port = 80", vec!["a", "b", "c", "web-1", "web-2"]),
    ] {
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let found = cloud.get(&format!("{list}?filter={filter}")).await.ok();
        assert_eq!(names(&found), expected, "{filter}");
    }
    for bad in ["filter=name", "maxResults=501", "pageToken=x", "pageToken=e30", "orderBy=size"] {
        cloud.get(&format!("{list}?{bad}")).await.refused(400, "invalid", "Invalid value for field");
    }
    cloud.get(&format!("{list}?maxResults=-1")).await.refused(
        400,
        "badRequest",
        "'max_results' (TYPE_UINT32), \"-1\"",
    );
}

#[tokio::test]
async fn pages_go_on_where_they_ended_whatever_comes_and_goes() {
    let cloud = Cloud::start().await;
    for name in ["b", "d", "f", "h"] {
        cloud.health_check(name).await;
    }
    let list = "global/healthChecks?maxResults=2";
    let page = cloud.get(list).await.ok();
    assert_eq!(names(&page), ["b", "d"]);
    // What the page ended with goes; something comes before it and something behind it.
    cloud.delete("global/healthChecks/d").await;
    for name in ["a", "e"] {
        cloud.health_check(name).await;
    }
    let token = page["nextPageToken"].as_str().unwrap();
    let page = cloud.get(&format!("{list}&pageToken={token}")).await.ok();
    assert_eq!(names(&page), ["e", "f"]);
}

#[tokio::test]
async fn lists_may_lag_while_get_does_not() {
    let cloud = Cloud::start().await;
    for name in ["deleted", "kept"] {
        cloud.health_check(name).await;
    }
    let hour = cloud.call("PUT", "/_emulator/list-lag", Some(&json!({ "lag": 3_600_000 }))).await.ok();
    assert_eq!(hour, cloud.get("/_emulator/list-lag").await.ok());
    cloud.health_check("new").await;
    cloud.health_check("came-and-went").await;
    cloud.delete("global/healthChecks/came-and-went").await;
    cloud.delete("global/healthChecks/deleted").await;
    cloud.done("PATCH", "global/healthChecks/kept", &json!({ "checkIntervalSec": 60 })).await;
    let list = cloud.get("global/healthChecks").await.ok();
    assert_eq!(names(&list), ["deleted", "kept"]);
    assert_eq!(list["items"][1]["checkIntervalSec"], 5, "as it was");
    let aggregated = cloud.get("aggregated/healthChecks").await.ok();
    assert_eq!(aggregated["items"]["global"]["healthChecks"].as_array().unwrap().len(), 2);
    assert_eq!(cloud.get("global/healthChecks/kept").await.ok()["checkIntervalSec"], 60);
    cloud.get("global/healthChecks/new").await.ok();
    cloud.get("global/healthChecks/deleted").await.refused(404, "notFound", "deleted");
    assert_eq!(hour, cloud.call("PUT", "/_emulator/list-lag", Some(&json!({ "lag": "1h" }))).await.ok());
    cloud.call("PUT", "/_emulator/list-lag", Some(&json!({ "lag": 0 }))).await.ok();
    assert_eq!(names(&cloud.get("global/healthChecks").await.ok()), ["kept", "new"]);
    assert_eq!(cloud.call("PUT", "/_emulator/list-lag", Some(&json!({ "lag": "x" }))).await.status, 400);
}

#[tokio::test]
async fn places_where_a_collection_never_is_show_only_to_those_who_ask() {
    let cloud = Cloud::start().await;
    let places = |list: Value| list["items"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let some = places(cloud.get("aggregated/addresses").await.ok());
    assert!(some.contains(&"global".to_owned()) && some.contains(&"regions/us-central1".to_owned()));
    assert!(!some.contains(&"zones/us-central1-a".to_owned()));
    let all = places(cloud.get("aggregated/addresses?includeAllScopes=True").await.ok());
    assert!(all.contains(&"zones/us-central1-a".to_owned()));
}

#[tokio::test]
async fn an_aggregated_list_is_a_map_over_all_places() {
    let cloud = Cloud::start().await;
    let zone = "zones/us-central1-a/networkEndpointGroups";
    for name in ["n1", "n2", "n3"] {
        cloud.insert(zone, json!({ "name": name })).await;
    }
    cloud.insert("zones/us-central1-b/networkEndpointGroups", json!({ "name": "n4" })).await;
    let list = cloud
        .get("aggregated/networkEndpointGroups?includeAllScopes=True&returnPartialSuccess=True")
        .await
        .ok();
    assert_eq!(list["kind"], "compute#networkEndpointGroupAggregatedList");
    assert_eq!(list["id"], "projects/p/aggregated/networkEndpointGroups");
    let items = list["items"].as_object().unwrap();
    assert_eq!(items["zones/us-central1-a"]["networkEndpointGroups"].as_array().unwrap().len(), 3);
    assert_eq!(
        items["zones/us-central1-c"],
        json!({ "warning": {
            "code": "NO_RESULTS_ON_PAGE",
            "message": "There are no results for scope 'zones/us-central1-c' on this page.",
            "data": [{ "key": "scope", "value": "zones/us-central1-c" }],
        } })
    );
    // Pages count across places, and every entry comes once.
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let page =
            cloud.get(&format!("aggregated/networkEndpointGroups?maxResults=3&pageToken={token}")).await.ok();
        let on_page: Vec<String> = page["items"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|place| place["networkEndpointGroups"].as_array().cloned().unwrap_or_default())
            .map(|group| group["name"].as_str().unwrap().to_owned())
            .collect();
        assert!(on_page.len() <= 3);
        seen.extend(on_page);
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert_eq!(seen, ["n1", "n2", "n3", "n4"]);
}

#[tokio::test]
async fn every_project_comes_with_places_and_a_network() {
    let cloud = Cloud::start().await;
    let zones = cloud.get("/compute/v1/projects/never-seen/zones").await.ok();
    let zones = names(&zones);
    for zone in [
        "us-central1-a",
        "us-central1-b",
        "us-central1-c",
        "us-central1-f",
        "europe-west1-b",
        "europe-west1-c",
        "europe-west1-d",
        "us-east1-b",
        "us-east1-c",
        "us-east1-d",
    ] {
        assert!(zones.contains(&zone), "{zone}");
    }
    let zone = cloud.get("zones/us-central1-a").await.ok();
    assert_eq!(zone["region"], "https://www.googleapis.com/compute/v1/projects/p/regions/us-central1");
    let region = cloud.get("regions/us-central1").await.ok();
    assert_eq!(region["zones"].as_array().unwrap().len(), 4);
    let network = cloud.get("global/networks/default").await.ok();
    assert_eq!(network["autoCreateSubnetworks"], true);
    let subnetworks =
        cloud.get("regions/us-central1/subnetworks?filter=network%20eq%20.*/default$").await.ok();
    assert_eq!(names(&subnetworks), ["default"]);
    let aggregated = cloud.get("aggregated/subnetworks").await.ok();
    assert_eq!(aggregated["items"]["regions/us-east1"]["subnetworks"][0]["name"], "default");
}

#[tokio::test]
async fn an_answer_may_be_cut_to_what_is_asked_for() {
    let cloud = Cloud::start().await;
    cloud.health_check("h").await;
    let list = cloud.get("global/healthChecks?fields=items(name,type)").await.ok();
    assert_eq!(list, json!({ "items": [{ "name": "h", "type": "HTTP" }] }));
    let path = "global/healthChecks?fields=a(";
    let refused = cloud.post(path, json!({ "name": "x", "type": "TCP" })).await;
    refused.refused(400, "invalidParameter", "Invalid field selection a(");
    cloud.get("global/healthChecks/x").await.refused(404, "notFound", "not found");
    cloud.get("global/healthChecks?%24alt=json&prettyPrint=false&%24.xgafv=2&nonsense=1").await.ok();
}
