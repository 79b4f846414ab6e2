//! A change in the making: the resource as it would be.

use crate::scope::ResourcePath;
use crate::state::Stored;
use serde_json::{Map, Value};
use std::sync::Arc;

/// A resource as a mutation would leave it. Checked and completed before the mutation is accepted, and put in place when
/// its operation ends; until then nobody reads it but the checks of other mutations.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) path: ResourcePath,
    /// What stands there now. `None` for an insert.
    pub(crate) previous: Option<Arc<Stored>>,
    pub(crate) next: Stored,
}

impl Draft {
    /// The body as it would be.
    pub(crate) fn body(&self) -> &Map<String, Value> {
        self.next.fields()
    }

    /// The body as it would be, to change.
    pub(crate) fn body_mut(&mut self) -> &mut Map<String, Value> {
        self.next.fields_mut()
    }

    /// A text field of the body.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.next.text(field)
    }

    /// Sets a field that the request left out.
    pub(crate) fn fill(&mut self, field: &str, value: impl Into<Value>) {
        self.body_mut().entry(field).or_insert_with(|| value.into());
    }
}
