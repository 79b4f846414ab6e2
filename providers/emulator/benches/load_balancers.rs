//! What many load balancers cost, and what a long list costs: the emulator in a process of its own, asked over HTTP.
//!
//! It prints and judges nothing: `make bench`. What counts are the ratios, which compare two measurements of one run; the
//! seconds are those of this machine and this build.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_precision_loss)]

use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

const FEW: usize = 200;
const MANY: usize = 2000;
const LISTED: usize = 10_000;

/// How many clients make load balancers at the same time.
const CLIENTS: usize = 16;

/// The ports of the forwarding rules begin here, all on one address.
const FIRST_PORT: usize = 20_000;

const ZONE: &str = "zones/us-central1-a";

struct Process {
    child: Child,
    root: String,
    client: reqwest::Client,
}

impl Process {
    async fn start(file: Option<&Path>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gce-emulator"));
        command.args(["--listen", "127.0.0.1:0", "--operation-latency", "0"]);
        if let Some(file) = file {
            command.arg("--state").arg(file);
        }
        let mut child =
            command.stdout(Stdio::piped()).env("RUST_LOG", "error").kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("the emulator starts");
        let root = line.split_whitespace().last().unwrap().strip_suffix("/compute/v1/").unwrap().to_owned();
        Self { child, root, client: reqwest::Client::new() }
    }

    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let path =
            if path.starts_with('/') { path.to_owned() } else { format!("/compute/v1/projects/p/{path}") };
        let separator = if path.contains('?') { '&' } else { '?' };
        let url = format!("{}{path}{separator}prettyPrint=false", self.root);
        let mut request = self.client.request(method.parse().unwrap(), url);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        assert_eq!(status, 200, "{method} {path}: {body}");
        body
    }

    async fn insert(&self, collection: &str, body: Value) {
        let operation = self.call("POST", collection, Some(&body)).await;
        let link = operation["selfLink"].as_str().unwrap();
        let path = format!("/compute/{}/wait", link.split_once("/compute/").unwrap().1);
        let ended = self.call("POST", &path, None).await;
        assert!(ended["error"].is_null() && ended["status"] == "DONE", "{ended}");
    }

    /// A backend service, a URL map, a target proxy and a forwarding rule.
    async fn load_balancer(&self, number: usize) {
        let name = format!("lb-{number:05}");
        let service = json!({
            "name": name, "protocol": "HTTP", "loadBalancingScheme": "EXTERNAL_MANAGED",
            "healthChecks": ["global/healthChecks/hc"],
            "backends": [{
                "group": format!("{ZONE}/networkEndpointGroups/neg"),
                "balancingMode": "RATE", "maxRatePerEndpoint": 100,
            }],
        });
        self.insert("global/backendServices", service).await;
        let map = json!({ "name": name, "defaultService": format!("global/backendServices/{name}") });
        self.insert("global/urlMaps", map).await;
        let proxy = json!({ "name": name, "urlMap": format!("global/urlMaps/{name}") });
        self.insert("global/targetHttpProxies", proxy).await;
        let rule = json!({
            "name": name, "target": format!("global/targetHttpProxies/{name}"),
            "IPAddress": "global/addresses/a", "portRange": (FIRST_PORT + number).to_string(),
            "loadBalancingScheme": "EXTERNAL_MANAGED",
        });
        self.insert("global/forwardingRules", rule).await;
    }

    /// Resident memory in KiB and processor time used so far; nothing where the system does not say.
    fn used(&self) -> Option<(f64, Duration)> {
        let id = self.child.id()?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let memory: f64 = memory.split_whitespace().next()?.parse().ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        // User and system time in hundredths of a second.
        let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        Some((memory, Duration::from_millis(ticks * 10)))
    }

    async fn stop(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// Answers `ok` to everything, on a loopback address of its own.
async fn backend() -> u16 {
    let server = tokio::net::TcpListener::bind("127.9.9.9:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let Ok((mut stream, _)) = server.accept().await else { continue };
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 2048]).await;
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
                let _ = stream.write_all(answer).await;
            });
        }
    });
    port
}

/// Returns when a load balancer answers with the wanted status.
async fn answers(url: &str, wanted: impl Fn(u16) -> bool) -> Duration {
    let began = Instant::now();
    let client = reqwest::Client::new();
    loop {
        match client.get(url).send().await {
            Ok(answer) if wanted(answer.status().as_u16()) => return began.elapsed(),
            _ if began.elapsed() > Duration::from_mins(1) => panic!("{url} does not answer as it should"),
            _ => tokio::time::sleep(Duration::from_millis(2)).await,
        }
    }
}

