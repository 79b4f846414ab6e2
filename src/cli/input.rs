//! The input of a command that looks and goes: manifests, or a cluster.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::cloud::KeyPairs;
use crate::controller::cluster::released::{self, ReleasedError};
use crate::controller::cluster::{ConnectError, ListError, ListedCluster, cluster_id, connect_to};
use crate::controller::folder::{self, INPUT_STREAM};
use crate::controller::source::{KeyPair, SourceError};
use crate::ingress::FINALIZER;
use crate::model::{CertificateFingerprint, ClusterId, Held, LoadBalancerKey, ObjectKey};
use crate::plan::InputPlace;
use crate::snapshot::manifests::{self, Diagnostic, Manifests, Supplies, World};
use crate::snapshot::{Cluster, ReadinessProbes, Snapshot};

/// Where the input is.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Input")]
pub(super) struct PlaceArguments {
    /// Folders and files of manifests (.yaml, .yml, .json); `-` is the input stream
    #[arg(value_name = "DIR")]
    pub(super) paths: Vec<PathBuf>,
    /// A cluster instead: that of this kubeconfig file. It is only read
    #[arg(long, value_name = "FILE", conflicts_with = "paths")]
    pub(super) kubeconfig: Option<PathBuf>,
    /// A cluster instead: that of this context of the kubeconfig. It is only read
    #[arg(long, value_name = "NAME", conflicts_with = "paths")]
    pub(super) context: Option<String>,
    /// Of the cluster, only this namespace
    #[arg(long, value_name = "NAMESPACE", conflicts_with = "paths")]
    pub(super) watch_namespace: Option<String>,
}

/// What a cluster's controller is told by its flags, so that the same is planned here.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "As the controller has it")]
pub(super) struct ClusterArguments {
    /// The cluster whose resources are meant: eight hexadecimal digits. By default a cluster's own, and for folders always the same
    #[arg(long, env = "GCLB_CLUSTER_ID", value_name = "ID", value_parser = crate::config::cluster_id)]
    pub(super) cluster_id: Option<ClusterId>,
    /// The VPC network of the nodes
    #[arg(long, env = "GCLB_NETWORK", value_name = "NAME", default_value = "default")]
    pub(super) network: String,
    /// The nodes' subnetwork
    #[arg(long, env = "GCLB_SUBNETWORK", value_name = "NAME", default_value = "default")]
    pub(super) subnetwork: String,
    /// Network tags of the nodes, for the firewall rule; without them it covers the whole network
    #[arg(long, env = "GCLB_NODE_TAGS", value_name = "TAG", value_delimiter = ',')]
    pub(super) node_tags: Vec<String>,
    /// Take Ingresses without a class too
    #[arg(long, env = "GCLB_CLAIM_CLASSLESS")]
    pub(super) claim_classless: bool,
    /// Do not look at pods: no health check is made from a readiness probe. For whoever may not list pods
    #[arg(long, env = "GCLB_IGNORE_READINESS_PROBES")]
    pub(super) ignore_readiness_probes: bool,
}

/// The input cannot be had.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(super) enum InputError {
    #[error("nothing to read")]
    #[diagnostic(help(
        "name folders or files of manifests, `-` for the input stream, or a cluster with --kubeconfig or --context"
    ))]
    None,
    #[error("connecting to the cluster")]
    #[diagnostic(help("see that `kubectl get ingress -A` works with the same kubeconfig and context"))]
    Connect(#[source] ConnectError),
    #[error("reading the cluster")]
    #[diagnostic(help(
        "rights to list ingresses, ingressclasses, services, endpointslices, nodes, pods (or --ignore-readiness-probes), backendconfigs, \
         frontendconfigs and managedcertificates, and to get the Secrets of spec.tls, are needed; \
         --watch-namespace narrows all but classes and nodes to one namespace"
    ))]
    List(#[source] ListError),
    #[error("reading which load balancers were released")]
    #[diagnostic(help(
        "the right to get the ConfigMap gclb-released is needed; --lease-namespace says where it is"
    ))]
    Released(#[source] ReleasedError),
}

/// The input, read.
pub(super) struct Input {
    cluster: Cluster,
    place: InputPlace,
    from: From,
}

enum From {
    Manifests { manifests: Box<Manifests>, world: Box<World> },
    Cluster(Box<ListedCluster>),
}

impl PlaceArguments {
    /// Where that is; `None` where nothing was said.
    pub(super) fn place(&self) -> Option<InputPlace> {
        let Self { paths, kubeconfig, context, watch_namespace } = self;
        let text = |path: &PathBuf| path.to_string_lossy().into_owned();
        if !paths.is_empty() {
            return Some(InputPlace::Manifests(paths.iter().map(text).collect()));
        }
        (kubeconfig.is_some() || context.is_some()).then(|| InputPlace::Cluster {
            kubeconfig: kubeconfig.as_ref().map(text),
            context: context.clone(),
            namespace: watch_namespace.clone(),
        })
    }
}

impl Input {
    /// Reads it.
    pub(super) async fn read(place: &PlaceArguments, settings: ClusterArguments) -> miette::Result<Self> {
        let place = place.place().ok_or(InputError::None)?;
        let ClusterArguments {
            cluster_id,
            network,
            subnetwork,
            node_tags,
            claim_classless,
            ignore_readiness_probes,
        } = settings;
        let node_tags = node_tags.into_iter().collect();
        let readiness_probes = ReadinessProbes::ignored_if(ignore_readiness_probes);
        let cluster = |id| Cluster { id, network, subnetwork, node_tags, claim_classless, readiness_probes };
        Self::read_as(place, cluster_id, cluster).await
    }

