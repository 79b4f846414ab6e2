//! The port to the cloud: what the pipeline needs of it, in the words of the [model](crate::model).
//!
//! Nothing in front of this port knows a wire format, a URL or an operation; nothing behind it decides what should exist.
//! [`mirror`] keeps our copy of what the cloud holds. The adapter to Compute Engine is [`gce`].

#[cfg(test)]
pub(crate) mod fixture;
pub mod gce;
pub mod mirror;
mod ownership;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

pub use ownership::{Ownership, Standing};

use crate::apply::Next;
use crate::controller::source::{KeyPair, Source, SourceError};
use crate::model::{
    BackendService, CertificateFingerprint, ClusterId, Endpoint, Entry, Facts, ForeignFacts, ForeignKind,
    Kind, ObjectKey, Region, ResourceId, ResourceName, Scope, Unknown,
};
use crate::plan::Change;
use crate::preflight::Quotas;
use crate::status::ServiceHealth;

/// A cloud that holds load balancers.
pub trait Cloud: Send + Sync + 'static {
    /// All resources of one kind, in every scope, that are ours or have a name that we might want.
    fn list(&self, kind: Kind) -> impl Future<Output = Result<Listing, CloudError>> + Send;

    /// Who is in a network endpoint group; `None` where there is no such group. [`list`](Self::list) does not say, since that would be a
    /// call for each group.
    fn endpoints(
        &self,
        id: &ResourceId,
    ) -> impl Future<Output = Result<Option<BTreeSet<Endpoint>>, CloudError>> + Send;

    /// One resource, as it is now, with its members.
    fn read(&self, id: &ResourceId) -> impl Future<Output = Result<Reading, CloudError>> + Send;

    /// Makes one change and returns when the cloud says that it is done. The private key of a certificate is asked of `keys` for the
    /// upload and dropped right after.
    fn execute(
        &self,
        change: &Change,
        keys: &impl KeyPairs,
    ) -> impl Future<Output = Result<Executed, CloudError>> + Send;

    /// Changes of resources of ours that the cloud has been asked for, by whomever, and has not finished. To be asked before the first
    /// list, so that what is not in it shows there.
    fn under_way(&self) -> impl Future<Output = Result<Vec<Found>, CloudError>> + Send;

    /// Returns when such a change has ended, however, or has taken longer than any is waited for.
    ///
    /// # Errors
    /// When it could not be waited for: it may be running still.
    fn see_out(&self, found: &Found) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// How the backends of a backend service are.
    fn health(
        &self,
        id: &ResourceId,
        service: &BackendService,
    ) -> impl Future<Output = Result<ServiceHealth, CloudError>> + Send;

    /// Which resources of these names exist, whosever they are, and what is to be known of them. One that is not in the answer does not
    /// exist.
    fn look_up(
        &self,
        kind: ForeignKind,
        scope: &Scope,
        names: &BTreeSet<ResourceName>,
    ) -> impl Future<Output = Result<BTreeMap<ResourceName, ForeignFacts>, CloudError>> + Send;

    /// The project's resource quotas, those of these regions included. What is not among them refuses nothing.
    fn quotas(&self, regions: &BTreeSet<Region>) -> impl Future<Output = Result<Quotas, CloudError>> + Send {
        let _ = regions;
        std::future::ready(Ok(Quotas::default()))
    }

    /// Which of these permissions we do not have on a resource that exists. Empty is well.
    fn lacking(
        &self,
        id: &ResourceId,
        permissions: &BTreeSet<&'static str>,
    ) -> impl Future<Output = Result<BTreeSet<&'static str>, CloudError>> + Send {
        let _ = (id, permissions);
        std::future::ready(Ok(BTreeSet::new()))
    }

    /// Claims our cluster id in this project for `claimant`, a text that no two clusters share, and says whose it is. Whoever comes
    /// first has it. A cloud that only we can see needs no claim.
    fn claim(&self, claimant: &str) -> impl Future<Output = Result<Claim, CloudError>> + Send {
        let _ = claimant;
        std::future::ready(Ok(Claim::Ours))
    }

    /// What stands in the way of any load balancer at all, such as a network that does not exist. Empty is well.
    fn preflight(
        &self,
        network: &str,
        subnetwork: &str,
    ) -> impl Future<Output = Result<Vec<Obstacle>, CloudError>> + Send;
}

