//! The manners of a load balancer that decide outages, seen through the API and real requests.

use super::cloud::{Cloud, DEADLINE};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

const ZONE: &str = "zones/us-central1-a";

/// A server that is healthy when told so, and holds requests of `/hold`.
struct Server {
    address: SocketAddrV4,
    state: Arc<Shown>,
}

#[derive(Default)]
struct Shown {
    healthy: AtomicBool,
    probes: AtomicUsize,
    requests: AtomicUsize,
    held: Notify,
    release: Notify,
}

impl Server {
    /// At an address that the instance `node` has: 10.1.9.N is dialled as 127.1.9.N.
    async fn start(last: u8, name: &'static str, healthy: bool) -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::new(127, 1, 9, last), 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Shown::default());
        state.healthy.store(healthy, Ordering::SeqCst);
        let shared = state.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(stream, name, shared.clone()));
            }
        });
        Self { address: SocketAddrV4::new(Ipv4Addr::new(10, 1, 9, last), port), state }
    }

    fn set_healthy(&self, healthy: bool) {
        self.state.healthy.store(healthy, Ordering::SeqCst);
    }

    fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }

    fn endpoint(&self) -> Value {
        json!({
            "instance": format!("{ZONE}/instances/node"),
            "ipAddress": self.address.ip().to_string(),
            "port": self.address.port(),
        })
    }
}

async fn answer(mut stream: tokio::net::TcpStream, name: &str, state: Arc<Shown>) {
    let mut buffer = [0; 4096];
    let Ok(read) = stream.read(&mut buffer).await else { return };
    let request = String::from_utf8_lossy(&buffer[..read]).into_owned();
    let mut status = "200 OK";
    if request.starts_with("GET /healthz") {
        state.probes.fetch_add(1, Ordering::SeqCst);
        if !state.healthy.load(Ordering::SeqCst) {
            status = "503 Service Unavailable";
        }
    } else {
        state.requests.fetch_add(1, Ordering::SeqCst);
        if request.starts_with("GET /hold") {
            state.held.notify_one();
            state.release.notified().await;
        }
    }
    let length = name.len();
    let text = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{name}");
    let _ = stream.write_all(text.as_bytes()).await;
}

/// A load balancer for `NAME`: health check, service and group, with these servers.
async fn service(cloud: &Cloud, name: &str, servers: &[&Server]) {
    let check = json!({
        "name": name, "type": "HTTP", "checkIntervalSec": 1, "timeoutSec": 1,
        "httpHealthCheck": { "portSpecification": "USE_SERVING_PORT", "requestPath": "/healthz" },
    });
    cloud.insert("global/healthChecks", check).await;
    cloud.insert(&format!("{ZONE}/networkEndpointGroups"), json!({ "name": name })).await;
    if !servers.is_empty() {
        attach(cloud, name, servers).await;
    }
    let service = json!({
        "name": name, "protocol": "HTTP", "loadBalancingScheme": "EXTERNAL_MANAGED",
        "healthChecks": [format!("global/healthChecks/{name}")],
        "backends": [{
            "group": format!("{ZONE}/networkEndpointGroups/{name}"), "balancingMode": "RATE", "maxRatePerEndpoint": 9,
        }],
    });
    cloud.insert("global/backendServices", service).await;
}

async fn attach(cloud: &Cloud, group: &str, servers: &[&Server]) {
    let endpoints: Vec<Value> = servers.iter().map(|server| server.endpoint()).collect();
    let path = format!("{ZONE}/networkEndpointGroups/{group}/attachNetworkEndpoints");
    cloud.done("POST", &path, &json!({ "networkEndpoints": endpoints })).await;
}

async fn detach(cloud: &Cloud, group: &str, server: &Server) {
    let path = format!("{ZONE}/networkEndpointGroups/{group}/detachNetworkEndpoints");
    cloud.done("POST", &path, &json!({ "networkEndpoints": [server.endpoint()] })).await;
}

/// The instance, the firewall rule, and from the URL map to the address for a service that is there.
async fn frontend(cloud: &Cloud, service: &str) -> String {
    let map = json!({ "name": "m", "defaultService": format!("global/backendServices/{service}") });
    cloud.insert("global/urlMaps", map).await;
    cloud.insert("global/targetHttpProxies", json!({ "name": "t", "urlMap": "global/urlMaps/m" })).await;
    let rule = json!({
        "name": "r", "target": "global/targetHttpProxies/t", "portRange": "80",
        "loadBalancingScheme": "EXTERNAL_MANAGED",
    });
    cloud.insert("global/forwardingRules", rule).await;
    let rule = cloud.get("global/forwardingRules/r").await.ok();
    format!("http://{}", rule["IPAddress"].as_str().unwrap())
}

async fn cloud() -> Cloud {
    let cloud = Cloud::with(emulator::Config {
        health_time_scale: 0.02,
        latency: emulator::Latency::of(Duration::from_millis(1)),
        ..emulator::Config::default()
    })
    .await;
    cloud.instance("node", [10, 0, 0, 9]).await;
    let admit = json!({
        "name": "probes", "allowed": [{ "IPProtocol": "tcp" }],
        "sourceRanges": ["35.191.0.0/16", "130.211.0.0/22"],
    });
    cloud.insert("global/firewalls", admit).await;
    cloud
}

