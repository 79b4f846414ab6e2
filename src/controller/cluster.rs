//! The source that is a real cluster: what it watches, and what it writes to Ingresses.
//!
//! Watched are Ingresses, `IngressClass`es, Services, `EndpointSlice`s, Nodes, Pods (for their readiness probes), the custom resources of ingress-gce where the
//! cluster knows them, and of Secrets only the metadata. A Secret is read when an
//! Ingress of ours refers to it and its version changes; what is kept of it are facts about the certificate, never the key.
//! Written are, on Ingresses of ours: the finalizer, the status, the annotation `gclb.dev/status`, and Events about them.

mod checkpoints;
mod connect;
mod events;
mod listed;
pub mod released;
mod secrets;
mod watches;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use k8s_openapi::api::networking::v1::Ingress;
use kube::{Api, Client};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::source::{KeyPair, NotReady, Source, SourceError};
use crate::model::{CertificateFingerprint, Checkpoint, Held, LoadBalancerKey, ObjectKey, ResourceId};
use crate::snapshot::stores::{Churned, Matters, Seen, Stores};
use crate::snapshot::{Cluster, Snapshot};
use crate::status::{Event, Report};
use crate::translate::{Churn, PodPorts};
use checkpoints::Checkpoints;
pub use connect::{ConnectError, claimant, cluster_id, connect, connect_to};
use events::Events;
pub use listed::{ListError, ListedCluster};

/// A cluster, watched.
pub struct ClusterSource {
    client: Client,
    cluster: Cluster,
    watched: Arc<Watched>,
    events: Events,
    checkpoints: Option<Checkpoints>,
    /// Where the record of released load balancers is.
    namespace: Option<String>,
    _stop_watches: DropGuard,
}

impl fmt::Debug for ClusterSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterSource").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

/// What the watches and the rest share.
#[derive(Debug)]
struct Watched {
    stores: Mutex<Stores>,
    /// Something changed that can matter to a translation.
    changed: Notify,
    /// Only endpoints changed.
    churned: Notify,
    /// A Secret may have to be looked into.
    secrets: Notify,
}

impl Watched {
    fn stores(&self) -> MutexGuard<'_, Stores> {
        // A panic while it is held would leave at worst a change untold; every watch lists anew when it is restarted.
        self.stores.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, matters: Matters) {
        match matters {
            Matters::Yes => self.changed.notify_one(),
            Matters::Members => self.churned.notify_one(),
            Matters::No => {}
        }
    }
}

impl ClusterSource {
    /// Begins to watch, in one namespace or in all. Dropping the source ends that.
    #[must_use]
    pub fn start(client: Client, cluster: Cluster, namespace: Option<&str>) -> Self {
        let watched = Arc::new(Watched {
            stores: Mutex::new(Stores::new(cluster.claim_classless, cluster.readiness_probes)),
            changed: Notify::new(),
            churned: Notify::new(),
            secrets: Notify::new(),
        });
        let stop = CancellationToken::new();
        watches::start(&client, namespace, cluster.readiness_probes, &watched, &stop);
        tokio::spawn(
            stop.clone().run_until_cancelled_owned(secrets::keep_read(client.clone(), Arc::clone(&watched))),
        );
        let events = Events::new(client.clone());
        Self {
            client,
            cluster,
            watched,
            events,
            checkpoints: None,
            namespace: None,
            _stop_watches: stop.drop_guard(),
        }
    }

    /// Keeps the checkpoints of members in `ConfigMap`s of this namespace, and reads the record of released load balancers there.
    #[must_use]
    pub fn keeping_checkpoints_in(self, namespace: &str) -> Self {
        let checkpoints = Some(Checkpoints::new(&self.client, namespace));
        Self { checkpoints, namespace: Some(namespace.to_owned()), ..self }
    }

    /// Kinds that have not been listed yet.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        self.watched.stores().missing()
    }

    fn ingress(&self, object: &ObjectKey) -> Option<Arc<Ingress>> {
        self.watched.stores().get_ingress(object)
    }

    fn ingresses(&self, object: &ObjectKey) -> Api<Ingress> {
        Api::namespaced(self.client.clone(), &object.namespace)
    }

    /// The answer to a write is newer than what the watch has shown.
    fn written(&self, ingress: Ingress) {
        // It is our own doing: nothing new for a translation, and the watch will show it once more.
        let _ = self.watched.stores().ingress(Seen::Put(ingress));
    }
}

