//! What is done to N load balancers, and how long it takes.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::bound::{bound, steps};
use crate::cloud::Cloud;
use crate::controller::{Controller, Line};
use crate::manifests::{Certificates, Version, write, write_base};
use crate::table::{Rest, Row};
use crate::{DRIFT, OPERATION, PER_MINUTE, rest};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Story {
    /// N new HTTPS Ingresses
    Create,
    /// One rule of each changes
    Rule,
    /// Each gets another certificate
    Rotate,
    /// All go
    Delete,
}

impl Story {
    pub(crate) const ALL: [Self; 4] = [Self::Create, Self::Rule, Self::Rotate, Self::Delete];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Rule => "change one rule",
            Self::Rotate => "rotate the certificate",
            Self::Delete => "delete",
        }
    }

    /// How the folder is after it.
    fn write(self, folder: &Path, n: usize, certificates: &Certificates) {
        let (n, certificate, rule) = match self {
            Self::Create => (n, 0, 0),
            Self::Rule => (n, 0, 1),
            Self::Rotate => (n, 1, 1),
            Self::Delete => (0, 1, 1),
        };
        write(folder, n, Version { certificate, rule }, certificates);
    }

    /// The collection of the change that ends last, and how many of those there are for each load balancer.
    const fn last(self) -> (&'static str, &'static str, usize) {
        match self {
            Self::Create => ("forwardingRules", "created", 2),
            Self::Rule => ("urlMaps", "changed", 1),
            Self::Rotate => ("sslCertificates", "deleted", 1),
            Self::Delete => ("healthChecks", "deleted", 1),
        }
    }
}

/// After so long the controller has looked at what it left.
const AT_REST: Duration = Duration::from_secs(30);

/// Runs the stories one after the other in one cloud, and measures those that are asked for.
pub(crate) async fn run(n: usize, measured: &[Story], with_rest: bool) -> Vec<Rest> {
    let (cloud, folder, certificates) =
        (Cloud::start().await, tempfile::tempdir().unwrap(), Certificates::new());
    write_base(folder.path());
    let mut controller = Controller::start(folder.path(), &cloud, DRIFT);
    while !matches!(controller.line().await, (_, Line::Settled)) {}
    let mut rest = Vec::new();
    let until = Story::ALL.iter().rposition(|story| measured.contains(story)).unwrap_or_default();
    for story in &Story::ALL[..=until] {
        if *story == Story::Delete && with_rest {
            break;
        }
        if measured.contains(story) {
            println!("{}", measure(*story, n, &cloud, folder.path(), &certificates, &mut controller).await);
        } else {
            cloud.limit(false).await;
            cloud.latency(Duration::from_millis(20)).await;
            story.write(folder.path(), n, &certificates);
            finish(*story, n, &mut controller).await;
        }
    }
    if with_rest {
        controller.stop().await;
        cloud.limit(false).await;
        rest.push(restart(n, &cloud, folder.path()).await);
        let mut again = Controller::start(folder.path(), &cloud, DRIFT);
        while !matches!(again.line().await, (_, Line::Settled)) {}
        if measured.contains(&Story::Delete) {
            let story = Story::Delete;
            println!("{}", measure(story, n, &cloud, folder.path(), &certificates, &mut again).await);
        }
        again.stop().await;
    } else {
        controller.stop().await;
    }
    rest
}

async fn measure(
    story: Story,
    n: usize,
    cloud: &Cloud,
    folder: &Path,
    certificates: &Certificates,
    controller: &mut Controller,
) -> Row {
    cloud.latency(OPERATION).await;
    cloud.limit(true).await;
    // What came before has come to rest.
    tokio::time::sleep(AT_REST).await;
    // A third of a minute before the next, so that every row waits equally long.
    tokio::time::sleep(until_second(38)).await;
    let before = controller.counted().await;
    cloud.exhaust().await;
    let cpu = controller.cpu();
    controller.peak();
    let opens = until_second(0);
    let began = Instant::now();
    story.write(folder, n, certificates);
    let Finished { last, failures } = finish(story, n, controller).await;
    let after = controller.counted().await;
    Row {
        story,
        n,
        took: last - began,
        bound: bound(steps(story), n, OPERATION, PER_MINUTE, opens),
        least: steps(story).len() * n,
        calls: since(&before, &after),
        failures,
        cpu: controller.cpu().saturating_sub(cpu),
        peak: controller.peak(),
    }
}

struct Finished {
    last: Instant,
    failures: usize,
}

/// Waits until everything has ended that the story asks for, and nothing is left to do.
async fn finish(story: Story, n: usize, controller: &mut Controller) -> Finished {
    let (collection, what, each) = story.last();
    let (mut left, mut last, mut failures) = (n * each, Instant::now(), 0);
    loop {
        let (at, line) = controller.line().await;
        match line {
            Line::Ended { done: false, .. } => failures += 1,
            Line::Ended { collection: ended, what: how, done: true } => {
                if ended == collection && how.starts_with(what) {
                    left = left.saturating_sub(1);
                    last = at;
                } else if matches!(story, Story::Delete | Story::Rotate) {
                    last = at;
                }
            }
            Line::Settled if left == 0 => return Finished { last, failures },
            Line::Settled | Line::Counts => {}
        }
    }
}

/// A controller that finds everything as it should be; and then an hour of rest.
async fn restart(n: usize, cloud: &Cloud, folder: &Path) -> Rest {
    let began = Instant::now();
    let mut controller = Controller::start(folder, cloud, DRIFT);
    while !matches!(controller.line().await, (_, Line::Settled)) {}
    let settled = began.elapsed();
    let start = controller.counts.clone();
    let (peak, cpu) = (controller.peak(), controller.cpu());
    controller.stop().await;
    let (state, folder) = (cloud.state().await, folder.to_owned());
    // Its time is another one.
    let resting = tokio::task::spawn_blocking(move || rest::an_hour(&state, folder)).await.unwrap();
    Rest { n, settled, cpu, peak, start, resting }
}

pub(crate) fn since(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let difference = after
        .iter()
        .map(|(call, count)| (call.clone(), count - before.get(call).copied().unwrap_or_default()));
    difference.filter(|(_, count)| *count > 0).collect()
}

/// How long it is until the clock on the wall shows this second of a minute.
fn until_second(second: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let minute = Duration::from_mins(1);
    let into = Duration::from_nanos(u64::try_from(now.as_nanos() % minute.as_nanos()).unwrap());
    let wanted = Duration::from_secs(second);
    wanted.checked_sub(into).unwrap_or_else(|| wanted + minute.saturating_sub(into))
}
