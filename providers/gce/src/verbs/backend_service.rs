//! Backend services: the health of their backends.

use gce_api::{BackendService, BackendServiceGroupHealth, ResourceGroupReference};

use crate::{Collection, Error};

impl Collection<BackendService> {
    /// What the load balancer's health checks say about one backend group (the URL of a NEG or instance group). A group
    /// that was never probed has no health status at all.
    pub async fn get_health(&self, name: &str, group: &str) -> Result<BackendServiceGroupHealth, Error> {
        let body =
            ResourceGroupReference { group: Some(group.to_owned()), ..ResourceGroupReference::default() };
        self.ask("getHealth", name, &body).await
    }
}
