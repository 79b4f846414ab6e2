//! What a folder refuses, the API server refuses too, for the same field and in the same words.
//!
//! A folder has no API server in front of it, so its checks are written a second time here. This holds them against the real one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use controlplane::control_plane::ControlPlane;
use controlplane::kubectl::Kubectl;
use controlplane::prerequisite;
use gclb::snapshot::manifests::{Code, Diagnostic, Manifests};

const OBJECT: &str = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\n";

fn ingress(spec: &str) -> String {
    format!("{OBJECT}spec: {spec}\n")
}

/// An Ingress with one rule, whose one path is this.
fn path(path: &str) -> String {
    ingress(&format!("{{rules: [{{http: {{paths: [{path}]}}}}]}}"))
}

fn service(spec: &str) -> String {
    format!("apiVersion: v1\nkind: Service\nmetadata: {{name: web}}\nspec: {spec}\n")
}

fn secret(rest: &str) -> String {
    format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: tls}}\n{rest}\n")
}

const BACKEND: &str = "backend: {service: {name: web, port: {number: 80}}}";

/// Manifests that break rules of validation.
fn invalid() -> Vec<String> {
    let host = |host: &str| ingress(&format!("{{rules: [{{host: {host:?}}}]}}"));
    let port = |port: &str| {
        path(&format!("{{path: /, pathType: Prefix, backend: {{service: {{name: web, port: {port}}}}}}}"))
    };
    let tls = |tls: &str| {
        ingress(&format!(
            "{{tls: [{tls}], defaultBackend: {{service: {{name: web, port: {{number: 80}}}}}}}}"
        ))
    };
    let slice = |rest: &str| {
        format!("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: web-1}}\n{rest}\n")
    };
    vec![
        ingress("{}"),
        host("Shop.example.com"),
        host("shop.example.com:80"),
        host("10.0.0.1"),
        host("*"),
        host("*.*.example.com"),
        host("a.*.example.com"),
        host("a_b"),
        ingress("{rules: [{http: {paths: []}}]}"),
        path(&format!("{{path: api, pathType: Prefix, {BACKEND}}}")),
        path(&format!("{{path: api, pathType: ImplementationSpecific, {BACKEND}}}")),
        path(&format!("{{pathType: Exact, {BACKEND}}}")),
        path(&format!("{{path: /api, {BACKEND}}}")),
        path(&format!("{{path: /api, pathType: Regex, {BACKEND}}}")),
        path(&format!("{{path: /a//b, pathType: Prefix, {BACKEND}}}")),
        path(&format!("{{path: /a/../b, pathType: Prefix, {BACKEND}}}")),
        path(&format!("{{path: /a/.., pathType: Exact, {BACKEND}}}")),
        path(&format!("{{path: /a%2Fb, pathType: Exact, {BACKEND}}}")),
        path("{path: /, pathType: Prefix, backend: {}}"),
        path("{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}, resource: {kind: A, name: a}}}"),
        path("{path: /, pathType: Prefix, backend: {service: {name: Web, port: {number: 80}}}}"),
        path("{path: /, pathType: Prefix, backend: {service: {name: '', port: {number: 80}}}}"),
        port("{}"),
        port("{name: http, number: 80}"),
        port("{number: 70000}"),
        port("{number: -1}"),
        port("{name: '80'}"),
        port("{name: this-is-too-long-a-name}"),
        tls("{hosts: ['shop.example.com:443']}"),
        tls("{secretName: A_B}"),
        ingress("{ingressClassName: A_B, defaultBackend: {service: {name: web, port: {number: 80}}}}"),
        ingress("{ingressClassName: gclb, defaultBackend: {service: {name: web, port: {number: 80}}}}")
        .replacen("name: web", "name: web, annotations: {kubernetes.io/ingress.class: other}", 1),
        ingress("{defaultBackend: {service: {name: web, port: {number: 80}}}}").replacen("name: web", "name: Web_1", 1),
        ingress("{defaultBackend: {service: {name: web, port: {number: 80}}}}")
            .replacen("name: web", "name: web, labels: {'a b': c, d: 'e f'}", 1),
        service("{}"),
        service("{type: Nodeport, ports: [{port: 80}]}"),
        service("{ports: [{port: 0}]}"),
        service("{ports: [{port: 80}, {port: 81}]}"),
        service("{ports: [{port: 80, name: a}, {port: 81, name: a}]}"),
        service("{ports: [{port: 80, name: a}, {port: 80, name: b}]}"),
        service("{ports: [{port: 80, name: A}]}"),
        service("{ports: [{port: 80, protocol: HTTP}]}"),
        service("{ports: [{port: 80, targetPort: '8080'}]}"),
        service("{ports: [{port: 80, targetPort: 0x1FFFF}]}"),
        service("{type: NodePort, ports: [{port: 80, nodePort: 80}]}"),
        service("{ports: [{port: 80, nodePort: 30080}]}"),
        service("{type: ExternalName}"),
        service("{ports: [{port: 80}]}").replacen("name: web", "name: web.1", 1),
        service("{ports: [{port: 80}]}").replacen("name: web", &format!("name: {}", "a".repeat(64)), 1),
        host(&format!("{}.example.com", "a".repeat(250))),
        ingress("{defaultBackend: {service: {name: web, port: {number: 80}}}}")
            .replacen("name: web", &format!("name: web, labels: {{a: {0}, {0}: a}}", "b".repeat(64)), 1),
        ingress("{defaultBackend: {service: {name: web, port: {number: 80}}}}")
            .replacen("name: web", "name: web, annotations: {'a b': c, A_b/c: d}", 1),
        secret("type: kubernetes.io/tls\ndata: {tls.crt: ''}"),
        secret("data: {'a b': ''}"),
        "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: gclb}\nspec: {controller: gclb}\n".to_owned(),
        "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: gclb}\nspec: {}\n".to_owned(),
        slice("addressType: IPv5\nendpoints: []"),
        slice("addressType: IPv4\nendpoints: [{addresses: [127.0.0.1]}]"),
        slice("addressType: IPv4\nendpoints: [{addresses: ['10.0.0.256']}]"),
        slice("addressType: IPv4\nendpoints: [{addresses: []}]"),
        slice("addressType: IPv4\nendpoints: [{addresses: [169.254.1.1]}]"),
    ]
}