/// Makes so many load balancers; seconds for each of them.
async fn build(count: usize, port: u16) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let process = Process::start(Some(&file)).await;
    process.insert("global/healthChecks", json!({ "name": "hc", "type": "TCP", "tcpHealthCheck": { "portSpecification": "USE_SERVING_PORT" } })).await;
    let neg = json!({ "name": "neg", "networkEndpointType": "NON_GCP_PRIVATE_IP_PORT" });
    process.insert(&format!("{ZONE}/networkEndpointGroups"), neg).await;
    let endpoint = json!({ "networkEndpoints": [{ "ipAddress": "10.9.9.9", "port": port }] });
    process.insert(&format!("{ZONE}/networkEndpointGroups/neg/attachNetworkEndpoints"), endpoint).await;
    process.insert("global/addresses", json!({ "name": "a" })).await;
    let address =
        process.call("GET", "global/addresses/a", None).await["address"].as_str().unwrap().to_owned();
    let last = format!("http://{address}:{}/", FIRST_PORT + count - 1);

    let before = process.used();
    let began = Instant::now();
    stream::iter(0..count - 1).for_each_concurrent(CLIENTS, |number| process.load_balancer(number)).await;
    process.load_balancer(count - 1).await;
    let took = began.elapsed();
    let first = answers(&last, |_| true).await;
    let healthy = answers(&last, |status| status == 200).await;
    let each = took.as_secs_f64() / count as f64;
    println!("{count} forwarding rules, each with its own chain, made by {CLIENTS} clients");
    println!("  {:8.2} s in all, {:.2} ms for each", took.as_secs_f64(), each * 1000.0);
    println!("  {:8.2} ms from DONE to the first answer of the last one", first.as_secs_f64() * 1000.0);
    println!("  {:8.2} ms more until its backend is healthy and answers", healthy.as_secs_f64() * 1000.0);
    if let (Some((memory_before, _)), Some((memory, processor))) = (before, process.used()) {
        println!("  {:8.1} KiB of memory for each", (memory - memory_before) / count as f64);
        tokio::time::sleep(Duration::from_secs(5)).await;
        if let Some((_, later)) = process.used() {
            let share = later.saturating_sub(processor).as_secs_f64() / 5.0;
            println!("  {:8.1} % of one core for probing all of them", share * 100.0);
        }
    }
    process.stop().await;

    let began = Instant::now();
    let process = Process::start(Some(&file)).await;
    let started = began.elapsed();
    answers(&last, |_| true).await;
    let served = began.elapsed();
    answers(&last, |status| status == 200).await;
    println!(
        "  {:8.2} s to start again from a file of {} KiB; {:.2} s until the last answers, {:.2} s until its backend does",
        started.as_secs_f64(),
        std::fs::metadata(&file).unwrap().len() / 1024,
        served.as_secs_f64(),
        began.elapsed().as_secs_f64(),
    );
    process.stop().await;
    each
}

/// Puts many resources in place at once: one that the API made, under many names.
async fn fill(process: &Process) {
    process.insert("global/healthChecks", json!({ "name": "h-00000", "type": "HTTP" })).await;
    let mut document = process.call("GET", "/_emulator/snapshot", None).await;
    let template = document["resources"]["projects/p/global/healthChecks/h-00000"].clone();
    for number in 1..LISTED {
        let mut resource = template.clone();
        resource["id"] = json!(number.to_string());
        document["resources"][format!("projects/p/global/healthChecks/h-{number:05}")] = resource;
    }
    let began = Instant::now();
    process.call("PUT", "/_emulator/snapshot", Some(&document)).await;
    println!("{LISTED} resources in one list");
    println!("  {:8.2} s to put them in place from a snapshot", began.elapsed().as_secs_f64());
}

async fn list() {
    let process = Process::start(None).await;
    fill(&process).await;
    let mut token = String::new();
    let (mut pages, mut seen) = (Vec::new(), 0);
    loop {
        let path = format!("global/healthChecks?maxResults=500&pageToken={token}");
        let began = Instant::now();
        let page = process.call("GET", &path, None).await;
        pages.push(began.elapsed().as_secs_f64() * 1000.0);
        seen += page["items"].as_array().unwrap().len();
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert_eq!(seen, LISTED);
    let (first, last) = (pages.first().unwrap(), pages.last().unwrap());
    println!("  {first:8.2} ms for the first page of 500");
    println!("  {last:8.2} ms for the last one: {:.2} times the first", last / first);
    for (what, query) in [
        ("a filter that one passes", "filter=name%3Dh-09999"),
        ("a filter by an expression", "filter=name%20eq%20h-.*77"),
        ("the newest first", "orderBy=creationTimestamp%20desc"),
    ] {
        let began = Instant::now();
        let page = process.call("GET", &format!("global/healthChecks?maxResults=500&{query}"), None).await;
        println!(
            "  {:8.2} ms with {what} ({} found)",
            began.elapsed().as_secs_f64() * 1000.0,
            page["items"].as_array().map_or(0, Vec::len)
        );
    }
    let began = Instant::now();
    process.call("GET", "global/healthChecks/9000", None).await;
    println!("  {:8.2} ms to get one by its number", began.elapsed().as_secs_f64() * 1000.0);
    process.stop().await;
}

#[tokio::main]
async fn main() {
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let build_kind = if cfg!(debug_assertions) { "a debug build" } else { "an optimised build" };
    println!("measured with {build_kind}");
    let port = backend().await;
    let few = build(FEW, port).await;
    let many = build(MANY, port).await;
    println!("one of {MANY} takes {:.2} times as long to make as one of {FEW}", many / few);
    list().await;
}
