//! From a tree to the typed objects of the API, with the place of whatever does not fit.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::json;

use super::custom::custom;
use super::diagnostic::{Code, DiagnosticSeverity};
use super::fault::{Fault, Faults};
use super::field::FieldPath;
use super::kinds::Role;
use super::object::{Content, ObjectId, Workload};
use super::secret::secret;
use super::validate::{self, NameRule};
use super::yaml::{Node, Value};
use crate::custom_resource::{BackendConfigSpec, FrontendConfigSpec, ManagedCertificateSpec};
use crate::snapshot::{ManagedCertificate, pod};

/// Reads and checks the object. `None` where it is so wrong that it cannot be had at all.
pub(super) fn content(root: &Node, role: Role, id: &ObjectId, faults: &mut Faults) -> Option<Content> {
    match role {
        Role::Ingress => {
            let mut object = decode::<k8s_openapi::api::networking::v1::Ingress>(root, faults)?;
            admit(&mut object.metadata, id, NameRule::Subdomain, faults);
            object.status = None;
            validate::ingress(faults, &object);
            Some(Content::Ingress(Arc::new(object)))
        }
        Role::IngressClass => {
            let mut object = decode::<k8s_openapi::api::networking::v1::IngressClass>(root, faults)?;
            admit(&mut object.metadata, id, NameRule::Subdomain, faults);
            validate::ingress_class(faults, &object);
            Some(Content::IngressClass(Arc::new(object)))
        }
        Role::Service => {
            let mut object = decode::<k8s_openapi::api::core::v1::Service>(root, faults)?;
            admit(&mut object.metadata, id, NameRule::Label, faults);
            object.status = None;
            validate::service(faults, &object);
            Some(Content::Service(Arc::new(object)))
        }
        Role::EndpointSlice => {
            let mut object = decode::<k8s_openapi::api::discovery::v1::EndpointSlice>(root, faults)?;
            admit(&mut object.metadata, id, NameRule::Subdomain, faults);
            validate::endpoint_slice(faults, &object);
            Some(Content::EndpointSlice(Arc::new(object)))
        }
        Role::Node => {
            let mut object = decode::<k8s_openapi::api::core::v1::Node>(root, faults)?;
            admit(&mut object.metadata, id, NameRule::Subdomain, faults);
            validate::node(faults, &object);
            Some(Content::Node(Arc::new(object)))
        }
        Role::Secret => secret(root, id, faults).map(|secret| Content::Secret(Arc::new(secret))),
        Role::BackendConfig => custom::<BackendConfigSpec, serde_json::Value>(root, id, faults)
            .map(|(spec, _)| Content::BackendConfig(Arc::new(spec))),
        Role::FrontendConfig => custom::<FrontendConfigSpec, serde_json::Value>(root, id, faults)
            .map(|(spec, _)| Content::FrontendConfig(Arc::new(spec))),
        Role::ManagedCertificate => {
            let (spec, status) = custom::<ManagedCertificateSpec, _>(root, id, faults)?;
            let certificate = ManagedCertificate { spec, status: status.unwrap_or_default() };
            Some(Content::ManagedCertificate(Arc::new(certificate)))
        }
        Role::Workload { template } => Some(Content::Workload(Arc::new(workload(root, template)))),
        Role::Unread => None,
    }
}

/// What the API server does with the metadata of a new object: checks what is the user's, drops what is its own.
pub(super) fn admit(
    metadata: &mut k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
    id: &ObjectId,
    rule: NameRule,
    faults: &mut Faults,
) {
    validate::metadata(faults, metadata, rule);
    *metadata = k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
        name: metadata.name.take(),
        namespace: id.namespace.clone(),
        labels: metadata.labels.take(),
        annotations: metadata.annotations.take(),
        ..Default::default()
    };
}

fn decode<T: DeserializeOwned>(root: &Node, faults: &mut Faults) -> Option<T> {
    decode_json(root, root.to_json(), faults)
}

