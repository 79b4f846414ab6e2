//! Instances as members of instance groups and network endpoint groups, which hold them without a reference.

use crate::draft::Draft;
use crate::error::OperationError;
use crate::scope::ResourcePath;
use crate::state::{State, Stored};
use crate::world::World;
use http::StatusCode;
use serde_json::Value;

/// The collections whose resources have instances as members.
const GROUPS: [&str; 2] = ["instanceGroups", "networkEndpointGroups"];

/// The instance that a member is, or is on.
fn instance(member: &Value) -> Option<&str> {
    member.as_str().or_else(|| member.get("instance").and_then(Value::as_str))
}

/// Takes an instance that is gone out of every group: as they stand, and as accepted changes would have them. Whom a
/// change would only add is left to [`check_late`].
pub(super) fn forget(gone: &ResourcePath, state: &mut State) {
    let name = gone.to_string();
    let is_gone = |member: &Value| instance(member) == Some(&name);
    for collection in GROUPS {
        let groups: Vec<(ResourcePath, Stored)> = state
            .all(collection)
            .filter(|(_, group)| group.members.values().any(is_gone))
            .map(|(path, group)| {
                let mut group = Stored::clone(group);
                group.members.retain(|_, member| !is_gone(member));
                (path, group)
            })
            .collect();
        for (path, group) in groups {
            state.put(&path, group);
        }
        state.amend(collection, |draft| {
            let Some(previous) = &draft.previous else { return false };
            let before = draft.next.members.len();
            draft.next.members.retain(|key, member| !is_gone(member) || !previous.members.contains_key(key));
            draft.next.members.len() != before
        });
    }
}

/// An instance that was there when it was added may be gone when the operation comes to it.
pub(super) fn check_late(draft: &Draft, world: &World<'_>) -> Result<(), OperationError> {
    let was_there =
        |key: &String| draft.previous.as_ref().is_some_and(|previous| previous.members.contains_key(key));
    let added = draft.next.members.iter().filter(|(key, _)| !was_there(key));
    let instances = added.filter_map(|(_, member)| ResourcePath::parse(instance(member)?));
    match instances.into_iter().find(|instance| world.state.get(instance).is_none()) {
        None => Ok(()),
        Some(gone) => Err(OperationError {
            code: "RESOURCE_NOT_FOUND".into(),
            status: Some(StatusCode::NOT_FOUND),
            message: format!("The resource '{gone}' was not found"),
        }),
    }
}
