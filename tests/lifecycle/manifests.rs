//! Manifests that several tests need.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DnType, KeyPair};

/// How the load balancer reaches the pods of a Service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Through instance groups and the node port.
    NodePort,
    /// Directly, through network endpoint groups.
    Pods,
}

/// A Deployment of echo servers and its Service, on port 80.
pub(crate) fn echo(name: &str, replicas: u32, reach: Reach) -> String {
    let (kind, annotations) = match reach {
        Reach::NodePort => ("NodePort", ""),
        Reach::Pods => ("ClusterIP", "annotations: { cloud.google.com/neg: '{\"ingress\": true}' }"),
    };
    format!(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {{ name: {name} }}
spec:
  replicas: {replicas}
  selector: {{ matchLabels: {{ app: {name} }} }}
  template:
    metadata: {{ labels: {{ app: {name} }} }}
    spec:
      containers:
      - name: echo
        image: echoheaders
        ports: [ {{ name: web, containerPort: 8080 }} ]
---
apiVersion: v1
kind: Service
metadata:
  name: {name}
  {annotations}
spec:
  type: {kind}
  selector: {{ app: {name} }}
  ports: [ {{ name: http, port: 80, targetPort: web }} ]
---
"
    )
}

/// A certificate and its key, as PEM.
pub(crate) struct Certificate {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// A self-signed certificate for one host.
pub(crate) fn certificate(host: &str) -> Certificate {
    signed(host, |_| {})
}

/// One whose time is over.
pub(crate) fn expired_certificate(host: &str) -> Certificate {
    signed(host, |parameters| parameters.not_after = rcgen::date_time_ymd(2020, 2, 1))
}

fn signed(host: &str, change: impl FnOnce(&mut CertificateParams)) -> Certificate {
    let mut parameters = CertificateParams::new(vec![host.to_owned()]).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, host);
    change(&mut parameters);
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.self_signed(&key).unwrap().pem();
    Certificate { certificate, key: key.serialize_pem() }
}

/// A Secret with these entries, without a type.
pub(crate) fn secret(name: &str, entries: &[(&str, &str)]) -> String {
    let data: Vec<String> =
        entries.iter().map(|(key, value)| format!("{key}: {}", STANDARD.encode(value))).collect();
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{ name: {name} }}\ndata: {{ {} }}\n---\n",
        data.join(", ")
    )
}

/// A Secret with a certificate and its key.
pub(crate) fn tls_secret(name: &str, certificate: &Certificate) -> String {
    secret(name, &[("tls.crt", &certificate.certificate), ("tls.key", &certificate.key)])
}
