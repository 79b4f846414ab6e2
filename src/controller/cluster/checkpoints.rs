//! Checkpoints of the members of network endpoint groups, kept in `ConfigMap`s.
//!
//! A `ConfigMap` holds a mebibyte, and 30,000 groups take about three; so there are [`SHARDS`] of them, with fixed names, and a group's
//! name says in which it is. Each has a key for each of its groups: `ZONE.NAME`, which both are lower-case letters, digits and dashes.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::controller::source::SourceError;
use crate::model::{Checkpoint, Kind, ResourceId, ResourceName, Scope, Zone};

/// How many `ConfigMap`s there are. Changing it only makes what is kept be forgotten.
const SHARDS: u32 = 16;

/// So many are read or written at a time.
const AT_A_TIME: usize = 4;

const FIELD_MANAGER: &str = "gclb";

/// Where they are kept.
#[derive(Debug)]
pub(super) struct Checkpoints {
    api: Api<ConfigMap>,
}

impl Checkpoints {
    pub(super) fn new(client: &Client, namespace: &str) -> Self {
        Self { api: Api::namespaced(client.clone(), namespace) }
    }

    /// Everything that is kept. What is not understood is as good as not kept.
    pub(super) async fn read(&self) -> Result<BTreeMap<ResourceId, Checkpoint>, SourceError> {
        let reading: Vec<BoxFuture<'_, _>> = (0..SHARDS)
            .map(|shard| {
                let name = name(shard);
                async move { self.api.get_opt(&name).await.map_err(|error| failed("read", &name, error)) }
                    .boxed()
            })
            .collect();
        let shards: Vec<Option<ConfigMap>> =
            futures::stream::iter(reading).buffer_unordered(AT_A_TIME).try_collect().await?;
        let entries = shards.into_iter().flatten().filter_map(|shard| shard.data).flatten();
        Ok(entries.filter_map(|(key, value)| Some((group(&key)?, Checkpoint::parse(&value)?))).collect())
    }

    /// Changes what is kept of these groups, with one write for each `ConfigMap` that is concerned.
    pub(super) async fn write(
        &self,
        checkpoints: &BTreeMap<ResourceId, Option<Checkpoint>>,
    ) -> Result<(), SourceError> {
        let mut shards: BTreeMap<u32, BTreeMap<String, Value>> = BTreeMap::new();
        for (id, checkpoint) in checkpoints {
            let Some(key) = key(id) else { continue };
            // In a merge patch null takes a key away.
            let value = checkpoint.map_or(Value::Null, |checkpoint| Value::String(checkpoint.to_string()));
            shards.entry(shard(&key)).or_default().insert(key, value);
        }
        let writing: Vec<BoxFuture<'_, Result<(), SourceError>>> =
            shards.into_iter().map(|(shard, data)| self.write_one(shard, data).boxed()).collect();
        futures::stream::iter(writing).buffer_unordered(AT_A_TIME).try_collect().await
    }

    async fn write_one(&self, shard: u32, data: BTreeMap<String, Value>) -> Result<(), SourceError> {
        let name = name(shard);
        let parameters =
            PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        match self.api.patch(&name, &parameters, &Patch::Merge(json!({ "data": data }))).await {
            Ok(_) => return Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => return Err(failed("write", &name, error)),
        }
        let text = |value: Value| value.as_str().map(str::to_owned);
        let made = ConfigMap {
            metadata: ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() },
            data: Some(data.into_iter().filter_map(|(key, value)| Some((key, text(value)?))).collect()),
            ..ConfigMap::default()
        };
        let parameters =
            PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        self.api.create(&parameters, &made).await.map_err(|error| failed("make", &name, error))?;
        Ok(())
    }
}

fn name(shard: u32) -> String {
    format!("gclb-members-{shard}")
}

fn failed(doing: &'static str, name: &str, error: kube::Error) -> SourceError {
    SourceError::Failed { doing, object: format!("ConfigMap {name}"), source: Box::new(error) }
}

/// `None` for what is not a zonal group: there is none such.
fn key(id: &ResourceId) -> Option<String> {
    match (&id.scope, id.kind) {
        (Scope::Zone(Zone(zone)), Kind::NetworkEndpointGroup) => Some(format!("{zone}.{}", id.name)),
        _ => None,
    }
}

fn group(key: &str) -> Option<ResourceId> {
    let (zone, name) = key.split_once('.')?;
    let scope = Scope::Zone(Zone(zone.to_owned()));
    Some(ResourceId { kind: Kind::NetworkEndpointGroup, scope, name: ResourceName::new(name).ok()? })
}

/// FNV-1a: spreads well enough, and is the same everywhere.
fn shard(key: &str) -> u32 {
    let hash =
        key.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash % SHARDS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u32) -> ResourceId {
        let name =
            ResourceName::new(format!("gclb1-0a1b2c3d-shop-web-{n:08x}-a-long-name-as-long-as-they-go"))
                .unwrap();
        ResourceId {
            kind: Kind::NetworkEndpointGroup,
            scope: Scope::Zone(Zone("us-central1-a".into())),
            name,
        }
    }

    #[test]
    fn a_key_leads_back_to_its_group() {
        assert_eq!(group(&key(&id(7)).unwrap()), Some(id(7)));
        assert_eq!(group("nonsense"), None);
        assert_eq!(group("zone.No Name"), None);
        assert_eq!(key(&ResourceId { scope: Scope::Global, ..id(7) }), None);
    }

    /// A `ConfigMap` holds a mebibyte; half of that is left free.
    #[test]
    fn thirty_thousand_groups_fit() {
        let mut sizes = BTreeMap::new();
        for n in 0..30_000 {
            let key = key(&id(n)).unwrap();
            *sizes.entry(shard(&key)).or_insert(0) += key.len() + "10000.0123456789abcdef".len() + 8;
        }
        assert_eq!(sizes.len(), 16);
        assert!(sizes.values().all(|size| *size < 512 * 1024), "{sizes:?}");
    }
}
