//! The cloud of a command that compares with it: the live one, or one that was observed before.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use url::Url;

use super::input::Input;
use crate::apply::quota::Quota;
use crate::cloud::gce::Gce;
use crate::cloud::mirror::{Mirror, foreign};
use crate::cloud::{CloudError, Ownership};
use crate::metrics::Metrics;
use crate::model::{ClusterId, ForeignHeld, Held, Observation, ObservationError, Observed};
use crate::translate::translate;

/// What to compare with.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Google Cloud")]
pub(super) struct CompareArguments {
    /// The project; credentials are found as gcloud's own tools find them
    #[arg(long, env = "GCLB_PROJECT", value_name = "ID")]
    pub(super) project: Option<String>,
    /// Another Compute Engine than Google's, such as an emulator; no credentials are used
    #[arg(long, env = "GCLB_CLOUD_ENDPOINT", value_name = "URL")]
    pub(super) cloud_endpoint: Option<Url>,
    /// What the project held when `gclb observe` wrote this file, instead of what it holds now
    #[arg(long, value_name = "FILE")]
    pub(super) observed: Option<PathBuf>,
}

/// The cloud cannot be looked at.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(super) enum LookError {
    #[error("preparing to call {endpoint}")]
    #[diagnostic(help(
        "name the project with --project, and see that `gcloud auth application-default login` was done"
    ))]
    Client {
        endpoint: String,
        #[source]
        source: gce::BuildError,
    },
    #[error("reading what the project {project} holds")]
    Look {
        project: String,
        #[source]
        source: Box<CloudError>,
    },
    #[error("comparing with {endpoint}: which project?")]
    #[diagnostic(help("name it with --project; an emulator takes any"))]
    NoProject { endpoint: Url },
    #[error("compared with nothing")]
    #[diagnostic(help("name the project with --project, or a file of `gclb observe` with --observed"))]
    Nothing,
    #[error("reading {}", path.display())]
    #[diagnostic(help("make it with `gclb observe --project ID --out FILE`"))]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("reading the observation {}", path.display())]
    #[diagnostic(help(
        "make it anew with `gclb observe --project ID --out FILE`, with this version of gclb"
    ))]
    Parse {
        path: PathBuf,
        #[source]
        source: ObservationError,
    },
    #[error("{} was observed for the cluster {observed}, and the input is of the cluster {input}", path.display())]
    #[diagnostic(help("give --cluster-id {observed}, or observe again for the other cluster"))]
    OtherCluster { path: PathBuf, observed: ClusterId, input: ClusterId },
}

/// What there is to compare with.
pub(super) enum Looked {
    /// Nothing at all: everything is to be made.
    Nothing,
    /// What was seen.
    Seen {
        /// In which project.
        project: String,
        /// At which Compute Engine, where that is not Google's.
        endpoint: Option<Url>,
        /// What.
        observed: Arc<Observed>,
        /// Whom to ask more. Nobody, where it was observed before.
        cloud: Option<Box<Gce>>,
    },
}

impl Looked {
    /// What was seen; nothing where nobody looked.
    pub(super) fn observed(&self) -> Arc<Observed> {
        match self {
            Self::Nothing => Arc::default(),
            Self::Seen { observed, .. } => Arc::clone(observed),
        }
    }

    /// What a translation may know of it. Where there is nobody to ask, what is not ours is taken to exist.
    pub(super) fn held(&self, observed: &Observed) -> Held {
        match self.cloud() {
            Some(_) => observed.held(),
            None => Held { foreign: ForeignHeld::Assumed, ..observed.held() },
        }
    }

    /// Looks up what the input points at and is not ours, where there is somebody to ask.
    pub(super) async fn look_up(&mut self, input: &Input) {
        if let Self::Seen { observed, cloud: Some(cloud), .. } = self {
            let lookups = translate(&input.snapshot(observed.held())).lookups;
            let answers = foreign::look_up(&**cloud, &lookups).await;
            foreign::take_in(observed, answers);
        }
    }

    /// Whom to ask more.
    pub(super) fn cloud(&self) -> Option<&Gce> {
        match self {
            Self::Nothing => None,
            Self::Seen { cloud, .. } => cloud.as_deref(),
        }
    }
}

impl CompareArguments {
    /// Looks. A file that is named counts, even where the environment names a project.
    pub(super) async fn look(&self, cluster: &ClusterId) -> Result<Looked, LookError> {
        let Self { project, cloud_endpoint, observed } = self;
        if let Some(path) = observed {
            let Observation { project, cluster: of, observed_at: _, observed } = read(path)?;
            if of != *cluster {
                return Err(LookError::OtherCluster {
                    path: path.clone(),
                    observed: of,
                    input: cluster.clone(),
                });
            }
            let endpoint = cloud_endpoint.clone();
            return Ok(Looked::Seen { project, endpoint, observed: Arc::new(observed), cloud: None });
        }
        match (project, cloud_endpoint) {
            (None, None) => Ok(Looked::Nothing),
            (None, Some(endpoint)) => Err(LookError::NoProject { endpoint: endpoint.clone() }),
            (Some(project), endpoint) => {
                let (cloud, mirror) = look(project, endpoint.as_ref(), cluster).await?;
                Ok(Looked::Seen {
                    project: project.clone(),
                    endpoint: endpoint.clone(),
                    observed: mirror.observed(),
                    cloud: Some(Box::new(cloud)),
                })
            }
        }
    }

    /// Looks, also for what the input points at and is not ours.
    pub(super) async fn look_for(&self, input: &Input) -> Result<Looked, LookError> {
        let mut looked = self.look(&input.cluster().id).await?;
        looked.look_up(input).await;
        Ok(looked)
    }

    /// Looks, where there must be something to compare with.
    pub(super) async fn look_at_all(&self, cluster: &ClusterId) -> Result<Arc<Observed>, LookError> {
        match self.look(cluster).await? {
            Looked::Nothing => Err(LookError::Nothing),
            Looked::Seen { observed, .. } => Ok(observed),
        }
    }
}

/// Everything of a cluster in a project, and the hands to change it.
pub(super) async fn look(
    project: &str,
    endpoint: Option<&Url>,
    cluster: &ClusterId,
) -> Result<(Gce, Mirror), LookError> {
    let cloud = connect(project, endpoint, cluster)?;
    let mirror = Mirror::default();
    let failed =
        |source: CloudError| LookError::Look { project: project.to_owned(), source: Box::new(source) };
    mirror.fill(&cloud).await.map_err(failed)?;
    // Lists do not show who is in a group, and nobody is here to remember it.
    mirror.list_members(&cloud, mirror.unlisted().iter()).await.map_err(failed)?;
    Ok((cloud, mirror))
}

fn connect(project: &str, endpoint: Option<&Url>, cluster: &ClusterId) -> Result<Gce, LookError> {
    let metrics = Arc::new(Metrics::default());
    let client = crate::config::client(project, endpoint, &metrics, &Quota::default()).map_err(|source| {
        LookError::Client {
            endpoint: endpoint.map_or_else(|| gce::DEFAULT_ENDPOINT.to_owned(), ToString::to_string),
            source,
        }
    })?;
    Ok(Gce::new(client, Ownership::new(cluster.clone()), metrics))
}

fn read(path: &Path) -> Result<Observation, LookError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| LookError::Read { path: path.to_owned(), source })?;
    Observation::parse(&text).map_err(|source| LookError::Parse { path: path.to_owned(), source })
}
