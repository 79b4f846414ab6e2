//! One watch for each kind of object, from the API server into the stores.
//!
//! A watch that fails is begun again with a growing pause; what it has shown stays until it has listed anew, since an API server that
//! does not answer has not said that there is nothing.

use std::fmt::Debug;
use std::sync::Arc;

use futures::{StreamExt as _, pin_mut};
use k8s_openapi::api::core::v1::{Node, Secret, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use kube::core::{NamespaceResourceScope, PartialObjectMeta};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::Watched;
use crate::cloud::chain;
use crate::model::ObjectKey;
use crate::snapshot::stores::{Matters, Seen, Stores};

/// Begins all watches.
pub(super) fn start(
    client: &Client,
    namespace: Option<&str>,
    watched: &Arc<Watched>,
    stop: &CancellationToken,
) {
    let begin = Begin { client, namespace, watched, stop };
    begin.cluster_wide("IngressClasses", Stores::class as fn(&mut Stores, Seen<IngressClass>) -> Matters);
    begin.cluster_wide("Nodes", Stores::node as fn(&mut Stores, Seen<Node>) -> Matters);
    begin.namespaced("Ingresses", Stores::ingress as fn(&mut Stores, Seen<Ingress>) -> Matters);
    begin.namespaced("Services", Stores::service as fn(&mut Stores, Seen<Service>) -> Matters);
    begin.namespaced("EndpointSlices", Stores::slice as fn(&mut Stores, Seen<EndpointSlice>) -> Matters);
    begin.namespaced("Secrets", secret);
}

/// Of Secrets only their metadata travels.
fn secret(stores: &mut Stores, seen: Seen<PartialObjectMeta<Secret>>) -> Matters {
    let version = |secret: PartialObjectMeta<Secret>| {
        let metadata = secret.metadata;
        let key = ObjectKey::new(metadata.namespace.unwrap_or_default(), metadata.name.unwrap_or_default());
        (key, metadata.resource_version.unwrap_or_default())
    };
    stores.secret(match seen {
        Seen::Listing => Seen::Listing,
        Seen::Item(object) => Seen::Item(version(object)),
        Seen::Listed => Seen::Listed,
        Seen::Put(object) => Seen::Put(version(object)),
        Seen::Gone(object) => Seen::Gone(version(object)),
    })
}

struct Begin<'a> {
    client: &'a Client,
    namespace: Option<&'a str>,
    watched: &'a Arc<Watched>,
    stop: &'a CancellationToken,
}

impl Begin<'_> {
    fn cluster_wide<K>(&self, kind: &'static str, put: fn(&mut Stores, Seen<K>) -> Matters)
    where
        K: Resource + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
        K::DynamicType: Default,
    {
        self.begin(Api::all(self.client.clone()), kind, put);
    }

    fn namespaced<K>(&self, kind: &'static str, put: fn(&mut Stores, Seen<K>) -> Matters)
    where
        K: Resource<Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned
            + Send
            + Sync
            + 'static,
        K::DynamicType: Default,
    {
        let api = match self.namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        };
        self.begin(api, kind, put);
    }

    fn begin<K>(&self, api: Api<K>, kind: &'static str, put: fn(&mut Stores, Seen<K>) -> Matters)
    where
        K: Resource + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    {
        let watched = Arc::clone(self.watched);
        tokio::spawn(self.stop.clone().run_until_cancelled_owned(watch(api, kind, watched, put)));
    }
}

/// Never returns.
async fn watch<K>(
    api: Api<K>,
    kind: &'static str,
    watched: Arc<Watched>,
    put: fn(&mut Stores, Seen<K>) -> Matters,
) where
    K: Resource + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let events = watcher(api, watcher::Config::default()).default_backoff();
    pin_mut!(events);
    let mut failing = false;
    while let Some(event) = events.next().await {
        let seen = match event {
            Ok(event) => event,
            // Said once, not at each try.
            Err(error) => {
                let error = chain(&error);
                if std::mem::replace(&mut failing, true) {
                    debug!(kind, error, "the watch still fails");
                } else {
                    warn!(kind, error, "the watch failed; it is begun again until it succeeds");
                }
                continue;
            }
        };
        // A list that has only begun may still be refused.
        if !matches!(seen, watcher::Event::Init) && std::mem::take(&mut failing) {
            warn!(kind, "the watch works again");
        }
        let seen = match seen {
            watcher::Event::Init => Seen::Listing,
            watcher::Event::InitApply(object) => Seen::Item(object),
            watcher::Event::InitDone => Seen::Listed,
            watcher::Event::Apply(object) => Seen::Put(object),
            watcher::Event::Delete(object) => Seen::Gone(object),
        };
        let matters = put(&mut watched.stores(), seen);
        if matters == Matters::Yes {
            // It may be a Secret, or an Ingress that refers to one.
            watched.secrets.notify_one();
        }
        watched.note(matters);
    }
}
