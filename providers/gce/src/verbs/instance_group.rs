//! Instance groups: their members and named ports.

use gce_api::{
    InstanceGroup, InstanceGroupsAddInstancesRequest, InstanceGroupsListInstances,
    InstanceGroupsListInstancesRequest, InstanceGroupsRemoveInstancesRequest,
    InstanceGroupsSetNamedPortsRequest, InstanceReference, InstanceWithNamedPorts, NamedPort, Resource,
};
use http::Method;

use crate::collection::Query;
use crate::request::Call;
use crate::{Collection, Error, Operation};

/// Which members a list is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceState {
    /// All of them.
    All,
    /// Only those that run.
    Running,
}

impl Collection<InstanceGroup> {
    /// Adds instances, by URL. The API refuses the whole call when one of them is a member already.
    pub async fn add_instances(&self, name: &str, instances: &[String]) -> Result<Operation, Error> {
        const VERB: &str = "addInstances";
        let body = InstanceGroupsAddInstancesRequest {
            instances: Some(references(instances)),
            ..InstanceGroupsAddInstancesRequest::default()
        };
        self.change(Method::POST, VERB, name, self.verb_path(VERB, name)?, Some(&body)).await
    }

    /// Removes instances, by URL. The API refuses the whole call when one of them is not a member.
    pub async fn remove_instances(&self, name: &str, instances: &[String]) -> Result<Operation, Error> {
        const VERB: &str = "removeInstances";
        let body = InstanceGroupsRemoveInstancesRequest {
            instances: Some(references(instances)),
            ..InstanceGroupsRemoveInstancesRequest::default()
        };
        self.change(Method::POST, VERB, name, self.verb_path(VERB, name)?, Some(&body)).await
    }

    /// Reads all members.
    pub async fn list_instances(
        &self,
        name: &str,
        state: InstanceState,
    ) -> Result<Vec<InstanceWithNamedPorts>, Error> {
        const VERB: &str = "listInstances";
        let body = InstanceGroupsListInstancesRequest {
            instance_state: Some(
                match state {
                    InstanceState::All => "ALL",
                    InstanceState::Running => "RUNNING",
                }
                .to_owned(),
            ),
            ..InstanceGroupsListInstancesRequest::default()
        };
        let path = self.verb_path(VERB, name)?;
        let call = Call::ask(VERB, InstanceGroup::COLLECTION, self.about(name), path).body(&body)?;
        let pages = self.client.pages::<InstanceGroupsListInstances>(Query::all().apply(call)).await?;
        Ok(pages.into_iter().flat_map(|page| page.items.unwrap_or_default()).collect())
    }

    /// Replaces the whole list of named ports. With the fingerprint of the group as it was read, a change that somebody
    /// else made in between is not overwritten: the API answers that the fingerprint is stale.
    pub async fn set_named_ports(
        &self,
        name: &str,
        ports: &[NamedPort],
        fingerprint: Option<&str>,
    ) -> Result<Operation, Error> {
        const VERB: &str = "setNamedPorts";
        let body = InstanceGroupsSetNamedPortsRequest {
            named_ports: Some(ports.to_vec()),
            fingerprint: fingerprint.map(str::to_owned),
            ..InstanceGroupsSetNamedPortsRequest::default()
        };
        self.change(Method::POST, VERB, name, self.verb_path(VERB, name)?, Some(&body)).await
    }
}

fn references(instances: &[String]) -> Vec<InstanceReference> {
    instances
        .iter()
        .map(|instance| InstanceReference {
            instance: Some(instance.clone()),
            ..InstanceReference::default()
        })
        .collect()
}
