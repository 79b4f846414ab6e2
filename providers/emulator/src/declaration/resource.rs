//! Resources: names, places, verbs, and the hooks for behaviour that is a resource's own.

use super::Fields;
use crate::draft::Draft;
use crate::error::{ApiError, OperationError};
use crate::scope::{ResourcePath, ScopeKind};
use crate::state::{State, Stored, Table};
use crate::token::Caller;
use crate::world::World;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A resource of the API, declared.
pub(crate) struct Resource {
    /// As in paths: `backendServices`.
    pub(crate) collection: &'static str,
    /// As in the in-use text: `backend_service`.
    pub(crate) singular: &'static str,
    /// As in bodies: `compute#backendService`.
    pub(crate) kind: &'static str,
    pub(crate) scopes: &'static [ScopeKind],
    /// All fields but those every resource has (`id`, `kind`, `name`, `selfLink`, …).
    pub(crate) fields: Fields,
    pub(crate) unknown_fields: UnknownFields,
    /// The standard verbs beyond get and list, which every resource has.
    pub(crate) verbs: &'static [Standard],
    pub(crate) custom: &'static [CustomVerb],
    /// Methods of the collection as a whole: `GET …/COLLECTION/WORD`.
    pub(crate) collection_verbs: &'static [CollectionVerb],
    /// Methods that a kind of place does not offer, though the others do.
    pub(crate) lacks: &'static [(ScopeKind, &'static [&'static str])],
    /// Methods that know the parameter `updateMask`.
    pub(crate) masked: &'static [&'static str],
    /// Kinds of lists that are not simply the resource's with `List` or `AggregatedList` behind it.
    pub(crate) list_kinds: &'static [(ListOf, &'static str)],
    /// Ways to find one resource but by its name: `GET …/COLLECTION/WORD/ARGUMENT`.
    pub(crate) lookups: &'static [Lookup],
    pub(crate) locking: Locking,
    /// Verbs whose operations are not named after the verb.
    pub(crate) operation_types: &'static [(&'static str, &'static str)],
    /// The collection that operations name their target in, once they are asked for again. `None`: the resource's own.
    pub(crate) polled_in: Option<&'static str>,
    pub(crate) not_found: NotFound,
    /// Verbs (`insert`, or the name of a verb of its own) that `validateOnly=true` turns into a check: everything is
    /// checked, the operation in the answer is DONE at once, and nothing changes.
    pub(crate) validates: &'static [&'static str],
    /// Fills in defaults that depend on more than their own field, on a body that fits the schema.
    pub(crate) fill: fn(&mut Draft, &World<'_>),
    /// Works out what only this resource can. Refuses what it cannot read.
    pub(crate) complete: fn(&mut Draft, &World<'_>) -> Result<(), ApiError>,
    /// Refuses a complete body that breaks a rule of this resource.
    pub(crate) check: fn(&Draft, &World<'_>) -> Result<(), ApiError>,
    /// Takes what is scarce (an address), once nothing else can refuse the request.
    pub(crate) allocate: fn(&mut Draft, &World<'_>) -> Result<(), ApiError>,
    /// Rules that the real API reports inside the operation, when the change is about to be made.
    pub(crate) check_late: fn(&Draft, &World<'_>) -> Result<(), OperationError>,
    /// Adds output fields that follow from other resources.
    pub(crate) render: fn(&ResourcePath, &Stored, &World<'_>, &str, &mut Map<String, Value>),
    /// Tidies up elsewhere after a delete.
    pub(crate) deleted: fn(&ResourcePath, &Stored, &mut State),
}

impl Resource {
    /// What a declaration leaves out: a global collection that can be read, inserted and deleted.
    pub(crate) const PLAIN: Self = Self {
        collection: "",
        singular: "",
        kind: "",
        scopes: &[ScopeKind::Global],
        fields: &[],
        unknown_fields: UnknownFields::Refuse,
        verbs: &[Standard::Insert, Standard::Delete],
        custom: &[],
        collection_verbs: &[],
        lacks: &[],
        masked: &[],
        list_kinds: &[],
        lookups: &[],
        locking: Locking::None,
        operation_types: &[],
        polled_in: None,
        not_found: NotFound::Resource,
        validates: &[],
        fill: |_, _| {},
        complete: |_, _| Ok(()),
        check: |_, _| Ok(()),
        allocate: |_, _| Ok(()),
        check_late: |_, _| Ok(()),
        render: |_, _, _, _, _| {},
        deleted: |_, _, _| {},
    };

    /// Whether the bodies have labels.
    pub(crate) fn has_labels(&self) -> bool {
        self.fields.iter().any(|field| field.name == "labels")
    }

    /// Whether it is in more places than one, so that one list of all of them means something.
    pub(crate) fn is_aggregated(&self) -> bool {
        self.scopes.iter().any(|scope| matches!(scope, ScopeKind::Region | ScopeKind::Zone))
    }

    /// Whether a kind of place offers a method.
    pub(crate) fn offers(&self, place: ScopeKind, method: &str) -> bool {
        self.scopes.contains(&place)
            && !self.lacks.iter().any(|(of, methods)| *of == place && methods.contains(&method))
    }

    /// The `kind` of a list.
    pub(crate) fn list_kind(&self, of: ListOf) -> String {
        let declared =
            |of| self.list_kinds.iter().find(|(declared, _)| *declared == of).map(|(_, kind)| *kind);
        let kind = match of {
            ListOf::Region => declared(ListOf::Region).or_else(|| declared(ListOf::Place)),
            of => declared(of),
        };
        match (kind, of) {
            (Some(kind), _) => kind.to_owned(),
            (None, ListOf::Everywhere) => format!("{}AggregatedList", self.kind),
            (None, ListOf::Place | ListOf::Region) => format!("{}List", self.kind),
        }
    }

    /// The `operationType` of a verb.
    pub(crate) fn operation_type(&self, verb: &'static str) -> &'static str {
        self.operation_types.iter().find(|(of, _)| *of == verb).map_or(verb, |(_, name)| name)
    }
}

/// What a list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListOf {
    /// The resources of one place.
    Place,
    /// The resources of a region, where their list has a kind of its own.
    Region,
    /// The resources of all places.
    Everywhere,
}

/// A method of a collection: `GET …/COLLECTION/WORD`.
pub(crate) struct CollectionVerb {
    pub(crate) name: &'static str,
    pub(crate) place: VerbPlace,
    pub(crate) answer: CollectionAnswer,
}

/// Where a method of a collection is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VerbPlace {
    /// In a place that the collection is in.
    Scoped,
    /// Under `aggregated/`, about all places.
    Aggregated,
}

/// What a method of a collection answers with.
pub(crate) enum CollectionAnswer {
    /// Facts that are the same for everybody.
    Facts(fn() -> Value),
    /// A list of the resources of the place, or of all places, of this kind.
    List { kind: &'static str, item: ListItem },
}

/// How a method of a collection shows a resource.
pub(crate) enum ListItem {
    /// As `get` does.
    Whole,
    /// In another form, made from its path, the resource as `get` shows it, and what links begin with.
    Form(FormFn),
}

/// Shows a resource in another form.
pub(crate) type FormFn = fn(&ResourcePath, &Map<String, Value>, &str) -> Map<String, Value>;

/// What happens to a field the declaration does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnknownFields {
    /// 400, in Google's words.
    Refuse,
    /// Stored and shown as they came: for collections we hold only in a plain form.
    Keep,
}

/// The standard mutations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standard {
    Insert,
    Update,
    Patch,
    Delete,
}

impl Standard {
    /// As methods are called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

/// Whether a resource has an optimistic lock in its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Locking {
    None,
    /// A fingerprint is shown, and compared where a mutation carries one.
    Fingerprint,
}

/// How the 404 of a collection reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotFound {
    /// `The resource '…' was not found`.
    Resource,
    /// `NOUN "…" not found`: a few collections still speak so.
    Noun(&'static str),
    /// The usual words with another collection's name in the path.
    ResourceIn(&'static str),
}

impl NotFound {
    pub(crate) fn error(self, path: &ResourcePath) -> ApiError {
        match self {
            Self::Resource => ApiError::not_found(path),
            Self::Noun(noun) => ApiError::not_found_text(format!("{noun} \"{path}\" not found")),
            Self::ResourceIn(collection) => ApiError::not_found(&ResourcePath { collection, ..path.clone() }),
        }
    }
}

/// A way to find one resource of a collection: among the resources of a place, by an argument.
pub(crate) struct Lookup {
    pub(crate) word: &'static str,
    /// The name of the resource that is meant.
    pub(crate) find: fn(&Table, &str) -> Option<String>,
}

/// A verb of one resource: `POST …/NAME/verb`.
pub(crate) struct CustomVerb {
    pub(crate) name: &'static str,
    /// The fields of the request body, and the parameters of the query.
    pub(crate) request: Fields,
    pub(crate) effect: Effect,
    pub(crate) address: VerbAddress,
}

/// Changes a draft as the request of a verb says.
pub(crate) type ChangeFn = fn(&mut Draft, &Map<String, Value>, &World<'_>) -> Result<(), ApiError>;

/// What a verb does.
pub(crate) enum Effect {
    /// An operation that sets fields of the resource: (field of the request, field of the resource).
    Set(&'static [(&'static str, &'static str)]),
    /// An operation that changes the resource in its own way.
    Change(ChangeFn),
    /// An operation after which the resource is gone from its place. Notes in the resource where it goes; `deleted` puts it
    /// there.
    Leave(ChangeFn),
    /// A change that is made at once, without an operation, and its answer.
    Settle(fn(&mut Stored, &Map<String, Value>) -> Result<Value, ApiError>),
    /// A judgement at once of the resource that the request brings in its field `resource`. Nothing is stored, and
    /// there need be no resource of the name in the path.
    Judge(fn(&Judged<'_>, &World<'_>) -> Result<Value, ApiError>),
    /// An answer at once, without an operation.
    Answer(fn(&Question<'_>, &World<'_>) -> Result<Value, ApiError>),
}

/// What a verb that answers at once is asked.
pub(crate) struct Question<'a> {
    pub(crate) path: &'a ResourcePath,
    pub(crate) stored: &'a Stored,
    pub(crate) request: &'a Map<String, Value>,
    pub(crate) query: &'a BTreeMap<String, String>,
    /// What full URLs in the answer begin with, up to and including the version.
    pub(crate) base: &'a str,
    /// Who asks, where tokens are checked.
    pub(crate) caller: Option<&'a Caller>,
}

/// What a verb that judges is given.
pub(crate) struct Judged<'a> {
    /// The resource that the request brings, under the name in the path.
    pub(crate) draft: &'a Draft,
    /// Whether the body is complete and what it refers to is there: all that is checked before the resource's own rules.
    pub(crate) complete: Result<(), ApiError>,
    pub(crate) request: &'a Map<String, Value>,
    /// What full URLs in the answer begin with, up to and including the version.
    pub(crate) base: &'a str,
}

/// The paths a verb is called by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VerbAddress {
    Scoped,
    /// With GET.
    Read,
    /// Also without `global/`, as a few old verbs are.
    ScopedOrBare,
}
