//! Which parts of the state a change has touched.

use crate::operation::OperationPath;
use crate::scope::ResourcePath;
use std::collections::BTreeSet;

/// One part of the state, by its key. Whether it is still there, and what it is now, the state says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Touched {
    /// The state was replaced, or so much of it that it is told as a whole.
    Everything,
    Project(String),
    Resource(ResourcePath),
    /// A change that was accepted and has not ended.
    Change(ResourcePath),
    Operation(OperationPath),
    /// A request that may come again: project and request id.
    Request(String, String),
}

/// Resources that the data plane has not seen as they are now.
#[derive(Debug)]
pub(crate) enum Unserved {
    Everything,
    These(BTreeSet<ResourcePath>),
}

impl Default for Unserved {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

impl Unserved {
    pub(super) fn add(&mut self, path: &ResourcePath) {
        match self {
            Self::Everything => {}
            Self::These(paths) => drop(paths.insert(path.clone())),
        }
    }
}
