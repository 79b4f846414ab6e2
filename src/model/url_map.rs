//! A URL map: which request goes where (Compute API `urlMaps`).

use serde::{Deserialize, Serialize};

use super::{BackendService, Ref, ResourceId};

/// Decides by host and path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlMap {
    /// For a host that no rule names.
    pub default: Destination,
    /// By host. No host stands in two of them.
    pub hosts: Vec<HostRoutes>,
}

/// A host rule together with the path matcher it names, so that neither can be without the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostRoutes {
    /// Hosts as the API writes them: `a.example.com`, `*.example.com` or `*`.
    pub hosts: Vec<String>,
    /// What happens to their requests.
    pub matcher: PathMatcher,
}

/// Decides by path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PathMatcher {
    /// Unique within the map.
    pub name: String,
    /// For a path that no rule fits.
    pub default: Destination,
    /// The longest fitting pattern wins, whatever the order.
    pub path_rules: Vec<PathRule>,
}

/// Paths that share a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PathRule {
    /// Paths as the API writes them: `/a` fits only itself, `/a/*` fits `/a/` and all below it, not `/a`.
    pub paths: Vec<String>,
    /// Where to.
    pub destination: Destination,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Destination {
    /// Sent to a backend service.
    Service(Ref<BackendService>),
    /// Answered with a redirect.
    Redirect(Redirect),
    /// Answered 404 by the load balancer itself. The API asks for a service all the same: `behind` is one without
    /// backends, and a fault policy that aborts every request keeps traffic from it.
    NotFound {
        /// The service that no request reaches.
        behind: Ref<BackendService>,
    },
    /// Something that gclb never makes. Only ever observed; the text says what was found.
    Other(String),
}

/// A redirect (Compute API `HttpRedirectAction`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Redirect {
    /// To `https`, everything else staying the same.
    pub https: bool,
    /// With which status.
    pub code: RedirectCode,
}

/// Statuses that a redirect may have (Compute API `redirectResponseCode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RedirectCode {
    /// 301
    MovedPermanently,
    /// 302
    Found,
    /// 303
    SeeOther,
    /// 307
    TemporaryRedirect,
    /// 308
    PermanentRedirect,
}

/// Where warm host rules stand. Nothing below `.invalid` is ever a host (RFC 2606).
const WARM_DOMAIN: &str = ".warm.gclb.invalid";

/// How the path matchers of warm host rules are called; those of other hosts begin otherwise.
const WARM_MATCHER: &str = "warm-";

impl HostRoutes {
    /// A *warm* host rule: it makes a backend service reached, so that the cloud probes its backends, before a request is sent there.
    ///
    /// No client asks for that host. Should one guess it, it gets what any other unknown host gets, but for one path that no
    /// application knows.
    #[must_use]
    pub fn warming(service: &Ref<BackendService>, otherwise: &Destination) -> Self {
        let label = warm_label(service);
        let rule =
            PathRule { paths: vec![format!("/{label}")], destination: Destination::Service(service.clone()) };
        let matcher = PathMatcher {
            name: format!("{WARM_MATCHER}{label}"),
            default: otherwise.clone(),
            path_rules: vec![rule],
        };
        Self { hosts: vec![format!("{label}{WARM_DOMAIN}")], matcher }
    }

    /// The backend service that this is the warm host rule of; `None` for a rule that requests come by.
    #[must_use]
    pub fn warms(&self) -> Option<&Ref<BackendService>> {
        let Self { hosts, matcher: PathMatcher { name, default: _, path_rules } } = self;
        let ours = name.starts_with(WARM_MATCHER) && hosts.iter().all(|host| host.ends_with(WARM_DOMAIN));
        match path_rules.as_slice() {
            [PathRule { paths: _, destination: Destination::Service(service) }] if ours => Some(service),
            _ => None,
        }
    }
}

/// The last characters of its name, which hold the hash that makes it unique.
fn warm_label(service: &Ref<BackendService>) -> String {
    let name = service.name().as_str();
    name.get(name.len().saturating_sub(12)..).unwrap_or(name).trim_matches('-').to_owned()
}

impl UrlMap {
    /// The backend services that it warms.
    pub fn warm(&self) -> impl Iterator<Item = &Ref<BackendService>> {
        self.hosts.iter().filter_map(HostRoutes::warms)
    }

    /// The rules that requests come by.
    pub fn routes(&self) -> impl Iterator<Item = &HostRoutes> {
        self.hosts.iter().filter(|host| host.warms().is_none())
    }

    /// The same, warming these backend services and no others.
    #[must_use]
    pub fn warming<'a>(&self, services: impl IntoIterator<Item = &'a Ref<BackendService>>) -> Self {
        let warm = services.into_iter().map(|service| HostRoutes::warming(service, &self.default));
        Self { default: self.default.clone(), hosts: self.routes().cloned().chain(warm).collect() }
    }

    /// Every destination in it.
    pub fn destinations(&self) -> impl Iterator<Item = &Destination> {
        let Self { default, hosts } = self;
        std::iter::once(default).chain(hosts.iter().flat_map(|host| {
            let PathMatcher { name: _, default, path_rules } = &host.matcher;
            std::iter::once(default).chain(path_rules.iter().map(|rule| &rule.destination))
        }))
    }

    /// Whether some request is sent on to https.
    #[must_use]
    pub fn redirects_to_https(&self) -> bool {
        self.destinations()
            .any(|destination| matches!(destination, Destination::Redirect(Redirect { https: true, .. })))
    }

    pub(super) fn points_at(&self) -> Vec<&ResourceId> {
        let mut ids: Vec<_> = self
            .destinations()
            .filter_map(|destination| match destination {
                Destination::Service(service) | Destination::NotFound { behind: service } => {
                    Some(service.id())
                }
                Destination::Redirect(_) | Destination::Other(_) => None,
            })
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}
