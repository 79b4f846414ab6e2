//! What the cloud held at one moment, as a file: to plan against without asking the cloud again.
//!
//! It holds what an [`Observed`] holds, resource by resource: names, marks, the fields that we own, fingerprints, addresses. Never a key:
//! the cloud does not give keys out, and the model has no place for them. Certificates are in it as their SHA-256.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{ClusterId, Entry, Facts, Graph, Mark, Node, Observed, ResourceId, Unknown};

/// An observation with where and when it was made.
#[derive(Debug, Clone)]
pub struct Observation {
    /// Of which project.
    pub project: String,
    /// Of which cluster's resources.
    pub cluster: ClusterId,
    /// When it was made, in RFC 3339; for people.
    pub observed_at: String,
    /// What was seen.
    pub observed: Observed,
}

/// A file that is not an observation.
#[derive(Debug, thiserror::Error)]
pub enum ObservationError {
    /// It is not of the form.
    #[error("it is not an observation")]
    Form(#[source] serde_json::Error),
    /// It was written by another version of gclb.
    #[error("it has schemaVersion {found}, and {expected} is what this gclb reads")]
    Version {
        /// What it says.
        found: u64,
        /// What is read.
        expected: u64,
    },
    /// A resource in it has no mark of ours.
    #[error("the description of {id} is not a mark")]
    NoMark {
        /// Which.
        id: ResourceId,
    },
    /// A resource is not of the kind that its path says.
    #[error("{id} is a {found}")]
    Kind {
        /// Which.
        id: ResourceId,
        /// What it is by its fields.
        found: &'static str,
    },
}

/// Only this part is read of a file of any version.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    schema_version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    schema_version: u64,
    project: String,
    cluster: ClusterId,
    observed_at: String,
    resources: Vec<Saved>,
    /// Names that others have taken.
    taken: BTreeSet<ResourceId>,
    /// What could not be seen.
    unknown: BTreeSet<Unknown>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Saved {
    id: ResourceId,
    /// As it stands in the cloud: the mark.
    description: String,
    fields: Node,
    facts: Facts,
}

impl Observation {
    /// Goes up when a field changes its meaning, comes, or goes away.
    pub const SCHEMA_VERSION: u64 = 1;

    /// As text: JSON.
    #[must_use]
    pub fn render(&self) -> String {
        let Self { project, cluster, observed_at, observed } = self;
        // What was altered since when is known only to a process that looked before; how backends are, and what others have, is asked
        // anew when it matters.
        let Observed { graph, facts, taken, unknown, altered: _, health: _, foreign: _ } = observed;
        let resources = graph
            .entries()
            .map(|(id, Entry { mark, node })| Saved {
                id: id.clone(),
                description: mark.render(),
                fields: node.clone(),
                facts: facts.get(id).cloned().unwrap_or_default(),
            })
            .collect();
        let file = File {
            schema_version: Self::SCHEMA_VERSION,
            project: project.clone(),
            cluster: cluster.clone(),
            observed_at: observed_at.clone(),
            resources,
            taken: taken.clone(),
            unknown: unknown.clone(),
        };
        let mut text =
            serde_json::to_string_pretty(&file).expect("texts, numbers and lists can be written as JSON");
        text.push('\n');
        text
    }

    /// Reads a text that [`Self::render`] made.
    ///
    /// # Errors
    /// When it is something else, or of another version.
    pub fn parse(text: &str) -> Result<Self, ObservationError> {
        let Version { schema_version } = serde_json::from_str(text).map_err(ObservationError::Form)?;
        if schema_version != Self::SCHEMA_VERSION {
            return Err(ObservationError::Version { found: schema_version, expected: Self::SCHEMA_VERSION });
        }
        let File { schema_version: _, project, cluster, observed_at, resources, taken, unknown } =
            serde_json::from_str(text).map_err(ObservationError::Form)?;
        let mut graph = Graph::default();
        let mut all_facts = BTreeMap::new();
        for Saved { id, description, fields, facts } in resources {
            let Some(mark) = Mark::parse(&description) else { return Err(ObservationError::NoMark { id }) };
            if fields.kind() != id.kind {
                return Err(ObservationError::Kind { id, found: fields.kind().noun() });
            }
            all_facts.insert(id.clone(), facts);
            graph.put(id, Entry { mark, node: fields });
        }
        Ok(Self {
            project,
            cluster,
            observed_at,
            observed: Observed { graph, facts: all_facts, taken, unknown, ..Observed::default() },
        })
    }
}
