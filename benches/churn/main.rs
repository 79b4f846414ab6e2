//! All pods of a large Service roll over: how soon new ones are attached, and how many calls that takes.
//!
//! ```text
//! cargo bench --bench churn                                  10,000 pods in 200 s
//! cargo bench --bench churn -- --pods 1000 --seconds 60
//! ```
//!
//! The emulator is a child process with operations of two seconds and 1500 calls of each group a minute. The controller runs here: behind
//! the stores that the watches of an API server feed there are its loop, its short path for endpoints, its executor and its client. The
//! slices change as the endpoint slice controller changes them, ten times a second. It judges nothing; the table that it prints is the one
//! of docs/benchmarks.md.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../speed/emulated.rs"]
mod emulated;
mod fewest;
mod objects;
mod roll;
mod source;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use emulated::{Emulated, rates};
use gclb::apply::quota::Quota;
use gclb::cloud::Ownership;
use gclb::cloud::gce::Gce;
use gclb::controller::{self, Options, Progress};
use gclb::metrics::Metrics;
use gclb::model::ClusterId;
use objects::{PROJECT, ZONES};
use roll::{Pods, Roll};
use serde_json::json;
use source::Memory;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wire::{Calls, What};

/// How long each operation of the cloud takes.
const OPERATION: Duration = Duration::from_secs(2);
/// How many calls of each group a minute it allows.
const PER_MINUTE: u32 = 1500;

#[derive(Debug, Parser)]
struct Arguments {
    /// So many pods
    #[arg(long, default_value_t = 10_000)]
    pods: usize,
    /// They roll over in so many seconds
    #[arg(long, default_value_t = 200)]
    seconds: u64,
    /// What cargo adds
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    gce::install_crypto_provider();
    let Arguments { pods, seconds, bench: _ } = Arguments::parse();
    // What is measured are calls; nothing answers behind these addresses.
    let cloud = Emulated::start(&["--operation-latency", "20", "--health-time-scale", "1000"]).await;
    for instance in objects::instances(pods) {
        cloud.admin(reqwest::Method::POST, "instances", &instance).await;
    }
    let source = Arc::new(Memory::new(objects::setting(pods)));
    let mut rolling = Pods::new(pods);
    for slice in rolling.slices() {
        source.slice(slice);
    }
    let calls = Arc::new(Calls::default());
    let (settled, stop) = start(&cloud, &source, &calls);
    rest(settled.clone()).await;
    let members = calls.take();
    eprintln!("{} pods attached by {} calls", pods, members.len());

    cloud.admin(reqwest::Method::PUT, "rates", &rates(PER_MINUTE)).await;
    cloud.admin(reqwest::Method::PUT, "latency", &json!({ "default": OPERATION.as_millis() })).await;
    let cpu = cpu();
    let began = Instant::now();
    let roll = Roll::run(&mut rolling, Duration::from_secs(seconds), |slice| source.slice(slice)).await;
    rest(settled).await;
    let took = began.elapsed();
    let cpu = self::cpu().saturating_sub(cpu);
    stop.cancel();
    report(pods, took, cpu, &roll, &calls.take());
}

fn start(
    cloud: &Emulated,
    source: &Arc<Memory>,
    calls: &Arc<Calls>,
) -> (watch::Receiver<u64>, CancellationToken) {
    let id = ClusterId::new(objects::CLUSTER_ID).unwrap();
    let (metrics, quota) = (Arc::new(Metrics::default()), Quota::believed(&[]));
    let mut retry = gce::RetryPolicy::default();
    retry.not_ready.times = 0;
    let client = gce::Client::builder(PROJECT)
        .endpoint(&cloud.endpoint)
        .retry(retry)
        .gate(Arc::new(quota.clone()))
        .observer(Arc::clone(calls) as Arc<dyn gce::Observer>)
        .transport(wire::noting(Arc::clone(calls)))
        .build()
        .unwrap();
    let gce = Gce::new(client, Ownership::new(id), Arc::clone(&metrics));
    let (told, settled) = watch::channel(0);
    let observer = move |progress: Progress<'_>| match progress {
        Progress::Settled(None) => {
            told.send_modify(|times| *times += 1);
        }
        Progress::Troubled(text) => eprintln!("{text}"),
        _ => {}
    };
    let options = Options { quota, metrics, ..Options::default() };
    let stop = CancellationToken::new();
    tokio::spawn(controller::run(Arc::clone(source), Arc::new(gce), options, observer, stop.clone()));
    (settled, stop)
}

/// Until it has said that nothing is left to do, and nothing else for some time.
async fn rest(mut settled: watch::Receiver<u64>) {
    let some_time = OPERATION * 3;
    settled.changed().await.unwrap();
    while tokio::time::timeout(some_time, settled.changed()).await.is_ok() {}
}

fn report(pods: usize, took: Duration, cpu: Duration, roll: &Roll, calls: &[wire::Call]) {
    let (mut delays, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    let mut free: BTreeMap<&str, Instant> = BTreeMap::new();
    let (mut joined, mut attaches, mut detaches) = (0, 0, 0);
    for call in calls {
        // The group is free for the next call when the cloud has said that this one is done, and not before.
        let ended = call.ended.expect("it is over");
        let before = free.insert(&call.zone, ended);
        theirs.push(ended - call.sent);
        match call.what {
            What::Detach => detaches += 1,
            What::Attach => {
                attaches += 1;
                for address in &call.addresses {
                    let came = roll.joined[address];
                    joined += 1;
                    delays.push(call.sent - came);
                    ours.push(call.sent - before.map_or(came, |free| free.max(came)).min(call.sent));
                }
            }
        }
    }
    assert_eq!(joined, pods, "each pod is attached once");
    let bound = fewest::with_one_call_at_a_time(roll, OPERATION);
    println!(
        "{pods} pods rolled over in {:.0} s, done after {:.1} s; {} zones, operations of {} s, {} build.\n",
        roll.lasted.as_secs_f64(),
        took.as_secs_f64(),
        ZONES.len(),
        OPERATION.as_secs(),
        if cfg!(debug_assertions) { "debug" } else { "release" }
    );
    println!("| | p50 | p99 | most |\n|---|--:|--:|--:|");
    percentiles("from the event to the attach call", delays);
    percentiles("the least, with one call at a time for each group", bound.delays);
    percentiles("of it our own: the group was free, and the pod known", ours);
    percentiles("a call, until the emulator says that it is done", theirs);
    println!("\n| calls | attach | detach |\n|---|--:|--:|");
    println!("| made | {attaches} | {detaches} |");
    println!(
        "| with one call at a time, each as soon as it can be | {} | {} |",
        bound.attaches, bound.detaches
    );
    let fewest: usize = roll.per_zone().values().map(|pods| pods.div_ceil(500)).sum();
    println!("| the fewest possible, if all waited for the last | {fewest} | {fewest} |");
    println!("\nCPU of the controller (with the making of the events): {:.1} s", cpu.as_secs_f64());
}

fn percentiles(what: &str, mut of: Vec<Duration>) {
    of.sort_unstable();
    let at = |share: usize| of[(of.len() * share).div_ceil(100).max(1) - 1].as_secs_f64();
    println!("| {what} | {:.2} s | {:.2} s | {:.2} s |", at(50), at(99), at(100));
}

/// Processor time of this process so far.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    // Linux counts it in hundredths of a second.
    Duration::from_millis(ticks * 10)
}
