//! Reads a Secret without the generic decoder, so that no message can quote a value.

use base64::Engine as _;
use zeroize::Zeroizing;

use super::decode::{admit, decode_json};
use super::diagnostic::Code;
use super::fault::Faults;
use super::field::FieldPath;
use super::object::{ObjectId, Secret};
use super::validate::NameRule;
use super::yaml::{Node, Value};

/// The data of a Secret, decoded.
pub(super) fn secret(root: &Node, id: &ObjectId, faults: &mut Faults) -> Option<Secret> {
    let mut json = root.to_json();
    for field in ["data", "stringData"] {
        if let Some(object) = json.as_object_mut() {
            object.shift_remove(field);
        }
    }
    let mut object = decode_json::<k8s_openapi::api::core::v1::Secret>(root, json, faults)?;
    admit(&mut object.metadata, id, NameRule::Subdomain, faults);
    let mut secret = Secret::default();
    for field in ["data", "stringData"] {
        let path = FieldPath::of(field);
        let entries = match root.get(field).map(|node| (&node.value, node.noun())) {
            None | Some((Value::Null, _)) => continue,
            Some((Value::Map(entries), _)) => entries,
            Some((_, noun)) => {
                faults.error(
                    Code::WrongType,
                    path,
                    format!("expected a mapping, found {noun}"),
                    "write key: value, indented below the field",
                );
                continue;
            }
        };
        for (key, node) in entries {
            let path = path.entry(&key.text);
            if let Some(problem) = super::names::data_key(&key.text) {
                faults.invalid(path.clone(), &key.text, &problem, "rename the key");
            }
            let bytes = match (&node.value, field) {
                (Value::Null, _) => Some(Vec::new()),
                (Value::String(text), "data") => base64_decoded(text),
                (Value::String(text), _) => Some(text.clone().into_bytes()),
                _ => {
                    let message = format!("expected a string, found {}", node.noun());
                    faults.error(Code::WrongType, path, message, "put the value in quotes");
                    continue;
                }
            };
            match bytes {
                Some(bytes) => {
                    secret.data.insert(key.text.clone(), Zeroizing::new(bytes));
                }
                None => faults.error(
                    Code::Invalid,
                    path,
                    "not base64".to_owned(),
                    "encode the value (`base64 -w0 FILE`), or put the plain text under stringData",
                ),
            }
        }
    }
    if object.type_.as_deref() == Some("kubernetes.io/tls") && !faults.has_errors() {
        for key in ["tls.crt", "tls.key"] {
            if !secret.data.contains_key(key) {
                let help = "a Secret of type kubernetes.io/tls holds a certificate and its key";
                faults.required(FieldPath::of("data").entry(key), "", help);
            }
        }
    }
    Some(secret)
}

/// As the API server does: line breaks do not count.
fn base64_decoded(text: &str) -> Option<Vec<u8>> {
    let packed: Zeroizing<String> =
        Zeroizing::new(text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect());
    base64::engine::general_purpose::STANDARD.decode(packed.as_bytes()).ok()
}
