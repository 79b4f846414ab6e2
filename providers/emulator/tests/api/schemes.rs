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
    let of = "global/backendServices/s";
    let patch = async |body: Value| cloud.call("PATCH", of, Some(&body)).await;
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
    cloud.done("PATCH", of, &json!({ "externalManagedMigrationState": "TEST_ALL_TRAFFIC" })).await;
    cloud.done("PATCH", of, &managed).await;
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

/// A regional proxy for HTTP behind which everything is managed, with the scheme of its service.
async fn regional_proxy(cloud: &Cloud, scheme: &str) {
    let region = "regions/us-central1";
    cloud.insert(&format!("{region}/healthChecks"), json!({ "name": "h", "type": "HTTP" })).await;
    let service = json!({
        "name": "s", "protocol": "HTTP", "loadBalancingScheme": scheme,
        "healthChecks": [format!("{region}/healthChecks/h")],
    });
    cloud.insert(&format!("{region}/backendServices"), service).await;
    cloud.insert(&format!("{region}/urlMaps"), json!({ "name": "m", "defaultService": "s" })).await;
    cloud.insert(&format!("{region}/targetHttpProxies"), json!({ "name": "t", "urlMap": "m" })).await;
}

fn regional_rule(scheme: &str) -> Value {
    json!({
        "name": "r", "loadBalancingScheme": scheme, "portRange": "20080",
        "target": "regions/us-central1/targetHttpProxies/t",
    })
}

#[tokio::test]
async fn a_regional_load_balancer_needs_room_for_its_proxies() {
    let cloud = Cloud::start().await;
    regional_proxy(&cloud, "EXTERNAL_MANAGED").await;
    let rules = "regions/us-central1/forwardingRules";
    cloud.post(rules, regional_rule("EXTERNAL_MANAGED")).await.refused(
        400,
        "invalid",
        "An active proxy-only subnetwork is required in the same region and VPC as the forwarding rule.",
    );
    let subnetwork = |region: &str| {
        let path = format!("regions/{region}/subnetworks");
        let body = json!({
            "name": "proxies", "network": "global/networks/default", "ipCidrRange": "10.129.0.0/23",
            "purpose": "REGIONAL_MANAGED_PROXY", "role": "ACTIVE",
        });
        (path, body)
    };
    let (path, body) = subnetwork("us-east1");
    cloud.insert(&path, body).await;
    cloud.post(rules, regional_rule("EXTERNAL_MANAGED")).await.refused(
        400,
        "invalid",
        "proxy-only subnetwork",
    );
    let (path, body) = subnetwork("us-central1");
    cloud.insert(&path, body).await;
    cloud.insert(rules, regional_rule("EXTERNAL_MANAGED")).await;
    cloud.post(rules, regional_rule("EXTERNAL")).await.refused(409, "alreadyExists", "already exists");
}

#[tokio::test]
async fn what_stands_behind_a_rule_says_which_schemes_it_can_have() {
    let cloud = Cloud::start().await;
    regional_proxy(&cloud, "EXTERNAL").await;
    cloud.post("regions/us-central1/forwardingRules", regional_rule("EXTERNAL")).await.refused(
        400,
        "invalid",
        "Invalid value for field 'resource.loadBalancingScheme': 'EXTERNAL'. A classic load balancer has global target \
         proxies",
    );
    cloud.url_map("web").await;
    cloud.insert("global/targetHttpProxies", json!({ "name": "g", "urlMap": "web" })).await;
    cloud.post("global/forwardingRules", rule("INTERNAL", "g")).await.refused(
        400,
        "invalid",
        "Invalid value for field 'resource.loadBalancingScheme': 'INTERNAL'. The scheme has no target proxies.",
    );
    // A backend service alone is for load balancers that pass packets on.
    let direct = json!({
        "name": "d", "loadBalancingScheme": "EXTERNAL_MANAGED", "ports": ["80"],
        "backendService": "global/backendServices/web",
    });
    cloud.post("global/forwardingRules", direct).await.refused(400, "invalid", "requires a target");
    let service = json!({ "name": "l4", "loadBalancingScheme": "INTERNAL", "protocol": "TCP" });
    cloud.insert("regions/us-central1/backendServices", service).await;
    let direct = |scheme: &str| {
        json!({
            "name": "d", "loadBalancingScheme": scheme, "ports": ["80", "443"],
            "backendService": "regions/us-central1/backendServices/l4",
        })
    };
    cloud.post("regions/us-central1/forwardingRules", direct("EXTERNAL")).await.refused(
        400,
        "invalid",
        "Load balancing scheme EXTERNAL does not match the backend service load balancing scheme INTERNAL.",
    );
    cloud.insert("regions/us-central1/forwardingRules", direct("INTERNAL")).await;
    // And a service of theirs is nothing for a URL map.
    cloud.post("regions/us-central1/urlMaps", json!({ "name": "l4", "defaultService": "l4" })).await.refused(
        400,
        "invalid",
        "cannot be used in a URL map",
    );
}

