//! The stores that the watches of an API server feed, fed here.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use gclb::controller::source::{KeyPair, NotReady, Source, SourceError};
use gclb::ingress::FINALIZER;
use gclb::model::{CertificateFingerprint, ClusterId, Held, LoadBalancerKey, ObjectKey};
use gclb::snapshot::stores::{Churned, Matters, Seen, Stores};
use gclb::snapshot::{Cluster, ReadinessProbes, Snapshot};
use gclb::status::{Event, Report};
use gclb::translate::{Churn, PodPorts};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use tokio::sync::Notify;

use crate::objects::{CLUSTER_ID, Setting};

pub(crate) struct Memory {
    stores: Mutex<Stores>,
    changed: Notify,
    churned: Notify,
}

impl Memory {
    pub(crate) fn new(setting: Setting) -> Self {
        let Setting { class, ingress, service, nodes } = setting;
        let mut stores = Stores::new(false, ReadinessProbes::Ignored);
        macro_rules! list {
            ($kind:ident, $items:expr) => {{
                let _ = stores.$kind(Seen::Listing);
                for item in $items {
                    let _ = stores.$kind(Seen::Item(item));
                }
                let _ = stores.$kind(Seen::Listed);
            }};
        }
        list!(class, [class]);
        list!(ingress, [ingress]);
        list!(service, [service]);
        list!(slice, []);
        list!(node, nodes);
        list!(secret, []);
        stores.without_custom_resources();
        Self { stores: Mutex::new(stores), changed: Notify::new(), churned: Notify::new() }
    }

    fn stores(&self) -> MutexGuard<'_, Stores> {
        self.stores.lock().unwrap()
    }

    /// The watch shows a slice.
    pub(crate) fn slice(&self, slice: EndpointSlice) {
        let matters = self.stores().slice(Seen::Put(slice));
        match matters {
            Matters::Yes => self.changed.notify_one(),
            Matters::Members => self.churned.notify_one(),
            Matters::No => {}
        }
    }

    fn finalizer(&self, object: &ObjectKey, finalizers: Option<Vec<String>>) {
        let mut stores = self.stores();
        let Some(ingress) = stores.get_ingress(object) else { return };
        let mut ingress = (*ingress).clone();
        ingress.metadata.finalizers = finalizers;
        // Our own writing is no news to us.
        let _ = stores.ingress(Seen::Put(ingress));
    }
}

impl Source for Memory {
    async fn changed(&self) {
        self.changed.notified().await;
    }

    async fn churned(&self) {
        self.churned.notified().await;
    }

    fn churn(&self, ports: &PodPorts) -> Churn {
        let mut stores = self.stores();
        let Churned { services, endpoints, nodes } = stores.churn();
        ports.churn(&services, &endpoints, nodes)
    }

    fn snapshot(&self, held: Held) -> Result<Snapshot, NotReady> {
        let cluster = Cluster::of(ClusterId::new(CLUSTER_ID).unwrap());
        Ok(self.stores().snapshot(cluster, jiff::Timestamp::now(), held))
    }

    async fn claim(&self, object: &ObjectKey, _: &BTreeSet<LoadBalancerKey>) -> Result<(), SourceError> {
        self.finalizer(object, Some(vec![FINALIZER.to_owned()]));
        Ok(())
    }

    async fn release(&self, object: &ObjectKey) -> Result<(), SourceError> {
        self.finalizer(object, None);
        Ok(())
    }

    async fn publish(&self, _: &ObjectKey, _: &Report, _: &[Event]) -> Result<(), SourceError> {
        Ok(())
    }

    async fn key_pair(&self, secret: &ObjectKey, _: &CertificateFingerprint) -> Result<KeyPair, SourceError> {
        Err(SourceError::Changed { doing: "read the key of", object: secret.to_string() })
    }
}
