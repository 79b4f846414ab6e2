//! Looks into Secrets, and forgets what it must not know.
//!
//! Objects that hold keys are wiped as soon as they have been read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use tokio::time::Instant;
use tracing::{debug, warn};
use zeroize::Zeroize as _;

use super::Watched;
use crate::cloud::chain;
use crate::controller::source::{KeyPair, SourceError};
use crate::model::{CertificateFingerprint, ObjectKey};
use crate::snapshot::stores::Unread;
use crate::snapshot::{Certificate, CertificateError, certificate};

/// So many are read at a time.
pub(super) const READERS: usize = 8;

/// A Secret that could not be read is tried again so much later.
const AGAIN: Duration = Duration::from_secs(30);

const DOING: &str = "read the key of";

/// A Secret that wipes itself.
struct Content(Secret);

impl Content {
    async fn get(client: &Client, key: &ObjectKey) -> Result<Self, kube::Error> {
        let api: Api<Secret> = Api::namespaced(client.clone(), &key.namespace);
        api.get(&key.name).await.map(Self)
    }

    fn part(&self, name: &str) -> Option<&[u8]> {
        self.0.data.as_ref()?.get(name).map(|bytes| bytes.0.as_slice())
    }

    fn certificate(&self) -> Result<Certificate, CertificateError> {
        certificate::read(self.part("tls.crt"), self.part("tls.key"))
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        for bytes in self.0.data.iter_mut().flat_map(BTreeMap::values_mut) {
            bytes.0.zeroize();
        }
    }
}

/// What is in a Secret, once: its version and the facts about its certificate. `None`: there is no such Secret.
pub(super) async fn look_into(
    client: &Client,
    secret: &ObjectKey,
) -> Result<Option<(String, Result<Certificate, CertificateError>)>, kube::Error> {
    match Content::get(client, secret).await {
        Ok(content) => {
            let version = content.0.metadata.resource_version.clone().unwrap_or_default();
            Ok(Some((version, content.certificate())))
        }
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads each Secret that is referred to, whenever its version changes. Never returns.
pub(super) async fn keep_read(client: Client, watched: Arc<Watched>) {
    // When a Secret that failed is tried again, by the version that failed.
    let mut failed: BTreeMap<Unread, Instant> = BTreeMap::new();
    loop {
        let unread: BTreeSet<Unread> = watched.stores().unread().into_iter().collect();
        failed.retain(|failed, _| unread.contains(failed));
        let now = Instant::now();
        let due: Vec<Unread> =
            unread.into_iter().filter(|unread| failed.get(unread).is_none_or(|at| *at <= now)).collect();
        let reads = due.into_iter().map(|unread| {
            let client = client.clone();
            async move {
                let content = Content::get(&client, &unread.secret).await;
                (unread, content)
            }
        });
        let mut reads = futures::stream::iter(reads).buffer_unordered(READERS);
        while let Some((unread, content)) = reads.next().await {
            match content {
                Ok(content) => {
                    failed.remove(&unread);
                    let version = content.0.metadata.resource_version.clone().unwrap_or_default();
                    let facts = content.certificate();
                    debug!(secret = %unread.secret, version, usable = facts.is_ok(), "read");
                    let matters = watched.stores().read(Unread { secret: unread.secret, version }, facts);
                    watched.note(matters);
                }
                // The watch will say so.
                Err(error) if is_not_found(&error) => {
                    failed.insert(unread, Instant::now() + AGAIN);
                }
                Err(error) => {
                    let detail = chain(&error);
                    warn!(secret = %unread.secret, error = detail, "the Secret cannot be read");
                    failed.insert(unread.clone(), Instant::now() + AGAIN);
                    let matters = watched.stores().could_not_read(&unread.secret, detail);
                    watched.note(matters);
                }
            }
        }
        let again = failed.values().min().copied();
        tokio::select! {
            () = watched.secrets.notified() => {}
            () = async { match again {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            } } => {}
        }
    }
}

/// The certificate and key of a Secret, for the upload.
pub(super) async fn key_pair(
    client: &Client,
    secret: &ObjectKey,
    fingerprint: &CertificateFingerprint,
) -> Result<KeyPair, SourceError> {
    let changed = || SourceError::Changed { doing: DOING, object: format!("Secret {secret}") };
    let content = Content::get(client, secret).await.map_err(|error| {
        if is_not_found(&error) {
            changed()
        } else {
            SourceError::Failed { doing: DOING, object: format!("Secret {secret}"), source: Box::new(error) }
        }
    })?;
    // Unusable by now: the watch is about to say so too.
    KeyPair::of(content.part("tls.crt"), content.part("tls.key"), fingerprint)
        .map_err(|_| changed())?
        .ok_or_else(changed)
}

fn is_not_found(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}
