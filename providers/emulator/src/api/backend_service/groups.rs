//! The rules of the backends of a backend service: which groups go together, and how load is balanced over each.

use super::{Backend, backends};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::scope::ResourcePath;
use crate::world::World;
use serde_json::{Map, Value};

/// The kinds of group a backend can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GroupKind {
    InstanceGroup,
    /// Endpoints in Google's network or reached from it, with ports: they are probed.
    Endpoints,
    /// Instances as a whole, for load balancers that pass packets on; probed too.
    Instances,
    /// Something that runs without servers; not probed.
    Serverless,
    /// What the load balancer does not probe either: the internet, a published service.
    Elsewhere,
}

impl GroupKind {
    fn of(group: &ResourcePath, world: &World<'_>) -> Self {
        if group.collection == "instanceGroups" {
            return Self::InstanceGroup;
        }
        match world.latest(group).and_then(|group| group.text("networkEndpointType")) {
            Some("GCE_VM_IP_PORT" | "NON_GCP_PRIVATE_IP_PORT") => Self::Endpoints,
            Some("GCE_VM_IP") => Self::Instances,
            Some("SERVERLESS") => Self::Serverless,
            _ => Self::Elsewhere,
        }
    }

    fn is_probed(self) -> bool {
        match self {
            Self::InstanceGroup | Self::Endpoints | Self::Instances => true,
            Self::Serverless | Self::Elsewhere => false,
        }
    }
}

pub(super) fn check(draft: &Draft, world: &World<'_>) -> Result<(), ApiError> {
    let body = draft.body();
    let mut kinds = Vec::new();
    let mut groups = Vec::new();
    for backend in backends(body) {
        if groups.contains(&backend.group) {
            return Err(ApiError::invalid(
                &format!("{}.group", backend.at),
                &backend.group.to_string(),
                "The group is named by another backend of this backend service.",
            ));
        }
        let kind = GroupKind::of(&backend.group, world);
        check_scheme(&backend, kind, draft)?;
        check_balancing(&backend, kind, draft)?;
        kinds.push(kind);
        groups.push(backend.group);
    }
    for kind in [GroupKind::InstanceGroup, GroupKind::Serverless] {
        if kinds.contains(&kind) && kinds.iter().any(|other| *other != kind) {
            let why = match kind {
                GroupKind::InstanceGroup => {
                    "Backends of a backend service must be either all instance groups or all network endpoint groups."
                }
                _ => "Backends of a backend service must be either all serverless or none of them.",
            };
            return Err(ApiError::invalid("resource.backends", "", why));
        }
    }
    check_drained(body, kinds.len())?;
    let health_checks = body.get("healthChecks").and_then(Value::as_array).map_or(0, Vec::len);
    if kinds.contains(&GroupKind::Serverless) && health_checks > 0 {
        return Err(ApiError::invalid(
            "resource.healthChecks",
            "",
            "A backend service cannot have a healthcheck with Serverless network endpoint group backends.",
        ));
    }
    check_source_regions(body, world)?;
    if kinds.iter().any(|kind| kind.is_probed()) && health_checks == 0 && !body.contains_key("haPolicy") {
        return Err(ApiError::required("resource.healthChecks"));
    }
    Ok(())
}

/// A health check that probes from chosen regions is for DNS, not for load balancers.
fn check_source_regions(body: &Map<String, Value>, world: &World<'_>) -> Result<(), ApiError> {
    let named = body.get("healthChecks").and_then(Value::as_array).into_iter().flatten();
    for (index, link) in named.filter_map(Value::as_str).enumerate() {
        let found = ResourcePath::parse(link);
        let regional = found
            .and_then(|path| world.latest(&path)?.fields().get("sourceRegions")?.as_array())
            .is_some_and(|regions| !regions.is_empty());
        if regional {
            return Err(ApiError::invalid(
                &format!("resource.healthChecks[{index}]"),
                link,
                "A health check with sourceRegions cannot be used by a backend service.",
            ));
        }
    }
    Ok(())
}

/// The only backend cannot be drained.
fn check_drained(body: &Map<String, Value>, count: usize) -> Result<(), ApiError> {
    for backend in backends(body) {
        if count == 1 && backend.body.get("capacityScaler").and_then(Value::as_f64) == Some(0.0) {
            return Err(ApiError::invalid(
                &format!("{}.capacityScaler", backend.at),
                "0",
                "Cannot be 0 when there is only one backend.",
            ));
        }
    }
    Ok(())
}

