//! From DONE to served: the programming delay; and backends that misbehave on purpose.

use super::cloud::{Cloud, DEADLINE};
use emulator::clock::Pace;
use emulator::{Config, Latency, ProgrammingDelay};
use serde_json::{Value, json};
use std::time::Duration;

/// A frontend that redirects, and where it listens.
async fn redirecting(cloud: &Cloud, name: &str) -> String {
    let redirect =
        json!({ "name": name, "defaultUrlRedirect": { "hostRedirect": "one.example", "pathRedirect": "/" } });
    for (collection, body) in [
        ("urlMaps", redirect),
        ("targetHttpProxies", json!({ "name": name, "urlMap": name })),
        (
            "forwardingRules",
            json!({ "name": name, "target": format!("global/targetHttpProxies/{name}"), "portRange": "80" }),
        ),
    ] {
        cloud.insert(&format!("global/{collection}"), body).await;
    }
    let rule = cloud.get(&format!("global/forwardingRules/{name}")).await.ok();
    format!("http://{}/", rule["IPAddress"].as_str().unwrap())
}

async fn location(url: &str) -> Option<String> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = client.get(url).send().await.ok()?;
    Some(answer.headers()["location"].to_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_new_rule_and_a_change_serve_only_after_their_delay() {
    let seconds = Duration::from_secs;
    let delay = ProgrammingDelay { new: seconds(30).into(), changes: seconds(10).into() };
    let latency = Latency::of(Duration::ZERO);
    let config = Config { pace: Pace::Held, latency, programming_delay: delay, ..Config::default() };
    let cloud = Cloud::with(config).await;
    let url = redirecting(&cloud, "web").await;
    let step = |span| cloud.running.clock().step(seconds(span));
    assert_eq!(location(&url).await, None, "its operation is DONE, and nobody listens");
    step(29).await;
    assert_eq!(location(&url).await, None);
    step(1).await;
    assert_eq!(location(&url).await.as_deref(), Some("http://one.example/"));
    let found = cloud.get("global/urlMaps/web").await.ok();
    let change = json!({ "defaultUrlRedirect": { "hostRedirect": "two.example" }, "fingerprint": found["fingerprint"] });
    cloud.done("PATCH", "global/urlMaps/web", &change).await;
    step(9).await;
    assert!(location(&url).await.unwrap().contains("one.example"), "as before");
    step(1).await;
    assert!(location(&url).await.unwrap().contains("two.example"));
    // Set by the admin path: from now on at once, and not before what waits already.
    let at_once = json!({ "new": 0, "changes": "0s" });
    cloud.delete("global/forwardingRules/web").await;
    let set = cloud.call("PUT", "/_emulator/programming-delay", Some(&at_once)).await.ok();
    assert_eq!(set, json!({ "new": 0, "changes": 0 }));
    assert!(location(&url).await.is_some(), "the end of a rule waits as well");
    step(10).await;
    assert_eq!(location(&url).await, None);
    let url = redirecting(&cloud, "other").await;
    assert!(location(&url).await.is_some());
}

/// A load balancer with one backend, which answers everything; the url, and the backend's task.
async fn serving(cloud: &Cloud) -> (String, tokio::task::JoinHandle<()>) {
    // 10.1.8.5 is dialled as 127.1.8.5.
    let server = tokio::net::TcpListener::bind("127.1.8.5:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        loop {
            let (mut stream, _) = server.accept().await.unwrap();
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
            let _ = stream.write_all(answer).await;
        }
    });
    cloud.instance("node", [10, 0, 0, 8]).await;
    let zone = "zones/us-central1-a";
    cloud.insert(&format!("{zone}/networkEndpointGroups"), json!({ "name": "neg" })).await;
    let instance = format!("{zone}/instances/node");
    let endpoints =
        json!({ "networkEndpoints": [{ "instance": instance, "ipAddress": "10.1.8.5", "port": port }] });
    cloud.done("POST", &format!("{zone}/networkEndpointGroups/neg/attachNetworkEndpoints"), &endpoints).await;
    let group = format!("{zone}/networkEndpointGroups/neg");
    for (collection, body) in [
        (
            "healthChecks",
            json!({ "name": "web", "type": "HTTP", "httpHealthCheck": { "portSpecification": "USE_SERVING_PORT" } }),
        ),
        (
            "backendServices",
            json!({
                "name": "web", "protocol": "HTTP", "loadBalancingScheme": "EXTERNAL_MANAGED", "timeoutSec": 1,
                "healthChecks": ["web"],
                "backends": [{ "group": group, "balancingMode": "RATE", "maxRatePerEndpoint": 100 }],
            }),
        ),
        ("urlMaps", json!({ "name": "web", "defaultService": "web" })),
        ("targetHttpProxies", json!({ "name": "web", "urlMap": "web" })),
        (
            "firewalls",
            json!({ "name": "probes", "allowed": [{ "IPProtocol": "tcp" }], "sourceRanges": ["35.191.0.0/16", "130.211.0.0/22"] }),
        ),
        (
            "forwardingRules",
            json!({
                "name": "web", "target": "global/targetHttpProxies/web", "portRange": "80",
                "loadBalancingScheme": "EXTERNAL_MANAGED",
            }),
        ),
    ] {
        cloud.insert(&format!("global/{collection}"), body).await;
    }
    let rule = cloud.get("global/forwardingRules/web").await.ok();
    (format!("http://{}/", rule["IPAddress"].as_str().unwrap()), task)
}

