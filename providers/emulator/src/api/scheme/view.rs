//! The way from a forwarding rule to the backend services, as it would be with a change made.

use super::Scheme;
use crate::draft::Draft;
use crate::schema;
use crate::scope::ResourcePath;
use crate::state::{Change, Stored};
use crate::world::World;

/// What a URL map sends requests to.
pub(super) struct Destination {
    /// The field that names it.
    pub(super) at: String,
    pub(super) path: ResourcePath,
    /// Its own scheme, where it says one.
    pub(super) scheme: Option<Scheme>,
    /// The schemes of the forwarding rules that may lead to it.
    pub(super) serves: Vec<Scheme>,
}

/// A forwarding rule on the way to a URL map.
pub(super) struct Rule {
    pub(super) path: ResourcePath,
    pub(super) scheme: Scheme,
}

/// The state as it would be with a draft in place.
pub(super) struct View<'a> {
    pub(super) world: &'a World<'a>,
    pub(super) draft: &'a Draft,
}

/// Proxies with a URL map.
pub(super) const PROXIES: [&str; 3] = ["targetGrpcProxies", "targetHttpProxies", "targetHttpsProxies"];

/// Proxies with a backend service of their own.
pub(super) const STREAM_PROXIES: [&str; 2] = ["targetSslProxies", "targetTcpProxies"];

impl View<'_> {
    pub(super) fn get(&self, path: &ResourcePath) -> Option<&Stored> {
        if *path == self.draft.path { Some(&self.draft.next) } else { self.world.latest(path) }
    }

    /// Who of some collections refers to a resource.
    pub(super) fn users(&self, path: &ResourcePath, collections: &[&str]) -> Vec<ResourcePath> {
        let mut users = self.world.users(path);
        users.insert(self.draft.path.clone());
        users.retain(|user| {
            collections.contains(&user.collection) && self.links(user).any(|(_, target)| target == *path)
        });
        users.into_iter().collect()
    }

    /// What a resource refers to, with the fields that do.
    pub(super) fn links(&self, path: &ResourcePath) -> impl Iterator<Item = (String, ResourcePath)> + use<> {
        let fields = crate::api::find(path.collection).map_or(&[] as _, |resource| resource.fields);
        self.get(path).map(|stored| schema::links(fields, stored.fields())).unwrap_or_default().into_iter()
    }

    /// What a resource names in one field.
    pub(super) fn link(&self, path: &ResourcePath, field: &str) -> Option<ResourcePath> {
        ResourcePath::parse(self.get(path)?.text(field)?)
    }

    /// The URL maps on the way that the draft is on.
    pub(super) fn maps(&self) -> Vec<ResourcePath> {
        let path = &self.draft.path;
        match path.collection {
            "forwardingRules" => {
                self.link(path, "target").and_then(|proxy| self.link(&proxy, "urlMap")).into_iter().collect()
            }
            "urlMaps" => vec![path.clone()],
            "backendServices" | "backendBuckets" => self.users(path, &["urlMaps"]),
            collection if PROXIES.contains(&collection) => self.link(path, "urlMap").into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Where a map sends requests, mirrored ones too. What its tests expect is no destination.
    pub(super) fn destinations(&self, map: &ResourcePath) -> Vec<Destination> {
        self.links(map)
            .filter(|(at, _)| !at.starts_with("resource.tests"))
            .filter_map(|(at, path)| {
                let stored = self.get(&path)?;
                let scheme = Scheme::of(stored);
                let serves = match (path.collection, scheme) {
                    ("backendBuckets", None) => vec![Scheme::External, Scheme::ExternalManaged],
                    // On its way from classic: forwarding rules follow later.
                    ("backendServices", Some(Scheme::ExternalManaged)) if is_migrating(stored) => {
                        vec![Scheme::External, Scheme::ExternalManaged]
                    }
                    (_, Some(scheme)) => vec![scheme],
                    (_, None) => Vec::new(),
                };
                Some(Destination { at, path, scheme, serves })
            })
            .collect()
    }

    pub(super) fn proxies(&self, map: &ResourcePath) -> Vec<ResourcePath> {
        self.users(map, &PROXIES)
    }

    /// The forwarding rules that lead to a map and may be at odds with it. Those that stand have been compared with it and
    /// with each other: beside a rule that is being changed, one of them speaks for all.
    pub(super) fn rules_of_map(&self, proxies: &[ResourcePath]) -> Vec<Rule> {
        if self.draft.path.collection != "forwardingRules" {
            return proxies.iter().flat_map(|proxy| self.rules(proxy)).collect();
        }
        let rule = |path: &ResourcePath| {
            let scheme = Scheme::of(self.get(path)?)?;
            Some(Rule { path: path.clone(), scheme })
        };
        let others = proxies.iter().find_map(|proxy| {
            let mut users = self.world.state.referrers(proxy);
            users
                .find(|user| user.collection == "forwardingRules" && **user != self.draft.path)
                .and_then(rule)
                .or_else(|| self.coming_rule(proxy))
        });
        rule(&self.draft.path).into_iter().chain(others).collect()
    }

    /// A rule that was accepted and does not stand yet.
    pub(super) fn coming_rule(&self, proxy: &ResourcePath) -> Option<Rule> {
        let proxy = proxy.to_string();
        self.world.state.changes().find_map(|(path, change)| match change {
            Change::Put(draft)
                if path.collection == "forwardingRules"
                    && *path != self.draft.path
                    && draft.next.text("target") == Some(&proxy) =>
            {
                Some(Rule { path: path.clone(), scheme: Scheme::of(&draft.next)? })
            }
            Change::Put(_) | Change::Delete => None,
        })
    }

    pub(super) fn rules(&self, proxy: &ResourcePath) -> Vec<Rule> {
        self.users(proxy, &["forwardingRules"])
            .into_iter()
            .filter_map(|path| {
                let scheme = Scheme::of(self.get(&path)?)?;
                Some(Rule { path, scheme })
            })
            .collect()
    }
}

/// Whether a backend service says that it is changing from classic to managed or back.
pub(super) fn is_migrating(service: &Stored) -> bool {
    service.text("externalManagedMigrationState").is_some()
}
