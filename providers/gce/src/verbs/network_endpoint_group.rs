//! Network endpoint groups: their members.

use gce_api::{
    NetworkEndpoint, NetworkEndpointGroup, NetworkEndpointGroupsAttachEndpointsRequest,
    NetworkEndpointGroupsDetachEndpointsRequest, NetworkEndpointGroupsListEndpointsRequest,
    NetworkEndpointGroupsListNetworkEndpoints, NetworkEndpointWithHealthStatus, Resource,
};
use http::Method;

use crate::collection::Query;
use crate::request::Call;
use crate::{Collection, Error, Operation};

/// The most endpoints that one attach or detach takes. Longer lists are for the caller to divide: each part is an
/// operation of its own.
pub const MAX_ENDPOINTS_PER_CALL: usize = 500;

/// Whether a list of endpoints is to say how they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthStatus {
    /// With what each backend service's health check says.
    Show,
    /// The members only. Quicker.
    Skip,
}

impl Collection<NetworkEndpointGroup> {
    /// Adds members, at most [`MAX_ENDPOINTS_PER_CALL`]. Those that are members already stay.
    pub async fn attach(&self, name: &str, endpoints: &[NetworkEndpoint]) -> Result<Operation, Error> {
        const VERB: &str = "attachNetworkEndpoints";
        let body = NetworkEndpointGroupsAttachEndpointsRequest {
            network_endpoints: Some(endpoints.to_vec()),
            ..NetworkEndpointGroupsAttachEndpointsRequest::default()
        };
        self.change(Method::POST, VERB, name, self.verb_path(VERB, name)?, Some(&body)).await
    }

    /// Removes members, at most [`MAX_ENDPOINTS_PER_CALL`].
    pub async fn detach(&self, name: &str, endpoints: &[NetworkEndpoint]) -> Result<Operation, Error> {
        const VERB: &str = "detachNetworkEndpoints";
        let body = NetworkEndpointGroupsDetachEndpointsRequest {
            network_endpoints: Some(endpoints.to_vec()),
            ..NetworkEndpointGroupsDetachEndpointsRequest::default()
        };
        self.change(Method::POST, VERB, name, self.verb_path(VERB, name)?, Some(&body)).await
    }

    /// Reads all members.
    pub async fn list_endpoints(
        &self,
        name: &str,
        health: HealthStatus,
    ) -> Result<Vec<NetworkEndpointWithHealthStatus>, Error> {
        const VERB: &str = "listNetworkEndpoints";
        let body = NetworkEndpointGroupsListEndpointsRequest {
            health_status: match health {
                HealthStatus::Show => Some("SHOW".to_owned()),
                HealthStatus::Skip => None,
            },
            ..NetworkEndpointGroupsListEndpointsRequest::default()
        };
        let path = self.verb_path(VERB, name)?;
        let call = Call::ask(VERB, NetworkEndpointGroup::COLLECTION, self.about(name), path).body(&body)?;
        let pages =
            self.client.pages::<NetworkEndpointGroupsListNetworkEndpoints>(Query::all().apply(call)).await?;
        Ok(pages.into_iter().flat_map(|page| page.items.unwrap_or_default()).collect())
    }
}
