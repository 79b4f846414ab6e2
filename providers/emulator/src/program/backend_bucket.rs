//! Backend buckets.

use std::sync::Arc;

use serde_json::Value;

use super::json::{flag, text};
use super::{Resources, custom_headers, security_policy};
use crate::dataplane::program::{BackendBucket, Program};
use crate::dataplane::resource_id::BackendServiceId;

/// Adds a backend bucket, unless it is there already.
pub(super) fn compile(
    resources: &impl Resources,
    id: &BackendServiceId,
    body: &Value,
    program: &mut Program,
) {
    if program.backend_buckets.contains_key(id) {
        return;
    }
    let path = id.as_str();
    if flag(body, "enableCdn") {
        program.problem(path, "has Cloud CDN on, which is not served");
    }
    if text(body, "compressionMode").is_some_and(|mode| mode != "DISABLED") {
        program.problem(path, "asks for compression, which is not served");
    }
    let bucket = BackendBucket {
        bucket: text(body, "bucketName").unwrap_or_default().to_owned(),
        headers: custom_headers::compile(path, body, program),
        guard: security_policy::guard(resources, path, body, program),
    };
    program.backend_buckets.insert(id.clone(), Arc::new(bucket));
}
