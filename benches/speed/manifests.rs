//! A folder with N Ingresses.

use std::fmt::Write as _;
use std::path::Path;

use rcgen::{CertificateParams, KeyPair};

pub(crate) const ZONE: &str = "us-central1-a";
pub(crate) const NODE: &str = "bench-node";

/// Which certificate and which rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) certificate: usize,
    pub(crate) rule: usize,
}

/// Certificates that all Ingresses share: what is measured does not depend on their content.
pub(crate) struct Certificates(Vec<(String, String)>);

impl Certificates {
    pub(crate) fn new() -> Self {
        let one = |_| {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec!["*.bench.example".to_owned()]).unwrap();
            (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
        };
        Self((0..2).map(one).collect())
    }
}

/// What is there before the first Ingress.
pub(crate) fn write_base(folder: &Path) {
    let base = format!(
        "apiVersion: v1\nkind: Node\nmetadata: {{ name: {NODE} }}\nspec: {{ providerID: gce://bench/{ZONE}/{NODE} }}\n\
         status: {{ conditions: [ {{ type: Ready, status: \"True\" }} ] }}\n"
    );
    std::fs::write(folder.join("base.yaml"), base).unwrap();
}

/// The folder holds these Ingresses from now on, all at once.
pub(crate) fn write(folder: &Path, n: usize, version: Version, certificates: &Certificates) {
    // A file that is emptied takes nothing away: an editor may be writing it.
    if n == 0 {
        return std::fs::remove_file(folder.join("ingresses.yaml")).unwrap();
    }
    let Version { certificate, rule } = version;
    let (pem, key) = &certificates.0[certificate];
    let block = |pem: &str| pem.lines().fold(String::new(), |text, line| text + "\n    " + line);
    let (pem, key) = (block(pem), block(key));
    let mut text = String::new();
    for at in 0..n {
        let port = 30_000 + at % 2767;
        write!(
            text,
            "---
apiVersion: v1
kind: Secret
metadata: {{ name: tls-{at} }}
type: kubernetes.io/tls
stringData:
  tls.crt: |{pem}
  tls.key: |{key}
---
apiVersion: v1
kind: Service
metadata: {{ name: web-{at} }}
spec: {{ type: NodePort, selector: {{ app: web }}, ports: [ {{ port: 8080, nodePort: {port} }} ] }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{ name: bench-{at} }}
spec:
  tls: [ {{ secretName: tls-{at} }} ]
  defaultBackend: {{ service: {{ name: web-{at}, port: {{ number: 8080 }} }} }}
  rules:
  - host: host-{at}.bench.example
    http:
      paths:
      - path: /version-{rule}
        pathType: Prefix
        backend: {{ service: {{ name: web-{at}, port: {{ number: 8080 }} }} }}
"
        )
        .unwrap();
    }
    // Renamed into place, so that it is never seen half written.
    let hidden = folder.join(".ingresses.tmp");
    std::fs::write(&hidden, text).unwrap();
    std::fs::rename(hidden, folder.join("ingresses.yaml")).unwrap();
}
