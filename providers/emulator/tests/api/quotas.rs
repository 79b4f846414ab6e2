//! Quotas: how many resources a project may have, and how many requests it may send.

use super::cloud::Cloud;
use emulator::clock::Pace;
use emulator::{Config, Latency, RateLimits, ResourceQuotas};
use serde_json::{Value, json};
use std::time::Duration;

fn config(limits: &[(&str, u64)]) -> Config {
    let mut quotas = ResourceQuotas::default();
    for (metric, limit) in limits {
        quotas.set(metric, *limit).unwrap();
    }
    Config { latency: Latency::of(Duration::from_millis(1)), quotas, ..Config::default() }
}

fn quota<'a>(body: &'a Value, metric: &str) -> &'a Value {
    body["quotas"].as_array().unwrap().iter().find(|quota| quota["metric"] == metric).unwrap()
}

#[tokio::test]
async fn what_exceeds_a_quota_is_refused_and_a_delete_makes_room() {
    let cloud = Cloud::with(config(&[("HEALTH_CHECKS", 2)])).await;
    cloud.health_check("a").await;
    cloud.insert("global/httpHealthChecks", json!({ "name": "b" })).await;
    let refused = cloud.post("global/healthChecks", json!({ "name": "c", "type": "HTTP" })).await;
    refused.refused(403, "quotaExceeded", "Quota 'HEALTH_CHECKS' exceeded.  Limit: 2.0 globally.");
    assert_eq!(refused.body["error"]["errors"][0]["domain"], "usageLimits");
    let project = cloud.get("/compute/v1/projects/p").await.ok();
    assert_eq!(
        *quota(&project, "HEALTH_CHECKS"),
        json!({ "metric": "HEALTH_CHECKS", "limit": 2, "usage": 2 })
    );
    // Neither another place nor another project is full, and a change adds nothing.
    cloud.insert("regions/us-central1/healthChecks", json!({ "name": "a", "type": "HTTP" })).await;
    let elsewhere = "/compute/v1/projects/q/global/healthChecks";
    cloud.done("POST", elsewhere, &json!({ "name": "a", "type": "HTTP" })).await;
    cloud.done("PATCH", "global/healthChecks/a", &json!({ "description": "x" })).await;
    cloud.delete("global/healthChecks/a").await;
    cloud.health_check("c").await;
}

#[tokio::test]
async fn regions_have_quotas_of_their_own_with_their_zones() {
    let cloud = Cloud::with(config(&[("INSTANCE_GROUPS", 1), ("STATIC_ADDRESSES", 0)])).await;
    cloud.insert("zones/us-central1-a/instanceGroups", json!({ "name": "a" })).await;
    cloud.post("zones/us-central1-b/instanceGroups", json!({ "name": "a" })).await.refused(
        403,
        "quotaExceeded",
        "Quota 'INSTANCE_GROUPS' exceeded.  Limit: 1.0 in region us-central1.",
    );
    cloud.insert("zones/us-east1-b/instanceGroups", json!({ "name": "a" })).await;
    let region = cloud.get("regions/us-central1").await.ok();
    assert_eq!(quota(&region, "INSTANCE_GROUPS")["usage"], 1);
    assert!(quota(&region, "URL_MAPS")["limit"].as_f64().unwrap() > 2000.0, "not limited");
    // An internal address is no static one.
    let address = |kind: &str| json!({ "name": "i", "addressType": kind });
    let addresses = "regions/us-central1/addresses";
    cloud.post(addresses, address("EXTERNAL")).await.refused(403, "quotaExceeded", "STATIC_ADDRESSES");
    cloud.insert(addresses, address("INTERNAL")).await;
}

#[tokio::test]
async fn inserts_under_way_count() {
    let mut config = config(&[("HEALTH_CHECKS", 1)]);
    config.latency = Latency::of(Duration::from_mins(10));
    let cloud = Cloud::with(config).await;
    let body = |name: &str| json!({ "name": name, "type": "HTTP" });
    cloud.post("global/healthChecks", body("a")).await.ok();
    cloud.post("global/healthChecks", body("b")).await.refused(403, "quotaExceeded", "HEALTH_CHECKS");
    assert_eq!(quota(&cloud.get("/compute/v1/projects/p").await.ok(), "HEALTH_CHECKS")["usage"], 1);
}

