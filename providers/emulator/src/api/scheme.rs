//! Load-balancing schemes: that everything on the way from a forwarding rule to the backend services is of one kind of load
//! balancer, and that this kind can do what a URL map asks for.
//!
//! A forwarding rule and a backend service say their scheme; a proxy and a URL map have none of their own. So every change
//! of one of them looks at the whole way, as it would be after the change. What nobody's scheme decides yet is checked once
//! somebody's does.

mod features;
mod view;

use crate::draft::Draft;
use crate::error::ApiError;
use crate::scope::{ResourcePath, Scope, ScopeKind};
use crate::state::Stored;
use crate::world::World;
use std::fmt;
use view::{Destination, Rule, STREAM_PROXIES, View, is_migrating};

/// A scheme that a load balancer for HTTP can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::api) enum Scheme {
    /// Classic.
    External,
    ExternalManaged,
    InternalManaged,
    /// A service mesh.
    InternalSelfManaged,
}

impl Scheme {
    pub(in crate::api) const ALL: [Self; 4] =
        [Self::External, Self::ExternalManaged, Self::InternalManaged, Self::InternalSelfManaged];

    pub(in crate::api) fn name(self) -> &'static str {
        match self {
            Self::External => "EXTERNAL",
            Self::ExternalManaged => "EXTERNAL_MANAGED",
            Self::InternalManaged => "INTERNAL_MANAGED",
            Self::InternalSelfManaged => "INTERNAL_SELF_MANAGED",
        }
    }

    /// The scheme that a body says. None: one that no load balancer for HTTP has, such as `INTERNAL`.
    pub(in crate::api) fn of(stored: &Stored) -> Option<Self> {
        let text = stored.text("loadBalancingScheme")?;
        Self::ALL.into_iter().find(|scheme| scheme.name() == text)
    }
}

/// A kind of load balancer: its scheme, and whether it is global.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::api) struct LoadBalancer {
    pub(in crate::api) scheme: Scheme,
    pub(in crate::api) reach: Reach,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::api) enum Reach {
    Global,
    Regional,
}

impl Reach {
    pub(in crate::api) fn of(scope: &Scope) -> Self {
        match scope.kind() {
            ScopeKind::Project | ScopeKind::Global => Self::Global,
            ScopeKind::Region | ScopeKind::Zone => Self::Regional,
        }
    }
}

/// As errors of the API call it.
impl fmt::Display for LoadBalancer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reach = match self.reach {
            Reach::Global => "Global",
            Reach::Regional => "Regional",
        };
        write!(f, "LB Type {reach} {}", self.scheme.name())
    }
}

/// Refuses a draft of a forwarding rule, target proxy, URL map, backend service or backend bucket that would make two
/// schemes meet, or ask a load balancer for what it cannot do.
pub(in crate::api) fn check(draft: &Draft, world: &World<'_>) -> Result<(), ApiError> {
    let view = View { world, draft };
    for map in view.maps() {
        view.check_map(&map)?;
    }
    view.check_direct()
}

/// The same, and that what the draft refers to is in the right place.
pub(in crate::api) fn check_placed(draft: &Draft, world: &World<'_>) -> Result<(), ApiError> {
    super::place::check(draft)?;
    check(draft, world)
}

/// The scheme of a URL map: of what it leads to, else of the forwarding rules that lead to it.
pub(in crate::api) fn of_map(map: &Draft, world: &World<'_>) -> Option<Scheme> {
    let view = View { world, draft: map };
    let destinations = view.destinations(&map.path);
    let of_destinations = destinations.iter().find_map(|destination| destination.scheme);
    of_destinations.or_else(|| {
        let proxies = view.proxies(&map.path);
        proxies.iter().flat_map(|proxy| view.rules(proxy)).map(|rule| rule.scheme).next()
    })
}

/// Refuses a URL map that a load balancer of this scheme could not use.
pub(in crate::api) fn check_as(map: &Draft, world: &World<'_>, scheme: Scheme) -> Result<(), ApiError> {
    let view = View { world, draft: map };
    let destinations = view.destinations(&map.path);
    if let Some(other) = destinations.iter().find(|destination| !destination.serves.contains(&scheme)) {
        let why = format!("Load balancing scheme {} does not match {}.", scheme.name(), describe(other));
        return Err(ApiError::invalid(&other.at, &other.path.to_string(), &why));
    }
    let kind = LoadBalancer { scheme, reach: Reach::of(&map.path.scope) };
    view.check_features(&map.path, kind)?;
    view.check_size(&map.path, kind)
}

