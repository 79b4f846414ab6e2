//! Features of a backend service, from the request to the API down to what a client sees.

use super::cloud::{Cloud, DEADLINE, certificate};
use emulator::{Config, Latency};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};

const NEG: &str = "zones/us-central1-a/networkEndpointGroups/neg";
const SERVICE: &str = "global/backendServices/web";

/// A backend that answers with its name in `x-served-by` and the head of the request as the body. `/hold` is answered once
/// it is let go.
struct Backend {
    name: String,
    address: Ipv4Addr,
    port: u16,
    held: Arc<Notify>,
    release: Arc<Semaphore>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Backend {
    async fn start(name: &str) -> Self {
        static NEXT: AtomicU8 = AtomicU8::new(1);
        let [_, _, high, low] = std::process::id().to_be_bytes();
        let last = NEXT.fetch_add(1, Ordering::Relaxed);
        let listener =
            TcpListener::bind((Ipv4Addr::new(127, 0x40 | (high & 0x1f), low, last), 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (held, release) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
        let (name, served, waits) = (name.to_owned(), Arc::clone(&held), Arc::clone(&release));
        let own = name.clone();
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (own, served, waits) = (own.clone(), Arc::clone(&served), Arc::clone(&waits));
                tokio::spawn(async move {
                    let mut request = Vec::new();
                    while !request.ends_with(b"\r\n\r\n") {
                        let Ok(byte) = stream.read_u8().await else { return };
                        request.push(byte);
                    }
                    let request = String::from_utf8(request).unwrap();
                    if request.starts_with("GET /hold ") {
                        served.notify_one();
                        waits.acquire().await.unwrap().forget();
                    }
                    let length = request.len();
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\nx-served-by: {own}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{request}"
                    );
                    drop(stream.write_all(answer.as_bytes()).await);
                });
            }
        });
        // Dialled by the emulator's own translation.
        let address = Ipv4Addr::new(10, 0x40 | (high & 0x1f), low, last);
        Self { name, address, port, held, release, task }
    }

    fn endpoint(&self) -> Value {
        json!({ "ipAddress": self.address.to_string(), "port": self.port })
    }
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A load balancer of scheme `EXTERNAL_MANAGED` before some backends, all healthy.
struct Bench {
    cloud: Cloud,
    address: String,
    backends: Vec<Backend>,
}

impl Bench {
    async fn start(names: &[&str]) -> Self {
        let cloud = Cloud::with(Config {
            health_time_scale: 0.01,
            latency: Latency::of(Duration::from_millis(1)),
            ..Config::default()
        })
        .await;
        let mut backends = Vec::new();
        for name in names {
            backends.push(Backend::start(name).await);
        }
        let group = json!({ "name": "neg", "networkEndpointType": "NON_GCP_PRIVATE_IP_PORT" });
        cloud.insert("zones/us-central1-a/networkEndpointGroups", group).await;
        let endpoints: Vec<Value> = backends.iter().map(Backend::endpoint).collect();
        let attach = json!({ "networkEndpoints": endpoints });
        cloud.done("POST", &format!("{NEG}/attachNetworkEndpoints"), &attach).await;
        let check = json!({ "name": "web", "type": "HTTP", "httpHealthCheck": { "portSpecification": "USE_SERVING_PORT" } });
        cloud.insert("global/healthChecks", check).await;
        let service = json!({
            "name": "web", "protocol": "HTTP", "loadBalancingScheme": "EXTERNAL_MANAGED", "healthChecks": ["web"],
            "backends": [{ "group": NEG, "balancingMode": "RATE", "maxRatePerEndpoint": 100 }],
        });
        cloud.insert("global/backendServices", service).await;
        cloud.insert("global/urlMaps", json!({ "name": "web", "defaultService": "web" })).await;
        cloud.insert("global/targetHttpProxies", json!({ "name": "web", "urlMap": "web" })).await;
        let rule = json!({
            "name": "web", "target": "global/targetHttpProxies/web", "portRange": "80",
            "loadBalancingScheme": "EXTERNAL_MANAGED",
        });
        cloud.insert("global/forwardingRules", rule).await;
        let rule = cloud.get("global/forwardingRules/web").await.ok();
        let address = rule["IPAddress"].as_str().unwrap().to_owned();
        let bench = Self { cloud, address, backends };
        bench.healthy(names.len()).await;
        bench
    }

    async fn healthy(&self, count: usize) {
        let wanted = |state: &Value| {
            let groups = state["health"][format!("projects/p/{SERVICE}")].as_object();
            let endpoints = groups.into_iter().flat_map(|groups| groups.values()).filter_map(Value::as_array);
            endpoints.flatten().filter(|endpoint| endpoint["healthState"] == "HEALTHY").count() == count
        };
        tokio::time::timeout(DEADLINE, self.cloud.running.wait_for(wanted))
            .await
            .expect("backends become healthy");
    }

    async fn patch(&self, change: Value) {
        self.cloud.done("PATCH", SERVICE, &change).await;
    }

    async fn get(&self, path: &str, cookie: &str) -> Answer {
        let answer = reqwest::Client::new()
            .get(format!("http://{}{path}", self.address))
            .header("cookie", cookie)
            .send();
        let answer = answer.await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer { status, headers, body: answer.text().await.unwrap() }
    }

    async fn served_by(&self, count: usize, cookie: &str) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for _ in 0..count {
            names.insert(self.get("/", cookie).await.header("x-served-by").to_owned());
        }
        names
    }
}

