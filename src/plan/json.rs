//! A plan as JSON, for programs.
//!
//! The form is a promise: fields are only ever added within one [`SCHEMA_VERSION`], and it has types of its own, so that the model can
//! change without it.

use std::collections::BTreeSet;

use petgraph::Direction;
use serde::Serialize;
use serde_json::Value;

use crate::model::{Node, ResourceId};

use super::diff::{Field, fields};
use super::{Action, Block, Blocked, Change, Counts, FieldChange, Plan, order};

/// Goes up when a field changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// Which form it is; `docs/plan.schema.json` describes it.
pub const SCHEMA: &str = "gclb.dev/plan/v1";

/// A plan for programs to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// How many resources are made, changed and deleted.
    pub summary: Summary,
    /// One for each call, in an order that could be followed.
    pub changes: Vec<ChangeDocument>,
    /// What is needed and cannot be planned.
    pub blocked: Vec<BlockedDocument>,
    /// Load balancers that are left alone, since their objects are gone without having been deleted.
    pub left_alone: Vec<String>,
}

/// How many resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Are made.
    pub create: usize,
    /// Are changed.
    pub change: usize,
    /// Are deleted.
    pub delete: usize,
}

/// Which resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceDocument {
    /// The collection in the Compute API: `backendServices`.
    pub kind: &'static str,
    /// `global`, `regions/R` or `zones/Z`.
    pub scope: String,
    /// Its name.
    pub name: String,
    /// For whom it is held: `ingress/NAMESPACE/NAME`, `service/NAMESPACE/NAME:PORT`, `secret/NAMESPACE/NAME`, `cluster`.
    pub holder: String,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeDocument {
    /// Its place in the list, from 0.
    pub index: usize,
    /// The changes that must be done before, by their places.
    pub after: Vec<usize>,
    /// The method of the Compute API: `insert`, `patch`, `attachNetworkEndpoints`, `delete`, ….
    pub method: &'static str,
    /// Of which resource.
    pub resource: ResourceDocument,
    /// Its fields as they become.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldDocument>,
    /// All that it is to be, in the words of the model; absent where it is not made and none of its fields changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired: Option<Value>,
    /// The version on which this was decided (Compute API `fingerprint`): the cloud refuses the change of another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precondition: Option<String>,
    /// What is waited for, where it is no call that changes anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<WaitDocument>,
    /// Whether requests fail until it is made anew: it is deleted and made anew, with consent.
    #[serde(skip_serializing_if = "is_false")]
    pub outage: bool,
    /// Members that join or leave.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// Why, for people.
    pub reason: String,
}

/// A wait until the backends of a backend service are well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitDocument {
    /// The url map that is to send requests there.
    pub url_map: String,
    /// The backend services that get those requests until then: where none of them is well, nothing is waited for. Empty where something
    /// else answers them.
    pub instead_of: Vec<String>,
}

/// One field, as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldDocument {
    /// Its name.
    pub name: String,
    /// What it was; absent where the resource is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it becomes.
    pub to: String,
}

/// Something that cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockedDocument {
    /// Of which resource.
    pub resource: ResourceDocument,
    /// One word: `NameTaken`, `Unseen`, `Immutable`, `Outage`, `DependsOn`.
    pub reason: &'static str,
    /// The value of the annotation `gclb.dev/allow-outage` that consents to it, where an outage is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
    /// In a sentence, with what to do.
    pub message: String,
}

