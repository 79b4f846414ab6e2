use super::*;
use crate::declaration::{choice, integer, link, list, long, object, text};
use crate::schema::merge;
use crate::scope::Scope;
use crate::state::Identities;
use serde_json::json;

const INNER: Fields = &[text("a"), integer("b")];
const FIELDS: Fields = &[
    text("description"),
    integer("port"),
    long("age"),
    choice("mode", &["ON", "OFF"]),
    link("service", &["backendServices"]),
    list("links", &Type::Link(&["backendServices"])),
    list("empty", &Type::Text),
    object("inner", INNER),
    text("status").output(),
    text("policy").by_verb(),
    text("new").beta(),
];

fn admit(mode: Mode, version: Version, body: Value) -> Result<Value, ApiError> {
    let scope = Scope::Global;
    let admission = Admission {
        version,
        mode,
        unknown_fields: UnknownFields::Refuse,
        place: Place { project: "p", scope: &scope, identities: &Identities::default() },
    };
    let Value::Object(body) = body else { panic!("an object") };
    admission.resource(FIELDS, &body).map(Value::Object)
}

#[test]
fn canonical_form() {
    let body = json!({
        "name": "n", "id": "7", "kind": "x", "fingerprint": "abc=", "status": "IN_USE", "policy": "p",
        "port": "80", "age": 5, "mode": "ON", "description": null, "service": "global/backendServices/b",
        "links": ["https://x/compute/v1/projects/q/global/backendServices/c"], "inner": {"a": "x", "b": null},
        "empty": [],
    });
    assert_eq!(
        admit(Mode::Whole, Version::V1, body).unwrap(),
        json!({
            "name": "n", "port": 80, "age": "5", "mode": "ON", "service": "projects/p/global/backendServices/b",
            "links": ["projects/q/global/backendServices/c"], "inner": {"a": "x"},
        })
    );
}

#[test]
fn a_patch_keeps_its_nulls() {
    let body = json!({"description": null, "inner": {"a": null}, "service": "", "links": []});
    assert_eq!(
        admit(Mode::Patch, Version::V1, body).unwrap(),
        json!({"description": null, "inner": {"a": null}, "service": null, "links": null})
    );
}

#[test]
fn what_does_not_fit_is_named() {
    for (body, message) in [
        (
            json!({"prot": 1}),
            "Invalid JSON payload received. Unknown name \"prot\" at 'resource': Cannot find field.",
        ),
        (
            json!({"inner": {"c": 1}}),
            "Invalid JSON payload received. Unknown name \"c\" at 'resource.inner': Cannot find field.",
        ),
        (json!({"port": "x"}), "Invalid value at 'resource.port' (TYPE_INT32), \"x\""),
        (json!({"port": 1.5}), "Invalid value at 'resource.port' (TYPE_INT32), 1.5"),
        (json!({"port": 4_294_967_296_u64}), "Invalid value at 'resource.port' (TYPE_INT32), 4294967296"),
        (json!({"description": 1}), "Invalid value at 'resource.description' (TYPE_STRING), 1"),
        (
            json!({"mode": "X"}),
            "Invalid value at 'resource.mode' (TYPE_ENUM), \"X\". Must be one of [ON, OFF].",
        ),
        (
            json!({"service": "global/urlMaps/u"}),
            "Invalid value for field 'resource.service': 'global/urlMaps/u'. The URL is malformed.",
        ),
    ] {
        assert_eq!(admit(Mode::Whole, Version::V1, body).unwrap_err().message, message);
    }
}

#[test]
fn beta_fields_are_known_from_beta_on() {
    assert!(admit(Mode::Whole, Version::V1, json!({"new": "x"})).is_err());
    assert_eq!(admit(Mode::Whole, Version::Beta, json!({"new": "x"})).unwrap(), json!({"new": "x"}));
    assert!(admit(Mode::Whole, Version::Alpha, json!({"new": "x"})).is_ok());
}

/// The examples of RFC 7396, appendix A, that start from an object.
#[test]
fn merge_patch_examples() {
    for (target, patch, result) in [
        (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
        (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
        (json!({"a":"b"}), json!({"a":null}), json!({})),
        (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
        (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
        (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
        (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
        (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
        (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
        (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
    ] {
        let (Value::Object(mut target), Value::Object(patch)) = (target, patch) else { panic!("objects") };
        merge(&mut target, patch);
        assert_eq!(Value::Object(target), result);
    }
}
