//! Merging a patch into a body, and narrowing a patch to the fields that a mask names.

use serde_json::{Map, Value, json};

/// RFC 7396: what `patch` makes of `target`.
pub(crate) fn merge(target: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                target.shift_remove(&name);
            }
            Value::Object(changes) => {
                if let Some(Value::Object(inner)) = target.get_mut(&name) {
                    merge(inner, changes);
                } else {
                    let mut inner = Map::new();
                    merge(&mut inner, changes);
                    target.insert(name, Value::Object(inner));
                }
            }
            value => {
                target.insert(name, value);
            }
        }
    }
}

/// The part of `patch` that a mask of field paths (`description,advancedOptionsConfig.jsonParsing`) names. A field that is
/// named and not in the patch is taken away. Paths may be spelled in camel or in snake case, as in all of Google's APIs.
pub(crate) fn masked(patch: Map<String, Value>, mask: &str) -> Map<String, Value> {
    let patch = Value::Object(patch);
    let mut narrowed = Map::new();
    for path in mask.split(',').map(str::trim).filter(|path| !path.is_empty()) {
        let names: Vec<String> = path.split('.').map(camel).collect();
        let given = names.iter().try_fold(&patch, |value, name| value.get(name)).unwrap_or(&Value::Null);
        let Some((last, outer)) = names.split_last() else { continue };
        let value = outer
            .iter()
            .rev()
            .fold(json!({ last.as_str(): given }), |inner, name| json!({ name.as_str(): inner }));
        if let Value::Object(value) = value {
            combine(&mut narrowed, value);
        }
    }
    narrowed
}

/// Puts one patch beside another.
fn combine(into: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, value) in patch {
        match (into.get_mut(&name), value) {
            (Some(Value::Object(inner)), Value::Object(value)) => combine(inner, value),
            (_, value) => {
                into.insert(name, value);
            }
        }
    }
}

/// `json_parsing` is `jsonParsing`.
fn camel(name: &str) -> String {
    let mut spelled = String::new();
    let mut words = name.split('_');
    spelled.extend(words.next());
    for word in words {
        let mut letters = word.chars();
        spelled.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        spelled.push_str(letters.as_str());
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrow(patch: Value, mask: &str) -> Value {
        let Value::Object(patch) = patch else { panic!("not an object") };
        Value::Object(masked(patch, mask))
    }

    #[test]
    fn a_mask_names_what_changes() {
        let patch = json!({ "description": "d", "a": { "b": 1, "c": 2 }, "rules": [1] });
        assert_eq!(narrow(patch.clone(), "description"), json!({ "description": "d" }));
        assert_eq!(narrow(patch.clone(), "a.b, rules"), json!({ "a": { "b": 1 }, "rules": [1] }));
        assert_eq!(narrow(patch.clone(), "a.not_there"), json!({ "a": { "notThere": null } }));
        assert_eq!(narrow(patch, ""), json!({}));
    }
}
