//! The API and the data plane together: what is DONE is served.

use super::cloud::{Cloud, DEADLINE};
use serde_json::{Value, json};
use std::time::Duration;

async fn frontend(cloud: &Cloud, map: &str) -> String {
    cloud.insert("global/targetHttpProxies", json!({ "name": "t", "urlMap": map })).await;
    let rule = json!({
        "name": "r", "target": "global/targetHttpProxies/t", "portRange": "80",
        "loadBalancingScheme": "EXTERNAL_MANAGED",
    });
    cloud.insert("global/forwardingRules", rule).await;
    cloud.get("global/forwardingRules/r").await.ok()["IPAddress"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_rule_serves_once_its_operation_is_done_and_until_it_is_deleted() {
    let cloud = Cloud::start().await;
    let redirect = json!({ "name": "m", "defaultUrlRedirect": { "httpsRedirect": true } });
    cloud.insert("global/urlMaps", redirect).await;
    let address = frontend(&cloud, "m").await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let url = format!("http://{address}/x?y=z");
    let answer = client.get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 301);
    assert_eq!(answer.headers()["location"], format!("https://{address}/x?y=z"));
    // A change is in force when its operation is DONE.
    let found = json!({ "defaultUrlRedirect": { "redirectResponseCode": "FOUND" } });
    cloud.done("PATCH", "global/urlMaps/m", &found).await;
    assert_eq!(client.get(&url).send().await.unwrap().status(), 302);
    let listening = &cloud.running.state()["dataPlane"]["listening"][0];
    assert_eq!(listening["forwardingRule"], "projects/p/global/forwardingRules/r");
    cloud.delete("global/forwardingRules/r").await;
    assert!(reqwest::Client::new().get(&url).send().await.is_err(), "nobody listens there any more");
}

#[tokio::test]
async fn health_is_what_probes_find() {
    let cloud = Cloud::with(emulator::Config {
        health_time_scale: 0.01,
        latency: emulator::Latency::of(Duration::from_millis(1)),
        ..emulator::Config::default()
    })
    .await;
    // 10.1.9.5 is dialled as 127.1.9.5.
    let server = tokio::net::TcpListener::bind("127.1.9.5:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        loop {
            let (mut stream, _) = server.accept().await.unwrap();
            tokio::spawn(async move {
                use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
                let mut buffer = [0; 4096];
                let _ = stream.read(&mut buffer).await;
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello")
                    .await;
            });
        }
    });
    cloud.instance("node", [10, 0, 0, 9]).await;
    let zone = "zones/us-central1-a";
    cloud.insert(&format!("{zone}/networkEndpointGroups"), json!({ "name": "neg" })).await;
    let endpoint = json!({ "networkEndpoints": [
        { "instance": format!("{zone}/instances/node"), "ipAddress": "10.1.9.5", "port": port },
    ] });
    cloud.done("POST", &format!("{zone}/networkEndpointGroups/neg/attachNetworkEndpoints"), &endpoint).await;
    let check = json!({ "name": "web", "type": "HTTP", "httpHealthCheck": { "portSpecification": "USE_SERVING_PORT" } });
    cloud.insert("global/healthChecks", check).await;
    let group = format!("{zone}/networkEndpointGroups/neg");
    let service = json!({
        "name": "web", "protocol": "HTTP", "loadBalancingScheme": "EXTERNAL_MANAGED", "healthChecks": ["web"],
        "backends": [{ "group": group, "balancingMode": "RATE", "maxRatePerEndpoint": 100 }],
    });
    cloud.insert("global/backendServices", service).await;
    cloud.insert("global/urlMaps", json!({ "name": "web", "defaultService": "web" })).await;
    let admit = json!({
        "name": "probes", "allowed": [{ "IPProtocol": "tcp" }],
        "sourceRanges": ["35.191.0.0/16", "130.211.0.0/22"],
    });
    cloud.insert("global/firewalls", admit).await;
    let get_health = || cloud.post("global/backendServices/web/getHealth", json!({ "group": group }));
    let unprobed = get_health().await.ok();
    assert_eq!(unprobed.get("healthStatus"), None, "no forwarding rule reaches it yet");
    let address = frontend(&cloud, "web").await;
    let service = "projects/p/global/backendServices/web";
    let healthy = |state: &Value| {
        state["health"][service]
            .as_object()
            .is_some_and(|groups| groups.values().all(|endpoints| endpoints[0]["healthState"] == "HEALTHY"))
    };
    tokio::time::timeout(DEADLINE, cloud.running.wait_for(healthy))
        .await
        .expect("the endpoint becomes healthy");
    let health = get_health().await.ok();
    let status = &health["healthStatus"][0];
    assert_eq!(status["healthState"], "HEALTHY");
    assert_eq!((&status["ipAddress"], &status["port"]), (&json!("10.1.9.5"), &json!(port)));
    assert!(status["instance"].as_str().unwrap().ends_with("/zones/us-central1-a/instances/node"));
    let list =
        cloud.post(&format!("{group}/listNetworkEndpoints"), json!({ "healthStatus": "SHOW" })).await.ok();
    let service = "https://www.googleapis.com/compute/v1/projects/p/global/backendServices/web";
    assert_eq!(
        list["items"][0]["healths"],
        json!([{ "backendService": { "backendService": service }, "healthState": "HEALTHY" }])
    );
    let skipped =
        cloud.post(&format!("{group}/listNetworkEndpoints"), json!({ "healthStatus": "SKIP" })).await.ok();
    assert_eq!(skipped["items"][0].get("healths"), None);
    let answer = reqwest::get(format!("http://{address}/")).await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "hello");
    serving.abort();
}

