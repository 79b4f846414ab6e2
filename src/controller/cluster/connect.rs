//! Finding the API server, and telling this cluster from others.

use std::path::Path;

use k8s_openapi::api::core::v1::Namespace;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Api, Client, Config};

use crate::model::{ClusterId, InvalidName};

/// The namespace that is made with a cluster and never deleted, so its UID is the cluster's.
const LIVES_LONGEST: &str = "kube-system";

/// The API server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig file cannot be used.
    #[error("read the kubeconfig {path}")]
    Kubeconfig {
        /// Which file.
        path: String,
        /// Why not.
        #[source]
        source: KubeconfigError,
    },
    /// The kubeconfig that the environment names has no such context, or cannot be used.
    #[error("use the context {name} of the kubeconfig")]
    Context {
        /// Which context.
        name: String,
        /// Why not.
        #[source]
        source: KubeconfigError,
    },
    /// There is no kubeconfig, and this is not a pod of a cluster.
    #[error("find the API server: give --kubeconfig, set KUBECONFIG, or run in a pod of the cluster")]
    NoConfig {
        /// Why not.
        #[source]
        source: kube::config::InferConfigError,
    },
    /// The configuration makes no client.
    #[error("make a client of the API server")]
    Client {
        /// Why not.
        #[source]
        source: kube::Error,
    },
    /// The namespace cannot be read that the cluster's id is taken from.
    #[error("read the namespace kube-system for the cluster's id: grant it, or give --cluster-id")]
    ClusterId {
        /// Why not.
        #[source]
        source: kube::Error,
    },
    /// The namespace cannot be read by which this cluster is told from others.
    #[error("read the namespace {namespace}, whose UID tells this cluster from others")]
    Claimant {
        /// Which.
        namespace: String,
        /// Why not.
        #[source]
        source: kube::Error,
    },
    /// Its UID is not of the form that Kubernetes gives.
    #[error("take the cluster's id from the UID {uid:?} of the namespace kube-system: give --cluster-id")]
    StrangeUid {
        /// What it is.
        uid: String,
        /// Why it will not do.
        #[source]
        source: InvalidName,
    },
}

/// A client of the API server that the kubeconfig file names; without one, of that which the environment names (`KUBECONFIG`,
/// `~/.kube/config`, or being a pod).
///
/// # Errors
/// When there is no usable configuration. Nothing is sent yet.
pub async fn connect(kubeconfig: Option<&Path>) -> Result<Client, ConnectError> {
    connect_to(kubeconfig, None).await
}

/// The same, by the context of that name instead of the current one.
///
/// # Errors
/// When there is no usable configuration, or no such context in it. Nothing is sent yet.
pub async fn connect_to(kubeconfig: Option<&Path>, context: Option<&str>) -> Result<Client, ConnectError> {
    let options = KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
    let config = match (kubeconfig, context) {
        (Some(path), _) => {
            let failed = |source| ConnectError::Kubeconfig { path: path.display().to_string(), source };
            let file = Kubeconfig::read_from(path).map_err(failed)?;
            Config::from_custom_kubeconfig(file, &options).await.map_err(failed)?
        }
        (None, Some(name)) => {
            let failed = |source| ConnectError::Context { name: name.to_owned(), source };
            Config::from_kubeconfig(&options).await.map_err(failed)?
        }
        (None, None) => Config::infer().await.map_err(|source| ConnectError::NoConfig { source })?,
    };
    Client::try_from(config).map_err(|source| ConnectError::Client { source })
}

/// The first eight hexadecimal digits of the UID of `kube-system`.
///
/// # Errors
/// When the namespace cannot be read.
pub async fn cluster_id(client: &Client) -> Result<ClusterId, ConnectError> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let namespace =
        namespaces.get(LIVES_LONGEST).await.map_err(|source| ConnectError::ClusterId { source })?;
    let uid = namespace.metadata.uid.unwrap_or_default();
    let first = uid.split('-').next().unwrap_or_default().to_lowercase();
    ClusterId::new(first).map_err(|source| ConnectError::StrangeUid { uid, source })
}

/// Which cluster this is, in words that no other has: the UID of `kube-system`, or where that may not be read, of the one namespace that
/// is watched. `None`: neither may be read.
///
/// # Errors
/// When the API server does not say.
pub async fn claimant(client: &Client, watched: Option<&str>) -> Result<Option<String>, ConnectError> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    for name in [Some(LIVES_LONGEST), watched].into_iter().flatten() {
        match namespaces.get(name).await {
            Ok(Namespace { metadata, .. }) => {
                return Ok(metadata.uid.map(|uid| format!("namespace {name} {uid}")));
            }
            Err(kube::Error::Api(status)) if status.code == 403 => {}
            Err(source) => return Err(ConnectError::Claimant { namespace: name.to_owned(), source }),
        }
    }
    Ok(None)
}
