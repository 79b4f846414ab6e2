//! What the emulator shows is what the published wire types know: nothing more, and of the right types.

use super::cloud::{Cloud, certificate};
use gce_api::{
    Address, BackendService, Firewall, ForwardingRule, HealthCheck, Instance, InstanceGroup, Network,
    NetworkEndpointGroup, Operation, Project, Region, SslCertificate, Subnetwork, TargetHttpProxy,
    TargetHttpsProxy, UrlMap, Zone,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// A body that its type knows completely.
#[track_caller]
fn known<T: DeserializeOwned + Serialize>(body: &Value, extra: impl Fn(T) -> Map<String, Value>) {
    let typed: T = serde_json::from_value(body.clone()).unwrap_or_else(|error| panic!("{error}: {body}"));
    let again = serde_json::to_value(&typed).unwrap();
    assert_eq!(again, *body);
    assert_eq!(extra(typed), Map::new(), "fields that the type does not know: {body}");
}

#[tokio::test]
async fn bodies_are_of_the_published_types() {
    let cloud = Cloud::start().await;
    cloud.instance("node", [10, 0, 0, 9]).await;
    let zone = "zones/us-central1-a";
    cloud.url_map("web").await;
    cloud
        .insert(
            &format!("{zone}/instanceGroups"),
            json!({ "name": "ig", "namedPorts": [{ "name": "http", "port": 1 }] }),
        )
        .await;
    let member = json!({ "instances": [{ "instance": format!("{zone}/instances/node") }] });
    cloud.done("POST", &format!("{zone}/instanceGroups/ig/addInstances"), &member).await;
    cloud.insert(&format!("{zone}/networkEndpointGroups"), json!({ "name": "neg" })).await;
    let backends = json!({ "backends": [{ "group": format!("{zone}/instanceGroups/ig") }] });
    cloud.done("PATCH", "global/backendServices/web", &backends).await;
    let (chain, key) = certificate(&["a.example.com"]);
    cloud
        .insert("global/sslCertificates", json!({ "name": "c", "certificate": chain, "privateKey": key }))
        .await;
    let https = json!({ "name": "t", "urlMap": "web", "sslCertificates": ["c"] });
    cloud.insert("global/targetHttpsProxies", https).await;
    cloud.insert("global/targetHttpProxies", json!({ "name": "t", "urlMap": "web" })).await;
    cloud.insert("global/addresses", json!({ "name": "a" })).await;
    let rule = json!({
        "name": "r", "target": "global/targetHttpProxies/t", "portRange": "80", "IPAddress": "a",
        "loadBalancingScheme": "EXTERNAL_MANAGED",
    });
    let operation = cloud.done("POST", "global/forwardingRules", &rule).await;
    cloud
        .insert(
            "global/firewalls",
            json!({ "name": "f", "allowed": [{ "IPProtocol": "tcp", "ports": ["80"] }] }),
        )
        .await;

    let get = async |path: &str| cloud.get(path).await.ok();
    known::<Address>(&get("global/addresses/a").await, |it| it.extra);
    known::<BackendService>(&get("global/backendServices/web").await, |it| it.extra);
    known::<Firewall>(&get("global/firewalls/f").await, |it| it.extra);
    known::<ForwardingRule>(&get("global/forwardingRules/r").await, |it| it.extra);
    known::<HealthCheck>(&get("global/healthChecks/web").await, |it| it.extra);
    known::<Instance>(&get(&format!("{zone}/instances/node")).await, |it| it.extra);
    known::<InstanceGroup>(&get(&format!("{zone}/instanceGroups/ig")).await, |it| it.extra);
    known::<Network>(&get("global/networks/default").await, |it| it.extra);
    known::<NetworkEndpointGroup>(&get(&format!("{zone}/networkEndpointGroups/neg")).await, |it| it.extra);
    // The type holds only what a client of load balancers reads.
    known::<Project>(&get("/compute/v1/projects/p").await, |_| Map::new());
    known::<Region>(&get("regions/us-central1").await, |it| it.extra);
    known::<SslCertificate>(&get("global/sslCertificates/c").await, |it| it.extra);
    known::<Subnetwork>(&get("regions/us-central1/subnetworks/default").await, |it| it.extra);
    known::<TargetHttpProxy>(&get("global/targetHttpProxies/t").await, |it| it.extra);
    known::<TargetHttpsProxy>(&get("global/targetHttpsProxies/t").await, |it| it.extra);
    known::<UrlMap>(&get("global/urlMaps/web").await, |it| it.extra);
    known::<Zone>(&get(zone).await, |it| it.extra);
    known::<Operation>(&operation, |it| it.extra);
}
