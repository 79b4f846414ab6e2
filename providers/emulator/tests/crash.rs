//! The emulator killed under load, again and again: whatever it had answered is there when it is started again.
//!
//! Each worker goes through the same steps, one after the other, each step with a request id. A step that was cut off by the
//! kill is sent again as it was: if it had been accepted it is the same operation, if not it is accepted now. So what must
//! be there after a number of steps is known exactly, down to how often a resource was changed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

const WORKERS: usize = 6;

/// How long anything may take before the test gives up.
const DEADLINE: Duration = Duration::from_secs(30);

/// How often a file is killed unless `GCLB_CRASH_ROUNDS` says another number.
const ROUNDS: usize = 15;

const ZONE: &str = "zones/us-central1-a";

/// An emulator in a process of its own.
struct Process {
    child: Child,
    root: String,
    client: reqwest::Client,
}

impl Process {
    async fn start(file: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gce-emulator"))
            .args(["--listen", "127.0.0.1:0", "--operation-latency", "3", "--state"])
            .arg(file)
            .stdout(Stdio::piped())
            .env("RUST_LOG", "warn")
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(DEADLINE, lines.next_line()).await.unwrap().unwrap();
        let line = line.expect("the emulator opens its state file, whatever the kill has left of it");
        let root = line.split_whitespace().last().unwrap().strip_suffix("/compute/v1/").unwrap().to_owned();
        Self { child, root, client: reqwest::Client::new() }
    }

    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Status and body. None: the process is gone.
    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        let path =
            if path.starts_with('/') { path.to_owned() } else { format!("/compute/v1/projects/p/{path}") };
        let mut request = self.client.request(method.parse().unwrap(), format!("{}{path}", self.root));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.timeout(DEADLINE).send().await.ok()?;
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.ok()?;
        Some((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, None).await.expect("it runs");
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }
}

/// A mutation that a worker is about to make, or has made without hearing the end.
struct Step {
    method: &'static str,
    path: String,
    body: Value,
    request_id: String,
    /// The operation, once it is known.
    operation: Option<Value>,
}

/// One client. What it has done follows from the number of its steps.
struct Worker {
    number: usize,
    steps: usize,
    under_way: Option<Step>,
    /// Operations that were seen DONE.
    done: Vec<Value>,
}

impl Worker {
    fn new(number: usize) -> Self {
        Self { number, steps: 0, under_way: None, done: Vec::new() }
    }

    /// What a step is: making the map and the group first, and then the four kinds of change in turn.
    fn step(&self) -> Step {
        let (worker, step) = (self.number, self.steps);
        let group = format!("{ZONE}/networkEndpointGroups");
        let (method, path, body) = match (step, step % 4) {
            (0, _) => (
                "POST",
                "global/urlMaps".to_owned(),
                json!({ "name": format!("m-{worker}"), "defaultUrlRedirect": { "hostRedirect": "example.com" } }),
            ),
            (1, _) => (
                "POST",
                group,
                json!({ "name": format!("n-{worker}"), "networkEndpointType": "NON_GCP_PRIVATE_IP_PORT" }),
            ),
            (_, 0) => (
                "PATCH",
                format!("global/urlMaps/m-{worker}"),
                json!({ "description": format!("step {step}") }),
            ),
            (_, 1) => (
                "POST",
                format!("{group}/n-{worker}/attachNetworkEndpoints"),
                json!({ "networkEndpoints": [{ "ipAddress": "10.0.0.1", "port": 1 + step }] }),
            ),
            (_, 2) => (
                "POST",
                "global/healthChecks".to_owned(),
                json!({ "name": format!("h-{worker}-{step}"), "type": "HTTP" }),
            ),
            // The one before goes, one stays.
            _ => ("DELETE", format!("global/healthChecks/h-{worker}-{}", step - 1), Value::Null),
        };
        let request_id = format!("00000000-0000-4000-8000-{worker:04x}{step:08x}");
        Step { method, path, body, request_id, operation: None }
    }

    /// Works until the process is gone, or for so many steps.
    async fn work(&mut self, process: &Process, most: usize) {
        for _ in 0..most {
            if self.under_way.is_none() {
                self.under_way = Some(self.step());
            }
            if self.finish(process).await.is_none() {
                return;
            }
        }
    }

