//! The graph of cloud resources, in our own words.
//!
//! One vocabulary for two graphs: the *desired* graph, which `translate` makes, and the *observed* one,
//! which the cloud adapter makes from what the API returns. Since both are made of the same types, a
//! comparison is a comparison of values; a field that we do not own does not exist here.
//!
//! Each resource has a file of its own, named as in every other layer. Nothing here reads, waits or
//! knows the wire format.

mod address;
mod backend_policy;
mod backend_service;
mod firewall;
mod foreign;
mod forwarding_rule;
mod graph;
mod health_check;
mod identity;
mod instance_group;
mod mark;
mod network_endpoint_group;
mod observation;
mod observed;
mod path;
mod ssl_certificate;
mod target_proxy;
mod url_map;

pub use address::Address;
pub use backend_policy::{
    Affinity, BackendPolicy, CacheKey, CacheKeyPart, CacheKeyQuery, CacheMode, CdnPolicy, Coalescing, Iap,
    Logging, NegativeCaching,
};
pub use backend_service::{Backend, BackendProtocol, BackendService, Balancing, Group, Scheme};
pub use firewall::Firewall;
pub use foreign::{
    AddressReach, AddressUser, ForeignFacts, ForeignHeld, ForeignId, ForeignKind, ForeignStanding, Lookup,
};
pub use forwarding_rule::{AddressBinding, ForwardingRule, Target};
pub use graph::{Conflict, Entry, Graph, Node, Ref, Resource};
pub use health_check::{HealthCheck, HealthPort, Probe};
pub use identity::{
    ClusterId, InvalidName, Kind, LoadBalancerKey, ObjectKey, Origin, Region, ResourceId, ResourceName,
    Scope, Zone,
};
pub use instance_group::InstanceGroup;
pub use mark::{Holder, Mark};
pub use network_endpoint_group::{Checkpoint, Endpoint, Members, NetworkEndpointGroup, Unlisted};
pub use observation::{Observation, ObservationError};
pub use observed::{
    AddressHeld, Altered, CertificatesHeld, Facts, Fingerprint, Held, Holdings, LoadBalancerHeld, Observed,
    Unknown, Wellness,
};
pub use ssl_certificate::{CertificateFingerprint, SslCertificate};
pub use target_proxy::{Certificates, TargetHttpProxy, TargetHttpsProxy};
pub use url_map::{Destination, HostRoutes, PathMatcher, PathRule, Redirect, RedirectCode, UrlMap};
