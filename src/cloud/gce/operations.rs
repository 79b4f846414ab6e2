//! Changes that were asked for before this process began: the list of operations has them, and the wait is the same as for our own.

use gce::{Client, Query};
use gce_api::Link;

use super::Gce;
use super::error::Doing;
use super::link::scope_to_model;
use crate::cloud::{CloudError, Found};
use crate::model::{Kind, ResourceId, ResourceName, Scope};
use crate::naming;

impl Gce {
    /// Operations on resources with our names that have not ended.
    pub(super) async fn operations(&self) -> Result<Vec<Found>, CloudError> {
        let doing = Doing::new("list", "operations");
        let query = Query::all().filter("status ne DONE");
        let listed = self
            .client
            .aggregated_list::<gce_api::Operation>(&query)
            .await
            .map_err(|error| doing.failed(error))?;
        let mut found: Vec<Found> = listed
            .items
            .into_values()
            .flatten()
            .filter(|operation| operation.status.as_deref() != Some("DONE"))
            .filter_map(|operation| {
                let id = target(operation.target_link.as_deref()?)?;
                naming::is_ours(id.name.as_str(), self.ownership.cluster())
                    .then_some(Found { id, operation: operation.name? })
            })
            .collect();
        found.sort_by(|one, other| (&one.id, &one.operation).cmp(&(&other.id, &other.operation)));
        Ok(found)
    }

    /// Waits for one of them. One that the cloud has forgotten has ended, and one that never ends is given up.
    pub(super) async fn wait_for(&self, found: &Found) -> Result<(), CloudError> {
        let Found { id, operation } = found;
        let doing = Doing::new("wait for the change of", id);
        let operation = gce::Operation::found(operation_of(&self.client, &id.scope, operation))
            .map_err(|error| doing.failed(error))?;
        match self.client.wait(operation).await {
            Ok(_) | Err(gce::Error::OperationFailed { .. } | gce::Error::StillRunning { .. }) => Ok(()),
            Err(error) => Err(doing.failed(error)),
        }
    }
}

/// What the client needs to ask for it: its name and where it runs, which is where its resource is.
fn operation_of(client: &Client, scope: &Scope, name: &str) -> gce_api::Operation {
    let place = |collection: &str, name: &str| {
        Some(
            Link::new(gce_api::Scope::Global, collection, name)
                .in_project(client.project())
                .url(client.endpoint()),
        )
    };
    let mut operation = gce_api::Operation { name: Some(name.to_owned()), ..gce_api::Operation::default() };
    match scope {
        Scope::Global => {}
        Scope::Region(region) => operation.region = place("regions", &region.0),
        Scope::Zone(zone) => operation.zone = place("zones", &zone.0),
    }
    operation
}

/// The resource that an operation is about, where it is of a kind that we make.
fn target(link: &str) -> Option<ResourceId> {
    let Link { project: _, scope, collection, name } = link.parse().ok()?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.collection() == collection)?;
    Some(ResourceId { kind, scope: scope_to_model(&scope), name: ResourceName::new(name).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resource_of_an_operation_is_found() {
        let id =
            target("https://compute.example/compute/v1/projects/p/zones/z-a/networkEndpointGroups/gclb1-x")
                .unwrap();
        assert_eq!(id.to_string(), "network endpoint group zones/z-a/gclb1-x");
        assert_eq!(target("https://compute.example/compute/v1/projects/p/zones/z-a/instances/node-1"), None);
    }
}
