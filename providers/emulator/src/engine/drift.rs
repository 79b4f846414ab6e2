//! Changes behind everybody's back: no check, no operation. As somebody does with other tools, or a fault of the cloud.

use super::Engine;
use crate::api;
use crate::schema;
use crate::scope::ResourcePath;
use crate::state::Stored;
use crate::version::Version;
use serde_json::{Map, Value};

/// Why a resource was not changed by hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DriftError {
    /// It is no path of a resource.
    #[error(
        "changing '{path}' by hand: that is no resource; write projects/PROJECT/global/COLLECTION/NAME or the like"
    )]
    Path {
        /// What was given.
        path: String,
    },
    /// There is no such resource.
    #[error("changing '{path}' by hand: there is no such resource")]
    Missing {
        /// Its path.
        path: String,
    },
    /// It is not an object.
    #[error("changing '{path}' by hand: give a JSON object of the fields that change; null takes one away")]
    Patch {
        /// Its path.
        path: String,
    },
}

impl Engine {
    /// Merges a patch into a resource, or deletes it. Answers with what it is then.
    pub(crate) async fn drift(&self, text: &str, edit: Option<Value>) -> Result<Option<Value>, DriftError> {
        let path = ResourcePath::parse(text).ok_or_else(|| DriftError::Path { path: text.to_owned() })?;
        let resource =
            api::find(path.collection).ok_or_else(|| DriftError::Path { path: text.to_owned() })?;
        let shown = {
            let mut state = self.state();
            let path = Self::name(&state, path);
            let missing = || DriftError::Missing { path: path.to_string() };
            let mut stored = Stored::clone(state.get(&path).ok_or_else(missing)?);
            match edit {
                None => {
                    if let Some(gone) = state.remove(&path) {
                        (resource.deleted)(&path, &gone, &mut state);
                    }
                    None
                }
                Some(Value::Object(edit)) => {
                    schema::merge(stored.fields_mut(), canonical(edit));
                    stored.generation += 1;
                    state.put(&path, stored.clone());
                    let base = self.base(Version::V1);
                    Some(Value::Object(self.show(&state, resource, &path, &stored, &base)))
                }
                Some(_) => return Err(DriftError::Patch { path: path.to_string() }),
            }
        };
        self.publish().await;
        self.changed();
        Ok(shown)
    }
}

/// Links as they are stored: from `projects/` on.
fn canonical(edit: Map<String, Value>) -> Map<String, Value> {
    fn shorten(value: &mut Value) {
        match value {
            Value::String(text) if text.contains("/compute/") => {
                if let Some(at) = text.find("projects/") {
                    text.drain(..at);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(shorten),
            Value::Object(fields) => fields.values_mut().for_each(shorten),
            _ => {}
        }
    }
    let mut value = Value::Object(edit);
    shorten(&mut value);
    match value {
        Value::Object(edit) => edit,
        _ => Map::new(),
    }
}
