//! Places: what a global resource may refer to, and what a regional one.

use super::scheme::{Reach, Scheme};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::schema;
use crate::scope::{ResourcePath, Scope};

/// Refuses references of a load balancer's resource to what is in another region, or global where it must be regional, or
/// the other way round.
pub(super) fn check(draft: &Draft) -> Result<(), ApiError> {
    let fields = super::find(draft.path.collection).map_or(&[] as _, |resource| resource.fields);
    for (at, target) in schema::links(fields, draft.body()) {
        if !fits(draft, &target) {
            let must = match &draft.path.scope {
                Scope::Region(region) => format!("Must be in region {region}."),
                Scope::Zone(zone) => format!("Must be in zone {zone}."),
                Scope::Project | Scope::Global => "Must be a global resource.".to_owned(),
            };
            return Err(ApiError::invalid(&at, &target.to_string(), &must));
        }
    }
    Ok(())
}

fn fits(draft: &Draft, target: &ResourcePath) -> bool {
    let from = &draft.path;
    let same = from.scope == target.scope;
    match (from.collection, target.collection) {
        // A classic load balancer of the standard tier has a regional rule in front of global resources.
        (
            "forwardingRules",
            "targetHttpProxies" | "targetHttpsProxies" | "targetSslProxies" | "targetTcpProxies",
        ) => {
            same || (Reach::of(&from.scope) == Reach::Regional
                && target.scope == Scope::Global
                && Scheme::of(&draft.next) == Some(Scheme::External))
        }
        ("forwardingRules", "backendServices" | "targetGrpcProxies" | "targetPools")
        | (
            "targetGrpcProxies" | "targetHttpProxies" | "targetHttpsProxies" | "targetSslProxies"
            | "targetTcpProxies",
            "urlMaps" | "sslCertificates" | "sslPolicies" | "backendServices",
        )
        | ("urlMaps", "backendServices" | "backendBuckets") => same,
        ("forwardingRules", "subnetworks") => same || from.scope == Scope::Global,
        // Recorded: a regional service with a global check.
        ("backendServices", "healthChecks" | "httpHealthChecks" | "httpsHealthChecks") => {
            same || target.scope == Scope::Global
        }
        ("backendServices", "networkEndpointGroups" | "instanceGroups") => match &from.scope {
            Scope::Region(region) => match &target.scope {
                Scope::Region(of) => of == region,
                Scope::Zone(zone) => zone.rsplit_once('-').is_some_and(|(of, _)| of == region),
                Scope::Project | Scope::Global => false,
            },
            Scope::Project | Scope::Global | Scope::Zone(_) => true,
        },
        _ => true,
    }
}
