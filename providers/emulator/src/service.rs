//! Services: what a collection in one kind of place is called in method ids and permissions, as the discovery document
//! has it: `regionUrlMaps`, `globalForwardingRules`, `zoneOperations`.

use crate::api;
use crate::scope::{Scope, ScopeKind};

/// Collections whose plain name is that of the regional ones; the global ones have a prefix. It is the other way round for
/// the rest.
const AT_HOME_IN_REGIONS: [&str; 2] = ["addresses", "forwardingRules"];

/// The service of a collection (`urlMaps`, `operations`) in one place.
pub(crate) fn of(collection: &str, scope: &Scope) -> String {
    let prefix = match (collection, scope) {
        ("operations", Scope::Zone(_)) => "zone",
        ("operations", Scope::Region(_)) => "region",
        ("operations", Scope::Global | Scope::Project) => "global",
        _ => {
            let scopes = api::find(collection).map_or(&[][..], |resource| resource.scopes);
            match scope {
                Scope::Global
                    if scopes.contains(&ScopeKind::Zone) || AT_HOME_IN_REGIONS.contains(&collection) =>
                {
                    "global"
                }
                Scope::Region(_) if scopes.len() > 1 && !AT_HOME_IN_REGIONS.contains(&collection) => "region",
                _ => return collection.to_owned(),
            }
        }
    };
    let mut letters = collection.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{prefix}{first}{}", letters.as_str())
}

/// The id of a method (`urlMaps.insert`) in one place. Aggregated lists are of no place.
pub(crate) fn method(id: &str, place: &Scope) -> String {
    match id.split_once('.') {
        Some((collection, "aggregatedList")) if collection != "operations" => id.to_owned(),
        Some((collection, verb)) => format!("{}.{verb}", of(collection, place)),
        None => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_as_google_spells_them() {
        let region = Scope::Region("r".to_owned());
        let zone = Scope::Zone("z".to_owned());
        for (id, place, expected) in [
            ("forwardingRules.insert", &Scope::Global, "globalForwardingRules.insert"),
            ("forwardingRules.insert", &region, "forwardingRules.insert"),
            ("addresses.aggregatedList", &Scope::Global, "addresses.aggregatedList"),
            ("operations.wait", &Scope::Global, "globalOperations.wait"),
            ("operations.wait", &zone, "zoneOperations.wait"),
            ("operations.get", &region, "regionOperations.get"),
            ("operations.aggregatedList", &Scope::Global, "globalOperations.aggregatedList"),
            ("urlMaps.insert", &Scope::Global, "urlMaps.insert"),
            ("urlMaps.insert", &region, "regionUrlMaps.insert"),
            ("networkEndpointGroups.insert", &zone, "networkEndpointGroups.insert"),
            ("networkEndpointGroups.insert", &Scope::Global, "globalNetworkEndpointGroups.insert"),
            ("instanceGroups.list", &region, "regionInstanceGroups.list"),
            ("subnetworks.list", &region, "subnetworks.list"),
        ] {
            assert_eq!(method(id, place), expected, "{id} {place}");
        }
    }
}