/// Manifests that no object of the kind can be made of; the API server words these in its own way.
fn unreadable() -> Vec<String> {
    vec![
        ingress("{defaultBackend: {service: {name: web, port: {number: http}}}}"),
        ingress("{rules: {host: a}}"),
        ingress("{tls: [tls]}"),
        ingress("{defaultBackend: {service: {name: web, port: {number: 80}}}}").replacen(
            "name: web",
            "name: web, annotations: {gclb.dev/redirect: off}",
            1,
        ),
        service("{ports: [{port: '80'}]}"),
        service("{type: [NodePort], ports: [{port: 80}]}"),
        secret("data: {tls.key: 'not base64!'}"),
        secret("data: {tls.key: 5}"),
        secret("data: [a]"),
        "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: web}\n".to_owned(),
        "apiVersion: networking.k8s.io/v1\nkind: Ingres\nmetadata: {name: web}\n".to_owned(),
        "apiVersion: v1\nmetadata: {name: web}\n".to_owned(),
        "apiVersion: v1\nkind: Service\nspec: {ports: [{port: 80}]}\n".to_owned(),
        "hello\n".to_owned(),
    ]
}

/// Manifests that look odd and are allowed.
fn valid() -> Vec<String> {
    vec![
        ingress("{rules: [{host: '*.example.com'}]}"),
        ingress("{rules: [{host: ''}]}"),
        ingress("{tls: [{}], rules: [{host: a}]}"),
        path(&format!("{{pathType: ImplementationSpecific, {BACKEND}}}")),
        path(&format!("{{path: '/a b?c', pathType: Prefix, {BACKEND}}}")),
        path(&format!("{{path: /a/..b, pathType: Prefix, {BACKEND}}}")),
        path("{path: /, pathType: Prefix, backend: {resource: {kind: A, name: a}}}"),
        ingress("{rules: [{host: a}, {host: a}]}"),
        ingress("{defaultBackend: {service: {name: web, port: {number: 80}}}}").replacen(
            "name: web",
            "name: web.1.example",
            1,
        ),
        service("{clusterIP: None}"),
        service("{ports: [{port: 80, name: a}, {port: 80, name: b, protocol: UDP}]}"),
        service("{type: ExternalName, externalName: a.example.com}"),
        service("{ports: [{port: 80, targetPort: web}]}"),
        secret("stringData: {a: b}\ndata:\n  c: |\n    aGVs\n    bG8="),
        service("{ports: [{port: 80}]}").replacen("name: web", "name: 1st", 1),
        ingress("{ingressClassName: gclb, defaultBackend: {service: {name: web, port: {number: 80}}}}")
            .replacen("name: web", "name: web, annotations: {kubernetes.io/ingress.class: gclb}", 1),
        secret("type: anything/else"),
    ]
}

