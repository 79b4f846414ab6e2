//! A plan as a file, to be run later exactly as it was shown, or not at all.
//!
//! A plan is a function of its input and of what the cloud holds, so the file does not hold the calls themselves: it holds what was
//! shown (the JSON form) and what that rests on. Whoever runs it looks at both again, plans again, and goes on only where nothing
//! differs ([`SavedPlan::overtaken`]); then what runs is, change by change, what was shown. So there is never a key in the file, and
//! nothing in it that is not understood can be run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::diff::fields;
use super::{Change, Plan};
use crate::model::{Observed, ResourceId};
use crate::snapshot::{Cluster, Digests, ReadinessProbes};

/// A plan with all that it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SavedPlan {
    /// [`SavedPlan::SCHEMA_VERSION`].
    pub schema_version: u64,
    /// The version of gclb that planned. Another one may plan otherwise.
    pub gclb: String,
    /// When, in RFC 3339; for people.
    pub planned_at: String,
    /// Where it is to run, and with what.
    pub setting: Setting,
    /// What each object of the input said.
    pub input: Digests,
    /// The resources that it changes or points at, by their paths, as they were.
    pub basis: BTreeMap<ResourceId, Basis>,
    /// The plan as it was shown: its JSON form.
    pub plan: Value,
}

/// Where a plan is to run, and where its input came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Setting {
    /// In which project.
    pub project: String,
    /// By which Compute Engine; absent: Google's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cloud_endpoint: Option<String>,
    /// The cluster's id.
    pub cluster_id: crate::model::ClusterId,
    /// The nodes' network.
    pub network: String,
    /// The nodes' subnetwork.
    pub subnetwork: String,
    /// The nodes' tags.
    pub node_tags: BTreeSet<String>,
    /// Whether Ingresses without a class are taken.
    pub claim_classless: bool,
    /// Whether pods were looked at.
    #[serde(default)]
    pub readiness_probes: ReadinessProbes,
    /// The input.
    pub input: InputPlace,
}

/// Where the input came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum InputPlace {
    /// Folders and files.
    Manifests(Vec<String>),
    /// A cluster.
    Cluster {
        /// The kubeconfig file that was named.
        kubeconfig: Option<String>,
        /// The context that was named.
        context: Option<String>,
        /// Only this namespace was read.
        namespace: Option<String>,
    },
}

impl Setting {
    /// What holds for the whole cluster.
    #[must_use]
    pub fn cluster(&self) -> Cluster {
        let Self {
            project: _,
            cloud_endpoint: _,
            cluster_id,
            network,
            subnetwork,
            node_tags,
            claim_classless,
            readiness_probes,
            input: _,
        } = self;
        Cluster {
            id: cluster_id.clone(),
            network: network.clone(),
            subnetwork: subnetwork.clone(),
            node_tags: node_tags.clone(),
            claim_classless: *claim_classless,
            readiness_probes: *readiness_probes,
        }
    }
}

/// How a resource was when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Basis {
    /// It did not exist.
    Absent,
    /// Its name was somebody else's.
    Foreign,
    /// Its part of the cloud could not be seen.
    Unseen,
    /// It existed and was ours.
    Present {
        /// Its version.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        fingerprint: Option<String>,
        /// Its fields that we own, as people read them.
        fields: BTreeMap<String, String>,
    },
}

/// A file that is not a plan that can be run.
#[derive(Debug, thiserror::Error)]
pub enum SavedPlanError {
    /// It is not of the form.
    #[error("it is not a plan that was saved with --save")]
    Form(#[source] serde_json::Error),
    /// It was written by another version of gclb.
    #[error("it has schemaVersion {found}, and {expected} is what this gclb reads")]
    Version {
        /// What it says.
        found: u64,
        /// What is read.
        expected: u64,
    },
}

/// What is not as it was when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overtaken {
    /// This gclb is of another version and may plan otherwise.
    Gclb {
        /// That which planned.
        planned: String,
        /// This one.
        now: String,
    },
    /// An object of the input.
    Input(String),
    /// A resource exists that did not, is gone, or has changed hands.
    Resource {
        /// Which.
        id: ResourceId,
        /// What it was.
        was: &'static str,
        /// What it is.
        is: &'static str,
    },
    /// A field of a resource.
    Field {
        /// Of which resource.
        id: ResourceId,
        /// Its name.
        field: String,
        /// What it was.
        was: String,
        /// What it is.
        is: String,
    },
    /// A resource was changed in something that gclb does not own.
    Version {
        /// Which.
        id: ResourceId,
    },
    /// Everything that the plan speaks of is as it was, and yet another plan would be made: something else has come or gone.
    Plan {
        /// Changes that are needed now and were not planned, or the other way round.
        differing: Vec<String>,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    schema_version: u64,
}

impl SavedPlan {
    /// Goes up when a field changes its meaning, comes, or goes away.
    pub const SCHEMA_VERSION: u64 = 1;

    /// A plan, with what it rests on.
    #[must_use]
    pub fn of(
        plan: &Plan,
        observed: &Observed,
        input: Digests,
        setting: Setting,
        planned_at: String,
    ) -> Self {
        Self {
            schema_version: Self::SCHEMA_VERSION,
            gclb: env!("CARGO_PKG_VERSION").to_owned(),
            planned_at,
            setting,
            input,
            basis: touched(plan).into_iter().map(|id| (id.clone(), Basis::of(id, observed))).collect(),
            plan: value(plan),
        }
    }

    /// As text: JSON.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text =
            serde_json::to_string_pretty(self).expect("texts, numbers and lists can be written as JSON");
        text.push('\n');
        text
    }