impl Source for ClusterSource {
    async fn changed(&self) {
        self.watched.changed.notified().await;
    }

    async fn churned(&self) {
        self.watched.churned.notified().await;
    }

    fn churn(&self, ports: &PodPorts) -> Churn {
        let mut stores = self.watched.stores();
        let Churned { services, endpoints, nodes } = stores.churn();
        ports.churn(&services, &endpoints, nodes)
    }

    async fn checkpoints(&self) -> Result<BTreeMap<ResourceId, Checkpoint>, SourceError> {
        match &self.checkpoints {
            Some(kept) => kept.read().await,
            None => Ok(BTreeMap::new()),
        }
    }

    async fn keep_checkpoints(
        &self,
        checkpoints: &BTreeMap<ResourceId, Option<Checkpoint>>,
    ) -> Result<(), SourceError> {
        match &self.checkpoints {
            Some(kept) => kept.write(checkpoints).await,
            None => Ok(()),
        }
    }

    async fn released(&self) -> Result<BTreeSet<LoadBalancerKey>, SourceError> {
        let Some(namespace) = &self.namespace else { return Ok(BTreeSet::new()) };
        released::released(&self.client, namespace).await.map_err(|error| SourceError::Failed {
            doing: "reading",
            object: "the record of released load balancers".to_owned(),
            source: Box::new(error),
        })
    }

    fn snapshot(&self, held: Held) -> Result<Snapshot, NotReady> {
        let stores = self.watched.stores();
        let missing = stores.missing();
        if missing.is_empty() {
            Ok(stores.snapshot(self.cluster.clone(), Timestamp::now(), held))
        } else {
            Err(NotReady { missing })
        }
    }

    async fn claim(
        &self,
        key: &ObjectKey,
        remembered: &BTreeSet<LoadBalancerKey>,
    ) -> Result<(), SourceError> {
        let Some(ingress) = self.ingress(key) else {
            return Err(write::changed(write::CLAIM, key));
        };
        if let Some(patch) = write::claim(&ingress, remembered) {
            let written = write::patch(&self.ingresses(key), key, write::CLAIM, &patch).await?;
            self.written(written);
        }
        Ok(())
    }

    async fn release(&self, key: &ObjectKey) -> Result<(), SourceError> {
        let Some(ingress) = self.ingress(key) else { return Ok(()) };
        self.events.forget(key);
        if let Some(patch) = write::release(&ingress) {
            match write::patch(&self.ingresses(key), key, write::RELEASE, &patch).await {
                Ok(written) => self.written(written),
                Err(error) => return write::unless_gone(&self.ingresses(key), key, error).await,
            }
        }
        Ok(())
    }

    async fn publish(&self, key: &ObjectKey, report: &Report, news: &[Event]) -> Result<(), SourceError> {
        let Some(ingress) = self.ingress(key) else { return Ok(()) };
        if news.is_empty() && !self.events.has_said(key) && write::says_less(&ingress, report) {
            return Ok(());
        }
        let api = self.ingresses(key);
        let mut known = write::is_told(&ingress, report);
        if let Some(patch) = write::status(&ingress, report) {
            known = false;
            match write::patch_status(&api, key, &patch).await {
                Ok(written) => self.written(written),
                Err(error) => return write::unless_gone(&api, key, error).await,
            }
        }
        if let Some(patch) = write::annotations(&ingress, report) {
            known = false;
            match write::patch(&api, key, write::TELL, &patch).await {
                Ok(written) => self.written(written),
                Err(error) => return write::unless_gone(&api, key, error).await,
            }
        }
        self.events.say(key, &ingress, &report.events, news, known).await
    }

    async fn key_pair(
        &self,
        secret: &ObjectKey,
        fingerprint: &CertificateFingerprint,
    ) -> Result<KeyPair, SourceError> {
        secrets::key_pair(&self.client, secret, fingerprint).await
    }
}
