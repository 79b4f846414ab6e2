//! The part of the discovery document that the emulator's reference is held against: which methods there are, and
//! which fields a type has. Names and types only.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The file, beside `src/`.
pub(crate) const FILE: &str = "discovery.txt";

/// What the document calls the collections of load balancing, global, regional and zonal.
const COLLECTIONS: &[&str] = &[
    "addresses",
    "backendBuckets",
    "backendServices",
    "firewalls",
    "forwardingRules",
    "globalAddresses",
    "globalForwardingRules",
    "globalNetworkEndpointGroups",
    "globalOperations",
    "healthChecks",
    "httpHealthChecks",
    "httpsHealthChecks",
    "instanceGroups",
    "networkEndpointGroups",
    "projects",
    "regionBackendBuckets",
    "regionBackendServices",
    "regionHealthChecks",
    "regionInstanceGroups",
    "regionNetworkEndpointGroups",
    "regionOperations",
    "regionSecurityPolicies",
    "regionSslCertificates",
    "regionSslPolicies",
    "regionTargetHttpProxies",
    "regionTargetHttpsProxies",
    "regionUrlMaps",
    "regions",
    "securityPolicies",
    "sslCertificates",
    "sslPolicies",
    "targetHttpProxies",
    "targetHttpsProxies",
    "urlMaps",
    "zoneOperations",
    "zones",
];

/// Collections that load balancing only refers to: their methods are listed, their fields are not.
const REFERRED_TO: &[&str] = &[
    "imageFamilyViews",
    "images",
    "instanceGroupManagers",
    "instanceTemplates",
    "instances",
    "networks",
    "regionInstanceGroupManagers",
    "regionInstanceTemplates",
    "regionTargetTcpProxies",
    "subnetworks",
    "targetGrpcProxies",
    "targetInstances",
    "targetPools",
    "targetSslProxies",
    "targetTcpProxies",
];

/// The digest: a line for each method, then each type with a line for each field.
pub(crate) fn text(document: &Value) -> Result<String, String> {
    let part = |name: &str| {
        document.get(name).and_then(Value::as_object).ok_or(format!("the document has no {name}"))
    };
    let (resources, schemas) = (part("resources")?, part("schemas")?);
    let revision = document.get("revision").and_then(Value::as_str).ok_or("the document has no revision")?;
    let mut text = format!(
        "# Methods and fields of the Compute Engine v1 discovery document, revision {revision}: names and types only.\n\
         # Written by this crate's example `generate`; do not edit.\n"
    );
    let mut wanted = VecDeque::new();
    for (names, fields) in [(COLLECTIONS, true), (REFERRED_TO, false)] {
        for name in names {
            let methods = resources
                .get(*name)
                .and_then(|resource| resource.get("methods"))
                .and_then(Value::as_object)
                .ok_or(format!("the document has no collection {name}"))?;
            for (method, body) in methods {
                let string = |field: &str| body.get(field).and_then(Value::as_str).unwrap_or("-");
                let schema = |field: &str| body.pointer(&format!("/{field}/$ref")).and_then(Value::as_str);
                let request = schema("request");
                let _ = writeln!(
                    text,
                    "{} {} {name}.{method} {}",
                    string("httpMethod"),
                    string("flatPath"),
                    request.unwrap_or("-")
                );
                if fields {
                    wanted.extend(request.map(str::to_owned));
                    if method == "get" {
                        wanted.extend(schema("response").map(str::to_owned));
                    }
                }
            }
        }
    }
    let mut types: BTreeMap<String, String> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    while let Some(name) = wanted.pop_front() {
        if !seen.insert(name.clone()) {
            continue;
        }
        let properties = schemas
            .get(&name)
            .and_then(|schema| schema.get("properties"))
            .and_then(Value::as_object)
            .ok_or(format!("the document has no type {name}"))?;
        describe(&name, properties, &mut types, &mut wanted);
    }
    for fields in types.values() {
        text.push_str(fields);
    }
    Ok(text)
}

/// Adds the lines of one type, and of the nameless types inside it.
fn describe(
    name: &str,
    properties: &Map<String, Value>,
    types: &mut BTreeMap<String, String>,
    wanted: &mut VecDeque<String>,
) {
    let mut lines = format!("type {name}\n");
    for (field, body) in properties {
        let shape = shape(&format!("{name}.{field}"), body, types, wanted);
        let prose = body.get("description").and_then(Value::as_str).unwrap_or_default();
        let output = body.get("readOnly").and_then(Value::as_bool).unwrap_or(false)
            || prose.contains("[Output Only]")
            || prose.contains("[Output only]");
        let _ = writeln!(lines, "  {field} {shape}{}", if output { " output" } else { "" });
    }
    types.insert(name.to_owned(), lines);
}

/// A field's type: `string`, `[UrlRewrite]`, `{string}`, or the name of a type.
fn shape(
    at: &str,
    body: &Value,
    types: &mut BTreeMap<String, String>,
    wanted: &mut VecDeque<String>,
) -> String {
    if let Some(reference) = body.get("$ref").and_then(Value::as_str) {
        wanted.push_back(reference.to_owned());
        return reference.to_owned();
    }
    let of = |name: &str| body.get(name);
    match body.get("type").and_then(Value::as_str) {
        Some("array") => {
            let items = of("items").cloned().unwrap_or_default();
            format!("[{}]", shape(at, &items, types, wanted))
        }
        Some("object") => match (of("properties").and_then(Value::as_object), of("additionalProperties")) {
            (Some(properties), _) => {
                describe(at, properties, types, wanted);
                at.to_owned()
            }
            (None, Some(values)) => format!("{{{}}}", shape(at, values, types, wanted)),
            (None, None) => "object".to_owned(),
        },
        Some(plain) => plain.to_owned(),
        None => "any".to_owned(),
    }
}
