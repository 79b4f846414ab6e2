//! Who holds whom: nothing goes while something refers to it.

use super::cloud::{Cloud, certificate};
use serde_json::json;

#[tokio::test]
async fn the_whole_chain_goes_only_from_the_top() {
    let cloud = Cloud::start().await;
    cloud.instance("node", [10, 0, 0, 9]).await;
    cloud.url_map("web").await;
    let zone = "zones/us-central1-a";
    cloud.insert(&format!("{zone}/networkEndpointGroups"), json!({ "name": "neg" })).await;
    let backends = json!({ "backends": [{
        "group": format!("{zone}/networkEndpointGroups/neg"), "balancingMode": "RATE", "maxRatePerEndpoint": 1,
    }] });
    cloud.done("PATCH", "global/backendServices/web", &backends).await;
    let (chain, key) = certificate(&[]);
    cloud
        .insert("global/sslCertificates", json!({ "name": "cert", "certificate": chain, "privateKey": key }))
        .await;
    let proxy = json!({ "name": "proxy", "urlMap": "web", "sslCertificates": ["cert"] });
    cloud.insert("global/targetHttpsProxies", proxy).await;
    cloud.insert("global/addresses", json!({ "name": "address" })).await;
    let rule = json!({
        "name": "rule", "target": "global/targetHttpsProxies/proxy", "portRange": "443", "IPAddress": "address",
        "loadBalancingScheme": "EXTERNAL_MANAGED",
    });
    cloud.insert("global/forwardingRules", rule).await;

    let p = |path: &str| format!("projects/p/{path}");
    for (path, singular, user) in [
        ("global/addresses/address", "address", "global/forwardingRules/rule"),
        ("global/targetHttpsProxies/proxy", "target_https_proxy", "global/forwardingRules/rule"),
        ("global/sslCertificates/cert", "ssl_certificate", "global/targetHttpsProxies/proxy"),
        ("global/urlMaps/web", "url_map", "global/targetHttpsProxies/proxy"),
        ("global/backendServices/web", "backend_service", "global/urlMaps/web"),
        ("global/healthChecks/web", "health_check", "global/backendServices/web"),
        (
            "zones/us-central1-a/networkEndpointGroups/neg",
            "network_endpoint_group",
            "global/backendServices/web",
        ),
    ] {
        cloud.call("DELETE", path, None).await.refused(
            400,
            "resourceInUseByAnotherResource",
            &format!("The {singular} resource '{}' is already being used by '{}'", p(path), p(user)),
        );
    }
    for path in [
        "global/forwardingRules/rule",
        "global/targetHttpsProxies/proxy",
        "global/sslCertificates/cert",
        "global/urlMaps/web",
        "global/backendServices/web",
        "global/healthChecks/web",
        "zones/us-central1-a/networkEndpointGroups/neg",
        "global/addresses/address",
    ] {
        cloud.delete(path).await;
        cloud.get(path).await.refused(404, "notFound", "not found");
    }
}

#[tokio::test]
async fn a_reference_that_is_taken_away_holds_no_longer() {
    let cloud = Cloud::start().await;
    cloud.url_map("old").await;
    cloud.url_map("new").await;
    cloud.insert("global/targetHttpProxies", json!({ "name": "t", "urlMap": "old" })).await;
    let operation = cloud.done("POST", "targetHttpProxies/t/setUrlMap", &json!({ "urlMap": "new" })).await;
    assert_eq!(operation["operationType"], "setUrlMap");
    let target = "https://www.googleapis.com/compute/v1/projects/p/global/targetHttpProxies/t";
    assert_eq!(operation["targetLink"], target, "the resource, not the verb");
    cloud.delete("global/urlMaps/old").await;
    cloud.call("DELETE", "global/urlMaps/new", None).await.refused(
        400,
        "resourceInUseByAnotherResource",
        "being used by",
    );
}

#[tokio::test]
async fn the_other_edges_hold_too() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    let zone = "zones/us-central1-a";
    cloud.insert(&format!("{zone}/instanceGroups"), json!({ "name": "ig" })).await;
    let backends = json!({ "backends": [{ "group": format!("{zone}/instanceGroups/ig") }] });
    cloud.done("PATCH", "global/backendServices/web", &backends).await;
    cloud.insert("global/backendBuckets", json!({ "name": "bucket", "bucketName": "b" })).await;
    let matcher = json!({
        "hostRules": [{ "hosts": ["*"], "pathMatcher": "m" }],
        "pathMatchers": [{ "name": "m", "defaultService": "global/backendBuckets/bucket" }],
    });
    cloud.done("PATCH", "global/urlMaps/web", &matcher).await;
    cloud.insert("global/securityPolicies", json!({ "name": "policy" })).await;
    let policy = json!({ "securityPolicy": "global/securityPolicies/policy" });
    cloud.done("POST", "global/backendServices/web/setSecurityPolicy", &policy).await;
    let (chain, key) = certificate(&[]);
    cloud
        .insert("global/sslCertificates", json!({ "name": "cert", "certificate": chain, "privateKey": key }))
        .await;
    cloud.insert("global/sslPolicies", json!({ "name": "tls" })).await;
    let proxy = json!({ "name": "proxy", "urlMap": "web", "sslCertificates": ["cert"], "sslPolicy": "tls" });
    cloud.insert("global/targetHttpsProxies", proxy).await;
    for (path, singular, user) in [
        ("zones/us-central1-a/instanceGroups/ig", "instance_group", "global/backendServices/web"),
        ("global/securityPolicies/policy", "security_policy", "global/backendServices/web"),
        ("global/backendBuckets/bucket", "backend_bucket", "global/urlMaps/web"),
        ("global/sslPolicies/tls", "ssl_policy", "global/targetHttpsProxies/proxy"),
    ] {
        cloud.call("DELETE", path, None).await.refused(
            400,
            "resourceInUseByAnotherResource",
            &format!(
                "The {singular} resource 'projects/p/{path}' is already being used by 'projects/p/{user}'"
            ),
        );
    }
    cloud.delete("global/targetHttpsProxies/proxy").await;
    cloud.delete("global/sslPolicies/tls").await;
    cloud.done("POST", "global/backendServices/web/setSecurityPolicy", &json!({})).await;
    cloud.delete("global/securityPolicies/policy").await;
    cloud.delete("global/urlMaps/web").await;
    cloud.delete("global/backendBuckets/bucket").await;
    cloud.delete("global/backendServices/web").await;
    cloud.delete("zones/us-central1-a/instanceGroups/ig").await;
}
