//! Settings, as a command line and the environment give them: each flag is also an environment variable, `GCLB_` and its name.
//!
//! Groups that commands put together. Nothing else reads flags or environment.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gce::{BuildError, Client, RetryPolicy};
use url::Url;

use crate::apply::Pace;
use crate::apply::quota::{Belief, Quota};
use crate::metrics::Metrics;
use crate::model::{ClusterId, InvalidName};
use crate::telemetry::Telemetry;

/// Which API server.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Kubernetes")]
pub struct KubernetesArguments {
    /// The kubeconfig file; without it KUBECONFIG, ~/.kube/config or, in a pod, the cluster itself
    #[arg(long, env = "GCLB_KUBECONFIG", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Watch only this namespace: then rights on Ingresses, Services, EndpointSlices, Secrets, Pods and custom resources are needed only there
    #[arg(long, env = "GCLB_WATCH_NAMESPACE", value_name = "NAMESPACE")]
    pub watch_namespace: Option<String>,
    /// Take Ingresses without a class too
    #[arg(long, env = "GCLB_CLAIM_CLASSLESS")]
    pub claim_classless: bool,
    /// Do not look at pods: no health check is made from a readiness probe. For whoever may not list pods
    #[arg(long, env = "GCLB_IGNORE_READINESS_PROBES")]
    pub ignore_readiness_probes: bool,
}

/// Which cloud.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Google Cloud")]
pub struct CloudArguments {
    /// The project that the cluster's nodes are in; its load balancers are made there
    #[arg(long, env = "GCLB_PROJECT", value_name = "ID")]
    pub project: String,
    /// Another Compute Engine than Google's, such as an emulator; no credentials are used
    #[arg(long, env = "GCLB_CLOUD_ENDPOINT", value_name = "URL")]
    pub cloud_endpoint: Option<Url>,
    /// The VPC network of the nodes
    #[arg(long, env = "GCLB_NETWORK", value_name = "NAME", default_value = "default")]
    pub network: String,
    /// The nodes' subnetwork
    #[arg(long, env = "GCLB_SUBNETWORK", value_name = "NAME", default_value = "default")]
    pub subnetwork: String,
    /// Network tags of the nodes, for the firewall rule; without them it covers the whole network
    #[arg(long, env = "GCLB_NODE_TAGS", value_name = "TAG", value_delimiter = ',')]
    pub node_tags: Vec<String>,
    /// Eight hexadecimal digits that tell this cluster's resources from those of others; must never change
    /// [default: from the UID of the namespace kube-system]
    #[arg(long, env = "GCLB_CLUSTER_ID", value_name = "ID", value_parser = cluster_id)]
    pub cluster_id: Option<ClusterId>,
}

/// How the loop works.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Pace")]
pub struct PaceArguments {
    /// How often everything is listed again, to find and mend what others changed
    #[arg(long, env = "GCLB_DRIFT_INTERVAL", value_name = "DURATION", default_value = "10m", value_parser = duration)]
    pub drift_interval: Duration,
    /// How many changes of the cloud may be under way at a time
    #[arg(long, env = "GCLB_CONCURRENCY", value_name = "N", default_value_t = Pace::default().concurrency,
          value_parser = concurrency)]
    pub concurrency: usize,
    /// Where more load balancers than this, and more than half of all, would go within ten minutes, keep them until somebody consents; 0
    /// never asks
    #[arg(long, env = "GCLB_MASS_DELETION_LIMIT", value_name = "N", default_value_t = 10)]
    pub mass_deletion_limit: usize,
    /// How many calls a minute the project is believed to allow, where that is not 1500: GROUP=N, with GROUP one of mutations, reads,
    /// lists, operation-reads, heavy-reads. What the cloud refuses corrects it
    #[arg(long, env = "GCLB_QUOTA", value_name = "GROUP=N", value_delimiter = ',')]
    pub quota: Vec<Belief>,
}

/// Who leads where several run.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Leadership")]
pub struct LeaderArguments {
    /// Write only while holding the Lease `gclb`, so that several can run and one works
    #[arg(long, env = "GCLB_LEADER_ELECT")]
    pub leader_elect: bool,
    /// The namespace of that Lease
    #[arg(long, env = "GCLB_LEASE_NAMESPACE", value_name = "NAMESPACE", default_value = "gclb-system")]
    pub lease_namespace: String,
    /// For how long the Lease is held without being renewed: so long nobody leads after a crash
    #[arg(long, env = "GCLB_LEASE_DURATION", value_name = "DURATION", default_value = "15s", value_parser = duration)]
    pub lease_duration: Duration,
}

