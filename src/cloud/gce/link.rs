//! References between resources, as the API writes them: full URLs out, anything that names the resource in.

use gce_api::Link;

use crate::model::{Graph, Kind, Ref, Region, Resource, ResourceId, ResourceName, Scope, Zone};

/// Makes references.
#[derive(Debug, Clone)]
pub(super) struct Links {
    root: String,
    project: String,
}

impl Links {
    pub(super) fn new(root: &str, project: &str) -> Self {
        Self { root: root.to_owned(), project: project.to_owned() }
    }

    /// To one of our resources.
    pub(super) fn to(&self, id: &ResourceId) -> String {
        self.url(scope_to_wire(&id.scope), id.kind.collection(), id.name.as_str())
    }

    /// To a network.
    pub(super) fn network(&self, name: &str) -> String {
        self.url(gce_api::Scope::Global, "networks", name)
    }

    /// To a subnetwork, in the region of a zone.
    pub(super) fn subnetwork(&self, zone: &Zone, name: &str) -> String {
        self.url(gce_api::Scope::Region(region_of(zone).0), "subnetworks", name)
    }

    /// To a security policy, in the place of the backend service that it guards.
    pub(super) fn security_policy(&self, scope: &Scope, name: &ResourceName) -> String {
        self.url(scope_to_wire(scope), "securityPolicies", name.as_str())
    }

    /// To an SSL policy, in the place of the proxy that keeps to it.
    pub(super) fn ssl_policy(&self, scope: &Scope, name: &ResourceName) -> String {
        self.url(scope_to_wire(scope), "sslPolicies", name.as_str())
    }

    /// To an instance.
    pub(super) fn instance(&self, zone: &Zone, name: &str) -> String {
        self.url(gce_api::Scope::Zone(zone.0.clone()), "instances", name)
    }

    fn url(&self, scope: gce_api::Scope, collection: &str, name: &str) -> String {
        Link::new(scope, collection, name).in_project(&self.project).url(&self.root)
    }
}

/// The region that a zone is in: its name without the last part (Compute Engine documentation, "Regions and zones").
pub(super) fn region_of(zone: &Zone) -> Region {
    Region(zone.0.rsplit_once('-').map_or(zone.0.as_str(), |(region, _)| region).to_owned())
}

/// The name of whatever a reference names.
pub(super) fn last_part(link: &str) -> &str {
    link.rsplit('/').next().unwrap_or(link)
}

/// What a reference names, where it is a resource of that kind. Which project it is in does not count: the API may say a number where
/// we say a name, and a name with our prefix in another project is not something that we would be given.
pub(super) fn reference<K: Resource>(link: &str) -> Option<Ref<K>> {
    let ResourceId { kind: _, scope, name } = identity(K::KIND, link)?;
    // Only a graph makes references; that nothing else is in this one does not matter, since they compare by identity.
    Some(Graph::default().foreign(scope, name))
}

fn identity(kind: Kind, link: &str) -> Option<ResourceId> {
    let Link { project: _, scope, collection, name } = link.parse().ok()?;
    if collection != kind.collection() {
        return None;
    }
    Some(ResourceId { kind, scope: scope_to_model(&scope), name: ResourceName::new(name).ok()? })
}

pub(super) fn scope_to_wire(scope: &Scope) -> gce_api::Scope {
    match scope {
        Scope::Global => gce_api::Scope::Global,
        Scope::Region(Region(region)) => gce_api::Scope::Region(region.clone()),
        Scope::Zone(Zone(zone)) => gce_api::Scope::Zone(zone.clone()),
    }
}

pub(super) fn scope_to_model(scope: &gce_api::Scope) -> Scope {
    match scope {
        gce_api::Scope::Global => Scope::Global,
        gce_api::Scope::Region(region) => Scope::Region(Region(region.clone())),
        gce_api::Scope::Zone(zone) => Scope::Zone(Zone(zone.clone())),
    }
}

/// The short name at the end of a reference; `None` where there is none.
pub(super) fn short_name(link: Option<&str>) -> Option<String> {
    link.map(Link::name_of).filter(|name| !name.is_empty()).map(str::to_owned)
}
