//! Firewall rules. Whether they let a probe through is the data plane's business.

use super::iam;
use crate::declaration::{
    Fields, Resource, Standard, Type, choice, flag, integer, link, list, map, object, text,
};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::world::World;
use ipnet::IpNet;
use serde_json::{Value, json};
use std::net::IpAddr;

pub(super) static RESOURCE: Resource = Resource {
    collection: "firewalls",
    singular: "firewall",
    kind: "compute#firewall",
    fields: FIELDS,
    verbs: &[Standard::Insert, Standard::Update, Standard::Patch, Standard::Delete],
    custom: &[iam::TEST_PERMISSIONS],
    operation_types: &[("patch", "compute.firewalls.patch"), ("update", "compute.firewalls.update")],
    fill,
    check,
    ..Resource::PLAIN
};

const TRAFFIC: Fields = &[text("IPProtocol").required(), list("ports", &Type::Text)];

const FIELDS: Fields = &[
    list("allowed", &Type::Object(TRAFFIC)),
    list("denied", &Type::Object(TRAFFIC)),
    text("description"),
    list("destinationRanges", &Type::Text).at_most(5000),
    choice("direction", &["EGRESS", "INGRESS"]).default_text("INGRESS"),
    flag("disabled"),
    flag("enableLogging").beta(),
    object(
        "logConfig",
        &[flag("enable"), choice("metadata", &["EXCLUDE_ALL_METADATA", "INCLUDE_ALL_METADATA"])],
    ),
    link("network", &["networks"]),
    object("params", &[map("resourceManagerTags", &Type::Text)]),
    integer("priority").default_integer(1000).range(0, 65535),
    list("sourceRanges", &Type::Text).at_most(5000),
    list("sourceServiceAccounts", &Type::Text),
    list("sourceTags", &Type::Text),
    list("targetServiceAccounts", &Type::Text),
    list("targetTags", &Type::Text),
];

fn fill(draft: &mut Draft, _: &World<'_>) {
    let default = format!("projects/{}/global/networks/default", draft.path.project);
    draft.fill("network", json!(default));
}

fn check(draft: &Draft, _: &World<'_>) -> Result<(), ApiError> {
    let items = |field: &str| draft.body().get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    match (items("allowed").is_empty(), items("denied").is_empty()) {
        (true, true) => return Err(ApiError::required("resource.allowed")),
        (false, false) => {
            return Err(ApiError::invalid_text(
                "Invalid value for field 'resource.denied': ''. Only one of allowed and denied may be specified.",
            ));
        }
        _ => {}
    }
    for side in ["allowed", "denied"] {
        for (index, traffic) in items(side).iter().enumerate() {
            for (at, ports) in
                traffic.get("ports").and_then(Value::as_array).into_iter().flatten().enumerate()
            {
                let ports = ports.as_str().unwrap_or_default();
                if !is_port_range(ports) {
                    return Err(ApiError::invalid(
                        &format!("resource.{side}[{index}].ports[{at}]"),
                        ports,
                        "Must be a port or a range of ports such as '80' or '12345-12349'.",
                    ));
                }
            }
        }
    }
    for field in ["sourceRanges", "destinationRanges"] {
        for (index, range) in items(field).iter().enumerate() {
            let range = range.as_str().unwrap_or_default();
            if range.parse::<IpNet>().is_err() && range.parse::<IpAddr>().is_err() {
                return Err(ApiError::invalid(
                    &format!("resource.{field}[{index}]"),
                    range,
                    "Must be a valid address CIDR.",
                ));
            }
        }
    }
    Ok(())
}

fn is_port_range(text: &str) -> bool {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    matches!((from.parse::<u16>(), to.parse::<u16>()), (Ok(from), Ok(to)) if from <= to)
}
