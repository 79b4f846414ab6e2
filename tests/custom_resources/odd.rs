//! Specs made at random from a schema: most of them odd somewhere.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray,
};
use rand::Rng as _;
use rand::rngs::StdRng;
use serde_json::json;

/// A value for this schema: mostly one that fits, sometimes one that does not.
pub(crate) fn any_value(schema: &JSONSchemaProps, dice: &mut StdRng) -> serde_json::Value {
    if dice.random_ratio(1, 40) {
        let odd = [
            json!(-1),
            json!(""),
            json!("odd one"),
            json!(true),
            json!([]),
            json!({}),
            json!(0.5),
            json!(1e9),
        ];
        return odd[dice.random_range(0..odd.len())].clone();
    }
    let of: Vec<serde_json::Value> = schema.enum_.iter().flatten().map(|value| value.0.clone()).collect();
    if !of.is_empty() {
        return of[dice.random_range(0..of.len())].clone();
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounds are whole and small")]
    let bound = |bound: Option<f64>, other: i64| bound.map_or(other, |bound| bound as i64);
    match schema.type_.as_deref().unwrap() {
        "boolean" => json!(dice.random_bool(0.5)),
        "integer" => {
            let (least, most) = (bound(schema.minimum, 0), bound(schema.maximum, 100));
            let near = [least - 1, least, most, most + 1, i64::midpoint(least, most)];
            json!(near[[1, 1, 2, 2, 4, 4, 4, 0, 3][dice.random_range(0..9)]])
        }
        "number" => json!([0.0, 0.5, 1.0, 1.5][dice.random_range(0..4)]),
        "string" => {
            let texts = [
                "",
                "a-name",
                "X-Name: value",
                "/path",
                "shop.example.com",
                "Capital",
                "a b",
                "nZtRohdNF9m3cKM24IcK4w==",
            ];
            json!(texts[dice.random_range(0..texts.len())])
        }
        "array" => {
            let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items else { panic!("{schema:?}") };
            let count = [0, 1, 1, 2, 2, 7][dice.random_range(0..6)];
            (0..count).map(|_| any_value(items, dice)).collect()
        }
        _ => {
            let mut object = serde_json::Map::new();
            for (name, schema) in schema.properties.iter().flatten() {
                if dice.random_bool(0.4) {
                    object.insert(name.clone(), any_value(schema, dice));
                }
            }
            object.into()
        }
    }
}
