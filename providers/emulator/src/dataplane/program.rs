//! What the data plane is programmed with.
//!
//! Plain data, no JSON and no IO: the state of the load balancers as the API holds it, in the shape the data
//! plane needs. [`crate::program::compile`] makes it from the API's objects. A reference to something that does
//! not exist is legal here (the map simply has no such key) and is answered by an explicit error, so a program
//! is never "invalid".

mod affinity;
mod backend_bucket;
mod backend_service;
mod destination;
mod firewall;
mod header_action;
mod health_check;
mod logging;
mod security_policy;
mod tls_policy;
mod url_map;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use rustls_pki_types::{CertificateDer, PrivateKeyDer};

pub use self::affinity::{Affinity, AffinityCookie, CookieSays};
pub use self::backend_bucket::BackendBucket;
pub use self::backend_service::{
    Backend, BackendProtocol, BackendService, Capacity, Group, NamedPort, NetworkEndpoint, NetworkEndpoints,
};
pub use self::destination::{
    Abort, CorsPolicy, Delay, Destination, Forward, Mirror, PathRedirect, PathRewrite, Redirect,
    RedirectCode, RetryCondition, RetryPolicy, RouteAction, Share, UrlRewrite, WeightedService,
};
pub use self::firewall::{
    Firewall, FirewallAction, FirewallProtocol, FirewallTarget, Instance, Interface, PortRange,
};
pub use self::header_action::{HeaderAction, HeaderToAdd, HeaderVariable, Mode, ValuePart};
pub use self::health_check::{
    HealthCheck, HttpProbe, HttpVersion, Payload, Preamble, Probe, ProbePort, Transport,
};
pub use self::logging::Logging;
pub use self::security_policy::{Force, Guard, SecurityAction, SecurityMatch, SecurityPolicy, SecurityRule};
pub use self::tls_policy::{TlsPolicy, TlsSuites, TlsVersion};
pub use self::url_map::{
    HeaderMatch, HeaderPredicate, HostPattern, HostRule, PathMatch, PathMatcher, PathPattern, PathRule,
    Pattern, QueryMatch, QueryPredicate, RouteMatch, RouteRule, Rules, UrlMap,
};

use super::resource_id::{
    BackendServiceId, CertificateId, ForwardingRuleId, GroupId, HealthCheckId, InstanceId, UrlMapId,
};

/// Everything the data plane serves, as of one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Program {
    /// One listener each. Two frontends on one address and port: the first listens, the second is refused.
    pub frontends: Vec<Frontend>,
    /// The URL maps by path.
    pub url_maps: BTreeMap<UrlMapId, Arc<UrlMap>>,
    /// The backend services by path.
    pub backend_services: BTreeMap<BackendServiceId, BackendService>,
    /// The backend buckets by path: a URL map names them as it names backend services.
    pub backend_buckets: BTreeMap<BackendServiceId, Arc<BackendBucket>>,
    /// The groups that backend services name.
    pub groups: BTreeMap<GroupId, Group>,
    /// The health checks that backend services name.
    pub health_checks: BTreeMap<HealthCheckId, HealthCheck>,
    /// Enabled ingress rules of every network, in any order.
    pub firewalls: Vec<Firewall>,
    /// What is known of instances: where they are and which firewall rules mean them.
    pub instances: BTreeMap<InstanceId, Instance>,
    /// What the compiler could not express or what dangles; for people, the data plane does not read it.
    pub problems: Vec<Problem>,
}

/// One forwarding rule and the target proxy behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Frontend {
    /// The forwarding rule.
    pub id: ForwardingRuleId,
    /// Where it listens; the data plane refuses anything but loopback.
    pub address: IpAddr,
    /// The port of the forwarding rule, before any port offset.
    pub port: u16,
    /// Which product it is; decides status codes.
    pub scheme: Scheme,
    /// What is spoken on the socket.
    pub protocol: FrontendProtocol,
    /// Where requests go.
    pub routing: Routing,
}

/// The load-balancing scheme, as far as the data plane's answers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// `EXTERNAL`: the classic load balancer.
    #[default]
    Classic,
    /// `EXTERNAL_MANAGED`, `INTERNAL_MANAGED`: the Envoy-based ones.
    Managed,
}

/// What a frontend speaks.
#[derive(Debug, Clone, PartialEq)]
pub enum FrontendProtocol {
    /// Plain HTTP/1.1, and HTTP/2 with prior knowledge.
    Http,
    /// TLS with ALPN `h2` and `http/1.1`.
    Https {
        /// In the order of the target proxy; the first is served when none matches. None at all: every
        /// handshake is refused.
        certificates: Vec<Arc<Certificate>>,
        /// What is offered to clients.
        policy: TlsPolicy,
    },
}

/// Where a frontend's requests are routed.
#[derive(Debug, Clone, PartialEq)]
pub enum Routing {
    /// By this URL map. A map that is not in the program counts as [`Routing::Unprogrammed`].
    UrlMap(UrlMapId),
    /// Nowhere, with the reason: every request is answered 404.
    Unprogrammed(String),
}

/// A certificate chain and its private key.
#[derive(PartialEq)]
pub struct Certificate {
    /// The SSL certificate resource.
    pub id: CertificateId,
    /// Leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The leaf's key. Never shown.
    pub key: PrivateKeyDer<'static>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, chain, key: _ } = self;
        f.debug_struct("Certificate")
            .field("id", id)
            .field("chain_length", &chain.len())
            .field("key", &"[redacted]")
            .finish()
    }
}

/// Something in the API's state that the data plane cannot serve as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The canonical path of the object that says it.
    pub resource: String,
    /// What is wrong or not served, in a sentence.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.resource, self.message)
    }
}
