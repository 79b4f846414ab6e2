//! Security policies and their rules.

use super::cloud::Cloud;
use serde_json::{Value, json};

fn rule(priority: i64, action: &str, range: &str) -> Value {
    json!({
        "action": action,
        "priority": priority,
        "match": { "versionedExpr": "SRC_IPS_V1", "config": { "srcIpRanges": [range] } },
    })
}

const LAST: i64 = 2_147_483_647;

#[tokio::test]
async fn a_policy_without_rules_admits_everybody() {
    let cloud = Cloud::start().await;
    for place in ["global", "regions/us-central1"] {
        cloud.insert(&format!("{place}/securityPolicies"), json!({ "name": "p" })).await;
        let found = cloud.get(&format!("{place}/securityPolicies/p")).await.ok();
        assert_eq!(found["type"], "CLOUD_ARMOR");
        assert_eq!(
            found["rules"],
            json!([{
                "action": "allow",
                "description": "default rule",
                "kind": "compute#securityPolicyRule",
                "match": { "config": { "srcIpRanges": ["*"] }, "versionedExpr": "SRC_IPS_V1" },
                "preview": false,
                "priority": LAST,
            }])
        );
    }
    let all = cloud.get("aggregated/securityPolicies").await.ok();
    assert_eq!(all["kind"], "compute#securityPoliciesAggregatedList");
    assert_eq!(all["items"]["regions/us-central1"]["securityPolicies"][0]["name"], "p");
    let sets = cloud.get("global/securityPolicies/listPreconfiguredExpressionSets").await.ok();
    let sets = &sets["preconfiguredExpressionSets"]["wafRules"]["expressionSets"];
    assert!(sets.as_array().unwrap().iter().any(|set| set["id"] == "sqli-v33-stable"));
}

#[tokio::test]
async fn rules_come_and_go() {
    let cloud = Cloud::start().await;
    cloud.insert("global/securityPolicies", json!({ "name": "p" })).await;
    let path = "global/securityPolicies/p";
    let add = format!("{path}/addRule");
    let operation = cloud.done("POST", &add, &rule(1000, "deny(403)", "10.0.0.0/8")).await;
    assert_eq!(operation["operationType"], "addRule");
    assert!(operation["targetLink"].as_str().unwrap().ends_with("/securityPolicies/p"));
    let again = cloud.post(&add, rule(1000, "allow", "*")).await;
    again.refused(400, "invalid", "Cannot have rules with the same priorities.");
    let found = cloud.get(&format!("{path}/getRule?priority=1000")).await.ok();
    assert_eq!((&found["action"], &found["preview"]), (&json!("deny(403)"), &json!(false)));
    let missing = cloud.get(&format!("{path}/getRule?priority=7")).await;
    missing.refused(400, "invalid", "does not contain a rule at priority 7");
    cloud.get(&format!("{path}/getRule?priority=x")).await.refused(
        400,
        "badRequest",
        "'priority' (TYPE_INT32)",
    );

    cloud.done("POST", &format!("{path}/patchRule?priority=1000"), &json!({ "preview": true })).await;
    let found = cloud.get(&format!("{path}/getRule?priority=1000")).await.ok();
    assert_eq!((&found["action"], &found["preview"]), (&json!("deny(403)"), &json!(true)));
    // What a mask does not name stays; what it names and the body lacks goes.
    cloud.done("POST", &format!("{path}/patchRule?priority=1000"), &json!({ "description": "d" })).await;
    let masked = format!("{path}/patchRule?priority=1000&updateMask=description,action");
    cloud.done("POST", &masked, &json!({ "action": "deny(404)", "preview": false })).await;
    let found = cloud.get(&format!("{path}/getRule?priority=1000")).await.ok();
    assert_eq!((&found["action"], &found["preview"]), (&json!("deny(404)"), &json!(true)));
    assert_eq!(found["description"], "");

    cloud.done("POST", &format!("{path}/removeRule?priority=1000"), &Value::Null).await;
    let remove = cloud.call("POST", &format!("{path}/removeRule?priority=1000"), None).await;
    remove.refused(400, "invalid", "at priority 1000");
    let last = cloud.call("POST", &format!("{path}/removeRule?priority={LAST}"), None).await;
    last.refused(400, "invalid", "default rule");
}

