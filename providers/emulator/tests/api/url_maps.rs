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

/// A map that uses every kind of test.
fn tested(tests: &Value) -> Value {
    json!({
        "name": "tested",
        "defaultService": "web",
        "hostRules": [{ "hosts": ["shop.example"], "pathMatcher": "m" }],
        "pathMatchers": [{
            "name": "m",
            "defaultService": "web",
            "routeRules": [
                { "priority": 1, "matchRules": [{ "prefixMatch": "/api/" }], "service": "api",
                  "routeAction": { "urlRewrite": { "pathPrefixRewrite": "/", "hostRewrite": "inner" } } },
                { "priority": 2, "matchRules": [{ "prefixMatch": "/", "headerMatches":
                    [{ "headerName": "x-api", "presentMatch": true }] }], "service": "api" },
                { "priority": 3, "matchRules": [{ "prefixMatch": "/old/" }],
                  "urlRedirect": { "prefixRedirect": "/new/", "httpsRedirect": true, "stripQuery": true } },
            ],
        }],
        "tests": tests,
    })
}

#[tokio::test]
async fn a_change_whose_tests_fail_is_refused() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    cloud.url_map("api").await;
    let pass = json!([
        { "host": "other", "path": "/", "service": "web" },
        { "host": "shop.example", "path": "/api/x?y=1", "service": "api", "expectedOutputUrl": "https://inner/x?y=1" },
        { "host": "shop.example", "path": "/", "headers": [{ "name": "X-Api", "value": "1" }], "service": "api" },
        { "host": "shop.example", "path": "/old/a?b", "expectedRedirectResponseCode": 301,
          "expectedOutputUrl": "https://shop.example/new/a" },
    ]);
    cloud.insert("global/urlMaps", tested(&pass)).await;
    for (test, why) in [
        (
            json!({ "host": "shop.example", "path": "/x", "service": "api" }),
            "Test failure: Expect URL 'shop.example/x' to map to service \
             'projects/p/global/backendServices/api', but actually mapped to 'projects/p/global/backendServices/web'.",
        ),
        (
            json!({ "host": "shop.example", "path": "/api/x", "service": "api", "expectedOutputUrl": "http://inner/api/x" }),
            "but actually forwarded as 'http://inner/x'",
        ),
        (
            json!({ "host": "shop.example", "path": "/old/a", "expectedRedirectResponseCode": 302 }),
            "to be redirected with code 302, but actually got 301",
        ),
        (
            json!({ "host": "shop.example", "path": "/old/a", "expectedRedirectResponseCode": 301,
                    "expectedOutputUrl": "http://shop.example/new/a" }),
            "actually led to 'https://shop.example/new/a'",
        ),
        (
            json!({ "host": "shop.example", "path": "/old/a", "service": "web" }),
            "actually mapped to 'https://shop.example/new/a'",
        ),
        (json!({ "host": "shop.example", "path": "/old/a" }), "must be specified"),
        (
            json!({ "host": "a", "path": "/", "service": "web", "headers": [{ "name": "host", "value": "b" }] }),
            "must match the host of the test",
        ),
        (
            json!({ "host": "a", "path": "/", "service": "web", "expectedRedirectResponseCode": 301 }),
            "cannot be set when service is set",
        ),
    ] {
        let patch = cloud.call("PATCH", "global/urlMaps/tested", Some(&json!({ "tests": [test] }))).await;
        patch.refused(400, "invalid", why);
    }
    // A change of the rules runs the tests that are stored.
    let patch = json!({ "pathMatchers": [{ "name": "m", "defaultService": "web" }] });
    cloud.call("PATCH", "global/urlMaps/tested", Some(&patch)).await.refused(
        400,
        "invalid",
        "resource.tests[1]",
    );
}

