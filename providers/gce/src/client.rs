//! The client: one project at one endpoint.

mod builder;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gce_api::{
    Address, BackendService, Firewall, ForwardingRule, HealthCheck, Instance, InstanceGroup, Network,
    NetworkEndpointGroup, Project, Resource, SslCertificate, Subnetwork, TargetHttpProxy, TargetHttpsProxy,
    UrlMap,
};
use tokio::time::Instant;
use url::Url;

pub use builder::{BuildError, Builder, DEFAULT_ENDPOINT, Timeouts};

use crate::auth::Authorizer;
use crate::methods::Placed;
use crate::request::Call;
use crate::{Collection, Error, Gate, Observer, RetryPolicy, ScopeOf, Transport};

/// A client of one project. Cheap to clone; clones share connections and tokens.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    pub(crate) deadline: Option<Instant>,
}

pub(crate) struct Shared {
    pub(crate) project: String,
    pub(crate) endpoint: Url,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) authorizer: Authorizer,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: RetryPolicy,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) gate: Option<Arc<dyn Gate>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("project", &self.shared.project)
            .field("endpoint", &self.shared.endpoint.as_str())
            .finish_non_exhaustive()
    }
}

macro_rules! collections {
    ($($(#[$doc:meta])* $function:ident: $resource:ty;)+) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $function(&self, scope: impl ScopeOf<$resource>) -> Collection<$resource> {
            self.collection(scope)
        }
    )+};
}

impl Client {
    /// Begins to describe a client of the given project (id or number).
    pub fn builder(project: impl Into<String>) -> Builder {
        Builder::new(project.into())
    }

    /// The project.
    #[must_use]
    pub fn project(&self) -> &str {
        &self.shared.project
    }

    /// The root of all paths, with a slash at its end. [`Link::url`](gce_api::Link::url) makes a full reference of it.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.shared.endpoint.as_str()
    }

    /// The same client, whose calls give up at the given moment (by tokio's clock): no try lasts longer and no pause ends later. A call
    /// begun after it fails with [`Error::OutOfTime`] without being sent.
    #[must_use]
    pub fn until(&self, deadline: Instant) -> Self {
        let earlier = self.deadline.map_or(deadline, |own| own.min(deadline));
        Self { shared: Arc::clone(&self.shared), deadline: Some(earlier) }
    }

    /// What is left until the deadline; `None` where there is no deadline.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// The collection of a type named by the compiler rather than by a function.
    #[must_use]
    pub fn collection<R: Placed>(&self, scope: impl ScopeOf<R>) -> Collection<R> {
        Collection::new(self.clone(), scope.into_scope())
    }

    collections! {
        /// Reserved addresses.
        addresses: Address;
        /// Forwarding rules: what listens on an address and port.
        forwarding_rules: ForwardingRule;
        /// Target HTTP proxies.
        target_http_proxies: TargetHttpProxy;
        /// Target HTTPS proxies.
        target_https_proxies: TargetHttpsProxy;
        /// URL maps.
        url_maps: UrlMap;
        /// Backend services.
        backend_services: BackendService;
        /// Health checks.
        health_checks: HealthCheck;
        /// SSL certificates.
        ssl_certificates: SslCertificate;
        /// Network endpoint groups.
        network_endpoint_groups: NetworkEndpointGroup;
        /// Instance groups.
        instance_groups: InstanceGroup;
        /// Instances, to read.
        instances: Instance;
        /// Firewall rules.
        firewalls: Firewall;
        /// Networks.
        networks: Network;
        /// Subnetworks.
        subnetworks: Subnetwork;
        /// Operations, to read. To wait for one there is [`Client::wait`].
        operations: gce_api::Operation;
    }

    /// The zones of the project.
    #[must_use]
    pub fn zones(&self) -> Collection<gce_api::Zone> {
        self.collection(gce_api::Scope::Global)
    }

    /// The regions of the project.
    #[must_use]
    pub fn regions(&self) -> Collection<gce_api::Region> {
        self.collection(gce_api::Scope::Global)
    }

    /// The project itself, with its global quotas.
    pub async fn get_project(&self) -> Result<Project, Error> {
        let resource = format!("{} {}", Project::NOUN, self.project());
        let path = vec!["projects".to_owned(), self.project().to_owned()];
        self.call(Call::get("get", Project::COLLECTION, resource, path)).await
    }
}
