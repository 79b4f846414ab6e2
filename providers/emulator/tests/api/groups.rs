//! Network endpoint groups and instance groups.

use super::cloud::Cloud;
use serde_json::{Value, json};

const ZONE: &str = "zones/us-central1-a";

fn endpoints(list: &Value) -> Value {
    json!({ "networkEndpoints": list })
}

#[tokio::test]
async fn endpoints_are_attached_listed_and_detached() {
    let cloud = Cloud::start().await;
    cloud.instance("node", [10, 0, 0, 9]).await;
    cloud.insert(&format!("{ZONE}/networkEndpointGroups"), json!({ "name": "neg", "defaultPort": 80 })).await;
    let neg = format!("{ZONE}/networkEndpointGroups/neg");
    let attach = format!("{neg}/attachNetworkEndpoints");
    let node = format!("{ZONE}/instances/node");
    let both = endpoints(&json!([
        { "instance": node, "ipAddress": "10.1.9.5", "port": 8080 },
        { "instance": node, "ipAddress": "10.0.0.9" },
    ]));
    let operation = cloud.done("POST", &attach, &both).await;
    assert_eq!(operation["operationType"], "attachNetworkEndpoints");
    // What is there already may be attached again.
    cloud.done("POST", &attach, &both).await;
    assert_eq!(cloud.get(&neg).await.ok()["size"], 2);
    let list = cloud.post(&format!("{neg}/listNetworkEndpoints"), json!({})).await.ok();
    assert_eq!(list["kind"], "compute#networkEndpointGroupsListNetworkEndpoints");
    let link = "https://www.googleapis.com/compute/v1/projects/p/zones/us-central1-a/instances/node";
    assert_eq!(
        list["items"],
        json!([
            { "networkEndpoint": { "instance": link, "ipAddress": "10.0.0.9", "port": 80 } },
            { "networkEndpoint": { "instance": link, "ipAddress": "10.1.9.5", "port": 8080 } },
        ])
    );
    let page = cloud.post(&format!("{neg}/listNetworkEndpoints?maxResults=1"), json!({})).await.ok();
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    assert!(page["nextPageToken"].is_string());
    let detach = format!("{neg}/detachNetworkEndpoints");
    let one = endpoints(&json!([{ "ipAddress": "10.1.9.5", "port": 8080 }]));
    cloud.done("POST", &detach, &one).await;
    cloud.post(&detach, one).await.refused(400, "invalid", "is not attached");
    assert_eq!(cloud.get(&neg).await.ok()["size"], 1);
    // An instance that goes takes its endpoints along.
    assert!(cloud.running.unregister_instance("p", "us-central1-a", "node").await);
    assert_eq!(cloud.get(&neg).await.ok()["size"], 0);
}

#[tokio::test]
async fn endpoints_that_the_network_does_not_know() {
    let cloud = Cloud::start().await;
    cloud.instance("node", [10, 0, 0, 9]).await;
    cloud.insert(&format!("{ZONE}/networkEndpointGroups"), json!({ "name": "neg" })).await;
    let attach = format!("{ZONE}/networkEndpointGroups/neg/attachNetworkEndpoints");
    let node = format!("{ZONE}/instances/node");
    let at = "resource.networkEndpoints[0]";
    for (endpoint, status, reason, message) in [
        (
            json!({ "instance": node, "ipAddress": "10.1.10.5", "port": 80 }),
            400,
            "invalid",
            "does not belong to the primary address or to an alias IP range",
        ),
        (json!({ "instance": node, "ipAddress": "pod", "port": 80 }), 400, "invalid", "valid IP address"),
        (json!({ "instance": node, "ipAddress": "10.1.9.5" }), 400, "required", at),
        (json!({ "ipAddress": "10.1.9.5", "port": 80 }), 400, "required", at),
        (
            json!({ "instance": format!("{ZONE}/instances/nope"), "ipAddress": "10.1.9.5", "port": 80 }),
            404,
            "notFound",
            "instances/nope' was not found",
        ),
        (
            json!({ "instance": "zones/us-central1-b/instances/node", "ipAddress": "10.1.9.5", "port": 80 }),
            400,
            "invalid",
            "must be in the zone",
        ),
    ] {
        cloud.post(&attach, endpoints(&json!([endpoint]))).await.refused(status, reason, message);
    }
    let many: Vec<Value> =
        (0..501).map(|port| json!({ "instance": node, "ipAddress": "10.1.9.5", "port": port + 1 })).collect();
    cloud.post(&attach, endpoints(&json!(many))).await.refused(400, "invalid", "at most 500 allowed");
    cloud.done("POST", &attach, &endpoints(&json!(many[..500]))).await;
    let other_network = json!({ "name": "other" });
    cloud.insert("global/networks", other_network).await;
    cloud
        .insert(
            &format!("{ZONE}/networkEndpointGroups"),
            json!({ "name": "far", "network": "global/networks/other" }),
        )
        .await;
    let endpoint = endpoints(&json!([{ "instance": node, "ipAddress": "10.1.9.5", "port": 80 }]));
    cloud.post(&format!("{ZONE}/networkEndpointGroups/far/attachNetworkEndpoints"), endpoint).await.refused(
        400,
        "invalid",
        "no network interface in the network",
    );
}

