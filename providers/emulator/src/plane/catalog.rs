//! A snapshot of the state, in the form the compiler of programs reads.

use crate::dataplane::program::NetworkEndpoint;
use crate::dataplane::resource_id::InstanceId;
use crate::program::Resources;
use crate::state::{State, Stored};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The resources as they stood at one moment. Cheap to take: bodies are shared with the state.
pub(super) struct Catalog {
    /// By collection, in the order of the state.
    listed: BTreeMap<&'static str, Vec<String>>,
    by_path: BTreeMap<String, Arc<Stored>>,
}

impl Catalog {
    pub(super) fn of(state: &State) -> Self {
        let mut listed: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        let mut by_path = BTreeMap::new();
        for collection in state.collections() {
            for (path, stored) in state.all(collection) {
                let path = path.to_string();
                listed.entry(collection).or_default().push(path.clone());
                by_path.insert(path, Arc::clone(stored));
            }
        }
        Self { listed, by_path }
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
