//! Instances, as the emulator is told of them: the machines that carry nodes, pods or servers.

use crate::scope::{ResourcePath, Scope};
use ipnet::Ipv4Net;
use serde_json::{Map, Value, json};
use std::net::Ipv4Addr;

/// A machine of the emulated cloud.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Instance {
    /// The project's id.
    pub project: String,
    /// The zone's name, for example `us-central1-a`.
    pub zone: String,
    /// The instance's name.
    pub name: String,
    /// Its primary internal address.
    pub address: Ipv4Addr,
    /// Ranges of further addresses that belong to it (those of its pods).
    #[serde(default)]
    pub alias_ranges: Vec<Ipv4Net>,
    /// Network tags, which firewall rules name.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The network it is in.
    #[serde(default = "default_network")]
    pub network: String,
}

fn default_network() -> String {
    "default".to_owned()
}

/// Why an instance was not registered.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RegisterError {
    /// The name is no resource name.
    #[error(
        "registering the instance '{name}': the name must have 1 to 63 lower-case letters, digits and dashes and begin with a letter"
    )]
    Name {
        /// What was given.
        name: String,
    },
    /// The project is no project id.
    #[error("registering the instance '{name}': '{project}' is no project id")]
    Project {
        /// The instance.
        name: String,
        /// What was given.
        project: String,
    },
    /// The project has no such zone.
    #[error(
        "registering the instance '{name}': there is no zone '{zone}'; see GET /compute/v1/projects/{project}/zones"
    )]
    Zone {
        /// The instance.
        name: String,
        /// Its project.
        project: String,
        /// What was given.
        zone: String,
    },
    /// The project has no such network.
    #[error("registering the instance '{name}': the project '{project}' has no network '{network}'")]
    Network {
        /// The instance.
        name: String,
        /// Its project.
        project: String,
        /// What was given.
        network: String,
    },
    /// An operation holds the instance.
    #[error(
        "registering the instance '{name}': an operation on it is still running; try again when it is done"
    )]
    Busy {
        /// The instance.
        name: String,
    },
}

impl Instance {
    pub(crate) fn path(&self) -> ResourcePath {
        ResourcePath {
            project: self.project.clone(),
            scope: Scope::Zone(self.zone.clone()),
            collection: "instances",
            name: self.name.clone(),
        }
    }

    pub(crate) fn network_path(&self) -> ResourcePath {
        ResourcePath {
            project: self.project.clone(),
            scope: Scope::Global,
            collection: "networks",
            name: self.network.clone(),
        }
    }

    /// The body it has in the API.
    pub(crate) fn body(&self) -> Map<String, Value> {
        let ranges: Vec<Value> =
            self.alias_ranges.iter().map(|range| json!({ "ipCidrRange": range.to_string() })).collect();
        let mut interface = json!({
            "name": "nic0",
            "network": self.network_path().to_string(),
            "networkIP": self.address.to_string(),
        });
        if !ranges.is_empty() {
            interface["aliasIpRanges"] = json!(ranges);
        }
        let mut tags = Map::new();
        if !self.tags.is_empty() {
            tags.insert("items".to_owned(), json!(self.tags));
        }
        let mut body = Map::new();
        body.insert("status".to_owned(), json!("RUNNING"));
        body.insert("tags".to_owned(), Value::Object(tags));
        body.insert("networkInterfaces".to_owned(), json!([interface]));
        body
    }
}
