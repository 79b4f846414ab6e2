//! The JSON forms, held against their schemas in `docs/`.

use serde_json::Value;

const SCHEMA: &str = include_str!("../../../docs/plan.schema.json");

/// Everything in `value` that the schema does not allow. Understands what that schema uses, and refuses a schema that uses more.
fn faults(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (keyword, rule) in schema.as_object().expect("a schema is an object") {
        match keyword.as_str() {
            "$ref" => {
                let pointer = rule.as_str().unwrap().trim_start_matches('#');
                faults.extend(self::faults(root, root.pointer(pointer).expect("it is there"), value, at));
            }
            "type" => {
                let fits = match rule.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "number" => value.is_number(),
                    "integer" => value.is_u64() || value.is_i64(),
                    "boolean" => value.is_boolean(),
                    other => panic!("what is the type {other}?"),
                };
                if !fits {
                    faults.push(format!("{at} is no {rule}"));
                }
            }
            "const" if value != rule => faults.push(format!("{at} is not {rule}")),
            "enum" if !rule.as_array().unwrap().contains(value) => faults.push(format!("{at} is {value}")),
            "$schema" | "$id" | "$defs" | "title" | "description" | "const" | "enum" => {}
            "minimum" => {
                if value.as_f64() < rule.as_f64() {
                    faults.push(format!("{at} is below {rule}"));
                }
            }
            "required" => {
                let missing = rule
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|name| value.get(name.as_str().unwrap()).is_none());
                faults.extend(missing.map(|name| format!("{at} lacks {name}")));
            }
            "properties" => {
                for (name, rule) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        faults.extend(self::faults(root, rule, value, &format!("{at}.{name}")));
                    }
                }
            }
            "additionalProperties" => {
                assert_eq!(*rule, Value::Bool(false));
                let known = schema["properties"].as_object().unwrap();
                let strange = value
                    .as_object()
                    .into_iter()
                    .flat_map(serde_json::Map::keys)
                    .filter(|name| !known.contains_key(*name));
                faults.extend(strange.map(|name| format!("{at}.{name} is not in the schema")));
            }
            "items" => {
                for (nth, item) in value.as_array().into_iter().flatten().enumerate() {
                    faults.extend(self::faults(root, rule, item, &format!("{at}[{nth}]")));
                }
            }
            other => panic!("what does {other} mean?"),
        }
    }
    faults
}

/// Everything in a document that this schema does not allow.
pub(crate) fn faults_by(schema: &str, document: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(schema).unwrap();
    faults(&schema, &schema, document, "document")
}

fn faults_of(document: &Value) -> Vec<String> {
    faults_by(SCHEMA, document)
}

#[test]
fn plans_keep_to_their_schema() {
    for plan in [super::text::mixed(), super::text::consented(), crate::plan::Plan::default()] {
        let document = serde_json::to_value(plan.document()).unwrap();
        assert_eq!(faults_of(&document), Vec::<String>::new());
        let known = ["schema", "schemaVersion", "summary", "changes", "blocked", "leftAlone"];
        assert!(
            document.as_object().unwrap().keys().all(|name| known.contains(&name.as_str())),
            "{document}"
        );
    }
}

#[test]
fn what_breaks_the_schema_is_found() {
    let sound = serde_json::to_value(super::text::mixed().document()).unwrap();
    for (pointer, value) in [
        ("/schema", Value::from("gclb.dev/plan/v2")),
        ("/changes/0/method", Value::from("put")),
        ("/changes/0/index", Value::from(-1)),
        ("/changes/0/resource/name", Value::Null),
        ("/blocked/0/reason", Value::from("Whim")),
        ("/summary", serde_json::json!({ "create": 1, "change": 1, "delete": 1, "more": 1 })),
    ] {
        let mut document = sound.clone();
        *document.pointer_mut(pointer).unwrap() = value;
        assert_eq!(faults_of(&document).len(), 1, "{pointer}: {:?}", faults_of(&document));
    }
}
