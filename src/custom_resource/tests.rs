//! The definitions as files, and what must hold of any of them.

use std::path::PathBuf;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{BackendConfigSpec, FrontendConfigSpec, ManagedCertificateSpec, Misfit, Spec as _, definitions};

const HEAD: &str = "# Written by `make crds` from src/custom_resource; do not edit.\n";

/// Bounds are whole numbers, and are to look like it.
fn yaml(definition: &CustomResourceDefinition) -> String {
    fn whole(value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(whole),
            Value::Object(fields) => fields.values_mut().for_each(whole),
            Value::Number(number) => {
                #[expect(clippy::cast_possible_truncation, reason = "bounds are far smaller")]
                let rounded = number.as_f64().map(|number| number as i64);
                if let Some(rounded) = rounded.filter(|_| number.to_string().ends_with(".0")) {
                    *number = rounded.into();
                }
            }
            Value::Null | Value::Bool(_) | Value::String(_) => {}
        }
    }
    let mut value = serde_json::to_value(definition).unwrap();
    whole(&mut value);
    serde_saphyr::to_string(&value).unwrap()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy/crds")
}

#[test]
fn the_files_are_what_the_code_says() {
    let files = definitions().map(|definition| {
        let path = folder().join(format!("{}.yaml", definition.metadata.name.as_deref().unwrap()));
        (path, HEAD.to_owned() + &yaml(&definition))
    });
    if std::env::var("GCLB_CRDS").is_ok_and(|wish| wish == "rewrite") {
        for (path, text) in &files {
            std::fs::write(path, text).unwrap();
        }
        return;
    }
    let written = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let written: Vec<_> =
        written.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect();
    assert_eq!(written.len(), files.len(), "{written:?}");
    for (path, text) in files {
        let stands = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(stands == text, "{} is stale: run `make crds` and look at the diff", path.display());
    }
}

fn each(schema: &JSONSchemaProps, path: &str, look: &mut impl FnMut(&str, &JSONSchemaProps)) {
    look(path, schema);
    for (name, child) in schema.properties.iter().flatten() {
        each(child, &format!("{path}.{name}"), look);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
        each(items, &format!("{path}[]"), look);
    }
}

#[test]
fn each_field_is_explained_and_bounded() {
    for definition in definitions() {
        for version in &definition.spec.versions {
            let schema = version.schema.as_ref().unwrap().open_api_v3_schema.as_ref().unwrap();
            each(schema, &definition.spec.names.kind, &mut |path, schema| {
                let is_item = path.ends_with("[]");
                assert!(is_item || schema.description.is_some(), "{path} is not explained");
                assert!(schema.type_.is_some(), "{path} has no type");
                assert!(
                    schema.nullable.is_none() && schema.any_of.is_none() && schema.one_of.is_none(),
                    "{path}"
                );
                if schema.type_.as_deref() == Some("integer") && !path.contains(".status.") {
                    let bounded =
                        schema.enum_.is_some() || (schema.minimum.is_some() && schema.maximum.is_some());
                    assert!(bounded, "{path} has no bounds");
                }
            });
        }
    }
}

const BAD: &str = include_str!("../../tests/custom_resources/bad.yaml");
const FULL: &str = include_str!("../../tests/custom_resources/full.yaml");

#[derive(Debug, Deserialize)]
struct Bad {
    kind: String,
    field: String,
    spec: Value,
}

fn bad() -> Vec<Bad> {
    serde_saphyr::from_str(BAD).unwrap()
}

fn misfits(kind: &str, object: &Value) -> Vec<Misfit> {
    match kind {
        "BackendConfig" => BackendConfigSpec::misfits(object),
        "FrontendConfig" => FrontendConfigSpec::misfits(object),
        "ManagedCertificate" => ManagedCertificateSpec::misfits(object),
        other => panic!("{other} is not read"),
    }
}

/// The API server refuses the same ones: `tests/lifecycle/custom_resources.rs`.
#[test]
fn each_bad_value_is_refused_with_the_name_of_its_field() {
    for Bad { kind, field, spec } in bad() {
        let found = misfits(&kind, &json!({ "spec": spec }));
        let fields: Vec<String> = found.iter().map(|misfit| misfit.field.to_string()).collect();
        assert!(fields.contains(&field), "{kind} {spec}: {found:?}");
        let only = fields.iter().all(|found| *found == field || found.starts_with(&format!("{field}[")));
        assert!(only || field.ends_with("Policy"), "{kind} {spec} says more than one thing: {found:?}");
    }
}