#[tokio::test]
async fn validate_judges_a_map_and_stores_nothing() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    cloud.url_map("api").await;
    let tests = json!([
        { "host": "other", "path": "/", "service": "web" },
        { "description": "wrong", "host": "shop.example", "path": "/x", "service": "api" },
    ]);
    let body = json!({ "resource": tested(&tests), "loadBalancingSchemes": ["EXTERNAL_MANAGED"] });
    let answer = cloud.post("global/urlMaps/no-such-map/validate", body).await.ok();
    let link = |name: &str| {
        let web = &cloud.running.endpoint().to_string();
        format!("{}/projects/p/global/backendServices/{name}", web.trim_end_matches('/'))
    };
    let failure = &answer["result"]["testFailures"][0];
    assert_eq!(answer["result"]["loadSucceeded"], true);
    assert_eq!(answer["result"]["testPassed"], false);
    assert_eq!((&failure["host"], &failure["path"]), (&json!("shop.example"), &json!("/x")));
    let suffix = |value: &Value| value.as_str().unwrap().split_once("/projects/").unwrap().1.to_owned();
    assert_eq!(suffix(&failure["expectedService"]), suffix(&json!(link("api"))));
    assert_eq!(suffix(&failure["actualService"]), suffix(&json!(link("web"))));
    assert_eq!(failure["actualOutputUrl"], "http://shop.example/x");
    assert_eq!(cloud.get("global/urlMaps/no-such-map").await.status, 404);
    assert_eq!(cloud.get("global/urlMaps/tested").await.status, 404);

    let good = json!({ "resource": tested(&json!([])) });
    let answer = cloud.post("global/urlMaps/tested/validate", good).await.ok();
    assert_eq!(answer, json!({ "result": { "loadSucceeded": true, "testPassed": true } }));

    let mut dangling = tested(&json!([]));
    dangling["hostRules"][0]["pathMatcher"] = json!("nope");
    let mut missing = tested(&json!([]));
    missing["defaultService"] = json!("nobody");
    for (map, schemes, why) in [
        (dangling, json!([]), "The path matcher does not exist"),
        (missing, json!([]), "was not found"),
        (tested(&json!([])), json!(["EXTERNAL"]), "Load balancing scheme EXTERNAL does not match"),
        (
            json!({ "name": "x", "defaultUrlRedirect": { "hostRedirect": "h" }, "headerAction":
                { "requestHeadersToRemove": ["x"] } }),
            json!([]),
            "incompatible",
        ),
        (json!({ "name": "Bad" }), json!([]), "Must be a match of regex"),
        (
            json!({ "name": "x", "hostRules": [{ "hosts": ["*"], "pathMatcher": "m" }], "pathMatchers": [
                { "name": "m", "routeRules": [{ "priority": 1, "service": "web", "matchRules":
                    [{ "pathTemplateMatch": "/a*" }] }] }] }),
            json!([]),
            "an operator must begin its segment",
        ),
    ] {
        let body = json!({ "resource": map, "loadBalancingSchemes": schemes });
        let answer = cloud.post("global/urlMaps/x/validate", body).await.ok();
        assert_eq!(answer["result"]["loadSucceeded"], false, "{answer}");
        let said = answer["result"]["loadErrors"][0].as_str().unwrap();
        assert!(said.contains(why), "{said}");
        assert_eq!(answer["result"].get("testPassed"), None);
    }
    let unknown = json!({ "resource": { "name": "x", "nonsense": 1 } });
    cloud.post("global/urlMaps/x/validate", unknown).await.refused(400, "badRequest", "Unknown name");
    cloud.post("global/urlMaps/x/validate", json!({})).await.refused(400, "required", "resource");

    let regional = json!({ "resource": { "name": "x", "defaultUrlRedirect": { "hostRedirect": "h" } } });
    let answer = cloud.post("regions/us-central1/urlMaps/x/validate", regional.clone()).await.ok();
    assert_eq!(answer["result"]["loadSucceeded"], true);
    let mut asked = regional;
    asked["loadBalancingSchemes"] = json!(["EXTERNAL"]);
    let answer = cloud.post("regions/us-central1/urlMaps/x/validate", asked).await;
    answer.refused(400, "badRequest", "loadBalancingSchemes");
}
