//! A hundred requests a second, and what became of each.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode, redirect};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::visitor::Visitor;

const EVERY: Duration = Duration::from_millis(10);

/// A request that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Something that is asked for, and what is a good answer to it at any moment.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    url: String,
    good: Good,
}

#[derive(Debug, Clone)]
enum Good {
    /// A page of a pod of one of these Deployments.
    Page(Vec<&'static str>),
    /// One of these status codes.
    Status(Vec<u16>),
}

impl Ask {
    /// Served by one of these Deployments.
    pub(super) fn page(url: &str, deployments: &[&'static str]) -> Self {
        Self { url: url.to_owned(), good: Good::Page(deployments.into()) }
    }

    /// Answered with one of these codes.
    pub(super) fn status(url: &str, codes: &[u16]) -> Self {
        Self { url: url.to_owned(), good: Good::Status(codes.into()) }
    }
}

/// Asks until it leaves.
pub(super) struct Crowd {
    stop: CancellationToken,
    asking: JoinHandle<Tally>,
}

/// What a crowd got.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// How many good answers each pod gave; answers that no pod gave are under an empty name.
    pub(super) by_pod: BTreeMap<String, usize>,
    failed: Vec<String>,
}

impl Tally {
    fn answers(&self) -> usize {
        self.by_pod.values().sum()
    }

    /// How many good answers the pods of a Deployment gave.
    pub(super) fn of(&self, deployment: &str) -> usize {
        let is_of = |pod: &str| pod.rsplitn(3, '-').nth(2) == Some(deployment);
        self.by_pod.iter().filter(|(pod, _)| is_of(pod)).map(|(_, count)| count).sum()
    }
}

impl Crowd {
    /// Begins to ask, in turn, when each of the questions has had a good answer.
    pub(super) async fn gather(visitor: &Visitor, asks: Vec<Ask>) -> Self {
        for ask in &asks {
            match &ask.good {
                Good::Page(deployments) => {
                    let look = || async {
                        let answer = visitor.get(&ask.url).await?;
                        let good = answer.deployment().is_some_and(|served| deployments.contains(&served));
                        if good { Ok(()) } else { Err(format!("{answer:?}")) }
                    };
                    controlplane::wait::eventually(&format!("{} to be served", ask.url), look).await;
                }
                Good::Status(codes) => {
                    visitor.answers(codes[0], &ask.url).await;
                }
            }
        }
        let stop = CancellationToken::new();
        let asking = tokio::spawn(ask_all(visitor.address().to_owned(), asks, stop.clone()));
        Self { stop, asking }
    }

    /// Waits for the answers that are still to come.
    ///
    /// # Panics
    /// When a request failed, or hardly any was made.
    #[track_caller]
    pub(super) fn leave(self) -> impl Future<Output = Tally> {
        let place = std::panic::Location::caller();
        async move {
            self.stop.cancel();
            let tally = self.asking.await.unwrap();
            let answers = tally.answers();
            eprintln!(
                "{place}: {answers} good answers, {} failed; by pod: {:?}",
                tally.failed.len(),
                tally.by_pod
            );
            let shown = tally.failed.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
            assert!(
                tally.failed.is_empty(),
                "{} of {answers} requests failed, such as\n{shown}",
                tally.failed.len()
            );
            assert!(answers > 200, "only {answers} requests were made: nothing is shown by that");
            tally
        }
    }
}

async fn ask_all(address: String, asks: Vec<Ask>, stop: CancellationToken) -> Tally {
    // Half of all visitors come anew, half keep their connection.
    let clients = [client(&address, &asks, 0), client(&address, &asks, 8)];
    let began = Instant::now();
    let mut requests = JoinSet::new();
    let mut tally = Tally::default();
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut number = 0_usize;
    while !stop.is_cancelled() {
        tick.tick().await;
        let ask = asks[number % asks.len()].clone();
        let client = clients[number / asks.len() % clients.len()].clone();
        number += 1;
        requests.spawn(async move { (began.elapsed(), one(&client, &ask).await) });
        while let Some(done) = requests.try_join_next() {
            note(&mut tally, done.unwrap());
        }
    }
    while let Some(done) = requests.join_next().await {
        note(&mut tally, done.unwrap());
    }
    tally
}

fn note(tally: &mut Tally, (at, answer): (Duration, Result<String, String>)) {
    match answer {
        Ok(pod) => *tally.by_pod.entry(pod).or_default() += 1,
        Err(why) => tally.failed.push(format!("after {:.1} s: {why}", at.as_secs_f64())),
    }
}

fn client(address: &str, asks: &[Ask], idle: usize) -> Client {
    let socket = SocketAddr::new(address.parse().unwrap(), 0);
    let mut builder = Client::builder()
        .danger_accept_invalid_certs(true)
        .redirect(redirect::Policy::none())
        .pool_max_idle_per_host(idle)
        .timeout(PATIENCE);
    for ask in asks {
        let url = reqwest::Url::parse(&ask.url).unwrap();
        builder = builder.resolve(url.host_str().unwrap(), socket);
    }
    builder.build().unwrap()
}

/// The pod that gave a good answer.
async fn one(client: &Client, ask: &Ask) -> Result<String, String> {
    let told = |error: reqwest::Error| format!("{}: {}", ask.url, controlplane::prerequisite::chain(&error));
    let answer = client.get(&ask.url).send().await.map_err(told)?;
    let status = answer.status();
    let body = answer.text().await.map_err(told)?;
    let pod = body.lines().next().and_then(|line| line.strip_prefix("pod=")).unwrap_or_default();
    let deployment = pod.rsplitn(3, '-').nth(2);
    let good = match &ask.good {
        Good::Page(deployments) => {
            status == StatusCode::OK && deployment.is_some_and(|served| deployments.contains(&served))
        }
        Good::Status(codes) => codes.contains(&status.as_u16()),
    };
    if good { Ok(pod.to_owned()) } else { Err(format!("{}: {status}, by {pod:?}: {body:.200}", ask.url)) }
}
