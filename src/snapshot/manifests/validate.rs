//! What the API server itself would refuse, in its words: a folder has no API server in front of it.
//!
//! These are rules that a person can trip over, not every rule there is; a cluster may refuse more than is refused here, never less
//! of what is listed here. What is allowed but cannot be served is not said here: that is for the translation, which says it the same
//! way for both sources.

mod ingress;
mod service;

use k8s_openapi::api::core::v1::Node;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::IngressClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

pub(super) use ingress::ingress;
pub(super) use service::service;

use super::fault::Faults;
use super::field::FieldPath;
use super::names;

/// How the names of a kind are formed.
#[derive(Debug, Clone, Copy)]
pub(super) enum NameRule {
    Subdomain,
    /// The names of Services are single labels of DNS names.
    Label,
}

/// Name, namespace, labels and annotations.
pub(super) fn metadata(faults: &mut Faults, metadata: &ObjectMeta, rule: NameRule) {
    let path = FieldPath::of("metadata");
    match metadata.name.as_deref() {
        None | Some("") => {
            let help = match metadata.generate_name {
                Some(_) => "give it a name: names are not generated for the objects of a folder",
                None => "give it a name: metadata: {name: web}",
            };
            faults.required(path.child("name"), "name or generateName is required", help);
        }
        Some(name) => {
            let problem = match rule {
                NameRule::Subdomain => names::subdomain(name),
                NameRule::Label => names::label(name),
            };
            if let Some(problem) = problem {
                faults.invalid(path.child("name"), name, &problem, "choose another name");
            }
        }
    }
    if let Some((namespace, problem)) =
        metadata.namespace.as_deref().and_then(|name| Some((name, names::label(name)?)))
    {
        faults.invalid(path.child("namespace"), namespace, &problem, "choose another namespace");
    }
    for (key, value) in metadata.labels.iter().flatten() {
        if let Some(problem) = names::qualified(key) {
            faults.invalid(path.child("labels"), key, &problem, "rename the label");
        }
        if let Some(problem) = names::label_value(value) {
            faults.invalid(
                path.child("labels").entry(key),
                value,
                &problem,
                "annotations may hold any text; labels may not",
            );
        }
    }
    for key in metadata.annotations.iter().flatten().map(|(key, _)| key) {
        // Annotations may be written in upper case, too.
        if let Some(problem) = names::qualified(&key.to_lowercase()) {
            faults.invalid(path.child("annotations"), key, &problem, "rename the annotation");
        }
    }
}

/// An IngressClass.
pub(super) fn ingress_class(faults: &mut Faults, class: &IngressClass) {
    let path = FieldPath::of("spec.controller");
    let controller = class.spec.as_ref().and_then(|spec| spec.controller.as_deref()).unwrap_or_default();
    let help = "name the controller that is to serve the class; gclb answers to gclb.dev/ingress";
    if controller.is_empty() {
        faults.required(path, "", help);
    } else if controller.len() > 250 {
        faults.invalid(path, controller, "must be no more than 250 characters", help);
    } else if controller
        .split_once('/')
        .is_none_or(|(domain, rest)| names::subdomain(domain).is_some() || rest.is_empty())
    {
        faults.invalid(path, controller, "must be a domain-prefixed path (such as \"acme.io/foo\")", help);
    }
}

/// A Node.
pub(super) fn node(faults: &mut Faults, node: &Node) {
    let provider_id = node.spec.as_ref().and_then(|spec| spec.provider_id.as_deref());
    if let Some(provider_id) = provider_id.filter(|provider_id| !provider_id.is_empty())
        && let Err(problem) = crate::snapshot::Node::try_from(node)
    {
        faults.invalid(
            FieldPath::of("spec.providerID"),
            provider_id,
            "must be of the form gce://PROJECT/ZONE/INSTANCE",
            format!("{problem}; leave it out to have one supplied"),
        );
    }
}

/// An EndpointSlice.
pub(super) fn endpoint_slice(faults: &mut Faults, slice: &EndpointSlice) {
    const TYPES: [&str; 3] = ["FQDN", "IPv4", "IPv6"];
    let path = FieldPath::of("addressType");
    if slice.address_type.is_empty() {
        faults.required(path, "", "write addressType: IPv4");
    } else if !TYPES.contains(&slice.address_type.as_str()) {
        faults.unsupported(path, &slice.address_type, &TYPES);
    }
    for (at, endpoint) in slice.endpoints.iter().flatten().enumerate() {
        let path = FieldPath::of("endpoints").index(at).child("addresses");
        if endpoint.addresses.is_empty() {
            faults.required(path.clone(), "must contain at least 1 address", "name the pod's address");
        }
        for (at, address) in endpoint.addresses.iter().enumerate() {
            if slice.address_type == "IPv4" {
                check_address(faults, path.index(at), address);
            }
        }
    }
    for (at, port) in slice.ports.iter().flatten().enumerate() {
        let path = FieldPath::of("ports").index(at);
        if let Some((number, problem)) =
            port.port.and_then(|number| Some((number, names::port_number(number)?)))
        {
            faults.invalid_number(
                path.child("port"),
                number,
                problem,
                "write the port at which the pod listens",
            );
        }
    }
}

fn check_address(faults: &mut Faults, path: FieldPath, text: &str) {
    let help = "write the pod's own IPv4 address";
    match text.parse::<std::net::Ipv4Addr>() {
        Err(_) => {
            faults.invalid(path, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)", help);
        }
        Ok(address) if address.is_unspecified() => {
            faults.invalid(path, text, "may not be unspecified (0.0.0.0)", help);
        }
        Ok(address) if address.is_loopback() => {
            let help = "write an address of the cluster's range, such as 10.4.0.7: `gclb local` finds it on loopback by itself";
            faults.invalid(path, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)", help);
        }
        Ok(address) if address.is_link_local() => {
            faults.invalid(
                path,
                text,
                "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
                help,
            );
        }
        Ok(address) if address.is_multicast() => {
            faults.invalid(path, text, "may not be in the multicast range (224.0.0.0/4, ff00::/10)", help);
        }
        Ok(_) => {}
    }
}
