//! Where the input comes from and where the output goes: a cluster's API server, or a folder of manifests.
//!
//! Two sources, one pipeline: nothing behind this trait may know which it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;

use zeroize::Zeroizing;

use crate::model::{CertificateFingerprint, Checkpoint, Held, LoadBalancerKey, ObjectKey, ResourceId};
use crate::snapshot::{CertificateError, Snapshot, certificate};
use crate::status::{Event, Report};
use crate::translate::{Churn, PodPorts};

/// The objects that load balancers are asked for with, and the place where they are told how it went.
pub trait Source: Send + Sync + 'static {
    /// Resolves when anything that a snapshot is made of may have changed since the last call. Cancel-safe: a change is
    /// not lost by dropping the future.
    fn changed(&self) -> impl Future<Output = ()> + Send;

    /// Everything one translation may read, at this moment. `held` is handed through.
    ///
    /// # Errors
    /// [`NotReady`] until every kind of object has been listed once: unknown is not the same as empty.
    fn snapshot(&self, held: Held) -> Result<Snapshot, NotReady>;

    /// Resolves when who is in the groups of some Service may have changed, and nothing else has: see [`churn`](Self::churn).
    /// Cancel-safe. A source that cannot tell says all in [`changed`](Self::changed), and nothing here.
    fn churned(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// Who should be in the groups of the Services whose endpoints have changed since this was last asked, by the `ports` of the last
    /// translation.
    fn churn(&self, ports: &PodPorts) -> Churn {
        let _ = ports;
        Churn::default()
    }

    /// Makes sure, before the first write to the cloud, that this object cannot vanish unseen (a finalizer), and that it remembers
    /// exactly these shared load balancers.
    fn claim(
        &self,
        object: &ObjectKey,
        remembered: &BTreeSet<LoadBalancerKey>,
    ) -> impl Future<Output = Result<(), SourceError>> + Send;

    /// Lets the object go, when nothing of it is left in the cloud.
    fn release(&self, object: &ObjectKey) -> impl Future<Output = Result<(), SourceError>> + Send;

    /// Shows the report (writing only what differs), and says `news`: Events about changes that were just made.
    fn publish(
        &self,
        object: &ObjectKey,
        report: &Report,
        news: &[Event],
    ) -> impl Future<Output = Result<(), SourceError>> + Send;

    /// The checkpoints of the members of network endpoint groups that were kept by whoever ran before. A source that keeps none has none:
    /// then each group whose members matter is listed once.
    ///
    /// # Errors
    /// When they cannot be read; a start without them costs calls, and nothing else.
    fn checkpoints(
        &self,
    ) -> impl Future<Output = Result<BTreeMap<ResourceId, Checkpoint>, SourceError>> + Send {
        std::future::ready(Ok(BTreeMap::new()))
    }

    /// Keeps checkpoints for the next start; `None` stands for a group that is gone. Those not named stay as they are.
    ///
    /// # Errors
    /// When they cannot be written.
    fn keep_checkpoints(
        &self,
        checkpoints: &BTreeMap<ResourceId, Option<Checkpoint>>,
    ) -> impl Future<Output = Result<(), SourceError>> + Send {
        let _ = checkpoints;
        std::future::ready(Ok(()))
    }

    /// The load balancers that were given up (`gclb release`), by the record in the cluster. A source that keeps none has none.
    ///
    /// # Errors
    /// When the record cannot be read.
    fn released(&self) -> impl Future<Output = Result<BTreeSet<LoadBalancerKey>, SourceError>> + Send {
        std::future::ready(Ok(BTreeSet::new()))
    }

    /// The certificate and key of a Secret, for the upload alone; the caller drops it right after.
    ///
    /// # Errors
    /// Among others, when the Secret by now holds another certificate than `fingerprint`.
    fn key_pair(
        &self,
        secret: &ObjectKey,
        fingerprint: &CertificateFingerprint,
    ) -> impl Future<Output = Result<KeyPair, SourceError>> + Send;
}

/// Some kinds of object have not been listed yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("still waiting for the first list of {}", missing.join(", "))]
pub struct NotReady {
    /// Their names.
    pub missing: Vec<&'static str>,
}

/// A certificate chain and its key, both in PEM form. Its `Debug` never shows the key.
pub struct KeyPair {
    /// The chain, the server's own certificate first.
    pub chain_pem: String,
    /// The private key; wiped when dropped.
    pub key_pem: Zeroizing<String>,
}

impl KeyPair {
    /// What is uploaded of a Secret's data: the certificates of `tls.crt` and nothing else, and `tls.key` as it stands. `None` where
    /// the Secret by now holds another certificate than `wanted`.
    ///
    /// # Errors
    /// As [`certificate::read`].
    pub fn of(
        tls_crt: Option<&[u8]>,
        tls_key: Option<&[u8]>,
        wanted: &CertificateFingerprint,
    ) -> Result<Option<Self>, CertificateError> {
        if certificate::read(tls_crt, tls_key)?.fingerprint != *wanted {
            return Ok(None);
        }
        let key = std::str::from_utf8(tls_key.unwrap_or_default())
            .map_err(|_| CertificateError::BadKey { detail: "it is not text".to_owned() })?;
        Ok(Some(Self {
            chain_pem: certificate::chain_pem(tls_crt.unwrap_or_default())?,
            key_pem: Zeroizing::new(key.to_owned()),
        }))
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("chain_pem", &self.chain_pem.len()).finish_non_exhaustive()
    }
}

/// The source could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The object changed or vanished meanwhile: look again.
    #[error("{doing}: {object} is not as it was")]
    Changed {
        /// What was being done.
        doing: &'static str,
        /// To which object.
        object: String,
    },
    /// It may pass.
    #[error("{doing} {object}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// To which object.
        object: String,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
