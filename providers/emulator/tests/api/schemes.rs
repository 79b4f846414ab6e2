//! Schemes and places: that everything on the way from a forwarding rule to the backends belongs together.

use super::cloud::{Answer, Cloud, certificate};
use serde_json::{Value, json};

/// A global backend service of a scheme, with a health check of its own.
async fn service(cloud: &Cloud, name: &str, scheme: &str) {
    cloud.health_check(name).await;
    let body = json!({
        "name": name, "protocol": "HTTP", "loadBalancingScheme": scheme, "healthChecks": [name],
    });
    cloud.insert("global/backendServices", body).await;
}

async fn map(cloud: &Cloud, body: Value) -> Answer {
    cloud.post("global/urlMaps", body).await
}

fn rule(scheme: &str, target: &str) -> Value {
    json!({
        "name": "r", "loadBalancingScheme": scheme, "portRange": "20080",
        "target": format!("global/targetHttpProxies/{target}"),
    })
}

#[tokio::test]
async fn all_destinations_of_a_map_are_of_one_scheme() {
    let cloud = Cloud::start().await;
    service(&cloud, "classic", "EXTERNAL").await;
    service(&cloud, "managed", "EXTERNAL_MANAGED").await;
    service(&cloud, "other", "EXTERNAL_MANAGED").await;
    let matcher = |rules: Value| {
        json!({
            "name": "m", "defaultService": "managed",
            "hostRules": [{ "hosts": ["*"], "pathMatcher": "p" }],
            "pathMatchers": [{ "name": "p", "defaultService": "managed", "routeRules": [rules] }],
        })
    };
    let weighted = |name: &str| json!([{ "backendService": name, "weight": 1 }]);
    for (field, action) in [
        ("service", json!({ "service": "classic" })),
        (
            "routeAction.weightedBackendServices[0].backendService",
            json!({ "routeAction": { "weightedBackendServices": weighted("classic") } }),
        ),
        (
            "routeAction.requestMirrorPolicy.backendService",
            json!({ "service": "managed", "routeAction": { "requestMirrorPolicy": { "backendService": "classic" } } }),
        ),
    ] {
        let mut route = json!({ "priority": 1, "matchRules": [{ "prefixMatch": "/" }] });
        route.as_object_mut().unwrap().extend(action.as_object().unwrap().clone());
        let message = format!(
            "Invalid value for field 'resource.pathMatchers[0].routeRules[0].{field}': \
             'projects/p/global/backendServices/classic'. Load balancing scheme EXTERNAL of backend service"
        );
        map(&cloud, matcher(route)).await.refused(400, "invalid", &message);
    }
    // What a test of the map expects is no destination, and the neighbour is accepted.
    let mut good = matcher(json!({
        "priority": 1, "matchRules": [{ "prefixMatch": "/" }],
        "routeAction": { "weightedBackendServices": weighted("other") },
    }));
    good["tests"] = Value::Null;
    map(&cloud, good).await.ok();
    service(&cloud, "internal", "INTERNAL_MANAGED").await;
    cloud.insert("global/backendBuckets", json!({ "name": "b", "bucketName": "b" })).await;
    let with_bucket = |service: &str| {
        json!({
            "name": format!("with-{service}"), "defaultService": service,
            "hostRules": [{ "hosts": ["*"], "pathMatcher": "p" }],
            "pathMatchers": [{ "name": "p", "defaultService": "global/backendBuckets/b" }],
        })
    };
    map(&cloud, with_bucket("internal")).await.refused(
        400,
        "invalid",
        "EXTERNAL or EXTERNAL_MANAGED of backend bucket",
    );
    map(&cloud, with_bucket("classic")).await.ok();
    map(&cloud, with_bucket("managed")).await.ok();
}