    /// Reads it, for the cluster of that id and settings. Without an id it is the cluster's own.
    pub(super) async fn read_as(
        place: InputPlace,
        id: Option<ClusterId>,
        cluster: impl FnOnce(ClusterId) -> Cluster,
    ) -> miette::Result<Self> {
        match &place {
            InputPlace::Manifests(paths) => {
                let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
                let manifests = Box::new(folder::read(&paths)?);
                let world = Box::new(manifests.world(&Supplies::default()));
                let cluster = cluster(id.unwrap_or_else(manifests::cluster_id));
                Ok(Self { cluster, place, from: From::Manifests { manifests, world } })
            }
            InputPlace::Cluster { kubeconfig, context, namespace } => {
                let file = kubeconfig.as_ref().map(PathBuf::from);
                let client =
                    connect_to(file.as_deref(), context.as_deref()).await.map_err(InputError::Connect)?;
                let id = match id {
                    Some(id) => id,
                    None => cluster_id(&client).await.map_err(InputError::Connect)?,
                };
                let cluster = cluster(id);
                let listed = ListedCluster::list(client, cluster.clone(), namespace.as_deref())
                    .await
                    .map_err(InputError::List)?;
                Ok(Self { cluster, place, from: From::Cluster(Box::new(listed)) })
            }
        }
    }

    /// What holds for the whole cluster.
    pub(super) const fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Where it came from.
    pub(super) const fn place(&self) -> &InputPlace {
        &self.place
    }

    /// Whether it can be read a second time.
    pub(super) fn can_be_read_again(&self) -> bool {
        !matches!(&self.place, InputPlace::Manifests(paths) if paths.iter().any(|path| path == INPUT_STREAM))
    }

    /// The manifests, where it is some.
    pub(super) fn manifests(&self) -> Option<&Manifests> {
        match &self.from {
            From::Manifests { manifests, world: _ } => Some(manifests),
            From::Cluster(_) => None,
        }
    }

    /// What is wrong with its manifests.
    pub(super) fn diagnostics(&self) -> Vec<Diagnostic> {
        match &self.from {
            From::Manifests { manifests, world } => {
                manifests.diagnostics.iter().chain(&world.diagnostics).cloned().collect()
            }
            From::Cluster(_) => Vec::new(),
        }
    }

    /// Everything one translation may read.
    pub(super) fn snapshot(&self, held: Held) -> Snapshot {
        match &self.from {
            From::Manifests { manifests: _, world } => {
                world.snapshot(self.cluster.clone(), Timestamp::now(), held)
            }
            From::Cluster(listed) => listed.snapshot(held),
        }
    }

    /// The load balancers that were given up, by the record of the cluster. Manifests have none.
    pub(super) async fn released(&self, namespace: &str) -> Result<BTreeSet<LoadBalancerKey>, InputError> {
        match &self.from {
            From::Manifests { .. } => Ok(BTreeSet::new()),
            From::Cluster(listed) => {
                released::released(listed.client(), namespace).await.map_err(InputError::Released)
            }
        }
    }

    /// The cluster, where it is one.
    pub(super) fn listed(&self) -> Option<&ListedCluster> {
        match &self.from {
            From::Manifests { .. } => None,
            From::Cluster(listed) => Some(listed),
        }
    }

    /// Makes sure that an object cannot vanish unseen, and that it remembers these shared load balancers, where it is in a cluster.
    pub(super) async fn claim(
        &self,
        object: &ObjectKey,
        remembered: &BTreeSet<LoadBalancerKey>,
    ) -> Result<(), SourceError> {
        match &self.from {
            From::Manifests { .. } => Ok(()),
            From::Cluster(listed) => listed.claim(object, remembered).await,
        }
    }
}

impl KeyPairs for Input {
    async fn key_pair(
        &self,
        secret: &ObjectKey,
        fingerprint: &CertificateFingerprint,
    ) -> Result<KeyPair, SourceError> {
        match &self.from {
            From::Manifests { manifests: _, world } => folder::key_pair(world, secret, fingerprint),
            From::Cluster(listed) => listed.key_pair(secret, fingerprint).await,
        }
    }
}

/// `now`, with the Ingresses that only `before` has as a cluster would have them where their manifests are taken away with
/// `kubectl delete`: being deleted.
pub(super) fn with_deleted(mut now: Snapshot, before: &Snapshot) -> Snapshot {
    let at = now.taken_at;
    for (key, ingress) in &before.ingresses {
        now.ingresses.entry(key.clone()).or_insert_with(|| {
            let mut deleted = ingress.clone();
            let metadata = &mut std::sync::Arc::make_mut(&mut deleted).metadata;
            metadata.deletion_timestamp = Some(Time(at));
            metadata.finalizers = Some(vec![FINALIZER.to_owned()]);
            deleted
        });
    }
    // A class that went with them is still needed to know whose they were.
    for (name, class) in &before.classes {
        now.classes.entry(name.clone()).or_insert_with(|| class.clone());
    }
    now
}
