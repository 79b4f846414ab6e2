//! Insert, update, patch: defaults, output-only fields, fingerprints, RFC 7396.

use super::cloud::Cloud;
use emulator::{Config, MissingFingerprint};
use serde_json::{Value, json};

#[tokio::test]
async fn an_insert_is_completed() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    let service = cloud.get("global/backendServices/web").await.ok();
    for (field, value) in [
        ("kind", json!("compute#backendService")),
        ("selfLink", json!("https://www.googleapis.com/compute/v1/projects/p/global/backendServices/web")),
        ("timeoutSec", json!(30)),
        ("sessionAffinity", json!("NONE")),
        ("affinityCookieTtlSec", json!(0)),
        ("description", json!("")),
        ("port", json!(80)),
        ("portName", json!("http")),
        ("connectionDraining", json!({ "drainingTimeoutSec": 0 })),
        ("healthChecks", json!(["https://www.googleapis.com/compute/v1/projects/p/global/healthChecks/web"])),
    ] {
        assert_eq!(service[field], value, "{field}");
    }
    assert!(service["id"].as_str().unwrap().parse::<u64>().is_ok());
    assert!(
        service["creationTimestamp"].as_str().unwrap().contains("-0"),
        "Pacific time has a negative offset"
    );
    let check = cloud.get("global/healthChecks/web").await.ok();
    assert_eq!(check["httpHealthCheck"], json!({ "port": 80, "requestPath": "/", "proxyHeader": "NONE" }));
    assert_eq!(check.get("fingerprint"), None, "health checks have none");
}

#[tokio::test]
async fn what_only_the_server_writes_is_ignored_in_requests() {
    let cloud = Cloud::start().await;
    let body = json!({
        "name": "a", "id": "1", "kind": "compute#nonsense", "selfLink": "x", "creationTimestamp": "never",
        "status": "IN_USE", "users": ["me"], "labelFingerprint": "x", "region": "x",
    });
    cloud.insert("global/addresses", body).await;
    let address = cloud.get("global/addresses/a").await.ok();
    assert_eq!(address["kind"], "compute#address");
    assert_ne!(address["id"], "1");
    assert_eq!((address.get("users"), address.get("region")), (None, None));
}

#[tokio::test]
async fn a_patch_merges_and_a_put_replaces() {
    let cloud = Cloud::start().await;
    let path = "global/healthChecks/h";
    let body = json!({
        "name": "h", "type": "HTTP", "description": "d", "checkIntervalSec": 20,
        "httpHealthCheck": { "port": 8080, "host": "example.com", "requestPath": "/ready" },
    });
    cloud.insert("global/healthChecks", body).await;
    let changes =
        json!({ "timeoutSec": 7, "description": null, "httpHealthCheck": { "host": null, "port": 9090 } });
    let operation = cloud.done("PATCH", path, &changes).await;
    assert_eq!(operation["operationType"], "patch");
    let found = cloud.get(path).await.ok();
    assert_eq!(
        (&found["timeoutSec"], &found["checkIntervalSec"], found.get("description")),
        (&json!(7), &json!(20), None)
    );
    assert_eq!(
        found["httpHealthCheck"],
        json!({ "port": 9090, "requestPath": "/ready", "proxyHeader": "NONE" })
    );
    cloud.done("PUT", path, &json!({ "name": "h", "type": "TCP", "tcpHealthCheck": { "port": 1 } })).await;
    let replaced = cloud.get(path).await.ok();
    assert_eq!((&replaced["checkIntervalSec"], replaced.get("httpHealthCheck")), (&json!(5), None));
    assert_eq!(replaced["id"], found["id"], "it is the same resource");
    let renamed = cloud.call("PUT", path, Some(&json!({ "name": "i", "type": "TCP" }))).await;
    renamed.refused(400, "invalid", "resource.name");
}

#[tokio::test]
async fn a_patch_replaces_lists_whole() {
    let cloud = Cloud::start().await;
    let allowed = json!([{ "IPProtocol": "tcp", "ports": ["80"] }, { "IPProtocol": "udp" }]);
    let body = json!({ "name": "f", "allowed": allowed, "sourceRanges": ["10.0.0.0/8", "192.168.0.0/16"] });
    cloud.insert("global/firewalls", body).await;
    let operation =
        cloud.done("PATCH", "global/firewalls/f", &json!({ "sourceRanges": ["10.0.0.0/8"] })).await;
    assert_eq!(operation["operationType"], "compute.firewalls.patch");
    let found = cloud.get("global/firewalls/f").await.ok();
    assert_eq!((&found["sourceRanges"], &found["allowed"]), (&json!(["10.0.0.0/8"]), &allowed));
    cloud.done("PATCH", "global/firewalls/f", &json!({ "sourceRanges": [] })).await;
    assert_eq!(cloud.get("global/firewalls/f").await.ok().get("sourceRanges"), None);
    let none = cloud.call("PATCH", "global/firewalls/f", Some(&json!({ "allowed": [] }))).await;
    none.refused(400, "required", "resource.allowed");
}

