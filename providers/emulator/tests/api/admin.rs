//! The admin path, and how the emulator starts and stops.

use super::cloud::{Cloud, DEADLINE};
use emulator::{Config, Emulator, Instance, Latency, MethodLatency, RegisterError, StartError};
use serde_json::json;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

#[tokio::test]
async fn instances_are_registered_shown_and_taken_away() {
    let cloud = Cloud::start().await;
    let instance = json!({
        "project": "p", "zone": "us-central1-a", "name": "node", "address": "10.0.0.9",
        "aliasRanges": ["10.1.0.0/24"], "tags": ["gke-node"],
    });
    assert_eq!(cloud.post("/_emulator/instances", instance.clone()).await.status, 200);
    let found = cloud.get("zones/us-central1-a/instances/node").await.ok();
    assert_eq!(found["status"], "RUNNING");
    assert_eq!(found["networkInterfaces"][0]["networkIP"], "10.0.0.9");
    assert_eq!(found["networkInterfaces"][0]["aliasIpRanges"], json!([{ "ipCidrRange": "10.1.0.0/24" }]));
    assert_eq!(found["tags"]["items"], json!(["gke-node"]));
    assert_eq!(cloud.get("/_emulator/instances").await.ok()[0], found);
    assert_eq!(
        cloud.get("aggregated/instances").await.ok()["items"]["zones/us-central1-a"]["instances"][0]["name"],
        "node"
    );
    // Registering again changes it, and it stays the same instance.
    let mut moved = instance.clone();
    moved["address"] = json!("10.0.0.10");
    assert_eq!(cloud.post("/_emulator/instances", moved).await.status, 200);
    let after = cloud.get("zones/us-central1-a/instances/node").await.ok();
    assert_eq!(
        (&after["id"], &after["networkInterfaces"][0]["networkIP"]),
        (&found["id"], &json!("10.0.0.10"))
    );
    for (change, message) in [
        (json!({ "zone": "moon" }), "there is no zone 'moon'"),
        (json!({ "name": "Node" }), "1 to 63"),
        (json!({ "project": "P P" }), "no project id"),
        (json!({ "network": "nope" }), "has no network 'nope'"),
        (json!({ "address": "x" }), "reading the instance"),
        (json!({ "adress": "x" }), "reading the instance"),
    ] {
        let mut bad = instance.clone();
        bad.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = cloud.post("/_emulator/instances", bad).await;
        assert_eq!(answer.status, 400);
        assert!(answer.body["error"].as_str().unwrap().contains(message), "{}", answer.body);
    }
    assert_eq!(cloud.call("DELETE", "/_emulator/instances/p/us-central1-a/node", None).await.status, 204);
    assert_eq!(cloud.call("DELETE", "/_emulator/instances/p/us-central1-a/node", None).await.status, 404);
}

#[tokio::test]
async fn the_library_refuses_as_the_path_does() {
    let cloud = Cloud::start().await;
    let instance = Instance {
        project: "p".to_owned(),
        zone: "moon".to_owned(),
        name: "node".to_owned(),
        address: [10, 0, 0, 1].into(),
        alias_ranges: Vec::new(),
        tags: Vec::new(),
        network: "default".to_owned(),
    };
    assert!(matches!(cloud.running.register_instance(&instance).await, Err(RegisterError::Zone { .. })));
}

#[tokio::test]
async fn latency_is_changed_by_method() {
    let cloud = Cloud::start().await;
    let body = json!({ "default": 0, "methods": { "addresses.insert": 60_000 } });
    assert_eq!(cloud.call("PUT", "/_emulator/latency", Some(&body)).await.ok(), body);
    assert_eq!(cloud.get("/_emulator/latency").await.ok(), body);
    assert_eq!(
        cloud.running.latency().method("addresses.insert"),
        &MethodLatency::of(Duration::from_mins(1))
    );
    cloud.health_check("h").await;
    let slow = cloud.post("global/addresses", json!({ "name": "a" })).await.ok();
    let state = cloud.get("/_emulator/state").await.ok();
    assert_eq!(state["runningOperations"][0]["name"], slow["name"]);
    let bad = cloud.call("PUT", "/_emulator/latency", Some(&json!({ "default": "x" }))).await;
    assert_eq!(bad.status, 400);
}