    /// Reads a text that [`Self::render`] made.
    ///
    /// # Errors
    /// When it is something else, or of another version.
    pub fn parse(text: &str) -> Result<Self, SavedPlanError> {
        let Version { schema_version } = serde_json::from_str(text).map_err(SavedPlanError::Form)?;
        if schema_version != Self::SCHEMA_VERSION {
            return Err(SavedPlanError::Version { found: schema_version, expected: Self::SCHEMA_VERSION });
        }
        serde_json::from_str(text).map_err(SavedPlanError::Form)
    }

    /// What differs from when this was planned. Where nothing does, `plan`, which was made now of `input` and `observed`, is the plan
    /// that was shown.
    #[must_use]
    pub fn overtaken(&self, plan: &Plan, observed: &Observed, input: &Digests) -> Vec<Overtaken> {
        let Self { schema_version: _, gclb, planned_at: _, setting: _, input: said, basis, plan: shown } =
            self;
        let mut found = Vec::new();
        let now = env!("CARGO_PKG_VERSION");
        if gclb != now {
            found.push(Overtaken::Gclb { planned: gclb.clone(), now: now.to_owned() });
        }
        found.extend(
            said.differences(input).iter().map(|difference| Overtaken::Input(difference.to_string())),
        );
        for (id, was) in basis {
            was.compare(&Basis::of(id, observed), id, &mut found);
        }
        if found.is_empty() {
            let is = value(plan);
            if is != *shown {
                found.push(Overtaken::Plan { differing: differing(shown, &is) });
            }
        }
        found
    }
}

impl Basis {
    fn of(id: &ResourceId, observed: &Observed) -> Self {
        match observed.graph.entry(id) {
            Some(entry) => Self::Present {
                fingerprint: observed
                    .facts
                    .get(id)
                    .and_then(|facts| facts.fingerprint.as_ref())
                    .map(|fingerprint| fingerprint.0.clone()),
                fields: fields(&entry.node).into_iter().map(|field| (field.name, field.value)).collect(),
            },
            None if observed.taken.contains(id) => Self::Foreign,
            None if observed.can_tell(id) => Self::Absent,
            None => Self::Unseen,
        }
    }

    const fn word(&self) -> &'static str {
        match self {
            Self::Absent => "did not exist",
            Self::Foreign => "was somebody else's",
            Self::Unseen => "could not be seen",
            Self::Present { .. } => "existed",
        }
    }

    const fn word_now(&self) -> &'static str {
        match self {
            Self::Absent => "does not exist",
            Self::Foreign => "is somebody else's",
            Self::Unseen => "cannot be seen",
            Self::Present { .. } => "exists",
        }
    }

    fn compare(&self, now: &Self, id: &ResourceId, found: &mut Vec<Overtaken>) {
        match (self, now) {
            (
                Self::Present { fingerprint: was_version, fields: was },
                Self::Present { fingerprint: is_version, fields: is },
            ) => {
                let none = || "(none)".to_owned();
                let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
                let before = found.len();
                found.extend(names.into_iter().filter(|name| was.get(*name) != is.get(*name)).map(|name| {
                    Overtaken::Field {
                        id: id.clone(),
                        field: name.clone(),
                        was: was.get(name).cloned().unwrap_or_else(none),
                        is: is.get(name).cloned().unwrap_or_else(none),
                    }
                }));
                if found.len() == before && was_version != is_version {
                    found.push(Overtaken::Version { id: id.clone() });
                }
            }
            (was, is) if was == is => {}
            (was, is) => {
                found.push(Overtaken::Resource { id: id.clone(), was: was.word(), is: is.word_now() });
            }
        }
    }
}

/// Everything that a plan changes or comes to point at.
fn touched(plan: &Plan) -> BTreeSet<&ResourceId> {
    plan.graph
        .node_weights()
        .flat_map(|Change { id, action, .. }| std::iter::once(id).chain(action.references()))
        .collect()
}

fn value(plan: &Plan) -> Value {
    serde_json::to_value(plan.document()).expect("texts, numbers and lists can be written as JSON")
}

/// The changes that are in one form of a plan and not in the other, by method and name.
fn differing(was: &Value, is: &Value) -> Vec<String> {
    let changes = |document: &Value| -> BTreeSet<String> {
        let changes = document["changes"].as_array().into_iter().flatten();
        changes
            .map(|change| {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                format!(
                    "{} {} {}",
                    text(&change["method"]),
                    text(&change["resource"]["kind"]),
                    text(&change["resource"]["name"])
                )
            })
            .collect()
    };
    let (was, is) = (changes(was), changes(is));
    let gone = was.difference(&is).map(|change| format!("no longer needed: {change}"));
    let new = is.difference(&was).map(|change| format!("needed now: {change}"));
    gone.chain(new).collect()
}

impl fmt::Display for Overtaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gclb { planned, now } => write!(f, "gclb {planned} made the plan, and this is gclb {now}"),
            Self::Input(difference) => write!(f, "input: {difference}"),
            Self::Resource { id, was, is } => write!(f, "{id}: it {was}, and {is} now"),
            Self::Field { id, field, was, is } => write!(f, "{id}: {field} was {was} and is {is} now"),
            Self::Version { id } => {
                write!(
                    f,
                    "{id}: it was changed in something that gclb does not own (its fingerprint differs)"
                )
            }
            Self::Plan { differing } if differing.is_empty() => {
                f.write_str("the changes that are needed differ in details")
            }
            Self::Plan { differing } => f.write_str(&differing.join("; ")),
        }
    }
}
