//! `gclb observe`: what a project holds for a cluster, as a file.

use std::path::PathBuf;

use jiff::Timestamp;

use super::cloud::look;
use super::report::write;
use crate::config::LogArguments;
use crate::controller::cluster::{ConnectError, cluster_id, connect_to};
use crate::model::{ClusterId, Observation};

const EXAMPLES: &str = "\
Examples:
  gclb observe --project my-project --cluster-id 0a1b2c3d --out cloud.json
  gclb plan . --observed cloud.json --cluster-id 0a1b2c3d
      as often as you like, without asking the cloud
  gclb observe --project my-project --context production --out cloud.json
      of that cluster; its id is read from it

The file holds names, the fields that gclb owns, fingerprints and addresses; of certificates the SHA-256, and never a key.";

/// Lists what the project holds, as `gclb plan --project` does, and writes it to a file to plan against.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The project; credentials are found as gcloud's own tools find them
    #[arg(long, env = "GCLB_PROJECT", value_name = "ID")]
    project: String,
    /// Another Compute Engine than Google's, such as an emulator; no credentials are used
    #[arg(long, env = "GCLB_CLOUD_ENDPOINT", value_name = "URL")]
    cloud_endpoint: Option<url::Url>,
    /// The cluster whose resources are meant: eight hexadecimal digits. By default that of the kubeconfig, or that of folders
    #[arg(long, env = "GCLB_CLUSTER_ID", value_name = "ID", value_parser = crate::config::cluster_id)]
    cluster_id: Option<ClusterId>,
    /// The kubeconfig file of the cluster, to read its id from
    #[arg(long, value_name = "FILE", conflicts_with = "cluster_id")]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig, to read the cluster's id from
    #[arg(long, value_name = "NAME", conflicts_with = "cluster_id")]
    context: Option<String>,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    log: LogArguments,
}

/// The cluster's id cannot be read.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("reading the cluster's id")]
#[diagnostic(help("give it with --cluster-id"))]
struct IdError(#[source] ConnectError);

pub(super) async fn run(arguments: Arguments) -> miette::Result<u8> {
    let Arguments { project, cloud_endpoint, cluster_id: id, kubeconfig, context, out, log } = arguments;
    super::log(&log, "warn")?;
    let cluster = match id {
        Some(id) => id,
        None if kubeconfig.is_none() && context.is_none() => crate::snapshot::manifests::cluster_id(),
        None => {
            let client = connect_to(kubeconfig.as_deref(), context.as_deref()).await.map_err(IdError)?;
            cluster_id(&client).await.map_err(IdError)?
        }
    };
    let (_, mirror) = look(&project, cloud_endpoint.as_ref(), &cluster).await?;
    let observed = (*mirror.observed()).clone();
    let count = observed.graph.len();
    let observed_at = Timestamp::now().to_string();
    let observation = Observation { project, cluster, observed_at, observed };
    write(&out, &observation.render())?;
    let Observation { project, cluster, .. } = &observation;
    let plural = if count == 1 { "resource" } else { "resources" };
    eprintln!("Wrote {}: {count} {plural} of cluster {cluster} in project {project}.", out.display());
    Ok(super::DONE)
}
