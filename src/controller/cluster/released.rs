//! Load balancers that were given up without being deleted: a record in the cluster, one entry for each.
//!
//! The marks of their resources cannot be taken off (descriptions of proxies, certificates and others never change), so what is not ours
//! any more is written down here, and whoever would delete by a mark alone asks this first. Adopting will take an entry out again.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ingress::RELEASED;
use crate::model::{LoadBalancerKey, ObjectKey, ResourceId};

use super::write::{has_changed, without_ours};

/// The `ConfigMap`'s name.
pub const RECORD: &str = "gclb-released";

/// What is recorded of a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Released {
    /// Which: the key that is in the marks of its resources.
    pub load_balancer: String,
    /// When, in RFC 3339; for people.
    pub released_at: String,
    /// The objects that asked for it.
    pub objects: Vec<String>,
    /// What it consists of and uses, by path.
    pub resources: Vec<ResourceId>,
}

/// The record could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ReleasedError {
    /// It could not be read.
    #[error("reading the ConfigMap {namespace}/{RECORD}")]
    Read {
        /// Where.
        namespace: String,
        /// Why not.
        #[source]
        source: kube::Error,
    },
    /// An entry cannot be understood, so it is not known what was released.
    #[error("understanding the entry {entry} of the ConfigMap {namespace}/{RECORD}")]
    Understand {
        /// Where.
        namespace: String,
        /// Which entry.
        entry: String,
    },
    /// It could not be written.
    #[error("writing the ConfigMap {namespace}/{RECORD}")]
    Write {
        /// Where.
        namespace: String,
        /// Why not.
        #[source]
        source: kube::Error,
    },
    /// The object could not be let go.
    #[error("letting Ingress {object} go")]
    LetGo {
        /// Which.
        object: ObjectKey,
        /// Why not.
        #[source]
        source: kube::Error,
    },
}

/// The load balancers that are on record.
///
/// # Errors
/// When the record cannot be read, or an entry cannot be understood: then nobody knows what was released. No record is an empty one.
pub async fn released(client: &Client, namespace: &str) -> Result<BTreeSet<LoadBalancerKey>, ReleasedError> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let record = api
        .get_opt(RECORD)
        .await
        .map_err(|source| ReleasedError::Read { namespace: namespace.to_owned(), source })?;
    let entries = record.and_then(|record| record.data).unwrap_or_default();
    entries
        .into_iter()
        .map(|(entry, text)| {
            serde_json::from_str::<Released>(&text)
                .ok()
                .and_then(|released| released.load_balancer.parse().ok())
                .ok_or(ReleasedError::Understand { namespace: namespace.to_owned(), entry })
        })
        .collect()
}

/// Records that a load balancer is given up. Writing the same again changes nothing.
///
/// # Errors
/// When it could not be written.
pub async fn record(
    client: &Client,
    namespace: &str,
    key: &LoadBalancerKey,
    released: &Released,
) -> Result<(), ReleasedError> {
    let failed = |source| ReleasedError::Write { namespace: namespace.to_owned(), source };
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let text = serde_json::to_string(released).expect("texts and lists can be written as JSON");
    let entries = BTreeMap::from([(entry(key), text)]);
    if api.get_opt(RECORD).await.map_err(failed)?.is_none() {
        let mut record = ConfigMap::default();
        record.metadata.name = Some(RECORD.to_owned());
        match api.create(&PostParams::default(), &record).await {
            Ok(_) => {}
            // Somebody else was quicker.
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let patch = json!({ "data": entries });
    api.patch(RECORD, &PatchParams::default(), &Patch::Merge(&patch)).await.map(drop).map_err(failed)
}

/// Keys of a `ConfigMap` hold no slash, and names of Kubernetes no underscore.
fn entry(key: &LoadBalancerKey) -> String {
    key.to_string().replace('/', "_")
}

/// How often an object that changes under our hands is looked at again: each time somebody else has got a write through, and nobody writes
/// to one Ingress ten times while we ask.
const LOOKS: usize = 10;

/// Takes our finalizer and our annotations off an Ingress, and says on it that it is not ours any more: all in one write. Where the object
/// has changed since it was read (the controller tells its health, say), it is read again. One that is gone, or was made anew since, is not
/// the one that was asked about, and nothing is done to it.
///
/// # Errors
/// When it could not be written.
pub async fn let_go(client: &Client, ingress: &Ingress, released_at: &str) -> Result<(), ReleasedError> {
    let metadata = &ingress.metadata;
    let object = ObjectKey::new(
        metadata.namespace.clone().unwrap_or_default(),
        metadata.name.clone().unwrap_or_default(),
    );
    let api: Api<Ingress> = Api::namespaced(client.clone(), &object.namespace);
    let mut now = ingress.clone();
    let mut left = LOOKS;
    loop {
        let written =
            api.patch(&object.name, &PatchParams::default(), &Patch::Merge(&patch(&now, released_at))).await;
        let Err(source) = written else { return Ok(()) };
        left -= 1;
        if !has_changed(&source) || left == 0 {
            return Err(ReleasedError::LetGo { object, source });
        }
        now = match api.get_opt(&object.name).await {
            Ok(Some(found)) if found.metadata.uid == ingress.metadata.uid => found,
            Ok(_) => return Ok(()),
            Err(source) => return Err(ReleasedError::LetGo { object, source }),
        };
    }
}

fn patch(ingress: &Ingress, released_at: &str) -> Value {
    let mut patch = without_ours(ingress);
    patch["metadata"]["annotations"][RELEASED] = released_at.into();
    patch
}

#[cfg(test)]
mod tests;
