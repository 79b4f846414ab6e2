//! The parts of the document, and how they are read back.

use crate::draft::Draft;
use crate::error::OperationError;
use crate::operation::{Operation, OperationPath, OperationWarning, Outcome, Replay, Stage, Visibility};
use crate::scope::{ResourcePath, Scope};
use crate::state::{Change, Held, Origin, Project, Stored};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// What a part of the state has become; nothing where it is gone. One line of the state file is a list of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) enum Entry {
    Project { id: String, is: Option<ProjectRecord> },
    Resource { path: String, is: Option<ResourceRecord> },
    Change { path: String, is: Option<ChangeRecord> },
    Operation { path: String, is: Option<OperationRecord> },
    Request { project: String, id: String, is: Option<RequestRecord> },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProjectRecord {
    #[serde(with = "decimal")]
    number: u64,
    created: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ResourceRecord {
    #[serde(with = "decimal")]
    id: u64,
    created: Timestamp,
    generation: u64,
    origin: OriginRecord,
    body: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    secrets: Map<String, Value>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    members: BTreeMap<String, Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    holds: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum OriginRecord {
    Project,
    Request,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangeRecord {
    operation: String,
    effect: EffectRecord,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum EffectRecord {
    Put(Box<ResourceRecord>),
    Delete,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OperationRecord {
    #[serde(with = "decimal")]
    id: u64,
    verb: String,
    target: String,
    #[serde(with = "decimal")]
    target_id: u64,
    user: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    inserted: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<Timestamp>,
    latency_nanos: u64,
    #[serde(default)]
    pending_nanos: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<WarningRecord>,
    #[serde(default, skip_serializing_if = "is_false")]
    lost: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<ErrorRecord>,
    stage: StageRecord,
    outcome: OutcomeRecord,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ErrorRecord {
    code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    message: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WarningRecord {
    code: String,
    message: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum StageRecord {
    Pending,
    Running,
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum OutcomeRecord {
    Waiting,
    Settled,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RequestRecord {
    request: String,
    operation: String,
}

impl ProjectRecord {
    pub(super) fn of(project: &Project) -> Self {
        let Project { number, created } = project;
        Self { number: *number, created: *created }
    }

    pub(super) fn into_project(self) -> Project {
        let Self { number, created } = self;
        Project { number, created }
    }
}

impl ResourceRecord {
    pub(super) fn of(stored: &Stored) -> Self {
        let Stored { id, created, generation, secrets, members, holds, origin, .. } = stored;
        Self {
            id: *id,
            created: *created,
            generation: *generation,
            origin: match origin {
                Origin::Project => OriginRecord::Project,
                Origin::Request => OriginRecord::Request,
            },
            // The body is private to a resource, so that it stays an object.
            body: stored.fields().clone(),
            secrets: secrets.clone(),
            members: members.clone(),
            holds: holds.iter().map(ToString::to_string).collect(),
        }
    }

    pub(super) fn into_stored(self) -> Result<Stored, String> {
        let Self { id, created, generation, origin, body, secrets, members, holds } = self;
        let mut stored = Stored::new(id, created, body);
        stored.generation = generation;
        stored.secrets = secrets;
        stored.members = members;
        stored.holds = holds.iter().map(|held| read_path(held)).collect::<Result<_, _>>()?;
        stored.origin = match origin {
            OriginRecord::Project => Origin::Project,
            OriginRecord::Request => Origin::Request,
        };
        Ok(stored)
    }
}

impl ChangeRecord {
    pub(super) fn of(held: &Held) -> Self {
        let Held { change, operation } = held;
        let effect = match change {
            Change::Put(draft) => {
                // What stands there now is a resource of its own, and the path is the key.
                let Draft { path: _, previous: _, next } = draft.as_ref();
                EffectRecord::Put(Box::new(ResourceRecord::of(next)))
            }
            Change::Delete => EffectRecord::Delete,
        };
        Self { operation: operation.to_string(), effect }
    }

    pub(super) fn into_held(
        self,
        path: &ResourcePath,
        previous: Option<&Arc<Stored>>,
    ) -> Result<Held, String> {
        let Self { operation, effect } = self;
        let change = match effect {
            EffectRecord::Put(record) => Change::Put(Box::new(Draft {
                path: path.clone(),
                previous: previous.cloned(),
                next: record.into_stored()?,
            })),
            EffectRecord::Delete => Change::Delete,
        };
        Ok(Held { change, operation: read_operation_path(&operation)? })
    }
}

impl OperationRecord {
    pub(super) fn of(operation: &Operation) -> Self {
        // The path is the key.
        let Operation {
            path: _,
            id,
            verb,
            target,
            target_id,
            user,
            request_id,
            inserted,
            started,
            ended,
            latency,
            pending,
            warnings,
            visibility,
            error,
            outcome,
            stage: _,
        } = operation;
        Self {
            id: *id,
            verb: verb.clone().into_owned(),
            target: target.to_string(),
            target_id: *target_id,
            user: user.clone(),
            request_id: request_id.clone(),
            inserted: *inserted,
            started: *started,
            ended: *ended,
            latency_nanos: u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX),
            pending_nanos: u64::try_from(pending.as_nanos()).unwrap_or(u64::MAX),
            warnings: warnings
                .iter()
                .map(|OperationWarning { code, message }| WarningRecord {
                    code: code.clone(),
                    message: message.clone(),
                })
                .collect(),
            lost: *visibility == Visibility::Lost,
            error: error.as_ref().map(|OperationError { code, status, message }| ErrorRecord {
                code: code.clone().into_owned(),
                status: status.map(|status| status.as_u16()),
                message: message.clone(),
            }),
            stage: match operation.stage() {
                Stage::Pending => StageRecord::Pending,
                Stage::Running => StageRecord::Running,
                Stage::Done => StageRecord::Done,
            },
            outcome: match outcome {
                Outcome::Waiting => OutcomeRecord::Waiting,
                Outcome::Settled => OutcomeRecord::Settled,
            },
        }
    }

    pub(super) fn into_operation(self, path: &str) -> Result<Operation, String> {
        let Self {
            id,
            verb,
            target,
            target_id,
            user,
            request_id,
            inserted,
            started,
            ended,
            latency_nanos,
            pending_nanos,
            warnings,
            lost,
            error,
            stage,
            outcome,
        } = self;
        let error = error.map(|ErrorRecord { code, status, message }| {
            let read = |status| StatusCode::from_u16(status).map_err(|_| format!("{status} is no status"));
            let status = status.map(read).transpose()?;
            Ok::<_, String>(OperationError { code: code.into(), status, message })
        });
        Ok(Operation {
            path: read_operation_path(path)?,
            id,
            verb: verb.into(),
            target: read_path(&target)?,
            target_id,
            user,
            request_id,
            inserted,
            started,
            ended,
            latency: Duration::from_nanos(latency_nanos),
            pending: Duration::from_nanos(pending_nanos),
            warnings: warnings
                .into_iter()
                .map(|WarningRecord { code, message }| OperationWarning { code, message })
                .collect(),
            visibility: if lost { Visibility::Lost } else { Visibility::Shown },
            error: error.transpose()?,
            outcome: match outcome {
                OutcomeRecord::Waiting => Outcome::Waiting,
                OutcomeRecord::Settled => Outcome::Settled,
            },
            stage: watch::Sender::new(match stage {
                StageRecord::Pending => Stage::Pending,
                StageRecord::Running => Stage::Running,
                StageRecord::Done => Stage::Done,
            }),
        })
    }
}

impl RequestRecord {
    pub(super) fn of(replay: &Replay) -> Self {
        let Replay { request, operation } = replay;
        Self { request: request.clone(), operation: operation.to_string() }
    }

    pub(super) fn into_replay(self) -> Result<Replay, String> {
        let Self { request, operation } = self;
        Ok(Replay { request, operation: read_operation_path(&operation)? })
    }
}

/// A path as it is written, and in no other spelling.
pub(super) fn read_path(text: &str) -> Result<ResourcePath, String> {
    let path = ResourcePath::parse(text).ok_or("it is no path of a resource that this program has")?;
    let resource = crate::api::find(path.collection).ok_or("its collection is unknown")?;
    if !resource.scopes.contains(&path.scope.kind()) {
        return Err(format!("there are no {} in such a place", path.collection));
    }
    check_scope(&path.project, &path.scope)?;
    if path.to_string() == text { Ok(path) } else { Err(format!("write it as '{path}'")) }
}

fn check_scope(project: &str, scope: &Scope) -> Result<(), String> {
    let place = match scope {
        Scope::Project | Scope::Global => return is_project(project),
        Scope::Region(name) | Scope::Zone(name) => name,
    };
    if crate::name::is_valid(place) { is_project(project) } else { Err(format!("'{place}' is no place")) }
}

fn is_project(project: &str) -> Result<(), String> {
    if crate::call::is_project(project) { Ok(()) } else { Err(format!("'{project}' is no project id")) }
}

fn read_operation_path(text: &str) -> Result<OperationPath, String> {
    let wrong = || format!("'{text}' is no path of an operation");
    let rest = text.strip_prefix("projects/").ok_or_else(wrong)?;
    let (project, rest) = rest.split_once('/').ok_or_else(wrong)?;
    let parts: Vec<&str> = rest.split('/').collect();
    let (scope, name) = match parts.as_slice() {
        ["global", "operations", name] => (Scope::Global, *name),
        ["regions", region, "operations", name] => (Scope::Region((*region).to_owned()), *name),
        ["zones", zone, "operations", name] => (Scope::Zone((*zone).to_owned()), *name),
        _ => return Err(wrong()),
    };
    check_scope(project, &scope)?;
    if name.is_empty() {
        return Err(wrong());
    }
    Ok(OperationPath { project: project.to_owned(), scope, name: name.to_owned() })
}

/// Numbers of 64 bits as text, as the API writes them: many readers of JSON have no more than 53 bits.
mod decimal {
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| de::Error::custom(format!("'{text}' is no number of 64 bits")))
    }
}