impl Plan {
    /// The plan for programs to read.
    #[must_use]
    pub fn document(&self) -> Document {
        let Self { graph, leaks, blocked } = self;
        let order = order(self);
        let mut place = vec![0; graph.node_count()];
        for (index, at) in order.iter().enumerate() {
            place[at.index()] = index;
        }
        let ids = |delete: bool| -> BTreeSet<&ResourceId> {
            let changes = graph.node_weights().filter(|change| match change.action {
                Action::Delete => delete,
                Action::Create(_) => !delete,
                _ => false,
            });
            changes.map(|change| &change.id).collect()
        };
        let outages: BTreeSet<&ResourceId> = ids(true).intersection(&ids(false)).copied().collect();
        let changes = order
            .iter()
            .enumerate()
            .filter_map(|(index, at)| {
                let before = graph.neighbors_directed(*at, Direction::Incoming);
                let mut after: Vec<usize> = before.map(|first| place[first.index()]).collect();
                after.sort_unstable();
                let weight = graph.node_weight(*at)?;
                Some(change(index, after, weight, outages.contains(&weight.id)))
            })
            .collect();
        let Counts { create, change, delete } = self.counts();
        Document {
            schema: SCHEMA,
            schema_version: SCHEMA_VERSION,
            summary: Summary { create, change, delete },
            changes,
            blocked: blocked.iter().map(blocked_document).collect(),
            left_alone: leaks.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Which resource, and for whom.
pub(crate) fn resource(id: &ResourceId, holder: &crate::model::Holder) -> ResourceDocument {
    let ResourceId { kind, scope, name } = id;
    ResourceDocument {
        kind: kind.collection(),
        scope: scope.to_string(),
        name: name.to_string(),
        holder: holder.to_string(),
    }
}

/// What a change asks of the Compute API.
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) fields: Vec<FieldDocument>,
    pub(crate) members: Vec<String>,
}

/// What an action asks of the Compute API.
pub(crate) fn call(action: &Action) -> Call {
    let endpoints = |endpoints: &[crate::model::Endpoint]| -> Vec<String> {
        endpoints
            .iter()
            .map(|endpoint| format!("{} {}:{}", endpoint.instance, endpoint.address, endpoint.port))
            .collect()
    };
    let (method, fields, members) = match action {
        Action::Create(node) => ("insert", fields(node).into_iter().map(made).collect(), Vec::new()),
        Action::Update { verb, to: _, fields } => {
            (verb.method(), fields.iter().map(changed).collect(), Vec::new())
        }
        Action::AttachEndpoints(members) => ("attachNetworkEndpoints", Vec::new(), endpoints(members)),
        Action::DetachEndpoints(members) => ("detachNetworkEndpoints", Vec::new(), endpoints(members)),
        Action::AddInstances(members) => ("addInstances", Vec::new(), members.clone()),
        Action::RemoveInstances(members) => ("removeInstances", Vec::new(), members.clone()),
        Action::Delete => ("delete", Vec::new(), Vec::new()),
        Action::AwaitHealthy { .. } => ("getHealth", Vec::new(), Vec::new()),
    };
    Call { method, fields, members }
}

fn change(index: usize, after: Vec<usize>, change: &Change, outage: bool) -> ChangeDocument {
    let Change { id, mark, action, reason, seen } = change;
    let Call { method, fields, members } = call(action);
    let resource = resource(id, &mark.holder);
    let value =
        |node: &Node| serde_json::to_value(node).expect("texts, numbers and lists can be written as JSON");
    let (desired, waits) = match action {
        Action::Create(node) | Action::Update { verb: _, to: node, fields: _ } => (Some(value(node)), None),
        Action::AwaitHealthy { map, instead_of } => {
            let instead_of = instead_of.iter().map(|service| service.name.to_string()).collect();
            (None, Some(WaitDocument { url_map: map.name.to_string(), instead_of }))
        }
        _ => (None, None),
    };
    let precondition = seen.as_ref().map(|seen| seen.0.clone());
    let reason = reason.clone();
    ChangeDocument {
        index,
        after,
        method,
        resource,
        fields,
        desired,
        precondition,
        waits,
        outage,
        members,
        reason,
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

fn made(field: Field) -> FieldDocument {
    let Field { name, value, change: _ } = field;
    FieldDocument { name, from: None, to: value }
}

fn changed(change: &FieldChange) -> FieldDocument {
    let FieldChange { field, from, to } = change;
    FieldDocument { name: field.clone(), from: Some(from.clone()), to: to.clone() }
}

/// What cannot be planned, and why.
pub(crate) fn blocked_document(blocked: &Blocked) -> BlockedDocument {
    let Blocked { id, holder, why } = blocked;
    let reason = match why {
        Block::NameTaken => "NameTaken",
        Block::Unseen => "Unseen",
        Block::DependsOn(_) => "DependsOn",
        Block::Outage { consent: _, fields: _ } => "Outage",
        Block::Immutable { field: _ } => "Immutable",
        Block::Preflight(refusal) => refusal.word(),
    };
    let consent = match why {
        Block::Outage { consent, fields: _ } => Some(consent.clone()),
        _ => None,
    };
    BlockedDocument { resource: resource(id, holder), reason, consent, message: why.to_string() }
}
