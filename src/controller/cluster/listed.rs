//! A cluster, listed once: for commands that look at it and go. The same stores as those of the watches, filled by one list for each
//! kind; nothing is watched. Of Secrets only those are read that an Ingress of ours refers to, one by one, so that whoever runs such a
//! command needs no right to list them.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use kube::api::ListParams;
use kube::core::{ApiResource, DynamicObject, NamespaceResourceScope};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

use super::{secrets, write};
use crate::cloud::KeyPairs;
use crate::controller::source::{KeyPair, SourceError};
use crate::custom_resource::{BackendConfig, FrontendConfig, ManagedCertificate};
use crate::model::{CertificateFingerprint, Held, LoadBalancerKey, ObjectKey};
use crate::snapshot::stores::{Matters, Seen, Stores, Unread};
use crate::snapshot::{Cluster, ReadinessProbes, Snapshot};

/// Objects of one page of a list. The API server's own clients ask for as many.
const PAGE: u32 = 500;

/// What a cluster held when it was listed.
pub struct ListedCluster {
    client: Client,
    cluster: Cluster,
    stores: Stores,
}

/// The cluster could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// A kind could not be listed.
    #[error("listing {kind} of the cluster")]
    List {
        /// Which.
        kind: &'static str,
        /// Why not.
        #[source]
        source: kube::Error,
    },
    /// A Secret that an Ingress refers to could not be read.
    #[error("reading Secret {secret}, which an Ingress refers to")]
    Secret {
        /// Which.
        secret: ObjectKey,
        /// Why not.
        #[source]
        source: kube::Error,
    },
}

impl ListedCluster {
    /// Lists every kind that a snapshot is made of, in one namespace or in all.
    ///
    /// # Errors
    /// When a kind cannot be listed: unknown is not the same as empty.
    pub async fn list(client: Client, cluster: Cluster, namespace: Option<&str>) -> Result<Self, ListError> {
        let (classes, nodes, ingresses, services, slices) = tokio::try_join!(
            all::<IngressClass>(Api::all(client.clone()), "IngressClasses"),
            all::<Node>(Api::all(client.clone()), "Nodes"),
            all::<Ingress>(api(&client, namespace), "Ingresses"),
            all::<Service>(api(&client, namespace), "Services"),
            all::<EndpointSlice>(api(&client, namespace), "EndpointSlices"),
        )?;
        let (backend_configs, frontend_configs, certificates) = tokio::try_join!(
            custom::<BackendConfig>(&client, namespace, "BackendConfigs"),
            custom::<FrontendConfig>(&client, namespace, "FrontendConfigs"),
            custom::<ManagedCertificate>(&client, namespace, "ManagedCertificates"),
        )?;
        let mut stores = Stores::new(cluster.claim_classless, cluster.readiness_probes);
        put(&mut stores, classes, Stores::class);
        put(&mut stores, nodes, Stores::node);
        put(&mut stores, ingresses, Stores::ingress);
        put(&mut stores, services, Stores::service);
        put(&mut stores, slices, Stores::slice);
        if cluster.readiness_probes == ReadinessProbes::Read {
            put(&mut stores, all::<Pod>(api(&client, namespace), "Pods").await?, Stores::pod);
        }
        put(&mut stores, backend_configs, Stores::backend_config);
        put(&mut stores, frontend_configs, Stores::frontend_config);
        put(&mut stores, certificates, Stores::managed_certificate);

        let referred: Vec<ObjectKey> = stores.referred_secrets().iter().cloned().collect();
        let contents: Vec<_> = futures::stream::iter(referred.into_iter().map(|secret| {
            let client = client.clone();
            async move {
                match secrets::look_into(&client, &secret).await {
                    Ok(content) => Ok((secret, content)),
                    Err(source) => Err(ListError::Secret { secret, source }),
                }
            }
        }))
        .buffer_unordered(secrets::READERS)
        .try_collect()
        .await?;
        let versions = contents
            .iter()
            .filter_map(|(secret, content)| Some((secret.clone(), content.as_ref()?.0.clone())))
            .collect();
        put(&mut stores, versions, Stores::secret);
        for (secret, content) in contents {
            if let Some((version, certificate)) = content {
                let _ = stores.read(Unread { secret, version }, certificate);
            }
        }
        Ok(Self { client, cluster, stores })
    }

    /// The client that it was listed with.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The Ingress of that name.
    #[must_use]
    pub fn ingress(&self, key: &ObjectKey) -> Option<Arc<Ingress>> {
        self.stores.get_ingress(key)
    }

    /// What holds for the whole cluster.
    #[must_use]
    pub const fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Everything one translation may read.
    #[must_use]
    pub fn snapshot(&self, held: Held) -> Snapshot {
        self.stores.snapshot(self.cluster.clone(), Timestamp::now(), held)
    }

    /// Makes sure that an object cannot vanish unseen, and that it remembers these shared load balancers: the one thing that is ever written here.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn claim(
        &self,
        key: &ObjectKey,
        remembered: &BTreeSet<LoadBalancerKey>,
    ) -> Result<(), SourceError> {
        let Some(ingress) = self.stores.get_ingress(key) else {
            return Err(write::changed(write::CLAIM, key));
        };
        if let Some(patch) = write::claim(&ingress, remembered) {
            let api = Api::namespaced(self.client.clone(), &key.namespace);
            write::patch(&api, key, write::CLAIM, &patch).await?;
        }
        Ok(())
    }
}

impl KeyPairs for ListedCluster {
    async fn key_pair(
        &self,
        secret: &ObjectKey,
        fingerprint: &CertificateFingerprint,
    ) -> Result<KeyPair, SourceError> {
        secrets::key_pair(&self.client, secret, fingerprint).await
    }
}

impl Debug for ListedCluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListedCluster").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

fn api<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<Scope = NamespaceResourceScope>,
    K::DynamicType: Default,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// Objects as they stand: one that does not fit must not break the list of all. None where the cluster does not know the kind.
async fn custom<K>(
    client: &Client,
    namespace: Option<&str>,
    kind: &'static str,
) -> Result<Vec<DynamicObject>, ListError>
where
    K: Resource<Scope = NamespaceResourceScope>,
    K::DynamicType: Default,
{
    let resource = ApiResource::erase::<K>(&K::DynamicType::default());
    let api = match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    match all(api, kind).await {
        Err(ListError::List { source: kube::Error::Api(status), .. }) if status.code == 404 => Ok(Vec::new()),
        listed => listed,
    }
}

/// Every page.
async fn all<K>(api: Api<K>, kind: &'static str) -> Result<Vec<K>, ListError>
where
    K: Clone + Debug + DeserializeOwned,
{
    let mut objects = Vec::new();
    let mut page = ListParams::default().limit(PAGE);
    loop {
        let list = api.list(&page).await.map_err(|source| ListError::List { kind, source })?;
        objects.extend(list.items);
        match list.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page = page.continue_token(&token),
            None => return Ok(objects),
        }
    }
}

fn put<K>(stores: &mut Stores, objects: Vec<K>, see: fn(&mut Stores, Seen<K>) -> Matters) {
    // Everything is new here, so nothing is told apart.
    let _ = see(stores, Seen::Listing);
    for object in objects {
        let _ = see(stores, Seen::Item(object));
    }
    let _ = see(stores, Seen::Listed);
}