#[tokio::test]
async fn a_rule_has_the_scheme_of_the_services_it_leads_to() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    cloud.insert("global/targetHttpProxies", json!({ "name": "t", "urlMap": "web" })).await;
    cloud.post("global/forwardingRules", rule("EXTERNAL", "t")).await.refused(
        400,
        "invalid",
        "Invalid value for field 'resource.backendService': ''. Load balancing scheme EXTERNAL does not match the \
         backend service load balancing scheme EXTERNAL_MANAGED.",
    );
    cloud.insert("global/forwardingRules", rule("EXTERNAL_MANAGED", "t")).await;
    // Whichever side changes: the rule's target, the proxy's map, the map's service.
    service(&cloud, "classic", "EXTERNAL").await;
    map(&cloud, json!({ "name": "classic", "defaultService": "classic" })).await.ok();
    cloud.wait_for("global/urlMaps/classic").await;
    cloud.insert("global/targetHttpProxies", json!({ "name": "classic", "urlMap": "classic" })).await;
    let mismatch = "Load balancing scheme EXTERNAL_MANAGED does not match the backend service load balancing scheme EXTERNAL.";
    cloud
        .post("global/forwardingRules/r/setTarget", json!({ "target": "global/targetHttpProxies/classic" }))
        .await
        .refused(400, "invalid", mismatch);
    let refused = cloud.post("targetHttpProxies/t/setUrlMap", json!({ "urlMap": "classic" })).await;
    refused.refused(400, "invalid", mismatch);
    refused.refused(400, "invalid", "'resource.urlMap': 'projects/p/global/urlMaps/classic'");
    let refused =
        cloud.call("PATCH", "global/targetHttpProxies/t", Some(&json!({ "urlMap": "classic" }))).await;
    refused.refused(400, "invalid", mismatch);
    for method in ["PATCH", "PUT"] {
        let body = json!({ "name": "web", "defaultService": "classic" });
        let refused = cloud.call(method, "global/urlMaps/web", Some(&body)).await;
        refused.refused(400, "invalid", mismatch);
        refused.refused(
            400,
            "invalid",
            "'resource.defaultService': 'projects/p/global/backendServices/classic'",
        );
    }
    service(&cloud, "second", "EXTERNAL_MANAGED").await;
    cloud.done("PATCH", "global/urlMaps/web", &json!({ "defaultService": "second" })).await;
}

#[tokio::test]
async fn a_map_without_services_is_for_one_scheme_too() {
    let cloud = Cloud::start().await;
    let redirect = json!({ "name": "m", "defaultUrlRedirect": { "hostRedirect": "example.com" } });
    cloud.insert("global/urlMaps", redirect).await;
    for name in ["t", "u"] {
        cloud.insert("global/targetHttpProxies", json!({ "name": name, "urlMap": "m" })).await;
    }
    cloud.insert("global/forwardingRules", rule("EXTERNAL_MANAGED", "t")).await;
    let mut second = rule("EXTERNAL", "u");
    second["name"] = json!("s");
    cloud.post("global/forwardingRules", second.clone()).await.refused(
        400,
        "invalid",
        "which leads to the same URL map",
    );
    second["loadBalancingScheme"] = json!("EXTERNAL_MANAGED");
    cloud.insert("global/forwardingRules", second).await;
}

#[tokio::test]
async fn a_backend_service_keeps_its_scheme_but_for_the_migration() {
    let cloud = Cloud::start().await;
    service(&cloud, "s", "EXTERNAL").await;
    map(&cloud, json!({ "name": "m", "defaultService": "s" })).await.ok();
    cloud.wait_for("global/urlMaps/m").await;
    cloud.insert("global/targetHttpProxies", json!({ "name": "t", "urlMap": "m" })).await;
    cloud.insert("global/forwardingRules", rule("EXTERNAL", "t")).await;
    let path = "global/backendServices/s";
    let patch = async |body: Value| cloud.call("PATCH", path, Some(&body)).await;
    patch(json!({ "loadBalancingScheme": "INTERNAL_MANAGED" })).await.refused(
        400,
        "invalid",
        "Invalid value for field 'resource.loadBalancingScheme': 'INTERNAL_MANAGED'. The load balancing scheme of a \
         backend service cannot be changed.",
    );
    let managed = json!({ "loadBalancingScheme": "EXTERNAL_MANAGED" });
    patch(managed.clone()).await.refused(
        400,
        "invalid",
        "externalManagedMigrationState must be TEST_ALL_TRAFFIC",
    );
    cloud.done("PATCH", path, &json!({ "externalManagedMigrationState": "TEST_ALL_TRAFFIC" })).await;
    cloud.done("PATCH", path, &managed).await;
    // The end of the migration: as long as a classic rule leads here, the state says so.
    patch(json!({ "externalManagedMigrationState": Value::Null })).await.refused(
        400,
        "invalid",
        "Load balancing scheme EXTERNAL does not match the backend service load balancing scheme EXTERNAL_MANAGED.",
    );
}

#[tokio::test]
async fn classic_load_balancers_do_less() {
    let cloud = Cloud::start().await;
    service(&cloud, "classic", "EXTERNAL").await;
    service(&cloud, "managed", "EXTERNAL_MANAGED").await;
    let with = |service: &str, field: &str, value: Value| {
        let mut body = json!({ "name": format!("of-{service}"), "defaultService": service });
        body[field] = value;
        body
    };
    let headers = json!({ "requestHeadersToRemove": ["a"] });
    map(&cloud, with("classic", "headerAction", headers.clone())).await.refused(
        400,
        "invalid",
        "Invalid value for field 'resource.headerAction': '{\"requestHeadersToRemove\":[\"a\"]}'. Field headerAction is \
         incompatible with LB Type Global EXTERNAL.",
    );
    map(&cloud, with("managed", "headerAction", headers.clone())).await.ok();
    let timeout = json!({ "timeout": { "seconds": "5" } });
    map(&cloud, with("classic", "defaultRouteAction", timeout)).await.refused(
        400,
        "invalid",
        "'resource.defaultRouteAction.timeout'",
    );
    let rewrite = json!({ "urlRewrite": { "hostRewrite": "example.com" } });
    map(&cloud, with("classic", "defaultRouteAction", rewrite)).await.ok();
    // Without a service, the forwarding rule decides.
    let redirect = json!({
        "name": "m", "defaultUrlRedirect": { "hostRedirect": "example.com" }, "headerAction": headers,
    });
    cloud.insert("global/urlMaps", redirect).await;
    cloud.insert("global/targetHttpProxies", json!({ "name": "t", "urlMap": "m" })).await;
    cloud.post("global/forwardingRules", rule("EXTERNAL", "t")).await.refused(
        400,
        "invalid",
        "'resource.target': 'projects/p/global/targetHttpProxies/t'. Field resource.headerAction of URL map \
         'projects/p/global/urlMaps/m' is incompatible with LB Type Global EXTERNAL.",
    );
    cloud.insert("global/forwardingRules", rule("EXTERNAL_MANAGED", "t")).await;
}

