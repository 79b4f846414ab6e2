//! What is taken out of recorded and found bodies before they are compared, alike on both sides.
//!
//! The values of ids, timestamps, fingerprints, names of operations, users, addresses and PEM blocks, and the host and
//! version of links. Of an operation, the fields that say how far it has come. Of an operation that has no target, which
//! came from the recorder's own stand-in, everything but its kind.

use super::names::Names;
use serde_json::{Map, Value};

/// Fields whose values differ from run to run. That they are there is compared.
const VARYING: &[&str] = &[
    "id",
    "targetId",
    "creationTimestamp",
    "expireTime",
    "fingerprint",
    "labelFingerprint",
    "user",
    "address",
    "IPAddress",
    "certificate",
];

/// Fields of an operation that depend on the moment.
const OF_THE_MOMENT: &[&str] =
    &["name", "status", "progress", "insertTime", "startTime", "endTime", "selfLink"];

pub(crate) fn normal(body: &Value, names: &Names) -> Value {
    match body {
        Value::Object(fields) => {
            let operation = fields.get("kind").is_some_and(|kind| kind == "compute#operation");
            if operation && !fields.contains_key("targetLink") {
                return only_kind(fields);
            }
            fields
                .iter()
                .filter(|(name, _)| !(operation && OF_THE_MOMENT.contains(&name.as_str())))
                .map(|(name, value)| {
                    let varies = VARYING.contains(&name.as_str()) && value.is_string();
                    (name.clone(), if varies { Value::from("*") } else { normal(value, names) })
                })
                .collect()
        }
        Value::Array(items) => items.iter().map(|item| normal(item, names)).collect(),
        Value::String(text) => {
            let text = names.hide(text);
            let path = match text.split_once("/compute/") {
                Some((host, rest)) if host.starts_with("https://") => {
                    rest.split_once('/').map_or(text.as_str(), |(_, path)| path)
                }
                _ => text.as_str(),
            };
            Value::from(path)
        }
        other => other.clone(),
    }
}

fn only_kind(fields: &Map<String, Value>) -> Value {
    Value::Object(
        fields.iter().filter(|(name, _)| *name == "kind").map(|(n, v)| (n.clone(), v.clone())).collect(),
    )
}

/// Every field that differs, by its path.
pub(crate) fn compare(expected: &Value, found: &Value) -> Result<(), String> {
    let mut found = found.clone();
    if expected.as_object().is_some_and(|fields| fields.len() == 1 && fields.contains_key("kind"))
        && let Value::Object(fields) = &found
    {
        found = only_kind(fields);
    }
    let mut differences = Vec::new();
    differ("", expected, &found, &mut differences);
    if differences.is_empty() { Ok(()) } else { Err(differences.join("\n")) }
}

fn differ(at: &str, expected: &Value, found: &Value, differences: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for (name, value) in expected {
                match found.get(name) {
                    Some(found) => differ(&format!("{at}.{name}"), value, found, differences),
                    None => differences.push(format!("  {at}.{name}: recorded {value}, not in the answer")),
                }
            }
            for (name, value) in found {
                // The recorder's stand-in for global URL maps and target HTTP proxies had no fingerprints; the API
                // has, and clients need them.
                if at.is_empty() && name == "fingerprint" {
                    continue;
                }
                if !expected.contains_key(name) {
                    differences.push(format!("  {at}.{name}: not recorded, answered {value}"));
                }
            }
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
                differ(&format!("{at}[{index}]"), expected, found, differences);
            }
        }
        _ if expected == found => {}
        _ => differences.push(format!("  {at}: recorded {expected}, answered {found}")),
    }
}

/// The recorder's stand-in merged a PUT or PATCH into what was there as protocol buffers merge: lists were appended to,
/// inputs stayed in the answer, and the region came back as it was given. The API replaces lists (RFC 7396 and PUT), shows
/// no secret and gives its own region. If a recorded body bears those marks, this is the body without them.
pub(crate) fn undo_append(before: &Value, request: &Value, recorded: &Value) -> Option<Value> {
    let (Value::Object(before), Value::Object(request), Value::Object(recorded)) =
        (before, request, recorded)
    else {
        return None;
    };
    let mut corrected = recorded.clone();
    let mut appended = false;
    for (field, sent) in request {
        let (Value::Array(sent), Some(Value::Array(old)), Some(Value::Array(now))) =
            (sent, before.get(field), recorded.get(field))
        else {
            continue;
        };
        if !sent.is_empty()
            && now.len() == old.len() + sent.len()
            && now.starts_with(old)
            && now.ends_with(sent)
        {
            corrected.insert(field.clone(), Value::Array(sent.clone()));
            appended = true;
        }
    }
    if !appended {
        return None;
    }
    if let Some(Value::Object(iap)) = corrected.get_mut("iap") {
        iap.shift_remove("oauth2ClientSecret");
    }
    if let (Some(Value::String(region)), Some(old)) = (corrected.get("region"), before.get("region"))
        && region.contains("/global/regions/")
    {
        corrected.insert("region".to_owned(), old.clone());
    }
    Some(Value::Object(corrected))
}
