//! Backend services: what their scheme, protocol and groups allow. Every refusal with a neighbour that is accepted.

use super::cloud::Cloud;
use serde_json::{Value, json};

/// Tries each change of a body: refused at a field with a text, and accepted with another change.
async fn each(cloud: &Cloud, path: &str, base: &Value, cases: &[(Value, &str, &str, Value)]) {
    for (index, (bad, field, why, good)) in cases.iter().enumerate() {
        let with = |change: &Value| {
            let mut body = base.clone();
            body["name"] = json!(format!("n{index}"));
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            body
        };
        let refused = cloud.post(path, with(bad)).await;
        assert_eq!(refused.status, 400, "{bad} is accepted: {}", refused.body);
        let text = refused.message().to_owned();
        assert!(matches!(refused.reason(), "invalid" | "required"), "{}", refused.body);
        assert!(text.contains(&format!("'resource.{field}'")) && text.contains(why), "{bad}: {text}");
        cloud.insert(path, with(good)).await;
    }
}

#[tokio::test]
async fn what_a_scheme_knows() {
    let cloud = Cloud::start().await;
    cloud.health_check("h").await;
    let base =
        json!({ "protocol": "HTTP", "healthChecks": ["h"], "loadBalancingScheme": "EXTERNAL_MANAGED" });
    let classic = |fields: Value| {
        let mut body = json!({ "loadBalancingScheme": "EXTERNAL" });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    };
    let outliers = json!({ "outlierDetection": { "consecutiveErrors": 5 } });
    let breakers = json!({ "circuitBreakers": { "maxRequests": 5 } });
    let locality = json!({ "localityLbPolicy": "RING_HASH" });
    let header = json!({
        "sessionAffinity": "HEADER_FIELD", "localityLbPolicy": "MAGLEV", "consistentHash": { "httpHeaderName": "x" },
    });
    let not_classic = "The field is not supported with load balancing scheme EXTERNAL.";
    let cases = [
        (classic(outliers.clone()), "outlierDetection", not_classic, outliers),
        (classic(breakers.clone()), "circuitBreakers", not_classic, breakers),
        (classic(locality.clone()), "localityLbPolicy", not_classic, locality),
        (
            classic(json!({ "sessionAffinity": "HEADER_FIELD" })),
            "sessionAffinity",
            "not supported with load balancing scheme EXTERNAL and protocol HTTP.",
            header,
        ),
        (
            json!({ "sessionAffinity": "CLIENT_IP_PROTO" }),
            "sessionAffinity",
            "not supported",
            classic(json!({ "sessionAffinity": "GENERATED_COOKIE", "affinityCookieTtlSec": 60 })),
        ),
        (
            json!({ "sessionAffinity": "CLIENT_IP", "affinityCookieTtlSec": 60 }),
            "affinityCookieTtlSec",
            "requires session affinity GENERATED_COOKIE or HTTP_COOKIE",
            json!({ "sessionAffinity": "CLIENT_IP", "affinityCookieTtlSec": 0 }),
        ),
        (
            json!({ "sessionAffinity": "STRONG_COOKIE_AFFINITY" }),
            "strongSessionAffinityCookie",
            "not specified",
            json!({ "sessionAffinity": "STRONG_COOKIE_AFFINITY", "strongSessionAffinityCookie": { "name": "c" } }),
        ),
        (
            json!({ "localityLbPolicy": "ROUND_ROBIN", "consistentHash": { "httpHeaderName": "x" } }),
            "consistentHash",
            "only supported with localityLbPolicy MAGLEV or RING_HASH",
            json!({ "localityLbPolicy": "ROUND_ROBIN" }),
        ),
        (
            json!({ "maxStreamDuration": { "seconds": "5" } }),
            "maxStreamDuration",
            "not supported with load balancing scheme EXTERNAL_MANAGED",
            json!({ "loadBalancingScheme": "INTERNAL_SELF_MANAGED", "maxStreamDuration": { "seconds": "5" } }),
        ),
        (
            json!({ "loadBalancingScheme": "INTERNAL_MANAGED", "enableCDN": true }),
            "enableCDN",
            "not supported with load balancing scheme INTERNAL_MANAGED",
            json!({ "enableCDN": true }),
        ),
        (
            json!({ "enableCDN": true, "iap": { "enabled": true } }),
            "enableCDN",
            "Cloud CDN and Identity-Aware Proxy cannot both be enabled.",
            json!({ "enableCDN": true, "iap": { "enabled": false } }),
        ),
        (
            json!({ "protocol": "UDP" }),
            "protocol",
            "The protocol is not supported with load balancing scheme EXTERNAL_MANAGED.",
            json!({ "protocol": "HTTP2" }),
        ),
        (
            json!({ "tlsSettings": { "sni": "a" } }),
            "tlsSettings",
            "requires protocol SSL, HTTPS or HTTP2",
            json!({ "protocol": "HTTPS", "tlsSettings": { "sni": "a" } }),
        ),
        (
            json!({ "timeoutSec": 0 }),
            "timeoutSec",
            "Must be greater than or equal to 1",
            json!({ "timeoutSec": 1 }),
        ),
        (
            json!({ "connectionDraining": { "drainingTimeoutSec": 3601 } }),
            "connectionDraining.drainingTimeoutSec",
            "Must be less than or equal to 3600",
            json!({ "connectionDraining": { "drainingTimeoutSec": 3600 } }),
        ),
    ];
    each(&cloud, "global/backendServices", &base, &cases).await;
}