#[tokio::test]
async fn the_keep_alive_of_a_proxy_is_not_for_classic() {
    let cloud = Cloud::start().await;
    service(&cloud, "classic", "EXTERNAL").await;
    map(&cloud, json!({ "name": "classic", "defaultService": "classic" })).await.ok();
    cloud.wait_for("global/urlMaps/classic").await;
    cloud.url_map("managed").await;
    let proxy = |map: &str| json!({ "name": "t", "urlMap": map, "httpKeepAliveTimeoutSec": 30 });
    cloud.post("global/targetHttpProxies", proxy("classic")).await.refused(
        400,
        "invalid",
        "Invalid value for field 'resource.httpKeepAliveTimeoutSec': '30'. Field httpKeepAliveTimeoutSec is \
         incompatible with LB Type Global EXTERNAL.",
    );
    cloud.insert("global/targetHttpProxies", proxy("managed")).await;
}

#[tokio::test]
async fn global_and_regional_do_not_mix() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    let region = "regions/us-central1";
    cloud.insert(&format!("{region}/healthChecks"), json!({ "name": "h", "type": "HTTP" })).await;
    let service = |check: String| {
        json!({
            "name": "s", "protocol": "HTTP", "loadBalancingScheme": "EXTERNAL_MANAGED", "healthChecks": [check],
        })
    };
    let regional_check = format!("{region}/healthChecks/h");
    cloud.post("global/backendServices", service(regional_check.clone())).await.refused(
        400,
        "invalid",
        "Invalid value for field 'resource.healthChecks[0]': 'projects/p/regions/us-central1/healthChecks/h'. Must be a \
         global resource.",
    );
    cloud.insert(&format!("{region}/backendServices"), service(regional_check)).await;
    let map = |service: &str| json!({ "name": "m", "defaultService": service });
    cloud.post(&format!("{region}/urlMaps"), map("global/backendServices/web")).await.refused(
        400,
        "invalid",
        "'resource.defaultService': 'projects/p/global/backendServices/web'. Must be in region us-central1.",
    );
    cloud.post("global/urlMaps", map("regions/us-central1/backendServices/s")).await.refused(
        400,
        "invalid",
        "Must be a global resource.",
    );
    cloud.post("regions/us-east1/urlMaps", map("regions/us-central1/backendServices/s")).await.refused(
        400,
        "invalid",
        "Must be in region us-east1.",
    );
    cloud.insert(&format!("{region}/urlMaps"), map("s")).await;
    let proxy = |map: &str| json!({ "name": "t", "urlMap": map });
    cloud.post(&format!("{region}/targetHttpProxies"), proxy("global/urlMaps/web")).await.refused(
        400,
        "invalid",
        "'resource.urlMap': 'projects/p/global/urlMaps/web'. Must be in region us-central1.",
    );
    cloud.insert(&format!("{region}/targetHttpProxies"), proxy("m")).await;
    let mut to_regional = rule("EXTERNAL_MANAGED", "t");
    to_regional["target"] = json!("regions/us-central1/targetHttpProxies/t");
    cloud.post("global/forwardingRules", to_regional).await.refused(
        400,
        "invalid",
        "'resource.target': 'projects/p/regions/us-central1/targetHttpProxies/t'. Must be a global resource.",
    );
    let (chain, key) = certificate(&[]);
    let body = json!({ "name": "c", "certificate": chain, "privateKey": key });
    cloud.insert(&format!("{region}/sslCertificates"), body.clone()).await;
    cloud.insert("global/sslCertificates", body).await;
    let secure =
        |certificate: &str| json!({ "name": "t", "urlMap": "web", "sslCertificates": [certificate] });
    cloud.post("global/targetHttpsProxies", secure("regions/us-central1/sslCertificates/c")).await.refused(
        400,
        "invalid",
        "'resource.sslCertificates[0]'",
    );
    cloud.insert("global/targetHttpsProxies", secure("c")).await;
}