/// The size of a map that a classic load balancer uses.
const MAX_CLASSIC: usize = 64 << 10;
/// The size of any map.
const MAX_MANAGED: usize = 1 << 20;

impl View<'_> {
    fn check_map(&self, map: &ResourcePath) -> Result<(), ApiError> {
        let destinations = self.destinations(map);
        let proxies = self.proxies(map);
        let rules = self.rules_of_map(&proxies);
        self.check_destinations(&destinations)?;
        self.check_rules(&rules, &destinations)?;
        let reach = Reach::of(&map.scope);
        let schemes = destinations.iter().filter_map(|destination| destination.scheme);
        let mut kinds: Vec<LoadBalancer> = schemes
            .chain(rules.iter().map(|rule| rule.scheme))
            .map(|scheme| LoadBalancer { scheme, reach })
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in &kinds {
            self.check_features(map, *kind)?;
            self.check_size(map, *kind)?;
            self.check_proxies(&proxies, *kind)?;
        }
        if kinds.is_empty() {
            self.check_size(map, LoadBalancer { scheme: Scheme::ExternalManaged, reach })?;
        }
        Ok(())
    }

    /// All destinations of a map serve one scheme.
    fn check_destinations(&self, destinations: &[Destination]) -> Result<(), ApiError> {
        let mut before: Vec<&Destination> = Vec::new();
        for destination in destinations {
            if destination.serves.is_empty() {
                let why = "A backend service of this load balancing scheme cannot be used in a URL map.";
                return Err(self.refuse(&destination.at, &destination.path, why));
            }
            let odd = before
                .iter()
                .find(|other| !other.serves.iter().any(|scheme| destination.serves.contains(scheme)));
            if let Some(other) = odd {
                let (this, that) = (describe(destination), describe(other));
                return Err(self.refuse(
                    &destination.at,
                    &destination.path,
                    &format!("Load balancing scheme {this} does not match {that}."),
                ));
            }
            before.push(destination);
        }
        Ok(())
    }

    /// The forwarding rules that lead to a map have the scheme of its destinations, and one scheme.
    fn check_rules(&self, rules: &[Rule], destinations: &[Destination]) -> Result<(), ApiError> {
        for rule in rules {
            let odd = destinations.iter().find(|destination| !destination.serves.contains(&rule.scheme));
            if let Some(destination) = odd {
                let scheme = destination.scheme.map_or("EXTERNAL or EXTERNAL_MANAGED", Scheme::name);
                let noun = noun(&destination.path);
                let why = format!(
                    "Load balancing scheme {} does not match the {noun} load balancing scheme {scheme}.",
                    rule.scheme.name()
                );
                // The words of the real API, which names no value here.
                if self.draft.path == rule.path {
                    return Err(ApiError::invalid("resource.backendService", "", &why));
                }
                return Err(self.refuse(&destination.at, &destination.path, &why));
            }
            let other = rules.iter().find(|other| other.scheme != rule.scheme);
            if let Some(other) = other
                && destinations.is_empty()
            {
                let why = format!(
                    "Load balancing scheme {} does not match the load balancing scheme {} of forwarding rule '{}', \
                     which leads to the same URL map.",
                    rule.scheme.name(),
                    other.scheme.name(),
                    other.path
                );
                return Err(self.refuse("resource", &rule.path, &why));
            }
        }
        Ok(())
    }

    /// A load balancer of this kind can do what the map asks for.
    fn check_features(&self, map: &ResourcePath, kind: LoadBalancer) -> Result<(), ApiError> {
        let Some(stored) = self.get(map) else { return Ok(()) };
        let Some(unsupported) = features::unsupported(stored.fields(), kind) else { return Ok(()) };
        let features::Unsupported { at, field, value } = unsupported;
        if *map == self.draft.path {
            return Err(ApiError::invalid(
                &at,
                &value,
                &format!("Field {field} is incompatible with {kind}."),
            ));
        }
        let why = format!("Field {at} of URL map '{map}' is incompatible with {kind}.");
        Err(self.refuse(&at, map, &why))
    }

    fn check_size(&self, map: &ResourcePath, kind: LoadBalancer) -> Result<(), ApiError> {
        let Some(stored) = self.get(map) else { return Ok(()) };
        let most = if kind.scheme == Scheme::External { MAX_CLASSIC } else { MAX_MANAGED };
        let size = serde_json::to_vec(stored.fields()).map_or(0, |json| json.len());
        if size <= most {
            return Ok(());
        }
        Err(ApiError::invalid_text(format!(
            "Invalid value for field 'resource': ''. The URL map is too large: {size} bytes, at most {most} bytes are \
             allowed."
        )))
    }

    /// What a proxy asks for is there too.
    fn check_proxies(&self, proxies: &[ResourcePath], kind: LoadBalancer) -> Result<(), ApiError> {
        if kind.scheme != Scheme::External {
            return Ok(());
        }
        for proxy in proxies {
            let timeout =
                self.get(proxy).and_then(|stored| stored.fields().get("httpKeepAliveTimeoutSec")?.as_i64());
            if let Some(seconds) = timeout {
                let field = "httpKeepAliveTimeoutSec";
                if *proxy == self.draft.path {
                    return Err(ApiError::invalid(
                        &format!("resource.{field}"),
                        &seconds.to_string(),
                        &format!("Field {field} is incompatible with {kind}."),
                    ));
                }
                let why = format!("Field resource.{field} of '{proxy}' is incompatible with {kind}.");
                return Err(self.refuse("", proxy, &why));
            }
        }
        Ok(())
    }

    /// A forwarding rule that leads to a backend service without a URL map, has its scheme.
    fn check_direct(&self) -> Result<(), ApiError> {
        let path = &self.draft.path;
        let pairs: Vec<(ResourcePath, ResourcePath)> = match path.collection {
            "forwardingRules" => {
                let service = self.link(path, "backendService").or_else(|| {
                    let proxy = self.link(path, "target")?;
                    STREAM_PROXIES.contains(&proxy.collection).then(|| self.link(&proxy, "service"))?
                });
                service.map(|service| (path.clone(), service)).into_iter().collect()
            }
            "backendServices" => {
                let mut rules = self.users(path, &["forwardingRules"]);
                for proxy in self.users(path, &STREAM_PROXIES) {
                    rules.extend(self.users(&proxy, &["forwardingRules"]));
                }
                rules.into_iter().map(|rule| (rule, path.clone())).collect()
            }
            collection if STREAM_PROXIES.contains(&collection) => match self.link(path, "service") {
                Some(service) => self
                    .users(path, &["forwardingRules"])
                    .into_iter()
                    .map(|rule| (rule, service.clone()))
                    .collect(),
                None => Vec::new(),
            },
            _ => Vec::new(),
        };
        for (rule, service) in pairs {
            let scheme = |path: &ResourcePath| {
                self.get(path)
                    .and_then(|stored| stored.text("loadBalancingScheme"))
                    .unwrap_or("EXTERNAL")
                    .to_owned()
            };
            let (of_rule, of_service) = (scheme(&rule), scheme(&service));
            let migrating = of_rule == "EXTERNAL"
                && of_service == "EXTERNAL_MANAGED"
                && self.get(&service).is_some_and(is_migrating);
            if of_rule != of_service && !migrating {
                let why = format!(
                    "Load balancing scheme {of_rule} does not match the backend service load balancing scheme \
                     {of_service}."
                );
                return Err(self.refuse("resource.backendService", &service, &why));
            }
        }
        Ok(())
    }

    /// An error that names the field of the draft which leads to what does not fit: `at` where the draft is the URL map.
    fn refuse(&self, at: &str, value: &ResourcePath, why: &str) -> ApiError {
        let of = |field: &str| self.draft.text(field).unwrap_or_default().to_owned();
        let (field, value) = match self.draft.path.collection {
            "forwardingRules" if self.draft.body().contains_key("target") => {
                ("resource.target", of("target"))
            }
            "forwardingRules" => ("resource.backendService", of("backendService")),
            "backendServices" | "backendBuckets" => {
                ("resource.loadBalancingScheme", of("loadBalancingScheme"))
            }
            "urlMaps" => (at, value.to_string()),
            collection if STREAM_PROXIES.contains(&collection) => ("resource.service", of("service")),
            _ => ("resource.urlMap", of("urlMap")),
        };
        ApiError::invalid(field, &value, why)
    }
}

fn noun(path: &ResourcePath) -> &'static str {
    if path.collection == "backendBuckets" { "backend bucket" } else { "backend service" }
}

fn describe(destination: &Destination) -> String {
    let scheme = destination.scheme.map_or("EXTERNAL or EXTERNAL_MANAGED", Scheme::name);
    format!("{scheme} of {} '{}'", noun(&destination.path), destination.path)
}
