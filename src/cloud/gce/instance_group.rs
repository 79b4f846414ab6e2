//! Instance groups.

use std::collections::{BTreeMap, BTreeSet};

use gce_api::{InstanceGroup as WireInstanceGroup, InstanceWithNamedPorts, NamedPort};

use super::link::{Links, short_name};
use super::wire::{NotUnderstood, Unspeakable, Wire};
use crate::model::{InstanceGroup, Mark, ResourceId, Scope};

impl Wire for WireInstanceGroup {
    type Model = InstanceGroup;

    fn write(model: &InstanceGroup, id: &ResourceId, mark: &Mark, _: &Links) -> Result<Self, Unspeakable> {
        // The network is that of the first instance, and members join by a call of their own.
        let InstanceGroup { network: _, named_ports, members: _ } = model;
        Ok(Self {
            name: Some(id.name.to_string()),
            description: Some(mark.render()),
            named_ports: (!named_ports.is_empty()).then(|| named_ports_to_wire(named_ports)),
            ..Self::default()
        })
    }

    fn read(&self, _: &Scope) -> Result<InstanceGroup, NotUnderstood> {
        Ok(InstanceGroup {
            network: short_name(self.network.as_deref()),
            named_ports: self
                .named_ports
                .iter()
                .flatten()
                .filter_map(|named| Some((named.name.clone()?, u16::try_from(named.port?).ok()?)))
                .collect(),
            members: BTreeSet::new(),
        })
    }

    fn created(&self) -> Option<&str> {
        self.creation_timestamp.as_deref()
    }
}

pub(super) fn named_ports_to_wire(ports: &BTreeMap<String, u16>) -> Vec<NamedPort> {
    ports
        .iter()
        .map(|(name, port)| NamedPort {
            name: Some(name.clone()),
            port: Some(i32::from(*port)),
            ..NamedPort::default()
        })
        .collect()
}

pub(super) fn members_from(listed: &[InstanceWithNamedPorts]) -> BTreeSet<String> {
    listed.iter().filter_map(|member| short_name(member.instance.as_deref())).collect()
}
