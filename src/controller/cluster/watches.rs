//! One watch for each kind of object, from the API server into the stores.
//!
//! A watch that fails is begun again with a growing pause; what it has shown stays until it has listed anew, since an API server that
//! does not answer has not said that there is nothing.
//!
//! A kind whose definition is not installed has no objects; it is looked for again like a watch that fails, at most half a minute later
//! each time, so that it can be installed while the controller runs.

use std::fmt::Debug;
use std::sync::Arc;

use futures::{StreamExt as _, pin_mut};
use k8s_openapi::api::core::v1::{Node, Pod, Secret, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use kube::core::{ApiResource, DynamicObject, NamespaceResourceScope, PartialObjectMeta};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::Watched;
use crate::cloud::chain;
use crate::custom_resource::{BackendConfig, FrontendConfig, ManagedCertificate};
use crate::model::ObjectKey;
use crate::snapshot::ReadinessProbes;
use crate::snapshot::stores::{Matters, Seen, Stores};

/// Begins all watches.
pub(super) fn start(
    client: &Client,
    namespace: Option<&str>,
    readiness_probes: ReadinessProbes,
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
    if readiness_probes == ReadinessProbes::Read {
        begin.namespaced("Pods", Stores::pod as fn(&mut Stores, Seen<Pod>) -> Matters);
    }
    begin.custom::<BackendConfig>("BackendConfigs", Stores::backend_config);
    begin.custom::<FrontendConfig>("FrontendConfigs", Stores::frontend_config);
    begin.custom::<ManagedCertificate>("ManagedCertificates", Stores::managed_certificate);
}

/// Whether a cluster must know a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Always,
    /// It is known where its definition was installed, and from then on.
    WhereInstalled,
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
        Seen::NoSuchKind => Seen::NoSuchKind,
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
        self.begin(Api::all(self.client.clone()), kind, Kind::Always, put);
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
        self.begin(api, kind, Kind::Always, put);
    }

    /// Objects as they stand: one that does not fit must not break the list of all.
    fn custom<K>(&self, kind: &'static str, put: fn(&mut Stores, Seen<DynamicObject>) -> Matters)
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        let resource = ApiResource::erase::<K>(&K::DynamicType::default());
        let api = match self.namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        };
        self.begin(api, kind, Kind::WhereInstalled, put);
    }

    fn begin<K>(&self, api: Api<K>, name: &'static str, kind: Kind, put: fn(&mut Stores, Seen<K>) -> Matters)
    where
        K: Resource + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    {
        let watched = Arc::clone(self.watched);
        tokio::spawn(self.stop.clone().run_until_cancelled_owned(watch(api, name, kind, watched, put)));
    }
}

/// Never returns.
async fn watch<K>(
    api: Api<K>,
    kind: &'static str,
    is_known: Kind,
    watched: Arc<Watched>,
    put: fn(&mut Stores, Seen<K>) -> Matters,
) where
    K: Resource + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let events = watcher(api, watcher::Config::default()).default_backoff();
    pin_mut!(events);
    let mut failing = false;
    let mut absent = false;
    let mut was_listed = false;
    while let Some(event) = events.next().await {
        let seen = match event {
            Ok(event) => event,
            Err(error) if is_known == Kind::WhereInstalled && is_no_such_kind(&error) => {
                if !std::mem::replace(&mut absent, true) {
                    if was_listed {
                        warn!(
                            kind,
                            "the cluster does not know this kind any more; what was known of its objects stays as it is"
                        );
                    } else {
                        info!(
                            kind,
                            "the cluster does not know this kind; it is looked for again in case it is installed"
                        );
                    }
                }
                failing = false;
                let matters = put(&mut watched.stores(), Seen::NoSuchKind);
                watched.note(matters);
                continue;
            }
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
        if !matches!(seen, watcher::Event::Init) && std::mem::take(&mut absent) {
            info!(kind, "the cluster knows this kind now");
        }
        was_listed |= matches!(seen, watcher::Event::InitDone);
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

/// Whether the API server has nothing of that name to list or to watch.
fn is_no_such_kind(error: &watcher::Error) -> bool {
    let code = match error {
        watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error) => match error {
            kube::Error::Api(status) => status.code,
            _ => return false,
        },
        watcher::Error::WatchError(status) => status.code,
        _ => return false,
    };
    code == 404
}