/// Where to be asked how it goes.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Observing")]
pub struct ObservingArguments {
    /// Where /healthz, /readyz, /metrics and /debug/plan are served
    #[arg(long, env = "GCLB_LISTEN", value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// How to write log lines [default: text on a terminal, else json]
    #[arg(long, env = "GCLB_LOG_FORMAT", value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What to log: a level, or levels by module such as `info,gclb::apply=debug`
    #[arg(long, env = "GCLB_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
    /// Send the spans of turns, changes and calls to this OpenTelemetry collector (OTLP over HTTP, such as `http://127.0.0.1:4318`)
    #[arg(long, env = "GCLB_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<Url>,
}

impl ObservingArguments {
    /// What is told, and where.
    #[must_use]
    pub fn telemetry(&self) -> Telemetry {
        let Self { listen: _, log_format, log, otlp_endpoint } = self;
        Telemetry { filter: log.clone(), format: *log_format, collector: otlp_endpoint.clone() }
    }
}

/// What to log, for the commands that a person runs.
#[derive(Debug, Clone, clap::Args)]
pub struct LogArguments {
    /// What to log to the error stream: a level, or levels by module such as `info,gclb::apply=debug`
    #[arg(long, env = "GCLB_LOG", value_name = "FILTER")]
    pub log: Option<String>,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// For programs, one object a line
    Json,
}

impl CloudArguments {
    /// The client of that cloud. What the cloud is not ready for is not tried again by the client, since the executor of plans does that
    /// and can stop meanwhile.
    ///
    /// # Errors
    /// When the endpoint is none, or there are no credentials.
    pub fn client(&self, metrics: &Arc<Metrics>, quota: &Quota) -> Result<Client, BuildError> {
        client(&self.project, self.cloud_endpoint.as_ref(), metrics, quota)
    }
}

/// The client of a project; see [`CloudArguments::client`].
pub(crate) fn client(
    project: &str,
    endpoint: Option<&Url>,
    metrics: &Arc<Metrics>,
    quota: &Quota,
) -> Result<Client, BuildError> {
    let mut retry = RetryPolicy::default();
    retry.not_ready.times = 0;
    let metrics: Arc<Metrics> = Arc::clone(metrics);
    let mut builder = Client::builder(project).retry(retry).observer(metrics).gate(Arc::new(quota.clone()));
    if let Some(endpoint) = endpoint {
        builder = builder.endpoint(endpoint.as_str());
    }
    builder.build()
}

/// A cluster id, from a flag.
pub(crate) fn cluster_id(text: &str) -> Result<ClusterId, InvalidName> {
    ClusterId::new(text)
}

pub(crate) fn concurrency(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least one, or nothing would ever be done".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}")),
    }
}

/// A positive duration such as `90s`, `10m` or `1h30m`.
fn duration(text: &str) -> Result<Duration, String> {
    let signed: jiff::SignedDuration =
        text.parse().map_err(|error| format!("a duration such as 90s, 10m or 1h30m is expected: {error}"))?;
    match Duration::try_from(signed) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Ok(_) | Err(_) => Err("it must be longer than nothing".to_owned()),
    }
}

/// How long ago at least: as [`duration`], or nothing at all.
pub(crate) fn age(text: &str) -> Result<Duration, String> {
    if matches!(text, "0" | "0s") { Ok(Duration::ZERO) } else { duration(text) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct All {
        #[command(flatten)]
        kubernetes: KubernetesArguments,
        #[command(flatten)]
        cloud: CloudArguments,
        #[command(flatten)]
        pace: PaceArguments,
        #[command(flatten)]
        leader: LeaderArguments,
        #[command(flatten)]
        observing: ObservingArguments,
    }

    fn parse(arguments: &[&str]) -> Result<All, clap::Error> {
        All::try_parse_from(std::iter::once(&"gclb").chain(arguments))
    }

    #[test]
    fn a_project_is_all_that_must_be_given() {
        assert!(parse(&[]).is_err());
        let all = parse(&["--project", "p"]).unwrap();
        assert_eq!(all.pace.drift_interval, Duration::from_mins(10));
        assert_eq!(all.leader.lease_duration, Duration::from_secs(15));
        assert!(!all.leader.leader_elect);
        assert!(!all.kubernetes.claim_classless);
        assert_eq!(all.cloud.network, "default");
        assert_eq!(all.observing.log, "info");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bad in [
            ["--drift-interval", "0s"],
            ["--drift-interval", "-5m"],
            ["--drift-interval", "soon"],
            ["--concurrency", "0"],
            ["--cluster-id", "nope"],
            ["--cloud-endpoint", "not a url"],
            ["--listen", "8080"],
        ] {
            assert!(parse(&["--project", "p", bad[0], bad[1]]).is_err(), "{bad:?}");
        }
        let good = parse(&["--project", "p", "--drift-interval", "1h30m", "--node-tags", "a,b"]).unwrap();
        assert_eq!(good.pace.drift_interval, Duration::from_mins(90));
        assert_eq!(good.cloud.node_tags, ["a", "b"]);
    }
}