    /// Brings the step under way to its end. None: the process went before that.
    async fn finish(&mut self, process: &Process) -> Option<()> {
        let Some(step) = &mut self.under_way else { return Some(()) };
        if step.operation.is_none() {
            let separator = if step.path.contains('?') { '&' } else { '?' };
            let path = format!("{}{separator}requestId={}", step.path, step.request_id);
            let body = (!step.body.is_null()).then_some(&step.body);
            let (status, operation) = process.call(step.method, &path, body).await?;
            assert_eq!(status, 200, "{} {path}: {operation}", step.method);
            step.operation = Some(operation);
        }
        let link = step.operation.as_ref().unwrap()["selfLink"].as_str().unwrap();
        let path = format!("/compute/{}", link.split_once("/compute/").unwrap().1);
        let (status, operation) = process.call("POST", &format!("{path}/wait"), None).await?;
        assert_eq!(status, 200, "an operation that was answered is known: {operation}");
        assert_eq!(operation["status"], "DONE", "{operation}");
        assert_eq!(operation["error"], Value::Null, "{operation}");
        self.done.push(operation);
        self.steps += 1;
        self.under_way = None;
        Some(())
    }

    /// Whether everything is there that the steps have made, and nothing else.
    async fn check(&self, process: &Process, document: &Value) {
        let worker = self.number;
        let count = |kind: usize| (2..self.steps).filter(|step| step % 4 == kind).count();
        for operation in &self.done {
            let path = operation["selfLink"].as_str().unwrap().split_once("/compute/v1/").unwrap().1;
            let kept = &document["operations"][path];
            assert_eq!((&kept["stage"], &kept["id"]), (&json!("DONE"), &operation["id"]), "{operation}");
        }
        if self.steps > 0 {
            let map = &document["resources"][format!("projects/p/global/urlMaps/m-{worker}")];
            assert_eq!(map["generation"], 1 + count(0), "each patch counts once: {map}");
            let last = (2..self.steps).rev().find(|step| step % 4 == 0);
            let expected = last.map_or(Value::Null, |step| json!(format!("step {step}")));
            assert_eq!(map["body"]["description"], expected);
            assert_eq!(map["id"], self.done[0]["targetId"]);
        }
        if self.steps > 1 {
            let path = format!("{ZONE}/networkEndpointGroups/n-{worker}");
            assert_eq!(process.get(&path).await["size"].as_u64().unwrap_or(0), count(1) as u64);
        }
        let prefix = format!("projects/p/global/healthChecks/h-{worker}-");
        let checks: Vec<&String> = document["resources"]
            .as_object()
            .unwrap()
            .keys()
            .filter(|path| path.starts_with(&prefix))
            .collect();
        assert_eq!(checks.len(), count(2) - count(3), "{checks:?} after {} steps", self.steps);
    }
}

/// Makes another project and resets it, over and over: the file is written anew each time.
async fn churn(process: &Process) {
    let address = json!({ "name": "a" });
    while process.call("POST", "/compute/v1/projects/q/global/addresses", Some(&address)).await.is_some()
        && process.call("POST", "/_emulator/reset?project=q", None).await.is_some()
    {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long: kills the emulator fifteen times under load"]
async fn killed_under_load_it_holds_every_operation_that_was_done() {
    let rounds = std::env::var("GCLB_CRASH_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let mut workers: Vec<Worker> = (0..WORKERS).map(Worker::new).collect();
    let began = Instant::now();
    let (mut cut_off, mut opening) = (0, Duration::ZERO);

    for round in 0..=rounds {
        let started = Instant::now();
        let process = Process::start(&file).await;
        opening += started.elapsed();
        // What the kill has cut off comes to its end, and then everything is as if nothing had been.
        for worker in &mut workers {
            cut_off += usize::from(worker.under_way.is_some());
            worker.finish(&process).await.expect("it runs");
        }
        let document = process.get("/_emulator/snapshot").await;
        assert_eq!(document["changes"], json!({}), "nothing is under way");
        for worker in &workers {
            worker.check(&process, &document).await;
        }
        if round == rounds {
            process.kill().await;
            break;
        }
        let life = Duration::from_millis(rand::random_range(5..300));
        let working =
            futures::future::join_all(workers.iter_mut().map(|worker| worker.work(&process, usize::MAX)));
        // The process goes while they work; they end by hearing nothing any more.
        let id = process.child.id().unwrap().to_string();
        let killing = async {
            tokio::time::sleep(life).await;
            let status = Command::new("kill").args(["-KILL", &id]).status().await.unwrap();
            assert!(status.success(), "killing process {id}");
        };
        tokio::time::timeout(DEADLINE, async { tokio::join!(working, churn(&process), killing) })
            .await
            .expect("whoever talks to a process that was killed hears that it is gone");
        process.kill().await;
    }
    let steps: usize = workers.iter().map(|worker| worker.steps).sum();
    assert!(steps > rounds && cut_off > 0, "the load was none: {steps} steps, {cut_off} cut off");
    println!(
        "killed {rounds} times in {:.1} s: {steps} operations done, {cut_off} steps cut off and taken up again, \
         {:.0} ms to start again on average, {} KiB of state",
        began.elapsed().as_secs_f64(),
        (opening / u32::try_from(rounds + 1).unwrap()).as_secs_f64() * 1000.0,
        std::fs::metadata(&file).unwrap().len() / 1024,
    );
}