#[tokio::test]
async fn a_proxy_has_one_port() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    cloud.insert("global/targetHttpProxies", json!({ "name": "t", "urlMap": "web" })).await;
    let with = |fields: Value| {
        let mut body = rule("EXTERNAL_MANAGED", "t");
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    };
    for (fields, field, why) in [
        (json!({ "portRange": "20080-20090" }), "portRange", "exactly one port"),
        (json!({ "portRange": Value::Null, "ports": ["20080", "20081"] }), "ports", "exactly one port"),
        (json!({ "ports": ["20080"] }), "ports", "Only one of ports, portRange and allPorts"),
        (json!({ "allPorts": true }), "ports", "Only one of ports, portRange and allPorts"),
        (json!({ "IPProtocol": "UDP" }), "IPProtocol", "A target proxy requires TCP."),
        (json!({ "networkTier": "STANDARD" }), "networkTier", "A global forwarding rule requires PREMIUM."),
    ] {
        let refused = cloud.post("global/forwardingRules", with(fields)).await;
        refused.refused(400, "invalid", why);
        refused.refused(400, "invalid", &format!("'resource.{field}'"));
    }
    cloud.insert("global/forwardingRules", with(json!({ "portRange": "20080-20080" }))).await;
}

#[tokio::test]
async fn an_address_is_of_the_place_and_kind_of_its_rule() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    cloud.insert("global/targetHttpProxies", json!({ "name": "t", "urlMap": "web" })).await;
    cloud.insert("regions/us-central1/addresses", json!({ "name": "regional" })).await;
    let internal =
        json!({ "name": "internal", "addressType": "INTERNAL", "address": "10.9.9.9", "prefixLength": 32 });
    cloud.insert("global/addresses", internal).await;
    cloud.insert("global/addresses", json!({ "name": "good" })).await;
    let with = |address: &str| {
        let mut body = rule("EXTERNAL_MANAGED", "t");
        body["IPAddress"] = json!(address);
        body
    };
    let regional = "regions/us-central1/addresses/regional";
    let number = cloud.get(regional).await.ok()["address"].as_str().unwrap().to_owned();
    for address in [regional, number.as_str()] {
        cloud.post("global/forwardingRules", with(address)).await.refused(
            400,
            "invalid",
            "The address 'projects/p/regions/us-central1/addresses/regional' cannot be used: it must be global.",
        );
    }
    cloud.post("global/forwardingRules", with("internal")).await.refused(
        400,
        "invalid",
        "of type INTERNAL cannot be used with load balancing scheme EXTERNAL_MANAGED",
    );
    cloud.insert("global/forwardingRules", with("good")).await;
}

#[tokio::test]
async fn a_rule_follows_its_service_from_classic_to_managed() {
    let cloud = Cloud::start().await;
    service(&cloud, "s", "EXTERNAL").await;
    cloud.insert("global/urlMaps", json!({ "name": "m", "defaultService": "s" })).await;
    cloud.insert("global/targetHttpProxies", json!({ "name": "t", "urlMap": "m" })).await;
    cloud.insert("global/forwardingRules", rule("EXTERNAL", "t")).await;
    let managed = json!({ "loadBalancingScheme": "EXTERNAL_MANAGED" });
    let path = "global/forwardingRules/r";
    cloud.call("PATCH", path, Some(&managed)).await.refused(
        400,
        "invalid",
        "Load balancing scheme EXTERNAL_MANAGED does not match the backend service load balancing scheme EXTERNAL.",
    );
    let ready = json!({ "externalManagedMigrationState": "TEST_ALL_TRAFFIC" });
    cloud.done("PATCH", "global/backendServices/s", &ready).await;
    cloud.done("PATCH", "global/backendServices/s", &managed).await;
    cloud.done("PATCH", path, &managed).await;
    cloud
        .done("PATCH", "global/backendServices/s", &json!({ "externalManagedMigrationState": Value::Null }))
        .await;
    let inside = json!({ "loadBalancingScheme": "INTERNAL_MANAGED" });
    cloud.call("PATCH", path, Some(&inside)).await.refused(400, "invalid", "The field cannot be changed.");
}