#[tokio::test]
async fn backends_stall_reset_and_fail_their_probes_on_purpose() {
    let config = Config { pace: Pace::Held, latency: Latency::of(Duration::ZERO), ..Config::default() };
    let cloud = Cloud::with(config).await;
    let (url, task) = serving(&cloud).await;
    let step = |span| cloud.running.clock().step(Duration::from_secs(span));
    let group = "zones/us-central1-a/networkEndpointGroups/neg";
    let health = async || {
        let answer = cloud.post("global/backendServices/web/getHealth", json!({ "group": group })).await.ok();
        answer["healthStatus"][0]["healthState"].clone()
    };
    let status = async || {
        let answer = tokio::time::timeout(DEADLINE, reqwest::get(&url)).await.unwrap();
        answer.map(|answer| answer.status().as_u16()).unwrap()
    };
    let add = async |rule: Value| cloud.post("/_emulator/faults", rule).await.ok()["ids"][0].clone();
    // One step runs as many probes as it takes.
    step(60).await;
    assert_eq!((health().await, status().await), (json!("HEALTHY"), 200));
    for (does, expected) in [("reset", 502), ("stall", 504)] {
        add(json!({ "name": "^web$", "count": 1, "fault": { "backend": { "does": does } } })).await;
        assert_eq!(status().await, expected, "{does}");
        assert_eq!(status().await, 200);
    }
    // What is shown, and what is.
    let unknown = add(json!({ "fault": { "healthStatus": { "state": "UNKNOWN" } } })).await;
    assert_eq!((health().await, status().await), (json!("UNKNOWN"), 200));
    assert!(cloud.running.remove_fault(unknown.as_str().unwrap()));
    let missing = add(json!({ "fault": { "healthStatus": { "state": "MISSING" } } })).await;
    assert_eq!(health().await, Value::Null);
    assert!(cloud.running.remove_fault(missing.as_str().unwrap()));
    let failing =
        add(json!({ "fault": { "backend": { "does": "failProbes", "address": "10.1.8.5" } } })).await;
    step(60).await;
    assert_eq!((health().await, status().await), (json!("UNHEALTHY"), 503));
    assert!(cloud.running.remove_fault(failing.as_str().unwrap()));
    step(60).await;
    assert_eq!((health().await, status().await), (json!("HEALTHY"), 200));
    task.abort();
    let passing = add(json!({ "fault": { "backend": { "does": "passProbes" } } })).await;
    step(60).await;
    assert_eq!(
        (health().await, status().await),
        (json!("HEALTHY"), 502),
        "nobody is there, but probes say so"
    );
    assert!(cloud.running.remove_fault(passing.as_str().unwrap()));
}