/// Whoever adds a bound adds a value that breaks it.
#[test]
fn each_bound_has_a_value_that_breaks_it() {
    let without_index = |field: &str| {
        let parts = field.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest));
        parts.collect::<Vec<_>>().join("[]")
    };
    let bad = bad();
    let mut bounds = 0;
    for definition in definitions() {
        let kind = definition.spec.names.kind.clone();
        let schema = definition.spec.versions[0].schema.as_ref().unwrap();
        each(schema.open_api_v3_schema.as_ref().unwrap(), "", &mut |path, schema| {
            let path = path.trim_start_matches('.');
            if !path.starts_with("spec") {
                return;
            }
            let cases =
                bad.iter().filter(|bad| bad.kind == kind && without_index(&bad.field) == path).count();
            let here = [
                schema.minimum.is_some(),
                schema.maximum.is_some() && schema.enum_.is_none(),
                schema.pattern.is_some(),
                schema.enum_.is_some(),
                schema.max_length.is_some(),
                schema.max_items.is_some(),
            ];
            let here = here.iter().filter(|bound| **bound).count();
            bounds += here;
            assert!(cases >= here, "{kind} {path}: {here} bounds and {cases} bad values");
            for rule in schema.x_kubernetes_validations.iter().flatten() {
                let field = format!("{path}{}", rule.field_path.as_deref().unwrap());
                assert!(bad.iter().any(|bad| bad.kind == kind && bad.field == field), "{field}");
            }
        });
    }
    assert!(bounds > 50, "only {bounds}");
}

#[test]
fn every_field_is_read_and_no_other_name_is_known() {
    for object in serde_saphyr::from_multiple::<Value>(FULL).unwrap() {
        let kind = object["kind"].as_str().unwrap();
        let definition = definitions().into_iter().find(|one| one.spec.names.kind == kind).unwrap();
        let schema = definition.spec.versions[0].schema.as_ref().unwrap();
        each(schema.open_api_v3_schema.as_ref().unwrap(), "", &mut |path, _| {
            let way = path.split('.').filter(|step| !step.is_empty());
            let found = way.fold(vec![&object], |here, step| {
                let (name, lists) = (step.trim_end_matches("[]"), step.matches("[]").count());
                let mut next: Vec<&Value> = here.iter().filter_map(|value| value.get(name)).collect();
                for _ in 0..lists {
                    next = next.into_iter().filter_map(Value::as_array).flatten().collect();
                }
                next
            });
            let is_empty_on_purpose = path.ends_with("queryStringWhitelist[]");
            assert!(!found.is_empty() || is_empty_on_purpose, "{kind}{path} is not in full.yaml");
        });
        let written = match kind {
            "BackendConfig" => serde_json::to_value(BackendConfigSpec::read(&object).unwrap()),
            "FrontendConfig" => serde_json::to_value(FrontendConfigSpec::read(&object).unwrap()),
            "ManagedCertificate" => serde_json::to_value(ManagedCertificateSpec::read(&object).unwrap()),
            _ => continue,
        };
        assert_eq!(written.unwrap(), object["spec"], "{kind}");
    }
}

#[test]
fn what_is_secret_is_not_shown() {
    let spec = json!({"cdn": {"signedUrlKeys": [{"keyName": "a", "keyValue": "not-a-key"}]}});
    let misfit = BackendConfigSpec::read(&json!({ "spec": spec })).unwrap_err();
    assert_eq!(misfit.field.to_string(), "spec.cdn.signedUrlKeys[0].keyValue");
    assert!(!misfit.to_string().contains("not-a-key"), "{misfit}");
    let spec = json!({"iap": {"enabled": true, "oauthclientCredentials": {"clientSecret": "hush"}}});
    let read = BackendConfigSpec::read(&json!({ "spec": spec })).unwrap();
    assert!(!format!("{read:?}").contains("hush"), "{read:?}");
    let credentials = read.iap.unwrap().oauthclient_credentials.unwrap();
    assert_eq!(credentials.client_secret.unwrap().reveal(), "hush");
}

#[test]
fn what_is_wrong_is_said_in_plain_words() {
    let said = |spec: Value| BackendConfigSpec::read(&json!({ "spec": spec })).unwrap_err().to_string();
    assert_eq!(said(json!({"timeoutSec": 0})), "spec.timeoutSec must be at least 1, and is 0");
    assert_eq!(said(json!({"timeoutSec": "30"})), "spec.timeoutSec must be a whole number, and is a text");
    assert_eq!(
        said(json!({"sessionAffinity": {"affinityType": "COOKIE"}})),
        "spec.sessionAffinity.affinityType must be one of NONE, CLIENT_IP, GENERATED_COOKIE, and is \"COOKIE\""
    );
    assert_eq!(said(json!({"securityPolicy": {}})), "spec.securityPolicy.name is required, and is not there");
    assert_eq!(
        said(json!({"healthCheck": {"timeoutSec": 9, "checkIntervalSec": 5}})),
        "spec.healthCheck.timeoutSec does not go together with the rest: timeoutSec must be no more than checkIntervalSec"
    );
}

#[test]
fn an_object_without_a_spec_says_nothing() {
    for object in [json!({}), json!({"spec": null}), json!({"spec": {}})] {
        assert_eq!(BackendConfigSpec::read(&object), Ok(BackendConfigSpec::default()));
    }
    // As it is with a field that an older controller does not know.
    let unknown = json!({"spec": {"tomorrow": 1, "timeoutSec": null}});
    assert_eq!(BackendConfigSpec::read(&unknown), Ok(BackendConfigSpec::default()));
}
