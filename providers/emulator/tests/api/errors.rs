//! What is refused, in whose words.

use super::cloud::Cloud;
use serde_json::json;

#[tokio::test]
async fn a_missing_resource_in_googles_own_body() {
    let cloud = Cloud::start().await;
    let answer = cloud.get("global/urlMaps/nope").await;
    assert_eq!(answer.status, 404);
    let message = "The resource 'projects/p/global/urlMaps/nope' was not found";
    assert_eq!(
        answer.body,
        json!({ "error": {
            "code": 404,
            "message": message,
            "errors": [{ "message": message, "domain": "global", "reason": "notFound" }],
        } })
    );
    cloud.get("global/targetHttpProxies/nope").await.refused(
        404,
        "notFound",
        "targetHttpProxy \"projects/p/global/targetHttpProxies/nope\" not found",
    );
    for (method, path) in [
        ("DELETE", "global/urlMaps/nope"),
        ("PATCH", "global/urlMaps/nope"),
        ("PUT", "global/urlMaps/nope"),
        ("POST", "global/forwardingRules/nope/setTarget"),
        ("GET", "global/operations/nope"),
        ("POST", "global/operations/nope/wait"),
    ] {
        let answer = cloud.call(method, path, Some(&json!({}))).await;
        answer.refused(404, "notFound", "was not found");
    }
}

#[tokio::test]
async fn paths_that_are_no_methods_are_404_with_json() {
    let cloud = Cloud::start().await;
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/compute/v1/projects/p/global/nothings"),
        ("GET", "/compute/v2/projects/p/global/urlMaps"),
        ("PATCH", "/compute/v1/projects/p/global/sslCertificates/c"),
        ("POST", "/compute/v1/projects/p/global/urlMaps/u/frobnicate"),
        ("DELETE", "/compute/v1/projects/p/global/urlMaps"),
        ("GET", "/_emulated"),
    ] {
        cloud.call(method, path, None).await.refused(404, "notFound", "was not found on this server");
    }
}

#[tokio::test]
async fn a_name_that_is_taken() {
    let cloud = Cloud::start().await;
    cloud.health_check("hc").await;
    let again = cloud.post("global/healthChecks", json!({ "name": "hc", "type": "HTTP" })).await;
    again.refused(409, "alreadyExists", "The resource 'projects/p/global/healthChecks/hc' already exists");
    // Global and regional names have nothing to do with each other, nor have projects.
    cloud.insert("regions/us-central1/healthChecks", json!({ "name": "hc", "type": "HTTP" })).await;
    cloud.insert("/compute/v1/projects/q/global/healthChecks", json!({ "name": "hc", "type": "HTTP" })).await;
}

