//! Custom resources in a folder, checked as an API server with our definitions would check them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::decode::{admit, decode_json};
use super::diagnostic::Code;
use super::fault::Faults;
use super::field::FieldPath;
use super::object::ObjectId;
use super::validate::NameRule;
use super::yaml::Node;
use crate::custom_resource::{Misfit, Path, Spec, Step};

/// An object as it is written: each of its fields, so that others are known to be none.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound = "S: DeserializeOwned, T: DeserializeOwned")]
struct Written<S, T> {
    #[serde(rename = "apiVersion")]
    _api_version: String,
    #[serde(rename = "kind")]
    _kind: String,
    metadata: ObjectMeta,
    spec: Option<S>,
    status: Option<T>,
}

/// What an object says and, where it has one, its status.
pub(super) fn custom<S: Spec, T: DeserializeOwned>(
    root: &Node,
    id: &ObjectId,
    faults: &mut Faults,
) -> Option<(S, Option<T>)> {
    let json = root.to_json();
    let misfits = S::misfits(&json);
    for Misfit { field, why } in &misfits {
        let help = format!(
            "`kubectl explain {}.{}` says what may stand there",
            id.kind.to_lowercase(),
            names(field)
        );
        faults.error(Code::Invalid, place(field), why.clone(), help);
    }
    if !misfits.is_empty() {
        return None;
    }
    let mut written = decode_json::<Written<S, T>>(root, json, faults)?;
    admit(&mut written.metadata, id, NameRule::Subdomain, faults);
    Some((written.spec.unwrap_or_default(), written.status))
}

fn place(path: &Path) -> FieldPath {
    path.0.iter().fold(FieldPath::default(), |path, step| match step {
        Step::Field(name) => path.step(name),
        Step::Item(index) => path.index(*index),
    })
}

/// As `kubectl explain` wants it: without the numbers of items.
fn names(path: &Path) -> String {
    let names = path.0.iter().filter_map(|step| match step {
        Step::Field(name) => Some(name.as_str()),
        Step::Item(_) => None,
    });
    names.collect::<Vec<_>>().join(".")
}