#[tokio::test]
async fn a_quota_may_be_told_in_the_operation() {
    let cloud = Cloud::start().await;
    let settings = json!({ "limits": { "HEALTH_CHECKS": 1 }, "told": "in-operation" });
    assert_eq!(cloud.call("PUT", "/_emulator/quotas", Some(&settings)).await.ok(), settings);
    cloud.health_check("a").await;
    let body = json!({ "name": "b", "type": "HTTP" });
    let operation = cloud.ended("POST", "global/healthChecks", &body).await;
    assert_eq!(operation["error"]["errors"][0]["code"], "QUOTA_EXCEEDED");
    assert_eq!(operation["httpErrorStatusCode"], 403);
    let message = operation["error"]["errors"][0]["message"].as_str().unwrap();
    assert_eq!(message, "Quota 'HEALTH_CHECKS' exceeded.  Limit: 1.0 globally.");
    cloud.get("global/healthChecks/b").await.refused(404, "notFound", "was not found");
    let bad = json!({ "limits": { "MOONS": 1 } });
    assert_eq!(cloud.call("PUT", "/_emulator/quotas", Some(&bad)).await.status, 400);
    assert_eq!(cloud.get("/_emulator/quotas").await.ok(), settings, "a bad setting changes nothing");
}

#[tokio::test]
async fn addresses_in_use_count_once_each() {
    let cloud = Cloud::with(config(&[("IN_USE_ADDRESSES", 1)])).await;
    cloud.url_map("web").await;
    cloud.insert("global/targetHttpProxies", json!({ "name": "t", "urlMap": "web" })).await;
    cloud.insert("global/addresses", json!({ "name": "a" })).await;
    let rule = |name: &str, port: &str, address: Option<&str>| {
        json!({
            "name": name, "target": "global/targetHttpProxies/t", "portRange": port, "IPAddress": address,
            "loadBalancingScheme": "EXTERNAL_MANAGED",
        })
    };
    cloud.insert("global/forwardingRules", rule("r", "20080", Some("a"))).await;
    cloud.insert("global/forwardingRules", rule("s", "20081", Some("a"))).await;
    cloud.post("global/forwardingRules", rule("t", "20080", None)).await.refused(
        403,
        "quotaExceeded",
        "Quota 'IN_USE_ADDRESSES' exceeded.  Limit: 1.0 globally.",
    );
    assert_eq!(quota(&cloud.get("/compute/v1/projects/p").await.ok(), "IN_USE_ADDRESSES")["usage"], 1);
}

/// A cloud whose clock stands, so that a minute lasts as long as a test wants.
async fn held(limits: &[&str]) -> Cloud {
    let rates = RateLimits::of(limits.iter().map(|limit| limit.parse().unwrap()));
    Cloud::with(Config { pace: Pace::Held, rates, ..Config::default() }).await
}

#[tokio::test]
async fn a_minute_has_room_for_so_many_requests() {
    let cloud = held(&["reads=2", "queries=1/min"]).await;
    let read = async || cloud.get("global/urlMaps/none").await;
    for _ in 0..2 {
        read().await.refused(404, "notFound", "was not found");
    }
    let refused = read().await;
    let message = "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute' of service \
                   'compute.googleapis.com' for consumer 'project_number:";
    refused.refused(403, "rateLimitExceeded", message);
    assert_eq!(refused.body["error"]["errors"][0]["domain"], "usageLimits");
    // Regions, other projects, other groups and the admin path have room of their own.
    cloud.get("regions/us-central1/urlMaps/none").await.refused(404, "notFound", "was not found");
    cloud.get("/compute/v1/projects/q/global/urlMaps/none").await.refused(404, "notFound", "was not found");
    cloud.get("global/urlMaps").await.ok();
    assert_eq!(cloud.get("/_emulator/rates").await.ok(), json!({ "queries": 1, "reads": 2 }));
    cloud.post("global/healthChecks", json!({ "name": "a", "type": "HTTP" })).await.ok();
    let more = json!({ "name": "b", "type": "HTTP" });
    cloud.post("global/healthChecks", more).await.refused(403, "rateLimitExceeded", "'Queries per minute'");
    // The minute ends with the clock's.
    cloud.post("/_emulator/clock/step", json!({ "seconds": 60 })).await.ok();
    read().await.refused(404, "notFound", "was not found");
    cloud.call("PUT", "/_emulator/rates", Some(&json!({}))).await.ok();
    for _ in 0..3 {
        read().await.refused(404, "notFound", "was not found");
    }
}