#[tokio::test]
async fn rules_that_cannot_be() {
    let cloud = Cloud::start().await;
    let many: Vec<String> = (0..11).map(|number| format!("10.0.{number}.0/24")).collect();
    let mut wide = rule(1, "allow", "*");
    wide["match"]["config"]["srcIpRanges"] = json!(many);
    for (rules, message) in [
        (json!([rule(1, "allow", "*")]), "must have a default rule"),
        (json!([rule(LAST, "perhaps", "*")]), "resource.rules[0].action': 'perhaps'"),
        (json!([rule(LAST, "allow", "here")]), "resource.rules[0].match.config.srcIpRanges[0]': 'here'"),
        (json!([{ "action": "allow", "priority": LAST }]), "Required field 'resource.rules[0].match'"),
        (json!([rule(-1, "allow", "*"), rule(LAST, "allow", "*")]), "resource.rules[0].priority': '-1'"),
        (json!([rule(LAST, "allow", "*"), rule(LAST, "allow", "*")]), "same priorities"),
        (json!([wide, rule(LAST, "allow", "*")]), "Too many values: 11"),
        (json!([rule(LAST, "throttle", "*")]), "Required field 'resource.rules[0].rateLimitOptions'"),
    ] {
        let answer = cloud.post("global/securityPolicies", json!({ "name": "p", "rules": rules })).await;
        assert_eq!(answer.status, 400);
        assert!(answer.message().contains(message), "{}", answer.message());
    }
    assert_eq!(cloud.get("global/securityPolicies/p").await.status, 404);
}