#[tokio::test]
async fn what_a_group_may_be_and_how_it_is_balanced() {
    let cloud = Cloud::start().await;
    cloud.health_check("h").await;
    let zone = "zones/us-central1-a";
    for (name, kind) in [("neg", "GCE_VM_IP_PORT"), ("second", "GCE_VM_IP_PORT"), ("whole", "GCE_VM_IP")] {
        let body = json!({ "name": name, "networkEndpointType": kind });
        cloud.insert(&format!("{zone}/networkEndpointGroups"), body).await;
    }
    cloud.insert(&format!("{zone}/instanceGroups"), json!({ "name": "ig" })).await;
    let serverless = json!({
        "name": "run", "networkEndpointType": "SERVERLESS", "cloudRun": { "service": "s" },
    });
    cloud.insert("regions/us-central1/networkEndpointGroups", serverless).await;
    let run = json!({ "group": "regions/us-central1/networkEndpointGroups/run" });
    let neg = |name: &str, fields: Value| {
        let mut body = json!({
            "group": format!("{zone}/networkEndpointGroups/{name}"), "balancingMode": "RATE", "maxRatePerEndpoint": 1,
        });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    };
    let plain = neg("neg", json!({}));
    let base =
        json!({ "protocol": "HTTP", "healthChecks": ["h"], "loadBalancingScheme": "EXTERNAL_MANAGED" });
    let cases = [
        (
            json!({ "backends": [neg("neg", json!({ "capacityScaler": 0 }))] }),
            "backends[0].capacityScaler",
            "Cannot be 0 when there is only one backend.",
            json!({ "backends": [neg("neg", json!({ "capacityScaler": 0 })), neg("second", json!({}))] }),
        ),
        (
            json!({ "backends": [neg("neg", json!({ "maxConnections": 1 }))] }),
            "backends[0].maxConnections",
            "not available with balancing mode RATE",
            json!({ "backends": [plain] }),
        ),
        (
            json!({ "protocol": "TCP", "backends": [neg("neg", json!({ "balancingMode": "CONNECTION", "maxConnections": 1 }))] }),
            "backends[0].maxRatePerEndpoint",
            "not available with balancing mode CONNECTION",
            json!({ "protocol": "TCP", "backends": [{
                "group": format!("{zone}/networkEndpointGroups/neg"), "balancingMode": "CONNECTION", "maxConnections": 1,
            }] }),
        ),
        (
            json!({ "backends": [neg("whole", json!({}))] }),
            "backends[0].group",
            "not supported with load balancing scheme EXTERNAL_MANAGED",
            json!({ "backends": [plain] }),
        ),
        (
            json!({ "backends": [run] }),
            "healthChecks",
            "A backend service cannot have a healthcheck with Serverless network endpoint group backends.",
            json!({ "backends": [run], "healthChecks": [] }),
        ),
        (
            json!({ "healthChecks": [], "backends": [run, plain] }),
            "backends",
            "either all serverless or none of them",
            json!({ "backends": [plain] }),
        ),
    ];
    each(&cloud, "global/backendServices", &base, &cases).await;
    // Load balancers that pass packets on.
    let group = format!("{zone}/instanceGroups/ig");
    let base = json!({ "loadBalancingScheme": "INTERNAL", "protocol": "TCP", "healthChecks": ["global/healthChecks/h"] });
    let cases = [
        (
            json!({ "backends": [{ "group": group, "balancingMode": "UTILIZATION" }] }),
            "backends[0].balancingMode",
            "Balancing mode must be CONNECTION for an INTERNAL backend service.",
            json!({ "backends": [{ "group": group, "balancingMode": "CONNECTION" }] }),
        ),
        (
            json!({ "protocol": "HTTP" }),
            "protocol",
            "The protocol is not supported with load balancing scheme INTERNAL.",
            json!({ "protocol": "UDP", "sessionAffinity": "CLIENT_IP_PROTO" }),
        ),
        (
            json!({ "sessionAffinity": "GENERATED_COOKIE" }),
            "sessionAffinity",
            "not supported",
            json!({ "sessionAffinity": "CLIENT_IP" }),
        ),
        (
            json!({ "backends": [{
                "group": "zones/us-east1-b/instanceGroups/ig", "balancingMode": "CONNECTION",
            }] }),
            "backends[0].group",
            "Must be in region us-central1.",
            json!({ "backends": [] }),
        ),
    ];
    cloud.insert("zones/us-east1-b/instanceGroups", json!({ "name": "ig" })).await;
    each(&cloud, "regions/us-central1/backendServices", &base, &cases).await;
}