#[tokio::test]
async fn an_address_that_is_not_ours_is_kept_and_not_served() {
    let cloud = Cloud::start().await;
    let redirect = json!({ "name": "m", "defaultUrlRedirect": { "httpsRedirect": true } });
    cloud.insert("global/urlMaps", redirect).await;
    cloud.insert("global/targetHttpProxies", json!({ "name": "t", "urlMap": "m" })).await;
    let rule = json!({
        "name": "r", "target": "global/targetHttpProxies/t", "portRange": "80", "IPAddress": "203.0.113.7",
    });
    cloud.insert("global/forwardingRules", rule).await;
    assert_eq!(cloud.get("global/forwardingRules/r").await.ok()["IPAddress"], "203.0.113.7");
    let refused = cloud.running.state()["dataPlane"]["refused"].clone();
    assert_eq!(refused[0]["forwardingRule"], "projects/p/global/forwardingRules/r");
    assert!(refused[0]["why"].as_str().unwrap().contains("loopback"), "{refused}");
}

#[tokio::test]
async fn idle_is_when_nothing_runs() {
    let cloud = Cloud::start().await;
    cloud.running.set_latency(emulator::Latency::of(Duration::from_millis(100)));
    let operation = cloud.post("global/addresses", json!({ "name": "a" })).await.ok();
    tokio::time::timeout(DEADLINE, cloud.running.idle()).await.unwrap();
    let path = format!("global/operations/{}", operation["name"].as_str().unwrap());
    assert_eq!(cloud.get(&path).await.ok()["status"], "DONE");
}

#[tokio::test]
async fn a_backend_bucket_serves_the_objects_that_were_put_there() {
    let cloud = Cloud::start().await;
    cloud.insert("global/backendBuckets", json!({ "name": "files", "bucketName": "assets" })).await;
    let map = json!({ "name": "m", "defaultService": "global/backendBuckets/files" });
    cloud.insert("global/urlMaps", map).await;
    let address = frontend(&cloud, "m").await;
    let url = format!("http://{address}/a/b%20c.txt");
    let missing = reqwest::get(&url).await.unwrap();
    assert_eq!(missing.status(), 404);
    assert!(missing.text().await.unwrap().contains("<Code>NoSuchBucket</Code>"));

    let admin = |path: &str| format!("{}buckets/{path}", cloud.running.admin());
    let put = cloud.client.put(admin("assets/a/b%20c.txt")).header("content-type", "text/plain");
    assert_eq!(put.body(vec![0xff, 0x00, b'x']).send().await.unwrap().status(), 200);
    let found = reqwest::get(&url).await.unwrap();
    assert_eq!(
        (found.status().as_u16(), &found.headers()["content-type"]),
        (200, &"text/plain".parse().unwrap())
    );
    assert_eq!(found.bytes().await.unwrap()[..], [0xff, 0x00, b'x']);
    let listed = cloud.get("/_emulator/buckets").await.ok();
    assert_eq!((&listed["assets"]["a/b c.txt"]["size"], listed.as_object().unwrap().len()), (&json!(3), 1));
    assert_eq!(cloud.call("DELETE", "/_emulator/buckets/assets/a/b%20c.txt", None).await.status, 204);
    assert_eq!(cloud.call("DELETE", "/_emulator/buckets/assets/a/b%20c.txt", None).await.status, 404);
    assert!(reqwest::get(&url).await.unwrap().text().await.unwrap().contains("<Code>NoSuchKey</Code>"));
    assert_eq!(cloud.get("/_emulator/buckets/assets").await.ok(), json!({}));
    assert_eq!(cloud.call("DELETE", "/_emulator/buckets/assets", None).await.status, 204);
    assert_eq!(cloud.get("/_emulator/buckets/assets").await.status, 404);
    assert_eq!(cloud.call("PUT", "/_emulator/buckets/assets", None).await.status, 404);
    let problems = &cloud.running.state()["dataPlane"]["problems"];
    assert_eq!(*problems, json!([]));
}
