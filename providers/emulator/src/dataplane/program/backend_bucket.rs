//! Backend buckets.

use super::header_action::HeaderAction;
use super::security_policy::Guard;

/// A backend bucket: objects of a storage bucket, served as files.
#[derive(Debug, Clone, PartialEq)]
pub struct BackendBucket {
    /// The name of the storage bucket.
    pub bucket: String,
    /// `customResponseHeaders`.
    pub headers: HeaderAction,
    /// Who may reach it: an edge policy, if any.
    pub guard: Guard,
}
