//! What a load balancer should be, said without naming the front end that asked for it.
//!
//! `ingress` yields this; a Gateway front end can yield the same. Nothing behind this description may know
//! where it came from. It is data: every reference in it is to a Service or Secret by name, resolved by `translate`.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::model::{LoadBalancerKey, ObjectKey, RedirectCode, ResourceName, Scheme};

/// The annotation by which an object that asks for a load balancer consents to one outage: the word for it that the plan shows.
pub const ALLOW_OUTAGE: &str = "gclb.dev/allow-outage";

/// One load balancer, as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancer {
    /// What it is made for.
    pub key: LoadBalancerKey,
    /// Which kind of load balancer. It cannot be changed once there is one.
    pub scheme: Scheme,
    /// Who asks for it. Several share one in this order: where there is not room for all, the last give way. Never empty.
    pub objects: Vec<Arc<ObjectKey>>,
    /// Those of `objects` that want no plain HTTP.
    pub encrypted_only: BTreeSet<Arc<ObjectKey>>,
    /// At which address.
    pub address: AddressWish,
    /// On which ports, and with which certificates.
    pub frontend: Frontend,
    /// Which versions and ciphers of TLS clients may speak.
    pub ssl_policy: SslPolicy,
    /// What happens to requests for a host that no entry of `hosts` names.
    pub default: Option<DefaultRoute>,
    /// By host, in the order of their first appearance; no host twice.
    pub hosts: Vec<Host>,
}

/// Where something was asked for: for messages, and to know who must be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// In which object.
    pub object: Arc<ObjectKey>,
    /// In which of its fields: `spec.rules[0].http.paths[1]`.
    pub field: String,
}

/// What happens to requests that no route fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultRoute {
    /// What happens.
    pub action: RouteAction,
    /// Where this was asked for.
    pub place: Place,
}

impl LoadBalancer {
    /// Every backend that requests may be sent to, the default's first, with the requests that are sent there in words.
    pub fn backends(&self) -> impl Iterator<Item = (String, &WeightedBackend)> {
        let Self {
            key: _,
            scheme: _,
            objects: _,
            encrypted_only: _,
            address: _,
            frontend: _,
            ssl_policy: _,
            default,
            hosts,
        } = self;
        let default =
            default.iter().map(|default| ("every request that no rule fits".to_owned(), &default.action));
        let routes = hosts.iter().flat_map(|host| {
            let Host { pattern, routes } = host;
            routes.iter().map(move |route| (format!("requests for {pattern}{}", route.path), &route.action))
        });
        default.chain(routes).flat_map(|(requests, action)| {
            action.backends().iter().map(move |backend| (requests.clone(), backend))
        })
    }

    /// The same without what some of its objects ask for. Where no certificate is left there is no TLS either.
    #[must_use]
    pub fn without(mut self, gone: &BTreeSet<Arc<ObjectKey>>) -> Self {
        if gone.is_empty() {
            return self;
        }
        self.keep_routes(|_, place| !gone.contains(&place.object));
        let Self {
            key: _,
            scheme: _,
            objects,
            encrypted_only,
            address,
            frontend,
            ssl_policy: _,
            default: _,
            hosts: _,
        } = &mut self;
        if address.place().is_some_and(|place| gone.contains(&place.object)) {
            *address = AddressWish::Any;
        }
        objects.retain(|object| !gone.contains(object));
        encrypted_only.retain(|object| !gone.contains(object));
        if let Frontend::Https { certificates, plain: _ } = frontend {
            certificates.retain(|certificate| !gone.contains(&certificate.place.object));
            if certificates.is_empty() {
                *frontend = Frontend::Http;
            }
        }
        self
    }

    /// Leaves out routes: of the default (`None`) and of each host those that `keep` does not want. A host that loses all of its
    /// routes goes too.
    pub fn keep_routes(&mut self, mut keep: impl FnMut(Option<&HostPattern>, &Place) -> bool) {
        let Self {
            key: _,
            scheme: _,
            objects: _,
            encrypted_only: _,
            address: _,
            frontend: _,
            ssl_policy: _,
            default,
            hosts,
        } = self;
        default.take_if(|default| !keep(None, &default.place));
        hosts.retain_mut(|Host { pattern, routes }| {
            let empty = routes.is_empty();
            routes.retain(|route| keep(Some(pattern), &route.place));
            empty || !routes.is_empty()
        });
    }
}

/// The address at which a load balancer is to be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressWish {
    /// Whichever it has; a new one gets one of its own.
    Any,
    /// One that somebody has reserved.
    Named {
        /// Its name, where the load balancer is.
        name: ResourceName,
        /// Where this was asked for.
        place: Place,
    },
    /// One that is asked for in a way that cannot be followed.
    Unclear {
        /// Where this was asked for.
        place: Place,
        /// Why not, and what to do, in sentences.
        why: String,
    },
}

impl AddressWish {
    /// Where it was asked for, if it was.
    #[must_use]
    pub const fn place(&self) -> Option<&Place> {
        match self {
            Self::Any => None,
            Self::Named { name: _, place } | Self::Unclear { place, why: _ } => Some(place),
        }
    }
}