#[tokio::test]
async fn state_and_requests_are_shown() {
    let cloud = Cloud::start().await;
    let empty = cloud.running.state();
    assert_eq!(empty["resources"], json!({}));
    cloud.insert("global/addresses", json!({ "name": "a" })).await;
    let state = cloud.get("/_emulator/state").await.ok();
    assert_eq!(state["resources"]["projects/p/global/addresses/a"]["name"], "a");
    cloud.delete("global/addresses/a").await;
    assert_eq!(cloud.running.state()["resources"], empty["resources"]);
    let requests = cloud.get("/_emulator/requests").await.ok();
    let first = &requests[0];
    assert_eq!(
        (&first["method"], &first["path"], &first["status"]),
        (&json!("POST"), &json!("/compute/v1/projects/p/global/addresses"), &json!(200))
    );
    assert!(first["ms"].is_u64());
    assert!(cloud.get("/_emulator/").await.ok()["paths"].is_object());
    let unknown = cloud.get("/_emulator/nope").await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn shutdown_closes_everything_and_keeps_nobody_waiting() {
    // An address of its own: nobody else takes the port when it is free.
    let listen = SocketAddr::from(([127, 77, 0, 1], 0));
    let cloud = Cloud::with(Config { listen, ..Config::default() }).await;
    cloud.running.set_latency(Latency::of(Duration::from_mins(10)));
    let operation = cloud.post("global/addresses", json!({ "name": "a" })).await.ok();
    let address = cloud.running.address();
    let link = operation["selfLink"].as_str().unwrap();
    let path = format!("http://{address}/compute/{}/wait", link.split_once("/compute/").unwrap().1);
    let client = cloud.client.clone();
    let waiting = tokio::spawn(async move { client.post(path).send().await.unwrap().status() });
    let begun = async {
        loop {
            let requests = cloud.running.requests();
            let last = requests.as_array().unwrap().last().unwrap();
            if last["path"].as_str().unwrap().ends_with("/wait") {
                assert_eq!(last["status"], json!(null), "it is still under way");
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, begun).await.expect("the wait begins");
    tokio::time::timeout(DEADLINE, cloud.running.shutdown()).await.expect("it stops");
    assert_eq!(waiting.await.unwrap(), 200, "who waits is answered with the operation as it is");
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
    TcpListener::bind(address).expect("the port is free again");
}

#[tokio::test]
async fn a_port_that_is_refused_is_said_plainly() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap();
    let error = Emulator::start(Config { listen, ..Config::default() }).await.unwrap_err();
    assert!(matches!(error, StartError::Listen { .. }));
    let text = error.to_string();
    assert!(text.contains(&listen.to_string()) && text.contains("another process has port"), "{text}");
    let error = Emulator::start(Config { address_pool: "10.0.0.0/8".parse().unwrap(), ..Config::default() })
        .await
        .unwrap_err();
    assert!(error.to_string().contains("not inside 127.0.0.0/8"), "{error}");
    let refused = StartError::LoadBalancerPort {
        pool: "127.240.0.0/16".parse().unwrap(),
        address: SocketAddr::from(([127, 240, 0, 1], 80)),
        source: std::io::ErrorKind::PermissionDenied.into(),
    };
    for part in ["127.240.0.1:80", "run as root", "ip_unprivileged_port_start=80", "--port-offset"] {
        assert!(refused.to_string().contains(part), "{refused}");
    }
}

#[tokio::test]
async fn every_path_of_the_index_is_explained() {
    let cloud = Cloud::start().await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
    let pages = ["emulator.md", "emulator/time.md", "emulator/faults.md", "emulator/state.md"];
    let pages: String =
        pages.map(|page| std::fs::read_to_string(format!("{folder}/{page}")).unwrap()).concat();
    let index = cloud.get("/_emulator/").await.ok();
    let paths = index["paths"].as_object().unwrap();
    assert!(paths.len() > 15, "{index}");
    for path in paths.keys() {
        let noun = path.split('/').nth(2).unwrap();
        let explained = noun.is_empty() || pages.contains(&format!("/_emulator/{noun}"));
        assert!(explained, "docs/emulator does not explain {path}");
    }
}