fn shown(body: &Map<String, Value>, field: &str) -> String {
    body.get(field)
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .unwrap_or_default()
}

/// Load balancers that pass packets on have whole instances behind them, proxies have ports.
fn check_scheme(backend: &Backend<'_>, kind: GroupKind, draft: &Draft) -> Result<(), ApiError> {
    let scheme = draft.text("loadBalancingScheme").unwrap_or("EXTERNAL");
    let refused = match kind {
        GroupKind::Instances => {
            matches!(scheme, "EXTERNAL_MANAGED" | "INTERNAL_MANAGED" | "INTERNAL_SELF_MANAGED")
        }
        GroupKind::Endpoints | GroupKind::Serverless => scheme == "INTERNAL",
        GroupKind::InstanceGroup | GroupKind::Elsewhere => false,
    };
    if !refused {
        return Ok(());
    }
    Err(ApiError::invalid(
        &format!("{}.group", backend.at),
        &backend.group.to_string(),
        &format!(
            "A network endpoint group of this type is not supported with load balancing scheme {scheme}."
        ),
    ))
}

/// Which balancing mode a group may have, and which targets go with it.
fn check_balancing(backend: &Backend<'_>, kind: GroupKind, draft: &Draft) -> Result<(), ApiError> {
    let Backend { at, body, .. } = backend;
    let has = |field: &str| body.contains_key(field);
    let refuse =
        |field: &str, why: &str| Err(ApiError::invalid(&format!("{at}.{field}"), &shown(body, field), why));
    if let Some(scaler) = body.get("capacityScaler").and_then(Value::as_f64)
        && scaler != 0.0
        && !(0.1..=1.0).contains(&scaler)
    {
        return refuse("capacityScaler", "Must be 0 or between 0.1 and 1.0.");
    }
    if !kind.is_probed() {
        return Ok(());
    }
    let of_endpoints = kind != GroupKind::InstanceGroup;
    let foreign = if of_endpoints {
        ["maxRatePerInstance", "maxConnectionsPerInstance"]
    } else {
        ["maxRatePerEndpoint", "maxConnectionsPerEndpoint"]
    };
    if let Some(field) = foreign.into_iter().find(|field| has(field)) {
        return refuse(field, "The field does not apply to this type of backend.");
    }
    let rates = ["maxRate", "maxRatePerInstance", "maxRatePerEndpoint"];
    let connections = ["maxConnections", "maxConnectionsPerInstance", "maxConnectionsPerEndpoint"];
    let given = |fields: [&'static str; 3]| fields.into_iter().find(|field| has(field));
    let internal = draft.text("loadBalancingScheme") == Some("INTERNAL");
    let streams = matches!(draft.text("protocol"), None | Some("TCP" | "SSL" | "UDP" | "UNSPECIFIED"));
    match body.get("balancingMode").and_then(Value::as_str) {
        None => Err(ApiError::required(&format!("{at}.balancingMode"))),
        Some(mode) if internal && mode != "CONNECTION" => {
            refuse("balancingMode", "Balancing mode must be CONNECTION for an INTERNAL backend service.")
        }
        Some("UTILIZATION") if of_endpoints => {
            refuse("balancingMode", "UTILIZATION is not supported for network endpoint groups.")
        }
        Some("RATE") if given(rates).is_none() => {
            let field = if of_endpoints { "maxRatePerEndpoint" } else { "maxRatePerInstance" };
            Err(ApiError::invalid(
                &format!("{at}.{field}"),
                "",
                &format!("Balancing mode RATE requires either maxRate or {field}."),
            ))
        }
        Some("RATE") => match given(connections) {
            Some(field) => refuse(field, "The field is not available with balancing mode RATE."),
            None => Ok(()),
        },
        Some("CONNECTION") if !streams => {
            refuse("balancingMode", "CONNECTION is not supported with this protocol.")
        }
        Some("CONNECTION") if !internal && given(connections).is_none() => {
            Err(ApiError::required(&format!("{at}.maxConnections")))
        }
        Some("CONNECTION") => match given(rates) {
            Some(field) => refuse(field, "The field is not available with balancing mode CONNECTION."),
            None => Ok(()),
        },
        Some(_) => Ok(()),
    }
}
