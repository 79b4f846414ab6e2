//! Managed instance groups: an empty collection, because clients that list instance groups ask for their managers too.

use crate::declaration::{ListOf, Resource, ScopeKind};

pub(super) static RESOURCE: Resource = Resource {
    collection: "instanceGroupManagers",
    singular: "instance_group_manager",
    kind: "compute#instanceGroupManager",
    scopes: &[ScopeKind::Zone, ScopeKind::Region],
    verbs: &[],
    list_kinds: &[(ListOf::Region, "compute#regionInstanceGroupManagerList")],
    ..Resource::PLAIN
};