#[tokio::test]
async fn fifty_backends_and_no_more() {
    let cloud = Cloud::start().await;
    cloud.health_check("h").await;
    let backend = |index: usize| {
        json!({
            "group": format!("zones/us-central1-a/networkEndpointGroups/n{index}"), "balancingMode": "RATE",
            "maxRatePerEndpoint": 1,
        })
    };
    let body = |count: usize| {
        json!({
            "name": "s", "protocol": "HTTP", "loadBalancingScheme": "EXTERNAL_MANAGED", "healthChecks": ["h"],
            "backends": (0..count).map(backend).collect::<Vec<_>>(),
        })
    };
    for index in 0..51 {
        let group = json!({ "name": format!("n{index}") });
        cloud.post("zones/us-central1-a/networkEndpointGroups", group).await.ok();
    }
    for index in 0..51 {
        cloud.wait_for(&format!("zones/us-central1-a/networkEndpointGroups/n{index}")).await;
    }
    cloud.post("global/backendServices", body(51)).await.refused(400, "invalid", "at most 50 allowed");
    cloud.insert("global/backendServices", body(50)).await;
}

#[tokio::test]
async fn a_check_alone_changes_nothing() {
    let cloud = Cloud::start().await;
    let policies = "global/securityPolicies";
    let body = json!({ "name": "s" });
    let checked = cloud.post(&format!("{policies}?validateOnly=true"), body.clone()).await.ok();
    assert_eq!((&checked["status"], &checked["progress"]), (&json!("DONE"), &json!(100)), "{checked}");
    assert_eq!(checked["operationType"], "insert");
    assert!(checked.get("error").is_none(), "{checked}");
    cloud.get(&format!("{policies}/s")).await.refused(404, "notFound", "not found");
    let name = checked["name"].as_str().unwrap();
    assert_eq!(cloud.get(&format!("global/operations/{name}")).await.status, 404, "nobody can ask for it");
    let bad = json!({ "name": "S" });
    cloud.post(&format!("{policies}?validateOnly=true"), bad).await.refused(400, "invalid", "resource.name");
    cloud.insert(policies, body.clone()).await;
    cloud.post(&format!("{policies}?validateOnly=true"), body).await.refused(
        409,
        "alreadyExists",
        "already exists",
    );
    // A rule too; and elsewhere the parameter means nothing.
    let rule = json!({
        "priority": 7, "action": "deny(403)",
        "match": { "versionedExpr": "SRC_IPS_V1", "config": { "srcIpRanges": ["*"] } },
    });
    let add = format!("{policies}/s/addRule");
    let checked = cloud.post(&format!("{add}?validateOnly=true"), rule.clone()).await.ok();
    assert_eq!(checked["status"], "DONE");
    cloud.get(&format!("{policies}/s/getRule?priority=7")).await.refused(400, "invalid", "");
    cloud.done("POST", &add, &rule).await;
    cloud.get(&format!("{policies}/s/getRule?priority=7")).await.ok();
    cloud
        .done("POST", "global/healthChecks?validateOnly=true", &json!({ "name": "h", "type": "HTTP" }))
        .await;
    cloud.get("global/healthChecks/h").await.ok();
}