pub(super) fn decode_json<T: DeserializeOwned>(
    root: &Node,
    json: serde_json::Value,
    faults: &mut Faults,
) -> Option<T> {
    let mut unknown = Vec::new();
    let mut note = |path: serde_ignored::Path<'_>| unknown.push(ignored_path(&path));
    let mut track = serde_path_to_error::Track::new();
    let deserializer = serde_ignored::Deserializer::new(json, &mut note);
    let decoded = T::deserialize(serde_path_to_error::Deserializer::new(deserializer, &mut track));
    for path in unknown {
        let name = path.to_string();
        let last = name.rsplit('.').next().unwrap_or(&name);
        faults.0.push(Fault {
            severity: DiagnosticSeverity::Warning,
            code: Code::UnknownField,
            message: format!("unknown field {last:?}"),
            path,
            about_name: true,
            help: "it has no effect; correct its name or its indentation, or remove it".to_owned(),
        });
    }
    match decoded {
        Ok(object) => Some(object),
        Err(error) => {
            let path = failed_path(&track.path());
            let (message, help) = wrong_type(root, &path, &error.to_string());
            faults.error(Code::WrongType, path, message, help);
            None
        }
    }
}

fn ignored_path(path: &serde_ignored::Path<'_>) -> FieldPath {
    match path {
        serde_ignored::Path::Root => FieldPath::default(),
        serde_ignored::Path::Seq { parent, index } => ignored_path(parent).index(*index),
        serde_ignored::Path::Map { parent, key } => ignored_path(parent).step(key),
        serde_ignored::Path::Some { parent }
        | serde_ignored::Path::NewtypeStruct { parent }
        | serde_ignored::Path::NewtypeVariant { parent } => ignored_path(parent),
    }
}

fn failed_path(path: &serde_path_to_error::Path) -> FieldPath {
    path.iter().fold(FieldPath::default(), |path, segment| match segment {
        serde_path_to_error::Segment::Seq { index } => path.index(*index),
        serde_path_to_error::Segment::Map { key } => path.step(key),
        serde_path_to_error::Segment::Enum { .. } | serde_path_to_error::Segment::Unknown => path,
    })
}

/// In the words of a person who writes YAML, not of a program that reads it.
fn wrong_type(root: &Node, path: &FieldPath, error: &str) -> (String, &'static str) {
    let found = path.node(root);
    let expected = error.rsplit_once("expected ").map(|(_, expected)| expected.trim()).unwrap_or_default();
    let (expected, help) = match expected {
        "i32" | "i64" | "u16" | "u32" => ("a whole number", "write a number, without quotes"),
        "a string" | "string" => ("a string", "put the value in quotes"),
        "a boolean" => ("a boolean", "write true or false, without quotes"),
        "a sequence" => ("a list", "begin each item with a dash, or write [item, item]"),
        "a map" | "map" => ("a mapping", "write key: value, indented below the field"),
        "" => ("something else", "correct the value"),
        name if name.starts_with(char::is_uppercase) || name.starts_with("struct") => {
            ("a mapping", "write key: value, indented below the field")
        }
        _ => ("something else", "correct the value"),
    };
    let message = match found {
        Some(Node { value: Value::Bool(value), .. }) => {
            format!("expected {expected}, found the boolean {value}")
        }
        Some(Node { value: Value::Number(number), .. }) => {
            format!("expected {expected}, found the number {number}")
        }
        Some(Node { value: Value::String(text), .. }) => {
            format!("expected {expected}, found the string {text:?}")
        }
        Some(node) => format!("expected {expected}, found {}", node.noun()),
        None => error.to_owned(),
    };
    (message, help)
}

fn workload(root: &Node, template: &str) -> Workload {
    let Some(pod) = FieldPath::of(template).node(root) else { return Workload::default() };
    let pod = pod.to_json();
    let spec = pod.get("spec").cloned().map(serde_json::from_value::<k8s_openapi::api::core::v1::PodSpec>);
    let none = json!([]);
    let labels = pod.pointer("/metadata/labels").and_then(serde_json::Value::as_object);
    let containers = pod.pointer("/spec/containers").unwrap_or(&none).as_array().cloned().unwrap_or_default();
    let ports = containers.iter().filter_map(|container| container["ports"].as_array()).flatten();
    Workload {
        labels: labels
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect(),
        ports: ports
            .filter(|port| port["protocol"].as_str().unwrap_or("TCP") == "TCP")
            .filter_map(|port| {
                Some((
                    port["name"].as_str()?.to_owned(),
                    u16::try_from(port["containerPort"].as_u64()?).ok()?,
                ))
            })
            .collect(),
        // A template that does not fit is not ours to judge: it costs the probe, and the API server says why.
        containers: spec.and_then(Result::ok).as_ref().and_then(pod::containers),
    }
}
