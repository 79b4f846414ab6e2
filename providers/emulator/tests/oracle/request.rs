//! What both sides are asked and what they answer.

use std::collections::BTreeMap;
use std::fmt;

/// A kind of load balancer; URL maps may ask different things of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Classic,
    GlobalManaged,
    RegionalManaged,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Classic, Self::GlobalManaged, Self::RegionalManaged];

    /// Where its resources are.
    pub(crate) fn place(self) -> &'static str {
        match self {
            Self::Classic | Self::GlobalManaged => "projects/p/global",
            Self::RegionalManaged => "projects/p/regions/us-central1",
        }
    }

    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::Classic => "EXTERNAL",
            Self::GlobalManaged | Self::RegionalManaged => "EXTERNAL_MANAGED",
        }
    }
}

/// A request, and the numbers drawn for it.
#[derive(Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) draws: Draws,
}

/// Fractions of 2^32.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Draws {
    pub(crate) service: u32,
    pub(crate) abort: u32,
    pub(crate) delay: u32,
    pub(crate) mirror: u32,
}

/// As one would type it.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = self.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        write!(f, "{} http://{}{}{query}", self.method, self.host, self.path)?;
        for (name, value) in &self.headers {
            write!(f, " -H '{name}: {value}'")?;
        }
        write!(f, " {:?}", self.draws)
    }
}

/// The headers of every answer of a backend, which header actions then change.
pub(crate) const BACKEND_SAYS: &[(&str, &str)] = &[("x-a", "backend"), ("x-b", "backend")];
/// Where every client is.
pub(crate) const CLIENT: ([u8; 4], u16) = ([10, 0, 0, 1], 4321);

pub(crate) type Headers = BTreeMap<String, Vec<String>>;

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    Forward(Box<Forward>),
    Redirect { status: u16, location: String },
    Nowhere,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Forward {
    pub(crate) service: String,
    /// Host, path and query as the backend sees them.
    pub(crate) url: String,
    pub(crate) request_headers: Headers,
    pub(crate) response_headers: Headers,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) retries: Option<u64>,
    pub(crate) mirror: Option<String>,
    pub(crate) cors: Option<Vec<String>>,
    pub(crate) delay_ms: Option<u64>,
    pub(crate) abort: Option<u16>,
}