#[tokio::test]
async fn bodies_that_do_not_fit() {
    let cloud = Cloud::start().await;
    let pattern = "Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'";
    for (body, reason, message) in [
        (json!({ "type": "HTTP" }), "required", "Required field 'resource.name' not specified"),
        (json!({ "name": "UPPER", "type": "HTTP" }), "invalid", pattern),
        (
            json!({ "name": "x-", "type": "HTTP" }),
            "invalid",
            "Invalid value for field 'resource.name': 'x-'.",
        ),
        (json!({ "name": "a".repeat(64), "type": "HTTP" }), "invalid", pattern),
        (
            json!({ "name": 5, "type": "HTTP" }),
            "badRequest",
            "Invalid value at 'resource.name' (TYPE_STRING), 5",
        ),
        (
            json!({ "name": "x", "type": "HTTP", "tpye": 1 }),
            "badRequest",
            "Invalid JSON payload received. Unknown name \"tpye\" at 'resource': Cannot find field.",
        ),
        (
            json!({ "name": "x", "type": "HTTP", "httpHealthCheck": { "prt": 1 } }),
            "badRequest",
            "Unknown name \"prt\" at 'resource.http_health_check'",
        ),
        (json!({ "name": "x", "type": "FTP" }), "badRequest", "Invalid value at 'resource.type'"),
        (
            json!({ "name": "x", "type": "HTTP", "timeoutSec": "soon" }),
            "badRequest",
            "(TYPE_INT32), \"soon\"",
        ),
        (
            json!({ "name": "x", "type": "HTTP", "healthyThreshold": 11 }),
            "invalid",
            "Must be less than or equal to 10",
        ),
        (json!({ "name": "x" }), "required", "Required field 'resource.type' not specified"),
        (json!([1]), "badRequest", "Invalid JSON payload received."),
    ] {
        cloud.post("global/healthChecks", body).await.refused(400, reason, message);
    }
    let several =
        json!({ "name": "x", "type": "HTTP", "tpye": 1, "timeoutSec": [], "httpHealthCheck": { "prt": 1 } });
    let several = cloud.post("global/healthChecks", several).await;
    assert_eq!(several.message().lines().count(), 3, "each violation has its line: {}", several.message());
    let violations = several.body["error"]["details"][0]["fieldViolations"].as_array().unwrap();
    let fields: Vec<&str> = violations.iter().map(|violation| violation["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["resource", "resource.timeout_sec", "resource.http_health_check"]);
    let unknown = cloud.post("global/healthChecks", json!({ "name": "x", "type": "HTTP", "tpye": 1 })).await;
    assert_eq!(unknown.body["error"]["status"], "INVALID_ARGUMENT");
    let url = format!("{}projects/p/global/healthChecks", cloud.running.endpoint());
    let answer = cloud.client.post(url).body("{\"name\": ").send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(answer.text().await.unwrap().contains("Invalid JSON payload received. Unexpected token."));
    assert_eq!(
        cloud.get("global/healthChecks").await.ok().get("items"),
        None,
        "nothing was made of any of these"
    );
}

#[tokio::test]
async fn health_checks_that_mean_nothing() {
    let cloud = Cloud::start().await;
    for (body, message) in [
        (json!({ "type": "HTTP", "tcpHealthCheck": {} }), "Only httpHealthCheck may be specified"),
        (
            json!({ "type": "HTTP", "timeoutSec": 10 }),
            "TimeoutSec should be less than or equal to checkIntervalSec.",
        ),
        (json!({ "type": "HTTP", "httpHealthCheck": { "requestPath": "x" } }), "Must begin with '/'."),
        (json!({ "type": "HTTP", "httpHealthCheck": { "port": 0 } }), "Must be greater than or equal to 1"),
        (
            json!({ "type": "HTTP", "httpHealthCheck": { "port": 80, "portSpecification": "USE_SERVING_PORT" } }),
            "Must not be specified with USE_SERVING_PORT.",
        ),
    ] {
        let mut body = body;
        body["name"] = json!("x");
        cloud.post("global/healthChecks", body).await.refused(400, "invalid", message);
    }
}

#[tokio::test]
async fn places_that_are_not_there() {
    let cloud = Cloud::start().await;
    let unknown = "Invalid value for field 'zone': 'mars-north1-a'. Unknown zone.";
    cloud.get("zones/mars-north1-a/instances").await.refused(400, "invalid", unknown);
    let group = json!({ "name": "g" });
    cloud.post("zones/mars-north1-a/instanceGroups", group).await.refused(400, "invalid", unknown);
    cloud.get("regions/mars-north1/addresses").await.refused(400, "invalid", "Unknown region.");
    cloud.get("/compute/v1/projects/123456789/global/addresses").await.refused(
        404,
        "notFound",
        "was not found",
    );
}

#[tokio::test]
async fn references() {
    let cloud = Cloud::start().await;
    let map = |service: &str| json!({ "name": "m", "defaultService": service });
    cloud.post("global/urlMaps", map("global/backendServices/nope")).await.refused(
        404,
        "notFound",
        "The resource 'projects/p/global/backendServices/nope' was not found",
    );
    for malformed in ["global/healthChecks/h", "nonsense/x", "projects/p/global/backendServices"] {
        cloud.post("global/urlMaps", map(malformed)).await.refused(400, "invalid", "The URL is malformed.");
    }
    cloud.url_map("web").await;
    let expected = "https://www.googleapis.com/compute/v1/projects/p/global/backendServices/web";
    for (index, spelling) in [
        "web",
        "global/backendServices/web",
        "projects/p/global/backendServices/web",
        "https://compute.googleapis.com/compute/beta/projects/p/global/backendServices/web",
        "http://127.0.0.1:1/projects/p/global/backendServices/web",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("m{index}");
        cloud.insert("global/urlMaps", json!({ "name": name, "defaultService": spelling })).await;
        assert_eq!(cloud.get(&format!("global/urlMaps/{name}")).await.ok()["defaultService"], expected);
    }
}
