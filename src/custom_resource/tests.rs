//! The definitions as files, and what must hold of any of them.

use std::path::PathBuf;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use serde_json::Value;

use super::definitions;

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