/// Who can give out private keys.
pub trait KeyPairs: Send + Sync {
    /// The certificate and key of a Secret, if it still holds that certificate.
    fn key_pair(
        &self,
        secret: &ObjectKey,
        fingerprint: &CertificateFingerprint,
    ) -> impl Future<Output = Result<KeyPair, SourceError>> + Send;
}

impl<S: Source> KeyPairs for S {
    fn key_pair(
        &self,
        secret: &ObjectKey,
        fingerprint: &CertificateFingerprint,
    ) -> impl Future<Output = Result<KeyPair, SourceError>> + Send {
        Source::key_pair(self, secret, fingerprint)
    }
}

/// What a list call found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Resources that are ours or have a name that we might want.
    pub seen: Vec<Seen>,
    /// Where the list could not look. What is not in `seen` may exist there all the same.
    pub unknown: BTreeSet<Unknown>,
}

/// A resource that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Which.
    pub id: ResourceId,
    /// Whose it is, and where it is ours, what it is.
    pub whose: Whose,
}

/// Whose a resource is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Ours: its name and its mark say so.
    Ours(Box<Owned>),
    /// Somebody else's, under a name that we might want.
    Foreign,
}

/// A resource of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// What it is.
    pub entry: Entry,
    /// What only the cloud can say about it.
    pub facts: Facts,
}

/// One resource, looked for by its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// It exists.
    Present(Seen),
    /// It does not: the cloud said so.
    Absent,
}

/// A change that was found on its way: this process did not ask for it, or has forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What is being changed.
    pub id: ResourceId,
    /// The name of the operation, unique where the resource is.
    pub operation: String,
}

/// What a change left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Executed {
    /// The resource as it was read back.
    Present(Seen),
    /// A group whose members are now as the change says, and which is otherwise as it was.
    Members,
    /// Nothing: it was deleted.
    Gone,
}

/// Whose a cluster id is in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Ours.
    Ours,
    /// Another cluster's.
    Taken {
        /// The cluster id.
        cluster: ClusterId,
        /// Who claims it.
        by: String,
        /// The health check that says so.
        name: ResourceName,
    },
}

impl std::fmt::Display for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ours => f.write_str("the cluster id is ours"),
            Self::Taken { cluster, by, name } => write!(
                f,
                "the cluster id {cluster} is used in this project by another cluster ({by}), so nothing is written; give this one \
                 another id with --cluster-id, or, if that cluster is gone and this one takes its place, delete the health check {name}"
            ),
        }
    }
}

/// Something that stands in the way of any load balancer at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// The network does not exist.
    #[error(
        "there is no VPC network {network} in project {project}: set --network to the network of the cluster's nodes"
    )]
    NoNetwork {
        /// Its short name.
        network: String,
        /// Where it was looked for.
        project: String,
    },
    /// The subnetwork does not exist in any region of that network.
    #[error(
        "there is no subnetwork {subnetwork} in network {network}: set --subnetwork to the subnetwork of the cluster's nodes"
    )]
    NoSubnetwork {
        /// Its short name.
        subnetwork: String,
        /// Where it was looked for.
        network: String,
    },
}

