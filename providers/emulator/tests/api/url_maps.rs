//! URL maps: what is refused before it could mean something strange. The rules themselves are tested next to the code; here
//! it is asserted that they are asked, and what needs other resources.

use super::cloud::Cloud;
use serde_json::{Value, json};

#[tokio::test]
async fn rules_of_a_map_are_asked_on_every_change() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    let twice = json!({
        "hostRules": [{ "hosts": ["a.com"], "pathMatcher": "m" }],
        "pathMatchers": [{
            "name": "m", "defaultService": "web",
            "pathRules": [{ "paths": ["/a", "/a"], "service": "web" }],
        }],
    });
    let mut body = twice.clone();
    body["name"] = json!("x");
    body["defaultService"] = json!("web");
    cloud.post("global/urlMaps", body).await.refused(
        400,
        "invalid",
        "Invalid value for field 'resource.pathMatchers[0].pathRules[0].paths[1]': '/a'. Duplicate path",
    );
    let patch = cloud.call("PATCH", "global/urlMaps/web", Some(&twice)).await;
    patch.refused(400, "invalid", "Duplicate path");
    let missing = json!({ "hostRules": [{ "hosts": ["a.com"], "pathMatcher": "nope" }] });
    let patch = cloud.call("PATCH", "global/urlMaps/web", Some(&missing)).await;
    patch.refused(400, "invalid", "The path matcher does not exist");
    assert_eq!(cloud.get("global/urlMaps/web").await.ok().get("hostRules"), None);
}

#[tokio::test]
async fn strings_have_the_lengths_of_the_reference() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    for (redirect, field) in [
        (json!({ "hostRedirect": "h".repeat(256) }), "hostRedirect"),
        (json!({ "pathRedirect": format!("/{}", "p".repeat(1024)) }), "pathRedirect"),
        (json!({ "prefixRedirect": "" }), "prefixRedirect"),
    ] {
        let body = json!({ "name": "x", "defaultUrlRedirect": redirect });
        cloud.post("global/urlMaps", body).await.refused(400, "invalid", field);
    }
    let longest =
        json!({ "hostRedirect": "h".repeat(255), "pathRedirect": format!("/{}", "p".repeat(1023)) });
    cloud.insert("global/urlMaps", json!({ "name": "x", "defaultUrlRedirect": longest })).await;
}

/// A map with so many rules that it is about `size` bytes.
fn of_size(size: usize, service: &str) -> Value {
    let filler = "x".repeat(1000);
    let paths: Vec<String> = (0..size / 1020).map(|index| format!("/{index}/{filler}")).collect();
    json!({
        "name": format!("size-{size}"),
        "defaultService": service,
        "hostRules": [{ "hosts": ["a.com"], "pathMatcher": "m" }],
        "pathMatchers": [{
            "name": "m", "defaultService": service, "pathRules": [{ "paths": paths, "service": service }],
        }],
    })
}

#[tokio::test]
async fn the_size_of_a_map_is_limited_by_its_scheme() {
    let cloud = Cloud::start().await;
    cloud.url_map("managed").await;
    let classic =
        json!({ "name": "classic", "healthChecks": ["managed"], "loadBalancingScheme": "EXTERNAL" });
    cloud.insert("global/backendServices", classic).await;
    cloud.insert("global/urlMaps", of_size(50_000, "classic")).await;
    let large = cloud.post("global/urlMaps", of_size(80_000, "classic")).await;
    large.refused(400, "invalid", "at most 65536 bytes are allowed");
    cloud.insert("global/urlMaps", of_size(80_000, "managed")).await;
    let large = cloud.post("global/urlMaps", of_size(1_200_000, "managed")).await;
    large.refused(400, "invalid", "at most 1048576 bytes are allowed");
}
