//! Methods that many collections have: usable lists, policies of access, lists of a kind of their own.

use super::cloud::Cloud;
use serde_json::{Value, json};

#[tokio::test]
async fn usable_lists() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    cloud.insert("global/backendBuckets", json!({ "name": "b", "bucketName": "b" })).await;
    cloud.insert("regions/us-east1/backendBuckets", json!({ "name": "r", "bucketName": "b" })).await;
    let services = cloud.get("global/backendServices/listUsable").await.ok();
    assert_eq!(services["kind"], "compute#usableBackendServiceList");
    assert_eq!(services["items"][0], cloud.get("global/backendServices/web").await.ok());
    let buckets = cloud.get("regions/us-east1/backendBuckets/listUsable").await.ok();
    assert_eq!(
        (&buckets["kind"], &buckets["items"][0]["name"]),
        (&json!("compute#usableBackendBucketList"), &json!("r"))
    );
    let all = cloud.get("aggregated/backendBuckets").await.ok();
    assert_eq!(all["items"]["regions/us-east1"]["backendBuckets"][0]["name"], "r");

    let mut seen = Vec::new();
    let mut page = String::new();
    loop {
        let path = format!("aggregated/subnetworks/listUsable?maxResults=5&pageToken={page}");
        let answer = cloud.get(&path).await.ok();
        assert_eq!(answer["kind"], "compute#usableSubnetworksAggregatedList");
        let items = answer["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["subnetwork"].as_str().unwrap().to_owned()));
        match answer["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut page),
            None => break,
        }
    }
    let regions = cloud.get("regions").await.ok()["items"].as_array().unwrap().len();
    assert_eq!(seen.len(), regions, "the default subnetwork of each region, once");
}

#[tokio::test]
async fn policies_of_access() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    let path = "global/backendServices/web";
    let empty = cloud.get(&format!("{path}/getIamPolicy")).await.ok();
    assert_eq!((&empty["version"], empty.get("bindings")), (&json!(1), None));
    let bindings = json!([{ "role": "roles/compute.viewer", "members": ["user:a@example.com"] }]);
    let policy = json!({ "policy": { "bindings": bindings, "etag": empty["etag"] } });
    let set = cloud.post(&format!("{path}/setIamPolicy"), policy.clone()).await.ok();
    assert_eq!(set["bindings"], bindings);
    assert_eq!(cloud.get(&format!("{path}/getIamPolicy?optionsRequestedPolicyVersion=3")).await.ok(), set);
    let stale = cloud.post(&format!("{path}/setIamPolicy"), policy).await;
    stale.refused(409, "aborted", "concurrent policy changes");
    assert_eq!(cloud.get(path).await.ok().get("bindings"), None);
    let asked = json!({ "permissions": ["compute.backendServices.get"] });
    for path in ["global/urlMaps/web", "global/healthChecks/web", path] {
        let answer = cloud.post(&format!("{path}/testIamPermissions"), asked.clone()).await.ok();
        assert_eq!(answer, asked);
    }
    cloud.post("global/urlMaps/nope/testIamPermissions", asked).await.refused(
        404,
        "notFound",
        "urlMaps/nope",
    );
}

#[tokio::test]
async fn what_a_place_lacks_is_no_method() {
    let cloud = Cloud::start().await;
    for (method, path) in [
        ("PATCH", "regions/us-central1/targetHttpProxies/t"),
        ("POST", "regions/us-central1/instanceGroups"),
        ("DELETE", "regions/us-central1/instanceGroups/g"),
        ("POST", "regions/us-central1/backendServices/s/setEdgeSecurityPolicy"),
        ("POST", "regions/us-central1/backendBuckets/s/addSignedUrlKey"),
        ("GET", "regions/us-central1/securityPolicies/listPreconfiguredExpressionSets"),
        ("POST", "global/backendServices/s/getIamPolicy"),
    ] {
        let answer = cloud.call(method, path, Some(&Value::Null)).await;
        answer.refused(404, "notFound", "was not found on this server");
    }
    let groups = cloud.get("regions/us-central1/instanceGroups").await.ok();
    assert_eq!(groups["kind"], "compute#regionInstanceGroupList");
}

#[tokio::test]
async fn subnetworks_grow() {
    let cloud = Cloud::start().await;
    let path = "regions/us-central1/subnetworks";
    let body = json!({ "name": "s", "network": "global/networks/default", "ipCidrRange": "10.9.0.0/24" });
    cloud.insert(path, body).await;
    let found = cloud.get(&format!("{path}/s")).await.ok();
    assert_eq!(found["gatewayAddress"], "10.9.0.1");
    let expand = format!("{path}/s/expandIpCidrRange");
    for range in ["10.9.0.0/25", "10.9.0.0/24", "10.8.0.0/24", "x"] {
        assert_eq!(cloud.post(&expand, json!({ "ipCidrRange": range })).await.status, 400, "{range}");
    }
    let operation = cloud.done("POST", &expand, &json!({ "ipCidrRange": "10.9.0.0/20" })).await;
    assert_eq!(operation["operationType"], "expandIpCidrRange");
    let change = json!({ "privateIpGoogleAccess": true });
    cloud.done("POST", &format!("{path}/s/setPrivateIpGoogleAccess"), &change).await;
    let found = cloud.get(&format!("{path}/s")).await.ok();
    assert_eq!(
        (&found["ipCidrRange"], &found["privateIpGoogleAccess"]),
        (&json!("10.9.0.0/20"), &json!(true))
    );
}
