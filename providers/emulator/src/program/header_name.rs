//! Which headers of requests and answers a configuration may change.

use http::HeaderName;

/// Headers that belong to one connection or to the shape of a message, and `Host`, which `hostRewrite` changes.
const RESERVED: &[&str] = &[
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Why a header cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unchangeable {
    /// It belongs to the load balancer.
    Reserved,
    /// It cannot be a header's name.
    NoName,
}

/// A header that can be changed.
pub(crate) fn changeable(name: &str) -> Result<HeaderName, Unchangeable> {
    let name = HeaderName::try_from(name).map_err(|_| Unchangeable::NoName)?;
    if RESERVED.contains(&name.as_str()) { Err(Unchangeable::Reserved) } else { Ok(name) }
}