#[tokio::test]
async fn fingerprints_are_compared_where_a_request_has_one() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    let path = "global/urlMaps/web";
    let first = cloud.get(path).await.ok();
    let fingerprint = first["fingerprint"].as_str().unwrap().to_owned();
    assert_eq!(fingerprint.len(), 12, "eight bytes in base64");
    cloud.done("PATCH", path, &json!({ "description": "one", "fingerprint": fingerprint })).await;
    let second = cloud.get(path).await.ok();
    assert_ne!(second["fingerprint"], first["fingerprint"]);
    for method in ["PATCH", "PUT"] {
        let mut stale = second.clone();
        stale["fingerprint"] = json!(fingerprint);
        let answer = cloud.call(method, path, Some(&stale)).await;
        answer.refused(412, "conditionNotMet", "Invalid fingerprint.");
        assert_eq!(answer.body["error"]["errors"][0]["location"], "If-Match");
    }
    // Whole objects go back as they were got.
    cloud.done("PUT", path, &second).await;
    assert_eq!(cloud.get(path).await.ok()["fingerprint"], second["fingerprint"], "nothing has changed");
    cloud.done("PATCH", path, &json!({ "description": "two" })).await;
}

#[tokio::test]
async fn a_fingerprint_can_be_asked_for() {
    let config = Config { missing_fingerprint: MissingFingerprint::Refuse, ..Config::default() };
    let cloud = Cloud::with(config).await;
    cloud.url_map("web").await;
    let without = cloud.call("PATCH", "global/urlMaps/web", Some(&json!({ "description": "x" }))).await;
    without.refused(412, "conditionNotMet", "Invalid fingerprint.");
    // Resources that have none need none.
    cloud.done("PATCH", "global/healthChecks/web", &json!({ "description": "x" })).await;
}

#[tokio::test]
async fn labels_have_a_verb_and_a_fingerprint_of_their_own() {
    let cloud = Cloud::start().await;
    cloud.insert("global/addresses", json!({ "name": "a", "labels": { "k": "v" } })).await;
    let first = cloud.get("global/addresses/a").await.ok();
    assert_eq!(first["labels"], json!({ "k": "v" }));
    let body = json!({ "labels": { "k": "w" }, "labelFingerprint": first["labelFingerprint"] });
    cloud.done("POST", "global/addresses/a/setLabels", &body).await;
    assert_eq!(cloud.get("global/addresses/a").await.ok()["labels"], json!({ "k": "w" }));
    cloud.call("POST", "global/addresses/a/setLabels", Some(&body)).await.refused(
        412,
        "conditionNotMet",
        "Labels fingerprint",
    );
}

#[tokio::test]
async fn versions_names_and_ids_lead_to_one_resource() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    let v1 = cloud.get("global/urlMaps/web").await.ok();
    let beta = cloud.get("/compute/beta/projects/p/global/urlMaps/web").await.ok();
    let link = |version: &str, path: &str| {
        Value::from(format!("https://www.googleapis.com/compute/{version}/projects/p/global/{path}"))
    };
    assert_eq!(beta["selfLink"], link("beta", "urlMaps/web"));
    assert_eq!(beta["defaultService"], link("beta", "backendServices/web"));
    let id = v1["id"].as_str().unwrap();
    assert_eq!(cloud.get(&format!("global/urlMaps/{id}")).await.ok(), v1);
    let number = cloud.get("").await;
    assert_eq!(number.status, 404, "a trailing slash is no project");
    let project = cloud.get("/compute/v1/projects/p").await.ok();
    assert_eq!(project["kind"], "compute#project");
    let by_number = format!("/compute/v1/projects/{}/global/urlMaps/web", project["id"].as_str().unwrap());
    assert_eq!(cloud.get(&by_number).await.ok(), v1);
    assert_eq!(cloud.get("/projects/p/global/urlMaps/web").await.ok(), v1);
    // Unknown query parameters are nobody's business.
    assert_eq!(cloud.get("global/urlMaps/web?alt=json&%24alt=json&%24.xgafv=2&key=x").await.ok(), v1);
    // What only beta knows is unknown to v1.
    let filters = json!({ "name": "t", "urlMap": "web", "httpFilters": ["x"] });
    cloud.post("global/targetHttpProxies", filters.clone()).await.refused(400, "badRequest", "httpFilters");
    cloud.insert("/compute/beta/projects/p/global/targetHttpProxies", filters).await;
}