/// What lies behind an error of the cloud.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The cloud did not do what it was asked. Every variant says what was being done, and to what.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// It was not as the plan thought: missing, already there, of another version.
    #[error("{doing} {what}: it is not as it was thought to be")]
    NotAsPlanned {
        /// Verb.
        doing: &'static str,
        /// Object.
        what: String,
        /// What the cloud said.
        #[source]
        source: Cause,
    },
    /// The cloud does not know its own operation any more, so nobody knows how it ended, or whether it has.
    #[error("{doing} {what}: how it ended is not known")]
    Lost {
        /// Verb.
        doing: &'static str,
        /// Object.
        what: String,
        /// Which operation.
        #[source]
        source: Cause,
    },
    /// It is in the middle of another change, or something that is on its way out still uses it.
    #[error("{doing} {what}: it is not ready for this yet")]
    NotReady {
        /// Verb.
        doing: &'static str,
        /// Object.
        what: String,
        /// What the cloud said.
        #[source]
        source: Cause,
    },
    /// Too many requests. Nothing was done, and nothing is wrong with the request: it goes out again when the quota allows it, which is
    /// what [`quota`](crate::apply::quota) knows. Not a failure of a change.
    #[error("{doing} {what}: the quota of requests per minute is used up")]
    Throttled {
        /// Verb.
        doing: &'static str,
        /// Object.
        what: String,
        /// How long the cloud asked to be left alone.
        retry_after: Option<Duration>,
        /// What the cloud said.
        #[source]
        source: Cause,
    },
    /// It may pass: the network, or the cloud itself.
    #[error("{doing} {what}")]
    Transient {
        /// Verb.
        doing: &'static str,
        /// Object.
        what: String,
        /// What went wrong.
        #[source]
        source: Cause,
    },
    /// There may be no more of them.
    #[error(
        "{doing} {what}: the project's quota {metric} of {limit} is used up; raise it, or remove what is no longer needed"
    )]
    Quota {
        /// Verb.
        doing: &'static str,
        /// Object.
        what: String,
        /// Which quota.
        metric: String,
        /// How many there may be.
        limit: String,
        /// What the cloud said.
        #[source]
        source: Cause,
    },
    /// We may not.
    #[error("{doing} {what}: not allowed; grant {permission} to the account that gclb runs as")]
    Forbidden {
        /// Verb.
        doing: &'static str,
        /// Object.
        what: String,
        /// What is missing, as far as the cloud says.
        permission: String,
        /// What the cloud said.
        #[source]
        source: Cause,
    },
    /// The cloud does not want it so.
    #[error("{doing} {what}: refused")]
    Refused {
        /// Verb.
        doing: &'static str,
        /// Object.
        what: String,
        /// What the cloud said.
        #[source]
        source: Cause,
    },
    /// A node of this cluster is in an instance group that another load balancer uses, and it can be in one such group only.
    #[error(
        "{doing} {what}: an instance may be in one load-balanced instance group only, and one of them is in another already; \
         take it out of that group"
    )]
    InstanceTaken {
        /// Verb.
        doing: &'static str,
        /// Object.
        what: String,
        /// What the cloud said; it names the instance.
        #[source]
        source: Cause,
    },
    /// The private key could not be had.
    #[error("{doing} {what}: the key is not to be had")]
    KeyPair {
        /// Verb.
        doing: &'static str,
        /// Object.
        what: String,
        /// Why not.
        #[source]
        source: SourceError,
    },
    /// The plan asks for something that cannot be said to this cloud. A defect of ours, never of the input.
    #[error("{doing} {what}: {why}; this is a defect of gclb, please report it")]
    Unspeakable {
        /// Verb.
        doing: &'static str,
        /// Object.
        what: String,
        /// What cannot be said.
        why: String,
    },
}

impl CloudError {
    /// What is to follow.
    #[must_use]
    pub fn next(&self) -> Next {
        match self {
            Self::NotAsPlanned { .. } | Self::Lost { .. } => Next::LookAgain,
            Self::NotReady { .. } | Self::Throttled { .. } | Self::Transient { .. } => Next::Later,
            Self::Quota { .. }
            | Self::Forbidden { .. }
            | Self::Refused { .. }
            | Self::InstanceTaken { .. }
            | Self::Unspeakable { .. } => Next::Person,
            Self::KeyPair { source, .. } => match source {
                SourceError::Changed { .. } => Next::LookAgain,
                SourceError::Failed { .. } => Next::Later,
            },
        }
    }

    /// Whether the resource may have been changed all the same, so that it must be looked at again before anything is planned for it.
    #[must_use]
    pub fn may_have_changed_it(&self) -> bool {
        match self {
            // What was refused may have been the waiting or the reading back, after the change was made.
            Self::Forbidden { .. }
            | Self::NotAsPlanned { .. }
            | Self::Lost { .. }
            | Self::NotReady { .. }
            | Self::Transient { .. }
            | Self::Quota { .. }
            | Self::Refused { .. }
            | Self::InstanceTaken { .. } => true,
            Self::Throttled { .. } | Self::KeyPair { .. } | Self::Unspeakable { .. } => false,
        }
    }

    /// One word for it, of a fixed set, for metrics.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NotAsPlanned { .. } => "not_as_planned",
            Self::Lost { .. } => "lost",
            Self::NotReady { .. } => "not_ready",
            Self::Throttled { .. } => "throttled",
            Self::Transient { .. } => "transient",
            Self::Quota { .. } => "quota",
            Self::Forbidden { .. } => "forbidden",
            Self::Refused { .. } => "refused",
            Self::InstanceTaken { .. } => "instance_taken",
            Self::KeyPair { .. } => "key_pair",
            Self::Unspeakable { .. } => "unspeakable",
        }
    }

    /// The whole chain of causes in one line.
    #[must_use]
    pub fn line(&self) -> String {
        chain(self)
    }
}

/// An error and its causes in one line, each once.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    line
}