#[tokio::test]
async fn instances_join_and_leave_groups() {
    let cloud = Cloud::start().await;
    cloud.instance("n1", [10, 0, 0, 1]).await;
    cloud.instance("n2", [10, 0, 0, 2]).await;
    cloud.insert(&format!("{ZONE}/instanceGroups"), json!({ "name": "g" })).await;
    let group = format!("{ZONE}/instanceGroups/g");
    let instances = |names: &[&str]| json!({ "instances": names.iter().map(|name| json!({ "instance": format!("{ZONE}/instances/{name}") })).collect::<Vec<_>>() });
    let before = cloud.get(&group).await.ok();
    assert_eq!((&before["size"], before.get("network")), (&json!(0), None));
    cloud.done("POST", &format!("{group}/addInstances"), &instances(&["n1", "n2"])).await;
    let after = cloud.get(&group).await.ok();
    assert_eq!(after["size"], 2);
    assert!(after["network"].as_str().unwrap().ends_with("/networks/default"), "the first instance decides");
    cloud.post(&format!("{group}/addInstances"), instances(&["n1"])).await.refused(
        400,
        "memberAlreadyExists",
        "is already a member of",
    );
    let ports =
        json!({ "namedPorts": [{ "name": "http", "port": 30080 }], "fingerprint": after["fingerprint"] });
    cloud.done("POST", &format!("{group}/setNamedPorts"), &ports).await;
    let stale = cloud.post(&format!("{group}/setNamedPorts"), ports).await;
    stale.refused(412, "conditionNotMet", "Invalid fingerprint.");
    let list = cloud.post(&format!("{group}/listInstances"), json!({ "instanceState": "ALL" })).await.ok();
    assert_eq!(list["items"][0]["namedPorts"], json!([{ "name": "http", "port": 30080 }]));
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    cloud.done("POST", &format!("{group}/removeInstances"), &instances(&["n1"])).await;
    cloud.post(&format!("{group}/removeInstances"), instances(&["n1"])).await.refused(
        400,
        "memberNotFound",
        "is not a member of",
    );
    cloud.post(&format!("{group}/addInstances"), instances(&["nope"])).await.refused(404, "notFound", "nope");
}

#[tokio::test]
async fn an_instance_is_in_one_load_balanced_group_only() {
    let cloud = Cloud::start().await;
    cloud.instance("n", [10, 0, 0, 1]).await;
    cloud.health_check("h").await;
    let member = json!({ "instances": [{ "instance": format!("{ZONE}/instances/n") }] });
    for group in ["g1", "g2", "g3"] {
        cloud.insert(&format!("{ZONE}/instanceGroups"), json!({ "name": group })).await;
    }
    for group in ["g1", "g2"] {
        cloud.done("POST", &format!("{ZONE}/instanceGroups/{group}/addInstances"), &member).await;
    }
    let service = |name: &str, groups: &[&str]| {
        let backends: Vec<Value> =
            groups.iter().map(|group| json!({ "group": format!("{ZONE}/instanceGroups/{group}") })).collect();
        json!({ "name": name, "protocol": "HTTP", "healthChecks": ["h"], "backends": backends })
    };
    let refused = |operation: &Value| {
        let error = &operation["error"]["errors"][0];
        assert_eq!(error["code"], "INSTANCE_IN_MULTIPLE_LOAD_BALANCED_IGS", "{operation}");
        assert!(error["message"].as_str().unwrap().contains("projects/p/zones/us-central1-a/instances/n"));
        assert_eq!(
            (&operation["httpErrorStatusCode"], &operation["httpErrorMessage"]),
            (&json!(400), &json!("BAD REQUEST"))
        );
    };
    refused(&cloud.ended("POST", "global/backendServices", &service("both", &["g1", "g2"])).await);
    cloud.get("global/backendServices/both").await.refused(404, "notFound", "was not found");
    cloud.insert("global/backendServices", service("one", &["g1"])).await;
    // Twice load-balanced by one group is fine.
    cloud.insert("global/backendServices", service("two", &["g1"])).await;
    refused(&cloud.ended("POST", "global/backendServices", &service("three", &["g2"])).await);
    cloud.insert("global/backendServices", service("three", &["g3"])).await;
    refused(&cloud.ended("POST", &format!("{ZONE}/instanceGroups/g3/addInstances"), &member).await);
    assert_eq!(cloud.get(&format!("{ZONE}/instanceGroups/g3")).await.ok()["size"], 0);
}
