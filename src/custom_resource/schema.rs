//! Schemas as an API server takes them.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray,
};

/// Puts a derived schema into the form that people and API servers expect.
///
/// A field that may be left out need not be writable as `null` too: rules in CEL would have to speak of a third case. Formats are those
/// that an API server knows. An object without a spec says nothing, which is allowed. Objects stay as they were written: there are no
/// defaults to fill in.
pub(super) fn tidy(root: &mut JSONSchemaProps) {
    if let Some(required) = &mut root.required {
        required.retain(|field| field != "spec");
    }
    root.required = root.required.take().filter(|required| !required.is_empty());
    tidy_part(root);
}

fn tidy_part(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    schema.default = None;
    schema.title = None;
    if let Some(values) = &mut schema.enum_ {
        values.retain(|value| !value.0.is_null());
        // They say it all.
        (schema.minimum, schema.maximum) = (None, None);
    }
    match schema.type_.as_deref() {
        Some("integer") => schema.format = Some("int64".to_owned()),
        Some("number") => schema.format = Some("double".to_owned()),
        _ => {}
    }
    if let Some(description) = &mut schema.description {
        *description = description.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    for child in schema.properties.iter_mut().flat_map(std::collections::BTreeMap::values_mut) {
        tidy_part(child);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        tidy_part(items);
    }
}

/// The schema of a field: `spec.healthCheck`.
pub(super) fn at<'a>(root: &'a mut JSONSchemaProps, path: &str) -> Option<&'a mut JSONSchemaProps> {
    path.split('.').try_fold(root, |schema, field| schema.properties.as_mut()?.get_mut(field))
}
