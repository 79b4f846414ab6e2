//! What a snapshot says, object by object, in so short a form that two can be compared when only one is at hand.
//!
//! In it is what a translation may read, and nothing that changes by itself: neither the time, nor what we tell an Ingress, nor what
//! the cloud holds. Of a Secret there is its certificate's fingerprint, never the key.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Snapshot, Unreadable};

/// For each object, such as `Ingress default/web`, the first 16 hexadecimal digits of the SHA-256 of what was read of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digests(BTreeMap<String, String>);

impl Digests {
    /// Of all that `snapshot` holds.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        let Snapshot {
            cluster,
            taken_at: _,
            classes,
            ingresses,
            services,
            endpoints,
            nodes,
            secrets,
            backend_configs,
            frontend_configs,
            managed_certificates,
            probes,
            held: _,
        } = snapshot;
        let mut all = Self::default();
        all.add("the cluster's settings".to_owned(), &format!("{cluster:?}"));
        for (name, class) in classes {
            let said = (&class.metadata.annotations, &class.spec);
            all.add(format!("IngressClass {name}"), &json(&said));
        }
        for (key, ingress) in ingresses {
            let metadata = &ingress.metadata;
            // What we tell of it ourselves is no part of what it asks for.
            let asked: BTreeMap<_, _> = metadata
                .annotations
                .iter()
                .flatten()
                .filter(|(name, _)| {
                    ![crate::ingress::STATUS, crate::ingress::MEMBER_OF].contains(&name.as_str())
                })
                .collect();
            let said = (&metadata.labels, asked, &ingress.spec, metadata.deletion_timestamp.is_some());
            all.add(format!("Ingress {key}"), &json(&said));
        }
        for (key, service) in services {
            all.add(format!("Service {key}"), &format!("{service:?}"));
        }
        for (key, endpoints) in endpoints {
            all.add(format!("the endpoints of Service {key}"), &format!("{endpoints:?}"));
        }
        for (name, node) in nodes {
            all.add(format!("Node {name}"), &format!("{node:?}"));
        }
        for (key, secret) in secrets {
            all.add(format!("Secret {key}"), &format!("{secret:?}"));
        }
        for (key, config) in backend_configs {
            all.add(format!("BackendConfig {key}"), &read(config.as_deref()));
        }
        for (key, config) in frontend_configs {
            all.add(format!("FrontendConfig {key}"), &read(config.as_deref()));
        }
        for (key, certificate) in managed_certificates {
            let said = certificate.as_ref().map(|certificate| (&certificate.spec, &certificate.status));
            all.add(format!("ManagedCertificate {key}"), &read(said));
        }
        for (key, containers) in probes.iter().flatten() {
            all.add(format!("the readiness probes of Service {key}"), &format!("{containers:?}"));
        }
        all
    }

    fn add(&mut self, object: String, said: &str) {
        let digest = Sha256::digest(said.as_bytes());
        let short = digest.iter().take(8).fold(0_u64, |short, byte| short << 8 | u64::from(*byte));
        self.0.insert(object, format!("{short:016x}"));
    }

    /// What differs in `now`, in words.
    #[must_use]
    pub fn differences(&self, now: &Self) -> Vec<Difference> {
        let names: BTreeSet<&String> = self.0.keys().chain(now.0.keys()).collect();
        names
            .into_iter()
            .filter_map(|name| {
                let how = match (self.0.get(name), now.0.get(name)) {
                    (Some(was), Some(is)) if was == is => return None,
                    (Some(_), Some(_)) => How::Changed,
                    (Some(_), None) => How::Gone,
                    (None, _) => How::New,
                };
                Some(Difference { object: name.clone(), how })
            })
            .collect()
    }
}

/// An object that does not say what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    object: String,
    how: How,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    New,
    Changed,
    Gone,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { object, how } = self;
        match how {
            How::New => write!(f, "{object} was not there"),
            How::Changed => write!(f, "{object} says something else"),
            How::Gone => write!(f, "{object} is not there any more"),
        }
    }
}

/// Of what a `Debug` conceals there is more than that.
fn read<T: Serialize>(said: Result<T, &Unreadable>) -> String {
    match said {
        Ok(said) => json(&said),
        Err(unreadable) => format!("{unreadable:?}"),
    }
}

fn json(said: &impl Serialize) -> String {
    serde_json::to_string(said).expect("texts, numbers and lists can be written as JSON")
}
