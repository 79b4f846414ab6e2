//! Backend services: what may be a backend, and how load is balanced.

use super::cloud::Cloud;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const NEG: &str = "zones/us-central1-a/networkEndpointGroups/neg";
const GROUP: &str = "zones/us-central1-a/instanceGroups/ig";

async fn with_groups() -> Cloud {
    let cloud = Cloud::start().await;
    cloud.health_check("h").await;
    cloud.insert("zones/us-central1-a/networkEndpointGroups", json!({ "name": "neg" })).await;
    cloud.insert("zones/us-central1-a/instanceGroups", json!({ "name": "ig" })).await;
    cloud
}

fn service(backends: &Value) -> Value {
    json!({
        "name": "s", "protocol": "HTTP", "loadBalancingScheme": "EXTERNAL_MANAGED", "healthChecks": ["h"],
        "backends": backends,
    })
}

#[tokio::test]
async fn balancing_modes() {
    let cloud = with_groups().await;
    for (backends, reason, message) in [
        (
            json!([{ "group": NEG, "balancingMode": "UTILIZATION" }]),
            "invalid",
            "UTILIZATION is not supported",
        ),
        (
            json!([{ "group": NEG, "balancingMode": "RATE" }]),
            "invalid",
            "requires either maxRate or maxRatePerEndpoint",
        ),
        (json!([{ "group": NEG }]), "required", "resource.backends[0].balancingMode"),
        (
            json!([{ "group": NEG, "balancingMode": "RATE", "maxRatePerInstance": 1 }]),
            "invalid",
            "does not apply to this type of backend",
        ),
        (json!([{ "group": GROUP, "balancingMode": "RATE" }]), "invalid", "maxRatePerInstance"),
        (
            json!([{ "group": GROUP, "balancingMode": "CONNECTION", "maxConnections": 1 }]),
            "invalid",
            "CONNECTION",
        ),
        (json!([{ "group": GROUP, "capacityScaler": 0.05 }]), "invalid", "Must be 0 or between 0.1 and 1.0."),
        (json!([{ "group": GROUP }, { "group": GROUP }]), "invalid", "named by another backend"),
        (
            json!([{ "group": GROUP }, { "group": NEG, "balancingMode": "RATE", "maxRatePerEndpoint": 1 }]),
            "invalid",
            "either all instance groups or all network endpoint groups",
        ),
        (json!([{ "balancingMode": "RATE" }]), "required", "resource.backends[0].group"),
    ] {
        cloud.post("global/backendServices", service(&backends)).await.refused(400, reason, message);
    }
    let mut body = service(&json!([{ "group": GROUP }]));
    body["healthChecks"] = json!([]);
    cloud.post("global/backendServices", body).await.refused(400, "required", "resource.healthChecks");
    let mut body = service(&json!([]));
    body["healthChecks"] = json!(["h", "i"]);
    cloud.post("global/backendServices", body).await.refused(400, "invalid", "at most 1 allowed");
    cloud.insert("global/backendServices", service(&json!([{ "group": GROUP }]))).await;
    let backend = &cloud.get("global/backendServices/s").await.ok()["backends"][0];
    assert_eq!((&backend["balancingMode"], &backend["capacityScaler"]), (&json!("UTILIZATION"), &json!(1)));
}

#[tokio::test]
async fn a_group_that_was_never_probed_has_no_health() {
    let cloud = with_groups().await;
    cloud.insert("global/backendServices", service(&json!([{ "group": GROUP }]))).await;
    let health = cloud.post("global/backendServices/s/getHealth", json!({ "group": GROUP })).await.ok();
    assert_eq!(health, json!({ "kind": "compute#backendServiceGroupHealth" }));
    let other = cloud.post("global/backendServices/s/getHealth", json!({ "group": NEG })).await;
    other.refused(400, "invalid", "not a backend of the backend service");
    cloud.post("global/backendServices/s/getHealth", json!({})).await.refused(
        400,
        "required",
        "resource.group",
    );
}

#[tokio::test]
async fn a_client_secret_is_shown_as_its_hash() {
    let cloud = with_groups().await;
    let mut body = service(&Value::Null);
    body["iap"] = json!({ "enabled": false, "oauth2ClientId": "id", "oauth2ClientSecret": "very secret" });
    cloud.insert("global/backendServices", body).await;
    let hash: String =
        Sha256::digest("very secret").iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let iap = cloud.get("global/backendServices/s").await.ok()["iap"].clone();
    assert_eq!(iap["oauth2ClientSecretSha256"], hash);
    assert_eq!(iap.get("oauth2ClientSecret"), None);
    // A change of something else keeps it.
    cloud.done("PATCH", "global/backendServices/s", &json!({ "iap": { "enabled": true } })).await;
    let after = cloud.get("global/backendServices/s").await.ok()["iap"].clone();
    assert_eq!(after["oauth2ClientSecretSha256"], iap["oauth2ClientSecretSha256"]);
}

#[tokio::test]
async fn security_policies_are_set_by_their_verb_only() {
    let cloud = with_groups().await;
    let mut body = service(&Value::Null);
    body["securityPolicy"] = json!("ignored");
    cloud.insert("global/backendServices", body).await;
    assert_eq!(cloud.get("global/backendServices/s").await.ok().get("securityPolicy"), None);
    cloud.insert("global/securityPolicies", json!({ "name": "x" })).await;
    let path = "global/backendServices/s/setSecurityPolicy";
    cloud.done("POST", path, &json!({ "securityPolicy": "global/securityPolicies/x" })).await;
    let found = cloud.get("global/backendServices/s").await.ok();
    let policy = "https://www.googleapis.com/compute/v1/projects/p/global/securityPolicies/x";
    assert_eq!(found["securityPolicy"], policy);
    let refused = cloud.call("DELETE", "global/securityPolicies/x", None).await;
    refused.refused(400, "resourceInUseByAnotherResource", "being used by");
    cloud.done("PUT", "global/backendServices/s", &service(&Value::Null)).await;
    let found = cloud.get("global/backendServices/s").await.ok();
    assert_eq!(found["securityPolicy"], policy, "an update leaves it alone");
    cloud.done("POST", path, &json!({})).await;
    assert_eq!(cloud.get("global/backendServices/s").await.ok().get("securityPolicy"), None);
}