async fn get(url: &str) -> (u16, String) {
    let answer = reqwest::Client::new().get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Asks again and again until the answer is as it should be.
async fn until(url: &str, status: u16, body: &str) {
    let wait = async {
        while get(url).await != (status, body.to_owned()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("waited for {status} {body}"));
}

async fn probed(server: &Server, times: usize) {
    let before = server.state.probes.load(Ordering::SeqCst);
    let wait = async {
        while server.state.probes.load(Ordering::SeqCst) < before + times {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(DEADLINE, wait).await.expect("probes come");
}

#[tokio::test]
async fn nothing_is_probed_before_a_forwarding_rule_reaches_it_nor_after() {
    let cloud = cloud().await;
    let (server, clock) = (Server::start(20, "one", true).await, Server::start(21, "clock", true).await);
    service(&cloud, "web", &[&server]).await;
    service(&cloud, "clock", &[&clock]).await;
    let url = frontend(&cloud, "clock").await;
    until(&url, 200, "clock").await;
    probed(&clock, 5).await;
    assert_eq!(server.state.probes.load(Ordering::SeqCst), 0, "no forwarding rule reaches it");
    let to = |service: &str| json!({ "defaultService": format!("global/backendServices/{service}") });
    cloud.done("PATCH", "global/urlMaps/m", &to("web")).await;
    until(&url, 200, "one").await;
    // And the other one is left alone; a probe may have been under way.
    let before = clock.state.probes.load(Ordering::SeqCst);
    probed(&server, 5).await;
    assert!(clock.state.probes.load(Ordering::SeqCst) <= before + 1);
}

#[tokio::test]
async fn a_new_endpoint_waits_for_its_probes_while_the_old_one_serves() {
    let cloud = cloud().await;
    let (old, new) = (Server::start(22, "old", true).await, Server::start(23, "new", false).await);
    service(&cloud, "web", &[&old]).await;
    let url = frontend(&cloud, "web").await;
    until(&url, 200, "old").await;
    attach(&cloud, "web", &[&new]).await;
    for _ in 0..20 {
        assert_eq!(get(&url).await, (200, "old".to_owned()));
    }
    probed(&new, 3).await;
    assert_eq!((get(&url).await.1.as_str(), new.requests()), ("old", 0), "it is probed and not healthy");
    new.set_healthy(true);
    until(&url, 200, "new").await;
}

#[tokio::test]
async fn a_url_map_that_is_pointed_to_a_cold_service_is_an_outage_until_probes_pass() {
    let cloud = cloud().await;
    let (warm, cold) = (Server::start(24, "warm", true).await, Server::start(25, "cold", false).await);
    service(&cloud, "warm", &[&warm]).await;
    service(&cloud, "cold", &[&cold]).await;
    let url = frontend(&cloud, "warm").await;
    until(&url, 200, "warm").await;
    let to_cold = json!({ "defaultService": "global/backendServices/cold" });
    cloud.done("PATCH", "global/urlMaps/m", &to_cold).await;
    assert_eq!(get(&url).await.0, 503, "managed; a classic one answers 502");
    probed(&cold, 3).await;
    assert_eq!((get(&url).await.0, cold.requests()), (503, 0));
    cold.set_healthy(true);
    until(&url, 200, "cold").await;
}

#[tokio::test]
async fn what_runs_on_a_detached_endpoint_is_cut_unless_draining_is_set() {
    let cloud = cloud().await;
    let server = Server::start(26, "one", true).await;
    service(&cloud, "web", &[&server]).await;
    let url = frontend(&cloud, "web").await;
    until(&url, 200, "one").await;
    let shown = cloud.get("global/backendServices/web").await.ok();
    assert_eq!(shown["connectionDraining"]["drainingTimeoutSec"], 0, "unless set");
    let hold = |url: &str| {
        let url = format!("{url}/hold");
        tokio::spawn(async move { get(&url).await })
    };
    let running = hold(&url);
    server.state.held.notified().await;
    detach(&cloud, "web", &server).await;
    assert_eq!(tokio::time::timeout(DEADLINE, running).await.unwrap().unwrap().0, 502, "cut at once");

    let draining = json!({ "connectionDraining": { "drainingTimeoutSec": 3600 } });
    cloud.done("PATCH", "global/backendServices/web", &draining).await;
    attach(&cloud, "web", &[&server]).await;
    until(&url, 200, "one").await;
    let running = hold(&url);
    server.state.held.notified().await;
    detach(&cloud, "web", &server).await;
    assert_eq!(get(&url).await.0, 503, "nothing new goes there");
    let group = format!("{ZONE}/networkEndpointGroups/web");
    assert_eq!(cloud.get(&group).await.ok()["size"], 0);
    let list = format!("{group}/listNetworkEndpoints");
    let shown = cloud.post(&list, json!({ "healthStatus": "SHOW" })).await.ok();
    let items = shown["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{shown}");
    assert_eq!(items[0]["networkEndpoint"]["port"], server.address.port());
    assert_eq!(items[0]["healths"][0]["healthState"], "DRAINING");
    let members = cloud.post(&list, json!({ "healthStatus": "SKIP" })).await.ok();
    assert_eq!(members.get("items"), None, "it is no member any more");
    assert!(!running.is_finished());
    server.state.release.notify_waiters();
    assert_eq!(running.await.unwrap(), (200, "one".to_owned()));

    // Attached again, it is a member like any other.
    attach(&cloud, "web", &[&server]).await;
    until(&url, 200, "one").await;
    let shown = cloud.post(&list, json!({ "healthStatus": "SHOW" })).await.ok();
    assert_eq!(shown["items"].as_array().unwrap().len(), 1);
    assert_eq!(shown["items"][0]["healths"][0]["healthState"], "HEALTHY");
}

#[tokio::test]
async fn health_is_asked_for_group_by_group() {
    let cloud = cloud().await;
    let (one, two) = (Server::start(27, "one", true).await, Server::start(28, "two", true).await);
    service(&cloud, "web", &[&one]).await;
    cloud.insert(&format!("{ZONE}/networkEndpointGroups"), json!({ "name": "more" })).await;
    cloud.insert(&format!("{ZONE}/networkEndpointGroups"), json!({ "name": "other" })).await;
    attach(&cloud, "more", &[&two]).await;
    let backend = |name: &str| json!({ "group": format!("{ZONE}/networkEndpointGroups/{name}"), "balancingMode": "RATE", "maxRatePerEndpoint": 9 });
    let both = json!({ "backends": [backend("web"), backend("more")] });
    cloud.done("PATCH", "global/backendServices/web", &both).await;
    let url = frontend(&cloud, "web").await;
    until(&url, 200, "one").await;
    until(&url, 200, "two").await;
    let health = |group: &str| {
        let group = format!("projects/p/{ZONE}/networkEndpointGroups/{group}");
        let cloud = &cloud;
        async move { cloud.post("global/backendServices/web/getHealth", json!({ "group": group })).await }
    };
    for (group, server) in [("web", &one), ("more", &two)] {
        let shown = health(group).await.ok();
        let [endpoint] = shown["healthStatus"].as_array().unwrap().as_slice() else { panic!("{shown}") };
        assert_eq!(endpoint["port"], server.address.port());
        assert_eq!(endpoint["healthState"], "HEALTHY");
    }
    health("other").await.refused(400, "invalid", "Invalid value for field 'resource.group'");
    let nobody = health("nobody").await;
    assert!((400..500).contains(&nobody.status), "{nobody:?}");
}

#[tokio::test]
async fn an_instance_that_goes_while_it_is_added_is_a_member_of_nothing() {
    let cloud = Cloud::start().await;
    cloud.instance("node", [10, 0, 0, 9]).await;
    cloud.instance("stays", [10, 0, 0, 8]).await;
    let instances = |names: &[&str]| {
        let items: Vec<Value> =
            names.iter().map(|name| json!({ "instance": format!("{ZONE}/instances/{name}") })).collect();
        json!({ "instances": items })
    };
    let endpoints = json!({ "networkEndpoints": [
        { "instance": format!("{ZONE}/instances/node"), "ipAddress": "10.1.9.5", "port": 80 },
    ] });
    let (neg, group) = (format!("{ZONE}/networkEndpointGroups/g"), format!("{ZONE}/instanceGroups/g"));
    let old = format!("{ZONE}/instanceGroups/old");
    for path in [&neg, &group, &old] {
        let (collection, name) = path.rsplit_once('/').unwrap();
        cloud.insert(collection, json!({ "name": name })).await;
    }
    cloud.done("POST", &format!("{old}/addInstances"), &instances(&["node", "stays"])).await;
    cloud.running.set_latency(emulator::Latency::of(Duration::from_millis(300)));
    let begun = [
        cloud.post(&format!("{neg}/attachNetworkEndpoints"), endpoints).await.ok(),
        cloud.post(&format!("{group}/addInstances"), instances(&["node"])).await.ok(),
    ];
    let ports = json!({ "namedPorts": [{ "name": "http", "port": 80 }] });
    let other = cloud.post(&format!("{old}/setNamedPorts"), ports).await.ok();
    let gone = cloud.call("DELETE", "/_emulator/instances/p/us-central1-a/node", None).await;
    assert_eq!(gone.status, 204);
    for operation in begun {
        let ended = cloud.wait(&operation).await;
        assert_eq!(ended["error"]["errors"][0]["code"], "RESOURCE_NOT_FOUND", "{ended}");
        assert_eq!(ended["httpErrorStatusCode"], 404);
    }
    // A change of something else does not bring it back.
    let ended = cloud.wait(&other).await;
    assert!(ended.get("error").is_none(), "{ended}");
    for (path, size) in [(&neg, 0), (&group, 0), (&old, 1)] {
        assert_eq!(cloud.get(path).await.ok()["size"], size, "{path}");
    }
}
