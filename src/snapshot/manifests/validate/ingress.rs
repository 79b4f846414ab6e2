//! The rules of `networking.k8s.io/v1` Ingress.

use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, Ingress, IngressBackend, IngressServiceBackend, IngressSpec,
};

use crate::snapshot::CLASS_ANNOTATION;
use crate::snapshot::manifests::diagnostic::Code;
use crate::snapshot::manifests::fault::Faults;
use crate::snapshot::manifests::field::FieldPath;
use crate::snapshot::manifests::names;

const PATH_TYPES: [&str; 3] = ["Exact", "ImplementationSpecific", "Prefix"];
/// What a path of type Exact or Prefix may not have in it, and not at its end: nobody agrees on what they mean.
const NOT_IN_PATH: [&str; 5] = ["//", "/./", "/../", "%2f", "%2F"];
const NOT_AT_END: [&str; 2] = ["/..", "/."];

/// An Ingress.
pub(in crate::snapshot::manifests) fn ingress(faults: &mut Faults, ingress: &Ingress) {
    let path = FieldPath::of("spec");
    let Some(spec) = &ingress.spec else {
        neither(faults);
        return;
    };
    check_class(faults, ingress, spec);
    let rules = spec.rules.as_deref().unwrap_or_default();
    if rules.is_empty() && spec.default_backend.is_none() {
        neither(faults);
    }
    if let Some(backend) = &spec.default_backend {
        check_backend(faults, &path.child("defaultBackend"), backend);
    }
    for (at, rule) in rules.iter().enumerate() {
        let path = path.child("rules").index(at);
        if let Some(host) = rule.host.as_deref().filter(|host| !host.is_empty()) {
            names::check_host(faults, path.child("host"), host);
        }
        let Some(http) = &rule.http else { continue };
        let path = path.child("http.paths");
        if http.paths.is_empty() {
            faults.required(path.clone(), "", "name at least one path and its backend");
        }
        for (at, rule) in http.paths.iter().enumerate() {
            check_path(faults, &path.index(at), rule);
        }
    }
    for (at, tls) in spec.tls.iter().flatten().enumerate() {
        let path = path.child("tls").index(at);
        for (at, host) in tls.hosts.iter().flatten().enumerate() {
            names::check_host(faults, path.child("hosts").index(at), host);
        }
        if let Some(name) = tls.secret_name.as_deref().filter(|name| !name.is_empty())
            && let Some(problem) = names::subdomain(name)
        {
            let help = "name a Secret of the same namespace";
            faults.invalid(path.child("secretName"), name, &problem, help);
        }
    }
}

fn neither(faults: &mut Faults) {
    faults.error(
        Code::Required,
        FieldPath::of("spec"),
        "Invalid value: null: either `defaultBackend` or `rules` must be specified".to_owned(),
        "say where requests go: spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}",
    );
}

fn check_class(faults: &mut Faults, ingress: &Ingress, spec: &IngressSpec) {
    let Some(class) = spec.ingress_class_name.as_deref() else { return };
    let annotation = ingress.metadata.annotations.as_ref().and_then(|all| all.get(CLASS_ANNOTATION));
    if let Some(annotation) = annotation.filter(|annotation| *annotation != class) {
        faults.invalid(
            FieldPath::of("metadata.annotations").entry(CLASS_ANNOTATION),
            annotation,
            "must match `ingressClassName` when both are specified",
            "keep spec.ingressClassName and remove the annotation",
        );
    }
    if let Some(problem) = names::subdomain(class) {
        faults.invalid(FieldPath::of("spec.ingressClassName"), class, &problem, "name an IngressClass");
    }
}

fn check_path(faults: &mut Faults, field: &FieldPath, rule: &HTTPIngressPath) {
    let path = rule.path.as_deref().unwrap_or_default();
    match rule.path_type.as_str() {
        "" => faults.required(
            field.child("pathType"),
            "pathType must be specified",
            format!("write pathType: Prefix to serve {path:?} and everything below it, or Exact for that path alone"),
        ),
        "Exact" | "Prefix" => {
            if !path.starts_with('/') {
                faults.invalid(field.child("path"), path, "must be an absolute path", slash_help(path));
            }
            for part in NOT_IN_PATH.iter().filter(|part| path.contains(**part)) {
                let help = "write the path in its plain form, or use pathType: ImplementationSpecific";
                faults.invalid(field.child("path"), path, &format!("must not contain '{part}'"), help);
            }
            for end in NOT_AT_END.iter().filter(|end| path.ends_with(**end)) {
                let help = "write the path in its plain form";
                faults.invalid(field.child("path"), path, &format!("cannot end with '{end}'"), help);
            }
        }
        "ImplementationSpecific" => {
            if !path.is_empty() && !path.starts_with('/') {
                faults.invalid(field.child("path"), path, "must be an absolute path", slash_help(path));
            }
        }
        other => faults.unsupported(field.child("pathType"), other, &PATH_TYPES),
    }
    check_backend(faults, &field.child("backend"), &rule.backend);
}

fn slash_help(path: &str) -> String {
    format!("begin the path with a slash: /{path}")
}

fn check_backend(faults: &mut Faults, path: &FieldPath, backend: &IngressBackend) {
    match (&backend.service, &backend.resource) {
        (None, None) => faults.invalid(
            path.clone(),
            "",
            "resource or service backend is required",
            "name a Service and its port: service: {name: web, port: {number: 80}}",
        ),
        (Some(_), Some(_)) => faults.invalid(
            path.clone(),
            "",
            "cannot set both resource and service backends",
            "keep the service and remove the resource",
        ),
        (Some(service), None) => check_service(faults, path, service),
        (None, Some(resource)) => {
            let path = path.child("resource");
            if resource.kind.is_empty() {
                faults.required(path.child("kind"), "", "name the kind of the resource");
            }
            if resource.name.is_empty() {
                faults.required(path.child("name"), "", "name the resource");
            }
        }
    }
}

fn check_service(faults: &mut Faults, path: &FieldPath, service: &IngressServiceBackend) {
    let service_path = path.child("service");
    if service.name.is_empty() {
        faults.required(service_path.child("name"), "", "name a Service of the same namespace");
    } else if let Some(problem) = names::label(&service.name) {
        faults.invalid(
            service_path.child("name"),
            &service.name,
            &problem,
            "name a Service of the same namespace",
        );
    }
    let port = service.port.as_ref();
    let name = port.and_then(|port| port.name.as_deref()).filter(|name| !name.is_empty());
    let number = port.and_then(|port| port.number).filter(|number| *number != 0);
    match (name, number) {
        (Some(_), Some(_)) => faults.invalid(
            path.clone(),
            "",
            "cannot set both port name & port number",
            "keep one of port.name and port.number",
        ),
        (Some(name), None) => {
            if let Some(problem) = names::port_name(name) {
                let help = match name.parse::<u16>() {
                    Ok(number) => format!("for a number write port: {{number: {number}}}"),
                    Err(_) => "write the name of one of the Service's ports".to_owned(),
                };
                faults.invalid(service_path.child("port.name"), name, &problem, help);
            }
        }
        (None, Some(number)) => {
            if let Some(problem) = names::port_number(number) {
                let help = "write the Service's own port (spec.ports[].port)";
                faults.invalid_number(service_path.child("port.number"), number, problem, help);
            }
        }
        (None, None) => faults.required(
            path.clone(),
            "port name or number is required",
            "name the Service's port: port: {number: 80}",
        ),
    }
}