#[tokio::test]
async fn what_an_endpoint_group_is_where() {
    let cloud = Cloud::start().await;
    let at = |place: &str| format!("{place}/networkEndpointGroups");
    let run = json!({ "service": "s" });
    each(
        &cloud,
        &at("zones/us-central1-a"),
        &json!({}),
        &[
            (
                json!({ "networkEndpointType": "SERVERLESS", "cloudRun": run }),
                "networkEndpointType",
                "Must be one of [GCE_VM_IP, GCE_VM_IP_PORT, NON_GCP_PRIVATE_IP_PORT",
                json!({ "networkEndpointType": "NON_GCP_PRIVATE_IP_PORT" }),
            ),
            (json!({ "cloudRun": run }), "cloudRun", "SERVERLESS network endpoint groups only", json!({})),
        ],
    )
    .await;
    each(
        &cloud,
        &at("regions/us-central1"),
        &json!({ "networkEndpointType": "SERVERLESS" }),
        &[
            (json!({ "networkEndpointType": "GCE_VM_IP_PORT" }), "networkEndpointType", "Must be one of [", json!({ "cloudRun": run })),
            (
                json!({ "networkEndpointType": "PRIVATE_SERVICE_CONNECT" }),
                "pscTargetService",
                "not specified",
                json!({ "networkEndpointType": "PRIVATE_SERVICE_CONNECT", "pscTargetService": "a.googleapis.com" }),
            ),
        ],
    )
    .await;
    let two = json!({ "name": "x", "networkEndpointType": "SERVERLESS", "cloudRun": run, "appEngine": {} });
    cloud.post(&at("regions/us-central1"), two).await.refused(400, "invalid", "needs exactly one of");
    cloud.post(&at("global"), json!({ "name": "x" })).await.refused(400, "required", "networkEndpointType");
    // Endpoints are of the group's type.
    let internet = json!({ "name": "net", "networkEndpointType": "INTERNET_FQDN_PORT", "defaultPort": 443 });
    cloud.insert(&at("global"), internet).await;
    let attach = |group: &str| format!("{group}/attachNetworkEndpoints");
    let endpoints = |list: Value| json!({ "networkEndpoints": list });
    let net = attach("global/networkEndpointGroups/net");
    cloud
        .post(&net, endpoints(json!([{ "ipAddress": "203.0.113.1" }])))
        .await
        .refused(400, "required", "fqdn");
    let both = json!([{ "fqdn": "a.example.com" }, { "fqdn": "b.example.com" }]);
    cloud.post(&net, endpoints(both)).await.refused(400, "invalid", "one endpoint only");
    cloud.done("POST", &net, &endpoints(json!([{ "fqdn": "a.example.com" }]))).await;
    let hybrid = json!({ "name": "hybrid", "networkEndpointType": "NON_GCP_PRIVATE_IP_PORT" });
    cloud.insert(&at("zones/us-central1-b"), hybrid).await;
    let hybrid = attach("zones/us-central1-b/networkEndpointGroups/hybrid");
    for (endpoint, message) in [
        (json!({ "port": 80 }), "'resource.networkEndpoints[0].ipAddress' not specified"),
        (json!({ "ipAddress": "10.9.9.9" }), "'resource.networkEndpoints[0].port' not specified"),
        (json!({ "ipAddress": "10.9.9", "port": 80 }), "Must be a valid IP address."),
        (
            json!({ "ipAddress": "10.9.9.9", "fqdn": "a", "port": 80 }),
            "not supported in a network endpoint group of type",
        ),
    ] {
        let refused = cloud.post(&hybrid, endpoints(json!([endpoint]))).await;
        assert_eq!(refused.status, 400, "{endpoint}");
        assert!(refused.message().contains(message), "{endpoint}: {}", refused.message());
    }
    cloud.done("POST", &hybrid, &endpoints(json!([{ "ipAddress": "10.9.9.9", "port": 80 }]))).await;
    let many = |count: usize| {
        endpoints((0..count).map(|index| json!({ "ipAddress": "10.9.9.9", "port": 1000 + index })).collect())
    };
    cloud.post(&hybrid, many(501)).await.refused(400, "invalid", "at most 500 allowed");
    cloud.done("POST", &hybrid, &many(500)).await;
}

#[tokio::test]
async fn checks_that_a_service_can_have() {
    let cloud = Cloud::start().await;
    let check = |name: &str, fields: Value| {
        let mut body = json!({ "name": name, "type": "TCP", "tcpHealthCheck": { "port": 80 } });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    };
    let three = json!({ "checkIntervalSec": 30, "sourceRegions": ["us-central1", "us-east1", "us-west1"] });
    let two = json!({ "sourceRegions": ["us-central1", "us-east1"] });
    cloud.post("global/healthChecks", check("a", two)).await.refused(
        400,
        "invalid",
        "exactly three source regions",
    );
    cloud.insert("global/healthChecks", check("dns", three)).await;
    let slow = json!({ "checkIntervalSec": 5, "timeoutSec": 6 });
    cloud.post("global/healthChecks", check("a", slow)).await.refused(
        400,
        "invalid",
        "less than or equal to",
    );
    cloud.insert("global/healthChecks", check("a", json!({ "checkIntervalSec": 5, "timeoutSec": 5 }))).await;
    let service = |check: &str| json!({ "name": "s", "protocol": "HTTP", "loadBalancingScheme": "EXTERNAL_MANAGED", "healthChecks": [check] });
    cloud.post("global/backendServices", service("dns")).await.refused(
        400,
        "invalid",
        "with sourceRegions cannot be used",
    );
    cloud.insert("global/backendServices", service("a")).await;
}
