//! The controller as a process of its own: this program again. It tells what it does on its standard output, one line each.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gclb::apply::quota::Quota;
use gclb::cloud::Ownership;
use gclb::cloud::gce::Gce;
use gclb::controller::folder::FolderSource;
use gclb::controller::{self, Options, Progress};
use gclb::metrics::Metrics;
use gclb::model::ClusterId;
use gclb::snapshot::Cluster;
use gclb::snapshot::manifests::Supplies;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio_util::sync::CancellationToken;

use crate::cloud::{Cloud, PROJECT};

/// What the child is told.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct ChildArguments {
    #[arg(long, hide = true)]
    controller_of: Option<PathBuf>,
    #[arg(long, hide = true, default_value = "")]
    endpoint: String,
    #[arg(long, hide = true, default_value_t = 600)]
    drift_seconds: u64,
}

impl ChildArguments {
    pub(crate) fn is_given(&self) -> bool {
        self.controller_of.is_some()
    }
}

/// Calls by collection, verb and whether they were throttled.
#[derive(Default)]
pub(crate) struct Counts(Mutex<BTreeMap<String, u64>>);

impl Counts {
    pub(crate) fn all(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap().clone()
    }
}

impl gce::Observer for Counts {
    fn attempt(&self, attempt: &gce::Attempt<'_>) {
        let throttled = if attempt.throttled() { " throttled" } else { "" };
        let call = format!("{} {}{throttled}", attempt.collection, attempt.verb);
        *self.0.lock().unwrap().entry(call).or_default() += 1;
    }
}

/// What a controller is made of.
pub(crate) struct Parts {
    pub(crate) source: Arc<FolderSource>,
    pub(crate) cloud: Arc<Gce>,
    pub(crate) options: Options,
}

/// As `gclb controller` makes it, but for the folder.
pub(crate) fn parts(folder: PathBuf, client: gce::Builder, counts: &Arc<Counts>, drift: Duration) -> Parts {
    let id = ClusterId::new("0a1b2c3d").unwrap();
    let cluster = Cluster::of(id.clone());
    let source = Arc::new(FolderSource::open(&[folder], cluster, Supplies::default()).unwrap());
    let quota = Quota::believed(&[]);
    let observer: Arc<dyn gce::Observer> = Arc::clone(counts) as Arc<dyn gce::Observer>;
    let mut retry = gce::RetryPolicy::default();
    retry.not_ready.times = 0;
    let client = client.retry(retry).observer(observer).gate(Arc::new(quota.clone())).build().unwrap();
    let metrics = Arc::new(Metrics::default());
    let cloud = Arc::new(Gce::new(client, Ownership::new(id), Arc::clone(&metrics)));
    Parts { source, cloud, options: Options { quota, metrics, drift_interval: drift, ..Options::default() } }
}

/// In the child: runs until the standard input ends.
pub(crate) async fn run(arguments: ChildArguments) {
    let ChildArguments { controller_of, endpoint, drift_seconds } = arguments;
    let folder = controller_of.expect("it is given");
    let counts = Arc::new(Counts::default());
    let client = gce::Client::builder(PROJECT).endpoint(endpoint);
    let Parts { source, cloud, options } = parts(folder, client, &counts, Duration::from_secs(drift_seconds));
    let tell = {
        let counts = Arc::clone(&counts);
        move |progress: Progress<'_>| match progress {
            Progress::Ended(ended) => {
                println!("ended {} {} {:?}", ended.id.kind.collection(), ended.what, ended.result);
            }
            Progress::Settled(None) => {
                let counts = counts.0.lock().unwrap();
                println!("settled {}", serde_json::to_string(&*counts).unwrap());
            }
            Progress::Troubled(text) => eprintln!("{text}"),
            _ => {}
        }
    };
    let stop = CancellationToken::new();
    tokio::spawn({
        let (stop, counts) = (stop.clone(), Arc::clone(&counts));
        async move {
            let mut input = tokio::io::stdin();
            // Each byte asks for the counts.
            while input.read_u8().await.is_ok() {
                let counts = counts.0.lock().unwrap();
                println!("counts {}", serde_json::to_string(&*counts).unwrap());
            }
            stop.cancel();
        }
    });
    controller::run(source, cloud, options, tell, stop).await;
}

/// In the parent: the child.
pub(crate) struct Controller {
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    pub(crate) counts: BTreeMap<String, u64>,
}

/// What it tells.
#[derive(Debug)]
pub(crate) enum Line {
    Ended { collection: String, what: String, done: bool },
    Settled,
    Counts,
}

impl Controller {
    pub(crate) fn start(folder: &std::path::Path, cloud: &Cloud, drift: Duration) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("--controller-of")
            .arg(folder)
            .args(["--endpoint", &cloud.endpoint, "--drift-seconds", &drift.as_secs().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { input: child.stdin.take(), child, lines, counts: BTreeMap::new() }
    }

    pub(crate) async fn line(&mut self) -> (Instant, Line) {
        loop {
            let line = self.lines.next_line().await.unwrap().expect("the controller runs on");
            let at = Instant::now();
            match line.split_once(' ').unwrap_or((&line, "")) {
                ("ended", rest) => {
                    let (collection, rest) = rest.split_once(' ').unwrap();
                    let line = Line::Ended {
                        collection: collection.to_owned(),
                        what: rest.to_owned(),
                        done: rest.ends_with(" Done"),
                    };
                    return (at, line);
                }
                (word @ ("settled" | "counts"), counts) => {
                    self.counts = serde_json::from_str(counts).unwrap();
                    return (at, if word == "settled" { Line::Settled } else { Line::Counts });
                }
                _ => {}
            }
        }
    }

    /// The calls made so far.
    pub(crate) async fn counted(&mut self) -> BTreeMap<String, u64> {
        use tokio::io::AsyncWriteExt as _;
        self.input.as_mut().unwrap().write_u8(b'?').await.unwrap();
        while !matches!(self.line().await, (_, Line::Counts)) {}
        self.counts.clone()
    }

    /// Processor time so far.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = self.proc("stat");
        let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        // Linux counts it in hundredths of a second.
        Duration::from_millis(ticks * 10)
    }

    /// The most memory that was resident, in MiB, since the last time that this was asked.
    pub(crate) fn peak(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        std::fs::write(format!("/proc/{}/clear_refs", self.child.id().unwrap()), "5").unwrap_or_default();
        kib / 1024
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id().unwrap())).unwrap()
    }

    pub(crate) async fn stop(mut self) {
        self.input = None;
        while let Ok(Some(_)) = self.lines.next_line().await {}
        self.child.wait().await.unwrap();
    }
}
