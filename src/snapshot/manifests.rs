//! A snapshot from a folder of manifests. Pure: names and texts in, objects and diagnostics out.
//!
//! Three steps. [`File::read`] turns one text into objects, each checked as the API server would check it; what is wrong becomes a
//! [`Diagnostic`] with file, line, column and field, and everything else is still there. [`Manifests`] joins files.
//! [`Manifests::world`] supplies what a folder does not give and a cluster would: defaults, node ports, a class, a node, pods.
//! The result is the same whenever and wherever it is computed.
//!
//! It deliberately does not read folders or watch them (that is the folder source), and it does not judge what cannot be *served*:
//! that is for the translation, which says it the same way for a cluster.

mod blot;
mod custom;
mod decode;
mod diagnostic;
mod fault;
mod field;
mod file;
mod kinds;
mod names;
mod node_port;
mod object;
mod secret;
mod validate;
mod world;
mod yaml;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::Timestamp;

pub use diagnostic::{Code, Diagnostic, DiagnosticSeverity};
pub use file::File;
pub use object::{Content, Object, ObjectId, Secret, Workload};
pub use world::{DEFAULT_CLASS, Machine, Supplies, World};

use super::{Cluster, Snapshot};
use crate::model::{ClusterId, Held};

/// The objects of several files.
#[derive(Debug, Clone, Default)]
pub struct Manifests {
    /// By kind and name.
    pub objects: BTreeMap<ObjectId, Object>,
    /// What is wrong, file by file.
    pub diagnostics: Vec<Diagnostic>,
}

impl Manifests {
    /// Reads files, given as name and text.
    #[must_use]
    pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::of(files.into_iter().map(|(name, text)| File::read(name, text)))
    }

    /// Joins files. Of two objects with the same name the first counts, and the second is a diagnostic.
    #[must_use]
    pub fn of(files: impl IntoIterator<Item = File>) -> Self {
        let mut all = Self::default();
        for File { name: _, objects, diagnostics } in files {
            all.diagnostics.extend(diagnostics);
            for object in objects {
                match all.objects.entry(object.id.clone()) {
                    Entry::Vacant(place) => {
                        place.insert(object);
                    }
                    Entry::Occupied(first) => all.diagnostics.push(repeated(&object, first.get())),
                }
            }
        }
        all
    }

    /// Everything that a cluster with these objects would hold.
    #[must_use]
    pub fn world(&self, supplies: &Supplies) -> World {
        World::of(self, supplies)
    }

    /// The snapshot of a cluster with these objects.
    #[must_use]
    pub fn snapshot(&self, cluster: Cluster, taken_at: Timestamp, held: Held) -> Snapshot {
        self.world(&Supplies::default()).snapshot(cluster, taken_at, held)
    }

    /// Whether something could not be used.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// The id of the cluster that a folder stands for. There is only ever one on a laptop, and names should be the same every time.
///
/// It differs from what a real cluster gets, since those are hexadecimal digits of a random UUID.
#[must_use]
pub fn cluster_id() -> ClusterId {
    ClusterId::new("10ca1000").expect("eight hexadecimal digits")
}

fn repeated(object: &Object, first: &Object) -> Diagnostic {
    let (line, column) = first.position;
    Diagnostic {
        severity: DiagnosticSeverity::Error,
        code: Code::Duplicate,
        file: object.file.to_string(),
        position: Some(object.position),
        object: Some(object.id.to_string()),
        field: None,
        message: format!("the same object as at {}:{line}:{column}, which is used", first.file),
        help: "remove one of the two, or give it another name or namespace".to_owned(),
        snippet: None,
    }
}