#[tokio::test]
async fn what_is_only_validated_does_not_happen() {
    let cloud = Cloud::start().await;
    let answer = cloud.post("global/securityPolicies?validateOnly=true", json!({ "name": "p" })).await.ok();
    assert_eq!((&answer["kind"], &answer["status"]), (&json!("compute#operation"), &json!("DONE")));
    assert_eq!(cloud.get("global/securityPolicies/p").await.status, 404);
    cloud.insert("global/securityPolicies", json!({ "name": "p" })).await;
    let add = "global/securityPolicies/p/addRule?validateOnly=true";
    cloud.post(add, rule(5, "allow", "*")).await.ok();
    let bad = cloud.post(add, rule(LAST, "allow", "*")).await;
    bad.refused(400, "invalid", "same priorities");
    assert_eq!(cloud.get("global/securityPolicies/p").await.ok()["rules"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_mask_narrows_a_patch() {
    let cloud = Cloud::start().await;
    let options = json!({ "jsonParsing": "STANDARD", "logLevel": "VERBOSE" });
    let body = json!({ "name": "p", "description": "d", "advancedOptionsConfig": options });
    cloud.insert("global/securityPolicies", body).await;
    let path = "global/securityPolicies/p";
    let change = json!({ "description": "e", "advancedOptionsConfig": { "jsonParsing": "DISABLED" } });
    let masked = format!("{path}?updateMask=advanced_options_config.json_parsing");
    cloud.done("PATCH", &masked, &change).await;
    let found = cloud.get(path).await.ok();
    assert_eq!(found["description"], "d");
    assert_eq!(found["advancedOptionsConfig"], json!({ "jsonParsing": "DISABLED", "logLevel": "VERBOSE" }));
    cloud.done("PATCH", &format!("{path}?updateMask=description"), &json!({})).await;
    assert_eq!(cloud.get(path).await.ok().get("description"), None);
    let labels = json!({ "labels": { "a": "b" }, "labelFingerprint": found["labelFingerprint"] });
    cloud.done("POST", &format!("{path}/setLabels"), &labels).await;
    assert_eq!(cloud.get(path).await.ok()["labels"], json!({ "a": "b" }));
}

#[tokio::test]
async fn an_expression_that_cannot_be_parsed_is_refused_and_says_where() {
    let cloud = Cloud::start().await;
    let with = |expression: &str| {
        let mut rule = rule(1000, "deny(403)", "*");
        rule["match"] = json!({ "expr": { "expression": expression } });
        rule
    };
    let all = rule(LAST, "allow", "*");
    let bad = json!({ "name": "p", "rules": [with("request.path = '/'"), all] });
    cloud.post("global/securityPolicies", bad).await.refused(
        400,
        "invalid",
        "'resource.rules[0].match.expr.expression': 'request.path = '/''. The expression could not be parsed: unexpected '=' \
         at character 14.",
    );
    let nothing =
        cloud.post("global/securityPolicies", json!({ "name": "p", "rules": [with(""), all] })).await;
    nothing.refused(400, "required", "resource.rules[0].match.expr.expression");
    cloud.insert("global/securityPolicies", json!({ "name": "p", "rules": [with("true"), all] })).await;
    let path = "global/securityPolicies/p";
    let unknown = json!({
        "priority": 5, "action": "allow", "match": { "expr": { "expression": "origin.city == 'Bern'" } },
    });
    let add = cloud.post(&format!("{path}/addRule"), unknown).await;
    add.refused(400, "invalid", "no attribute `origin.city`");
    let change = json!({ "match": { "expr": { "expression": "request.path" } } });
    let changed = cloud.post(&format!("{path}/patchRule?priority=1000"), change).await;
    changed.refused(400, "invalid", "expected what is true or false");
}

#[tokio::test]
async fn a_policy_denies_while_a_service_has_it_and_the_log_of_traffic_says_so() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    let logged = json!({ "logConfig": { "enable": true } });
    cloud.done("PATCH", "global/backendServices/web", &logged).await;
    cloud.insert("global/targetHttpProxies", json!({ "name": "web", "urlMap": "web" })).await;
    let frontend = json!({
        "name": "web", "target": "global/targetHttpProxies/web", "portRange": "80",
        "loadBalancingScheme": "EXTERNAL_MANAGED",
    });
    cloud.insert("global/forwardingRules", frontend).await;
    let address =
        cloud.get("global/forwardingRules/web").await.ok()["IPAddress"].as_str().unwrap().to_owned();
    let url = format!("http://{address}/x");
    let from = |client: [u8; 4]| {
        let client =
            reqwest::Client::builder().local_address(std::net::IpAddr::from(client)).build().unwrap();
        let url = url.clone();
        async move { client.get(url).send().await.unwrap().status().as_u16() }
    };
    // No backend is healthy, so whoever is let through is answered 503.
    assert_eq!(from([127, 91, 0, 1]).await, 503);
    let rules = [rule(7, "deny(404)", "127.91.0.0/24"), rule(LAST, "allow", "*")];
    cloud.insert("global/securityPolicies", json!({ "name": "armor", "rules": rules })).await;
    let set = json!({ "securityPolicy": "global/securityPolicies/armor" });
    cloud.done("POST", "global/backendServices/web/setSecurityPolicy", &set).await;
    assert_eq!((from([127, 91, 0, 1]).await, from([127, 92, 0, 1]).await), (404, 503));
    // A rule that changes counts at once.
    let patch = json!({ "action": "deny(502)" });
    cloud.done("POST", "global/securityPolicies/armor/patchRule?priority=7", &patch).await;
    assert_eq!(from([127, 91, 0, 1]).await, 502);
    cloud
        .done("POST", "global/backendServices/web/setSecurityPolicy", &json!({ "securityPolicy": "" }))
        .await;
    assert_eq!(from([127, 91, 0, 1]).await, 503);

    let log = cloud.get("/_emulator/traffic?service=backendServices/web").await.ok();
    let said: Vec<(u64, &str)> = log
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["status"].as_u64().unwrap(), entry["statusDetails"].as_str().unwrap()))
        .collect();
    let (denied, unpicked) = ("denied_by_security_policy", "failed_to_pick_backend");
    assert_eq!(said, [(503, unpicked), (404, denied), (503, unpicked), (502, denied), (503, unpicked)]);
    assert_eq!(
        log[1]["securityPolicies"],
        json!([{ "kind": "backend", "policy": "projects/p/global/securityPolicies/armor", "priority": 7,
                 "action": "DENY", "preview": false }])
    );
    let denied = cloud.get("/_emulator/traffic?status=404").await.ok();
    assert_eq!(denied.as_array().unwrap().len(), 1);
    let unknown = cloud.get("/_emulator/traffic?colour=red").await;
    assert_eq!(unknown.status, 400);
    assert_eq!(cloud.call("DELETE", "/_emulator/traffic", None).await.status, 204);
    assert_eq!(cloud.running.traffic(), json!([]));
}
