//! The folder, told to the controller only after the machines agree with it: an endpoint must exist before it is attached.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::controller::folder::FolderSource;
use crate::controller::source::{KeyPair, NotReady, Source, SourceError};
use crate::model::{CertificateFingerprint, Held, LoadBalancerKey, ObjectKey};
use crate::snapshot::Snapshot;
use crate::status::{Event, Report};

/// A folder whose changes are passed on by whoever prepares for them.
pub(super) struct LocalSource {
    pub(super) folder: Arc<FolderSource>,
    /// Notified when everything is ready for the change.
    pub(super) prepared: Arc<Notify>,
}

impl Source for LocalSource {
    async fn changed(&self) {
        self.prepared.notified().await;
    }

    fn snapshot(&self, held: Held) -> Result<Snapshot, NotReady> {
        self.folder.snapshot(held)
    }

    async fn claim(
        &self,
        object: &ObjectKey,
        remembered: &BTreeSet<LoadBalancerKey>,
    ) -> Result<(), SourceError> {
        self.folder.claim(object, remembered).await
    }

    async fn release(&self, object: &ObjectKey) -> Result<(), SourceError> {
        self.folder.release(object).await
    }

    async fn publish(&self, object: &ObjectKey, report: &Report, news: &[Event]) -> Result<(), SourceError> {
        self.folder.publish(object, report, news).await
    }

    async fn key_pair(
        &self,
        secret: &ObjectKey,
        fingerprint: &CertificateFingerprint,
    ) -> Result<KeyPair, SourceError> {
        self.folder.key_pair(secret, fingerprint).await
    }
}
