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
    for bad in ["filter=name", "maxResults=501", "maxResults=x", "pageToken=x", "orderBy=size"] {
        cloud.get(&format!("{list}?{bad}")).await.refused(400, "invalid", "Invalid value for field");
    }
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
