//! SSL policies: which features a profile brings, and who uses a policy.

use super::cloud::{Cloud, certificate};
use serde_json::json;

#[tokio::test]
async fn a_profile_brings_its_features() {
    let cloud = Cloud::start().await;
    let features = async |profile: &str| {
        let name = profile.to_lowercase().replace('_', "-");
        cloud.insert("global/sslPolicies", json!({ "name": name, "profile": profile })).await;
        let found = cloud.get(&format!("global/sslPolicies/{name}")).await.ok();
        assert_eq!((&found["profile"], &found["minTlsVersion"]), (&json!(profile), &json!("TLS_1_0")));
        found["enabledFeatures"].as_array().unwrap().len()
    };
    assert_eq!(features("COMPATIBLE").await, 15);
    assert_eq!(features("MODERN").await, 10);
    assert_eq!(features("RESTRICTED").await, 6);
    assert_eq!(features("FIPS_202205").await, 4);
    let available = cloud.get("global/sslPolicies/listAvailableFeatures").await.ok();
    assert_eq!(available["features"].as_array().unwrap().len(), 15);
    let regional = cloud.get("regions/us-central1/sslPolicies/listAvailableFeatures").await.ok();
    assert_eq!(regional, available);
    assert_eq!(cloud.get("global/sslPolicies").await.ok()["kind"], "compute#sslPoliciesList");
    let all = cloud.get("aggregated/sslPolicies").await.ok();
    assert_eq!(all["kind"], "compute#sslPoliciesAggregatedList");
    assert_eq!(all["items"]["global"]["sslPolicies"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn custom_features() {
    let cloud = Cloud::start().await;
    let chosen = ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"];
    for (body, message) in [
        (json!({ "profile": "CUSTOM" }), "Required field 'resource.customFeatures'"),
        (json!({ "profile": "CUSTOM", "customFeatures": ["RC4"] }), "resource.customFeatures[0]': 'RC4'"),
        (json!({ "profile": "MODERN", "customFeatures": chosen }), "CUSTOM profile"),
        (json!({ "minTlsVersion": "TLS_1_3" }), "RESTRICTED"),
    ] {
        let mut body = body;
        body["name"] = json!("p");
        let answer = cloud.post("global/sslPolicies", body).await;
        assert_eq!(answer.status, 400);
        assert!(answer.message().contains(message), "{}", answer.message());
    }
    cloud
        .insert("global/sslPolicies", json!({ "name": "p", "profile": "CUSTOM", "customFeatures": chosen }))
        .await;
    let found = cloud.get("global/sslPolicies/p").await.ok();
    assert_eq!(found["customFeatures"], json!(chosen));
    assert_eq!(found["enabledFeatures"].as_array().unwrap().len(), 2);
    let stale = json!({ "profile": "MODERN", "customFeatures": [], "fingerprint": "AAAAAAAAAAA=" });
    cloud.call("PATCH", "global/sslPolicies/p", Some(&stale)).await.refused(
        412,
        "conditionNotMet",
        "fingerprint",
    );
    let change = json!({ "profile": "MODERN", "customFeatures": [], "fingerprint": found["fingerprint"] });
    let operation = cloud.done("PATCH", "global/sslPolicies/p", &change).await;
    assert_eq!(operation["operationType"], "compute.sslPolicies.patch");
    let found = cloud.get("global/sslPolicies/p").await.ok();
    assert_eq!(found["enabledFeatures"].as_array().unwrap().len(), 10);
    assert_eq!(found.get("customFeatures"), None);
}

#[tokio::test]
async fn a_policy_that_a_proxy_has_cannot_go() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    let (chain, key) = certificate(&["a.example.com"]);
    let body = json!({ "name": "c", "certificate": chain, "privateKey": key });
    cloud.insert("global/sslCertificates", body).await;
    cloud.insert("global/sslPolicies", json!({ "name": "p" })).await;
    let proxy = json!({ "name": "t", "urlMap": "web", "sslCertificates": ["c"] });
    cloud.insert("global/targetHttpsProxies", proxy).await;
    let set = "global/targetHttpsProxies/t/setSslPolicy";
    cloud.post(set, json!({ "sslPolicy": "global/sslPolicies/q" })).await.refused(
        404,
        "notFound",
        "sslPolicies/q",
    );
    cloud.done("POST", set, &json!({ "sslPolicy": "global/sslPolicies/p" })).await;
    let found = cloud.get("global/targetHttpsProxies/t").await.ok();
    assert!(found["sslPolicy"].as_str().unwrap().ends_with("/projects/p/global/sslPolicies/p"));
    let delete = cloud.call("DELETE", "global/sslPolicies/p", None).await;
    delete.refused(400, "resourceInUseByAnotherResource", "The ssl_policy resource");
    cloud.done("POST", set, &json!({ "sslPolicy": "" })).await;
    cloud.delete("global/sslPolicies/p").await;
    // A regional proxy has no such verb.
    let regional = cloud.post("regions/us-central1/targetHttpsProxies/t/setSslPolicy", json!({})).await;
    regional.refused(404, "notFound", "was not found on this server");
}
