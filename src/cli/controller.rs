//! `gclb controller`: load balancers for the Ingresses of a cluster.

use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::stop;
use crate::apply::quota::Quota;
use crate::apply::{Pace, Permit};
use crate::cloud::gce::Gce;
use crate::cloud::{Cloud as _, Obstacle, Ownership, chain};
use crate::config::{
    CloudArguments, KubernetesArguments, LeaderArguments, ObservingArguments, PaceArguments,
};
use crate::controller::cluster::{ClusterSource, ConnectError, claimant, cluster_id, connect};
use crate::controller::lease::{LeaseSettings, stand};
use crate::controller::listen::{Answers, ListenError, Readiness, listen};
use crate::controller::running::Running;
use crate::controller::{self, Observer, Options, Progress};
use crate::metrics::Metrics;
use crate::snapshot::{Cluster, ReadinessProbes};
use crate::telemetry::TelemetryError;

const EXAMPLES: &str = "\
Examples:
  In a pod of the cluster, with the account's own credentials (deploy/manifests does this):
      gclb controller --project my-project --leader-elect
  On this machine, against an emulated cloud:
      gclb emulator --listen 127.0.0.1:8787 &
      gclb controller --kubeconfig ~/.kube/config --project test --cloud-endpoint http://127.0.0.1:8787/compute/v1/

Every flag is also an environment variable: GCLB_ and its name, such as GCLB_PROJECT.";

/// Watches a cluster and makes its Ingresses load balancers of the cloud. Stopped by SIGTERM it begins no change any more, waits for
/// those under way, and gives the lease up.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
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

/// Why it did not run, or does not any more.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum ControllerError {
    #[error("starting to tell what goes on")]
    Telemetry(#[source] TelemetryError),
    #[error("waiting for the signal to stop")]
    Signal(#[source] std::io::Error),
    #[error("starting to be observed")]
    Listen(#[source] ListenError),
    #[error("connecting to the cluster")]
    Connect(#[source] ConnectError),
    #[error("preparing to call the cloud")]
    #[diagnostic(help(
        "credentials are found as Google's own tools find them: see https://cloud.google.com/docs/authentication"
    ))]
    Cloud(#[source] gce::BuildError),
    #[error("looking at the project {project}")]
    Preflight {
        project: String,
        #[source]
        source: Obstacle,
    },
    #[error("the API server's store was put back to an older state")]
    #[diagnostic(help(
        "start it again: it lists everything anew, and nothing is deleted because it is missing"
    ))]
    Restored,
}