/// Where the load balancer listens. Ports are 80 and 443.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frontend {
    /// Only plain HTTP.
    Http,
    /// TLS, and whatever plain HTTP is to do beside it.
    Https {
        /// In order; the first that can be had is the default. Never empty.
        certificates: Vec<Certificate>,
        /// What port 80 does.
        plain: PlainHttp,
    },
}

impl Frontend {
    /// The ports, where every certificate can be had.
    #[must_use]
    pub const fn ports(&self) -> &'static [u16] {
        match self {
            Self::Http => &[80],
            Self::Https { certificates: _, plain: PlainHttp::Refuse } => &[443],
            Self::Https { certificates: _, plain: PlainHttp::Serve | PlainHttp::Redirect(_) } => &[80, 443],
        }
    }
}

/// What port 80 does beside TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainHttp {
    /// The same as port 443.
    Serve,
    /// Redirects to `https`.
    Redirect(RedirectCode),
    /// There is no port 80.
    Refuse,
}

/// Which versions and ciphers of TLS clients may speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SslPolicy {
    /// Those that the API allows by itself.
    Default,
    /// Those of this SSL policy of the project.
    Named(ResourceName),
    /// Those that they may now: what was asked for cannot be read.
    AsItIs,
}

/// A certificate to serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Where it is.
    pub source: CertificateSource,
    /// Where this was asked for: `spec.tls[0].secretName`.
    pub place: Place,
}

/// Where a certificate is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CertificateSource {
    /// In a Secret, from where it is uploaded.
    Secret(ObjectKey),
    /// In the cloud, under this name: somebody else has put it there.
    Cloud(ResourceName),
    /// Somewhere in the cloud, under what cannot be a name.
    Unclear(String),
}

impl fmt::Display for CertificateSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(secret) => write!(f, "{secret}"),
            Self::Cloud(name) => write!(f, "{name}"),
            Self::Unclear(name) => write!(f, "{name:?}"),
        }
    }
}

/// A host and what happens to its requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Which host.
    pub pattern: HostPattern,
    /// Route rules in the order of precedence that the front end's rules give them.
    pub routes: Vec<Route>,
}

/// A host pattern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostPattern {
    /// Any host.
    Any,
    /// Exactly this one, in lower case.
    Exact(String),
    /// `*.suffix`: one label more than the suffix, as an Ingress means it (KEP-1453). The text is the suffix.
    Wildcard(String),
}

impl fmt::Display for HostPattern {
    /// As a URL map writes it: `*`, `a.example.com` or `*.example.com`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Exact(host) => f.write_str(host),
            Self::Wildcard(suffix) => write!(f, "*.{suffix}"),
        }
    }
}

/// One route rule: what it fits, and what happens then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Which requests. (Headers, queries and methods come beside the path when a front end can ask for them.)
    pub path: PathMatch,
    /// What happens.
    pub action: RouteAction,
    /// Where this was asked for: `spec.rules[0].http.paths[1]`.
    pub place: Place,
}

/// A condition on the path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathMatch {
    /// Equal to it.
    Exact(String),
    /// Element by element (KEP-1453): `/a` fits `/a`, `/a/` and `/a/b`, not `/ab`. No slash at the end but in `/` itself.
    Prefix(String),
    /// As the Compute API's path rules write it: `/a`, or `/a/*`. What an Ingress's `ImplementationSpecific` means here.
    Pattern(String),
}

impl fmt::Display for PathMatch {
    /// As a person would write it: `/a`, or `/a/*` for everything below.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(path) | Self::Pattern(path) | Self::Prefix(path) => f.write_str(path),
        }
    }
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteAction {
    /// It is sent to one of these by weight. Never empty.
    Forward(Vec<WeightedBackend>),
    /// It is answered with a redirect to `https`.
    Redirect(RedirectCode),
    /// It is answered 404 by the load balancer itself: what was asked for cannot be had, and handing the request to whoever comes
    /// next would be worse.
    NotFound,
}

impl RouteAction {
    /// The backends that it sends requests to.
    #[must_use]
    pub fn backends(&self) -> &[WeightedBackend] {
        match self {
            Self::Forward(backends) => backends,
            Self::Redirect(_) | Self::NotFound => &[],
        }
    }

    /// Whether a request ends at the same place, wherever that was asked for.
    #[must_use]
    pub fn goes_where(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Forward(one), Self::Forward(other)) => {
                let places = |backends: &[WeightedBackend]| -> Vec<_> {
                    backends
                        .iter()
                        .map(|WeightedBackend { backend, weight, place: _ }| (backend.clone(), *weight))
                        .collect()
                };
                places(one) == places(other)
            }
            (one, other) => one == other,
        }
    }
}

/// A backend and its share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightedBackend {
    /// Who serves.
    pub backend: Backend,
    /// Its share of the sum of weights.
    pub weight: u32,
    /// Where this was asked for: `spec.defaultBackend`.
    pub place: Place,
}

/// A port of a Service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Backend {
    /// Which Service.
    pub service: ObjectKey,
    /// Which of its ports.
    pub port: BackendPort,
}

impl fmt::Display for BackendPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A Service's port, as it is named by whoever uses it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum BackendPort {
    /// `service.spec.ports[].port`
    Number(u16),
    /// `service.spec.ports[].name`
    Name(String),
}