#[tokio::test]
async fn an_affinity_cookie_sticks_for_as_long_as_the_service_asks_for_it() {
    let bench = Bench::start(&["a", "b", "c"]).await;
    assert_eq!(bench.served_by(6, "x=y").await.len(), 3, "round robin");
    bench.patch(json!({ "sessionAffinity": "GENERATED_COOKIE", "affinityCookieTtlSec": 60 })).await;
    let first = bench.get("/", "x=y").await;
    let set = first.header("set-cookie");
    assert!(set.starts_with("GCLB=") && set.ends_with("Max-Age=60"), "{set}");
    let cookie = set.split(';').next().unwrap();
    let mine = BTreeSet::from([first.header("x-served-by").to_owned()]);
    assert_eq!(bench.served_by(6, cookie).await, mine);
    bench.patch(json!({ "sessionAffinity": "CLIENT_IP", "affinityCookieTtlSec": 0 })).await;
    assert_eq!(bench.served_by(6, "x=y").await.len(), 1);
    bench.patch(json!({ "sessionAffinity": "NONE" })).await;
    assert_eq!(bench.served_by(6, cookie).await.len(), 3);
}

#[tokio::test]
async fn custom_headers_arrive_on_both_sides_and_bad_ones_are_refused() {
    let bench = Bench::start(&["a"]).await;
    bench
        .patch(json!({
            "customRequestHeaders": ["X-Client: {client_ip_address} to {server_port}"],
            "customResponseHeaders": ["X-Served-By: somebody"],
        }))
        .await;
    let answer = bench.get("/", "x=y").await;
    assert!(answer.body.contains("x-client: 127.0.0.1 to 80\r\n"), "{}", answer.body);
    assert_eq!(answer.header("x-served-by"), "somebody");
    for (line, message) in [
        ("X-Client", "has no colon"),
        ("Host: a", "belongs to the load balancer"),
        (": a", "no name of a header"),
    ] {
        let change = json!({ "customRequestHeaders": ["a: b", line] });
        let refused = bench.cloud.call("PATCH", SERVICE, Some(&change)).await;
        refused.refused(400, "invalid", message);
        assert!(refused.message().contains("'resource.customRequestHeaders[1]'"), "{}", refused.message());
    }
    let twice = json!({ "customResponseHeaders": ["a: b", "A: c"] });
    let refused = bench.cloud.call("PATCH", SERVICE, Some(&twice)).await;
    refused.refused(400, "invalid", "A header may be named once.");
}

#[tokio::test]
async fn a_detached_endpoint_finishes_its_request_within_the_draining_time_and_gets_no_other() {
    let bench = Bench::start(&["a", "b"]).await;
    bench.patch(json!({ "connectionDraining": { "drainingTimeoutSec": 60 } })).await;
    let held = bench.backends.iter().map(|backend| backend.held.notified());
    let running = bench.get("/hold", "x=y");
    tokio::pin!(running);
    let ((), which, _) = tokio::select! {
        held = futures::future::select_all(held.map(Box::pin)) => held,
        answer = running.as_mut() => panic!("answered too early: {}", answer.status),
    };
    let busy = &bench.backends[which];
    let detach = json!({ "networkEndpoints": [busy.endpoint()] });
    bench.cloud.done("POST", &format!("{NEG}/detachNetworkEndpoints"), &detach).await;
    assert!(!bench.served_by(6, "x=y").await.contains(&busy.name), "it gets nothing new");
    busy.release.add_permits(1);
    let answer = running.await;
    assert_eq!((answer.status, answer.header("x-served-by")), (200, busy.name.as_str()));
}

#[tokio::test]
async fn an_ssl_policy_sets_the_oldest_version() {
    let bench = Bench::start(&["a"]).await;
    let cloud = &bench.cloud;
    let (chain, key) = certificate(&["a.example"]);
    let own = json!({ "name": "c", "certificate": chain, "privateKey": key });
    cloud.insert("global/sslCertificates", own).await;
    cloud
        .insert(
            "global/targetHttpsProxies",
            json!({ "name": "s", "urlMap": "web", "sslCertificates": ["c"] }),
        )
        .await;
    let rule = json!({
        "name": "s", "target": "global/targetHttpsProxies/s", "portRange": "443", "IPAddress": bench.address,
        "loadBalancingScheme": "EXTERNAL_MANAGED",
    });
    cloud.insert("global/forwardingRules", rule).await;
    let newest = |version| {
        let client = reqwest::Client::builder()
            .tls_danger_accept_invalid_certs(true)
            .tls_version_max(version)
            .build()
            .unwrap();
        let url = format!("https://{}/", bench.address);
        async move { client.get(url).send().await.is_ok() }
    };
    assert!(newest(reqwest::tls::Version::TLS_1_2).await, "nothing is asked for yet");
    let strict = json!({ "name": "strict", "profile": "RESTRICTED", "minTlsVersion": "TLS_1_3" });
    cloud.insert("global/sslPolicies", strict).await;
    let set = json!({ "sslPolicy": "global/sslPolicies/strict" });
    cloud.done("POST", "global/targetHttpsProxies/s/setSslPolicy", &set).await;
    assert!(!newest(reqwest::tls::Version::TLS_1_2).await);
    assert!(newest(reqwest::tls::Version::TLS_1_3).await);
    cloud.done("PATCH", "global/sslPolicies/strict", &json!({ "minTlsVersion": "TLS_1_2" })).await;
    assert!(newest(reqwest::tls::Version::TLS_1_2).await, "a change of the policy counts at once");
}