/// Why the API server does not create it. What it creates is deleted again.
async fn refusal(kubectl: &Kubectl, text: &str) -> Option<String> {
    let created = kubectl.run_with_input(&["create", "--validate=false", "-f", "-"], text).await;
    if created.is_ok() {
        kubectl.run_with_input(&["delete", "--wait=true", "-f", "-"], text).await.unwrap();
    }
    created.err().map(|error| error.to_string())
}

fn errors(text: &str) -> Vec<Diagnostic> {
    let read = Manifests::read([("web.yaml", text)]);
    read.diagnostics.into_iter().filter(Diagnostic::is_error).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_refuses_the_same_in_the_same_words() {
    let Some(control_plane) = prerequisite::or_skip(ControlPlane::start().await) else { return };
    let kubectl = control_plane.kubectl();
    let mut differences = Vec::new();
    for text in invalid() {
        let ours = errors(&text);
        let Some(theirs) = refusal(&kubectl, &text).await else {
            differences.push(format!("{text}\nwe refuse it, the API server does not: {ours:?}"));
            continue;
        };
        if ours.is_empty() {
            differences.push(format!("{text}\nthe API server refuses it, we do not: {theirs}"));
        }
        for error in ours {
            assert!(matches!(error.code, Code::Invalid | Code::Required), "{error:?}");
            // What is repeated is shown whole by the API server, in a form that only programs read.
            let message = error.message.split("Duplicate value").next().filter(|start| start.is_empty());
            let message = message.map_or(error.message.as_str(), |_| "Duplicate value");
            // Of metadata the API server names only the mapping, or leaves out `metadata`; we name the entry.
            let field = match error.field.as_deref().unwrap_or_default() {
                field if field.starts_with("metadata.annotations[") => "",
                field if field.starts_with("metadata.labels[") => "metadata.labels",
                field => field,
            };
            let said = format!("{field}: {message}");
            if !theirs.contains(&said) {
                differences.push(format!("{text}\nwe say        {said}\nthe API says  {theirs}"));
            }
        }
    }
    for text in unreadable() {
        let (ours, theirs) = (errors(&text), refusal(&kubectl, &text).await);
        if ours.is_empty() || theirs.is_none() {
            differences.push(format!("{text}\nwe say        {ours:?}\nthe API says  {theirs:?}"));
        }
    }
    for text in valid() {
        let (ours, theirs) = (errors(&text), refusal(&kubectl, &text).await);
        if !ours.is_empty() || theirs.is_some() {
            differences.push(format!("{text}\nwe say        {ours:?}\nthe API says  {theirs:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}
