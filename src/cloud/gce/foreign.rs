//! Resources that are not ours, by name: only read.

use std::collections::{BTreeMap, BTreeSet};

use gce::{Global, Query};
use gce_api::Link;

use super::Gce;
use super::error::Doing;
use super::link::scope_to_wire;
use crate::cloud::CloudError;
use crate::model::{AddressReach, AddressUser, ForeignFacts, ForeignKind, ResourceName, Scope};
use crate::naming;

/// So many names are asked for by one call: they stand in its URL.
const NAMES: usize = 50;

impl Gce {
    pub(super) async fn find(
        &self,
        kind: ForeignKind,
        scope: &Scope,
        names: &BTreeSet<ResourceName>,
    ) -> Result<BTreeMap<ResourceName, ForeignFacts>, CloudError> {
        macro_rules! exist {
            ($wire:ident) => {
                self.named::<gce_api::$wire>(kind, scope, names).await?.into_iter().map(exists).collect()
            };
        }
        Ok(match kind {
            ForeignKind::Address => {
                let mut found = BTreeMap::new();
                for (name, address) in self.named::<gce_api::Address>(kind, scope, names).await? {
                    found.insert(name, self.address_facts(&address).await?);
                }
                found
            }
            ForeignKind::SslCertificate => exist!(SslCertificate),
            ForeignKind::SslPolicy => exist!(SslPolicy),
            ForeignKind::SecurityPolicy => exist!(SecurityPolicy),
            ForeignKind::BackendBucket => exist!(BackendBucket),
        })
    }

    async fn named<R: gce::methods::Placed>(
        &self,
        kind: ForeignKind,
        scope: &Scope,
        names: &BTreeSet<ResourceName>,
    ) -> Result<BTreeMap<ResourceName, R>, CloudError> {
        let collection = self.client.collection::<R>(scope_to_wire(scope));
        let names: Vec<&str> = names.iter().map(ResourceName::as_str).collect();
        let mut found = BTreeMap::new();
        for names in names.chunks(NAMES) {
            let doing = Doing::new("look up", &format!("{} {}", kind.collection(), names.join(", ")));
            let query = Query::all().filter(format!("name eq {}", names.join("|")));
            let bodies = collection.list_where(&query).await.map_err(|error| doing.failed(error))?;
            for body in bodies {
                if let Some(name) = body.name().and_then(|name| ResourceName::new(name).ok()) {
                    found.insert(name, body);
                }
            }
        }
        Ok(found)
    }

    async fn address_facts(&self, address: &gce_api::Address) -> Result<ForeignFacts, CloudError> {
        let mut users = Vec::new();
        for link in address.users.iter().flatten() {
            users.extend(self.user(link).await?);
        }
        let reach = match address.address_type.as_deref() {
            Some("INTERNAL") => AddressReach::Internal,
            _ => AddressReach::External,
        };
        let number = address.address.as_deref().and_then(|number| number.parse().ok());
        Ok(ForeignFacts::Address { number, reach, users })
    }

    /// Somebody else's resource behind this link; `None` where it is ours by its name, or has gone meanwhile.
    async fn user(&self, link: &str) -> Result<Option<AddressUser>, CloudError> {
        let Ok(Link { project: _, scope, collection, name }) = link.parse() else {
            return Ok(Some(AddressUser { path: link.to_owned(), ports: None }));
        };
        if naming::is_ours(&name, self.ownership.cluster()) {
            return Ok(None);
        }
        let path = format!("{scope}/{collection}/{name}");
        if (&scope, collection.as_str()) != (&gce_api::Scope::Global, "forwardingRules") {
            return Ok(Some(AddressUser { path, ports: None }));
        }
        match self.client.forwarding_rules(Global).get(&name).await {
            Ok(rule) => Ok(Some(AddressUser { path, ports: rule.port_range.as_deref().and_then(ports) })),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(Doing::new("read", &path).failed(error)),
        }
    }
}

fn exists<R>((name, _): (ResourceName, R)) -> (ResourceName, ForeignFacts) {
    (name, ForeignFacts::Exists)
}

/// `80-80`, or `80`.
fn ports(range: &str) -> Option<(u16, u16)> {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    Some((first.parse().ok()?, last.parse().ok()?))
}
