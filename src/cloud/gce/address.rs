//! Addresses.

use std::net::IpAddr;

use gce_api::Address as WireAddress;

use super::link::Links;
use super::wire::{NotUnderstood, Unspeakable, Wire};
use crate::model::{Address, Mark, ResourceId, Scope};

impl Wire for WireAddress {
    type Model = Address;

    fn write(model: &Address, id: &ResourceId, mark: &Mark, _: &Links) -> Result<Self, Unspeakable> {
        let Address {} = model;
        Ok(Self {
            name: Some(id.name.to_string()),
            description: Some(mark.render()),
            address_type: Some("EXTERNAL".to_owned()),
            ip_version: Some("IPV4".to_owned()),
            ..Self::default()
        })
    }

    fn read(&self, _: &Scope) -> Result<Address, NotUnderstood> {
        Ok(Address {})
    }

    fn created(&self) -> Option<&str> {
        self.creation_timestamp.as_deref()
    }

    fn address(&self) -> Option<IpAddr> {
        self.address.as_deref()?.parse().ok()
    }
}