pub(super) async fn run(arguments: Arguments) -> miette::Result<u8> {
    let Arguments { kubernetes, cloud, pace, leader, observing } = arguments;
    // Held to the end: dropping it sends the last spans.
    let _telling = observing.telemetry().start().map_err(ControllerError::Telemetry)?;
    let shutdown = shutdown_when_asked()?;
    // What runs beside the loop ends after it.
    let end = CancellationToken::new();
    let _end = end.clone().drop_guard();

    let metrics = Arc::new(Metrics::default());
    let running = Arc::new(Running::default());
    let answers = Arc::new(Answers::new(Arc::clone(&metrics), Arc::clone(&running)));
    listen(observing.listen, Arc::clone(&answers), end).await.map_err(ControllerError::Listen)?;

    let client = connect(kubernetes.kubeconfig.as_deref()).await.map_err(ControllerError::Connect)?;
    let id = match &cloud.cluster_id {
        Some(id) => id.clone(),
        None => cluster_id(&client).await.map_err(ControllerError::Connect)?,
    };
    let claimant =
        claimant(&client, kubernetes.watch_namespace.as_deref()).await.map_err(ControllerError::Connect)?;
    if claimant.is_none() {
        warn!(
            "no namespace may be read whose UID tells this cluster from others, so another one with the same cluster id is not noticed"
        );
    }
    info!(cluster = %id, project = cloud.project, "this cluster's resources begin with gclb and its id");
    let quota = Quota::believed(&pace.quota);
    let gce = Gce::new(
        cloud.client(&metrics, &quota).map_err(ControllerError::Cloud)?,
        Ownership::new(id.clone()),
        Arc::clone(&metrics),
    );
    preflight(&gce, &cloud).await?;

    let cluster = Cluster {
        id,
        network: cloud.network,
        subnetwork: cloud.subnetwork,
        node_tags: cloud.node_tags.into_iter().collect(),
        claim_classless: kubernetes.claim_classless,
        readiness_probes: ReadinessProbes::ignored_if(kubernetes.ignore_readiness_probes),
    };
    // Watching begins before leading, so that taking over is quick.
    let source = ClusterSource::start(client.clone(), cluster, kubernetes.watch_namespace.as_deref())
        .keeping_checkpoints_in(&leader.lease_namespace);
    let source = Arc::new(source);
    let candidacy = leader.leader_elect.then(|| {
        let settings = LeaseSettings {
            namespace: leader.lease_namespace,
            identity: identity(),
            duration: leader.lease_duration,
        };
        stand(client.clone(), settings)
    });
    let permit = candidacy.as_ref().map_or_else(Permit::unlimited, |candidacy| candidacy.permit().clone());
    tokio::spawn({
        let (permit, answers, metrics) = (permit.clone(), Arc::clone(&answers), Arc::clone(&metrics));
        let starting = waiting(&source);
        tell_who_leads(permit, answers, metrics, starting)
    });

    let options = Options {
        pace: Pace {
            concurrency: pace.concurrency,
            // Less than what is always left of a Lease that is renewed in time, however short it is.
            longest_call: Pace::default().longest_call.min(leader.lease_duration / 4),
            ..Pace::default()
        },
        drift_interval: pace.drift_interval,
        permit,
        quota,
        claimant,
        mass_deletion_limit: (pace.mass_deletion_limit > 0).then_some(pace.mass_deletion_limit),
        metrics: Arc::clone(&metrics),
        running,
        ..Options::default()
    };
    let observer = tell_readiness(Arc::clone(&source), answers);
    let running = controller::run(source, Arc::new(gce), options, observer, shutdown.clone());
    let restored = async {
        match &candidacy {
            Some(candidacy) => candidacy.restored().await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(running);
    let begin_anew = tokio::select! {
        () = &mut running => false,
        () = restored => {
            shutdown.cancel();
            running.await;
            true
        }
    };
    metrics.leads(false);
    if let Some(candidacy) = candidacy {
        candidacy.resign().await;
    }
    if begin_anew { Err(ControllerError::Restored.into()) } else { Ok(super::DONE) }
}

/// Cancelled by the first signal to stop.
fn shutdown_when_asked() -> Result<CancellationToken, ControllerError> {
    let asked = stop::asked().map_err(ControllerError::Signal)?;
    let shutdown = CancellationToken::new();
    tokio::spawn({
        let shutdown = shutdown.clone();
        async move {
            asked.await;
            info!("asked to stop");
            shutdown.cancel();
        }
    });
    Ok(shutdown)
}

fn tell_readiness(source: Arc<ClusterSource>, answers: Arc<Answers>) -> impl Observer {
    move |progress: Progress<'_>| match progress {
        Progress::Planned(_) | Progress::Settled(_) => answers.set(Readiness::Ready),
        Progress::Troubled(_) if !source.missing().is_empty() => {
            answers.set(Readiness::Starting(waiting(&source)));
        }
        Progress::Ended(_) | Progress::Reported(..) | Progress::Released(_) | Progress::Troubled(_) => {}
    }
}

/// Shows, as often as it changes, whether we lead. Never returns while that can change.
async fn tell_who_leads(permit: Permit, answers: Arc<Answers>, metrics: Arc<Metrics>, starting: String) {
    loop {
        metrics.leads(false);
        if !permit.lasts(std::time::Duration::ZERO) {
            answers.set(Readiness::StandingBy);
        }
        if !permit.begun().await {
            return;
        }
        metrics.leads(true);
        answers.set(Readiness::Starting(starting.clone()));
        permit.ended().await;
    }
}

/// Says at once what would otherwise fail one change after the other.
async fn preflight(gce: &Gce, cloud: &CloudArguments) -> Result<(), ControllerError> {
    match gce.preflight(&cloud.network, &cloud.subnetwork).await {
        Ok(obstacles) => match obstacles.into_iter().next() {
            Some(source) => Err(ControllerError::Preflight { project: cloud.project.clone(), source }),
            None => Ok(()),
        },
        // It may pass, or the right to look may be the only one that is missing.
        Err(error) => {
            warn!(error = chain(&error), "the project could not be looked at; going on all the same");
            Ok(())
        }
    }
}

fn waiting(source: &ClusterSource) -> String {
    match source.missing().join(", ") {
        missing if missing.is_empty() => "waiting for the first look at the cloud".to_owned(),
        missing => format!("waiting for the first list of {missing}"),
    }
}

/// The pod's name, and what tells this process from others of that name.
fn identity() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "gclb".to_owned());
    format!("{host}_{}_{:x}", std::process::id(), Timestamp::now().as_nanosecond())
}
