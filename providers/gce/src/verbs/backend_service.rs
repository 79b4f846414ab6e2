//! Backend services: the health of their backends, and what guards them.

use gce_api::{BackendService, BackendServiceGroupHealth, ResourceGroupReference, SecurityPolicyReference};
use http::Method;

use crate::{Collection, Error, Operation};

impl Collection<BackendService> {
    /// What the load balancer's health checks say about one backend group (the URL of a NEG or instance group). A group
    /// that was never probed has no health status at all.
    pub async fn get_health(&self, name: &str, group: &str) -> Result<BackendServiceGroupHealth, Error> {
        let body =
            ResourceGroupReference { group: Some(group.to_owned()), ..ResourceGroupReference::default() };
        self.ask("getHealth", name, &body).await
    }

    /// Has a security policy (its URL) decide which requests are let in; `None`: nothing decides.
    pub async fn set_security_policy(&self, name: &str, policy: Option<&str>) -> Result<Operation, Error> {
        let body = SecurityPolicyReference {
            security_policy: policy.map(str::to_owned),
            ..SecurityPolicyReference::default()
        };
        let path = self.verb_path("setSecurityPolicy", name)?;
        self.change(Method::POST, "setSecurityPolicy", name, path, Some(&body)).await
    }
}
