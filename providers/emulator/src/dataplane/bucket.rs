//! Storage buckets: what stands in for Cloud Storage behind backend buckets.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use http::HeaderValue;

use super::affinity::digest;
use super::expression::url_decoded;

/// All buckets with their objects, in memory. Clones are the same ones.
#[derive(Debug, Clone, Default)]
pub struct Buckets(Arc<RwLock<BTreeMap<String, Objects>>>);

/// The objects of one bucket, by name.
pub type Objects = BTreeMap<String, Arc<Object>>;

/// A file.
#[derive(Debug, PartialEq, Eq)]
pub struct Object {
    /// What is in it.
    pub content: Bytes,
    /// Of what type that is.
    pub content_type: HeaderValue,
    /// A name for this content.
    pub etag: HeaderValue,
}

impl Object {
    /// A file of this content.
    #[must_use]
    pub fn new(content: Bytes, content_type: HeaderValue) -> Self {
        let etag = HeaderValue::try_from(format!("\"{:016x}\"", digest(&content)))
            .expect("hexadecimal digits are a header value");
        Self { content, content_type, etag }
    }
}

/// What is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Bucket,
    Object,
}

impl Buckets {
    /// Puts an object into a bucket, which comes to be with its first.
    pub fn put(&self, bucket: &str, name: &str, object: Object) {
        self.change(|buckets| {
            buckets.entry(bucket.to_owned()).or_default().insert(name.to_owned(), Arc::new(object));
        });
    }

    /// Takes an object away. False: it was not there. The bucket stays.
    #[must_use = "what was not there was not taken away"]
    pub fn remove(&self, bucket: &str, name: &str) -> bool {
        self.change(|buckets| buckets.get_mut(bucket).is_some_and(|objects| objects.remove(name).is_some()))
    }

    /// Takes a bucket away with all that is in it. False: it was not there.
    #[must_use = "what was not there was not taken away"]
    pub fn remove_bucket(&self, bucket: &str) -> bool {
        self.change(|buckets| buckets.remove(bucket).is_some())
    }

    /// Everything.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, Objects> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn get(&self, bucket: &str, name: &str) -> Result<Arc<Object>, Missing> {
        let buckets = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let objects = buckets.get(bucket).ok_or(Missing::Bucket)?;
        objects.get(name).cloned().ok_or(Missing::Object)
    }

    /// The lock guards plain data that is valid after every statement, so a panic elsewhere does not matter.
    fn change<T>(&self, change: impl FnOnce(&mut BTreeMap<String, Objects>) -> T) -> T {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The name of an object as a path writes it: percent signs with two digits stand for bytes, a plus for itself.
pub(crate) fn decoded(path: &str) -> String {
    url_decoded(&path.replace('+', "%2B"))
}
