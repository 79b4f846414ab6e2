//! The permission that a call needs: `compute.SERVICE.ACTION`.

use crate::call::{Call, OperationCall};
use crate::service;
use serde_json::Value;

/// The permission, or none for what everybody may ask.
pub(super) fn of(call: &Call) -> Option<String> {
    let (service, action) = match call {
        Call::Project { .. } => ("projects".to_owned(), "get"),
        Call::List { resource, scope, .. } => (service::of(resource.collection, scope), "list"),
        Call::Aggregated { resource, .. } => (resource.collection.to_owned(), "list"),
        Call::Get { resource, path } | Call::Find { resource, path, .. } => {
            (service::of(resource.collection, &path.scope), "get")
        }
        Call::Insert { resource, scope, .. } => (service::of(resource.collection, scope), "create"),
        Call::Update { resource, path } | Call::Patch { resource, path } => {
            (service::of(resource.collection, &path.scope), "update")
        }
        Call::Delete { resource, path } => (service::of(resource.collection, &path.scope), "delete"),
        Call::Verb { resource, path, verb } => {
            let action = match verb.name {
                // It asks which permissions there are.
                "testIamPermissions" => return None,
                "getHealth" | "listNetworkEndpoints" | "getRule" | "getEffectiveSecurityPolicies" => "get",
                "listInstances" | "listUsable" => "list",
                "addRule" | "patchRule" | "removeRule" | "addInstances" | "removeInstances"
                | "setNamedPorts" => "update",
                name => name,
            };
            (service::of(resource.collection, &path.scope), action)
        }
        Call::Operations { scope, .. } => (service::of("operations", scope), "list"),
        Call::AggregatedOperations { .. } => ("globalOperations".to_owned(), "list"),
        Call::Operation { path, what } => {
            let action = match what {
                OperationCall::Get | OperationCall::Wait => "get",
                OperationCall::Delete => "delete",
            };
            (service::of("operations", &path.scope), action)
        }
        Call::Collection { resource, scope, verb, .. } => {
            let action = match verb.name {
                "listUsable" | "listPreconfiguredExpressionSets" => "list",
                name => name,
            };
            let service = match scope {
                Some(scope) => service::of(resource.collection, scope),
                None => resource.collection.to_owned(),
            };
            (service, action)
        }
    };
    Some(format!("compute.{service}.{action}"))
}

/// What the permission would have been needed on, as the refusal says it.
pub(super) fn subject(call: &Call, project: &str, body: &[u8]) -> String {
    match call {
        Call::Get { path, .. }
        | Call::Update { path, .. }
        | Call::Patch { path, .. }
        | Call::Delete { path, .. }
        | Call::Verb { path, .. } => {
            let mut path = path.clone();
            project.clone_into(&mut path.project);
            path.to_string()
        }
        Call::Insert { resource, scope, .. } => {
            let body: Value = serde_json::from_slice(body).unwrap_or_default();
            let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
            format!("projects/{project}/{scope}/{}/{name}", resource.collection)
        }
        Call::Operation { path, .. } => format!("projects/{project}/{}/operations/{}", path.scope, path.name),
        _ => format!("projects/{project}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    #[test]
    fn permissions_of_calls() {
        for (method, path, expected) in [
            ("GET", "", "compute.projects.get"),
            ("GET", "/zones", "compute.zones.list"),
            ("GET", "/zones/z", "compute.zones.get"),
            ("POST", "/global/urlMaps", "compute.urlMaps.create"),
            ("PUT", "/regions/r/urlMaps/u", "compute.regionUrlMaps.update"),
            ("PATCH", "/global/urlMaps/u", "compute.urlMaps.update"),
            ("GET", "/aggregated/urlMaps", "compute.urlMaps.list"),
            ("DELETE", "/global/addresses/a", "compute.globalAddresses.delete"),
            ("DELETE", "/regions/r/addresses/a", "compute.addresses.delete"),
            ("POST", "/global/forwardingRules/f/setTarget", "compute.globalForwardingRules.setTarget"),
            ("POST", "/targetHttpProxies/t/setUrlMap", "compute.targetHttpProxies.setUrlMap"),
            ("POST", "/global/backendServices/b/getHealth", "compute.backendServices.get"),
            ("GET", "/global/networkEndpointGroups/n", "compute.globalNetworkEndpointGroups.get"),
            ("GET", "/zones/z/networkEndpointGroups/n", "compute.networkEndpointGroups.get"),
            ("POST", "/zones/z/instanceGroups/g/addInstances", "compute.instanceGroups.update"),
            ("GET", "/regions/r/subnetworks", "compute.subnetworks.list"),
            ("POST", "/global/operations/o/wait", "compute.globalOperations.get"),
            ("GET", "/zones/z/operations", "compute.zoneOperations.list"),
            ("GET", "/global/backendServices/listUsable", "compute.backendServices.list"),
            ("GET", "/global/sslPolicies/listAvailableFeatures", "compute.sslPolicies.listAvailableFeatures"),
        ] {
            let path = format!("/compute/v1/projects/p{path}");
            let (_, call) =
                Call::parse(&method.parse::<Method>().unwrap(), &path).unwrap_or_else(|| panic!("{path}"));
            assert_eq!(of(&call).as_deref(), Some(expected), "{method} {path}");
        }
    }

    #[test]
    fn subjects_of_refusals() {
        let body = br#"{"name": "u"}"#;
        for (method, path, expected) in [
            ("POST", "/global/urlMaps", "projects/shop/global/urlMaps/u"),
            ("GET", "/global/urlMaps/x", "projects/shop/global/urlMaps/x"),
            ("GET", "/global/urlMaps", "projects/shop"),
        ] {
            let path = format!("/compute/v1/projects/123{path}");
            let (_, call) = Call::parse(&method.parse::<Method>().unwrap(), &path).unwrap();
            assert_eq!(subject(&call, "shop", body), expected, "{method} {path}");
        }
    }
}
