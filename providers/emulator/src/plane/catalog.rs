//! The state as it stood, in the form the compiler of programs reads.

use crate::dataplane::program::NetworkEndpoint;
use crate::dataplane::resource_id::InstanceId;
use crate::program::Resources;
use crate::scope::ResourcePath;
use crate::state::{State, Stored};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The resources as they stood at one moment. Bodies are shared with the state.
#[derive(Default)]
pub(super) struct Catalog {
    /// By collection, in the order of their paths.
    listed: HashMap<&'static str, BTreeSet<String>>,
    by_path: HashMap<String, Arc<Stored>>,
}

impl Catalog {
    /// Everything there is.
    pub(super) fn of(state: &State) -> Self {
        let mut catalog = Self::default();
        for collection in state.collections() {
            for (path, stored) in state.all(collection) {
                catalog.take_up(&path, Some(stored));
            }
        }
        catalog
    }

    /// Whether there is such a resource.
    pub(super) fn has(&self, path: &ResourcePath) -> bool {
        self.by_path.contains_key(&path.to_string())
    }

    /// Takes up what has become of one resource; its path as it is listed.
    pub(super) fn take_up(&mut self, path: &ResourcePath, stored: Option<&Arc<Stored>>) -> String {
        let text = path.to_string();
        match stored {
            Some(stored) => {
                if self.by_path.insert(text.clone(), Arc::clone(stored)).is_none() {
                    self.listed.entry(path.collection).or_default().insert(text.clone());
                }
            }
            None => {
                if self.by_path.remove(&text).is_some()
                    && let Some(listed) = self.listed.get_mut(path.collection)
                {
                    listed.remove(&text);
                }
            }
        }
        text
    }
}

impl Resources for Catalog {
    fn list(&self, collection: &str) -> Vec<(&str, &Value)> {
        let paths = self.listed.get(collection).into_iter().flatten();
        paths.filter_map(|path| Some((path.as_str(), self.get(path)?))).collect()
    }

    fn get(&self, path: &str) -> Option<&Value> {
        self.by_path.get(path).map(|stored| stored.body())
    }

    fn network_endpoints(&self, group: &str) -> Vec<NetworkEndpoint> {
        let members = self.by_path.get(group).into_iter().flat_map(|group| group.members.values());
        members
            .filter_map(|member| {
                Some(NetworkEndpoint {
                    instance: member.get("instance").and_then(Value::as_str).map(InstanceId::new),
                    address: member.get("ipAddress")?.as_str()?.parse().ok()?,
                    port: u16::try_from(member.get("port")?.as_u64()?).ok()?,
                })
            })
            .collect()
    }

    fn group_members(&self, group: &str) -> Vec<String> {
        self.by_path.get(group).map(|group| group.members.keys().cloned().collect()).unwrap_or_default()
    }

    fn private_key(&self, ssl_certificate: &str) -> Option<&str> {
        self.by_path.get(ssl_certificate)?.secrets.get("privateKey")?.as_str()
    }
}
