//! What may stand in an object, from the same schema that an API server is given.
//!
//! An object may come from an API server with other definitions, or from a folder: it is judged here as an API server with ours would.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray,
};
use regex::Regex;
use serde_json::Value;

/// What may stand in one place.
#[derive(Debug)]
pub(super) enum Shape {
    Boolean,
    Integer { least: f64, most: f64, of: Vec<i64> },
    Number { least: f64, most: f64 },
    Text { longest: usize, pattern: Option<Regex>, of: Vec<String> },
    List { longest: usize, item: Box<Self>, told_apart_by: Option<String> },
    Object { required: BTreeSet<String>, fields: BTreeMap<String, Self> },
}

/// The way to a field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Path(pub Vec<Step>);

/// One step on the way to a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into a field of an object.
    Field(String),
    /// To an item of a list, counted from 0.
    Item(usize),
}

impl Path {
    /// From names with dots between.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let names = path.split('.').filter(|name| !name.is_empty());
        Self(names.map(|name| Step::Field(name.to_owned())).collect())
    }

    fn then(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }
}

impl fmt::Display for Path {
    /// `spec.cdn.signedUrlKeys[0].keyName`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if at == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Item(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A value that may not stand where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {why}")]
pub struct Misfit {
    /// Where.
    pub field: Path,
    /// What must be there, and what is: `must be at least 1, and is 0`. Texts that may be secret are never shown.
    pub why: String,
}

impl Shape {
    /// Of a schema of ours, which uses nothing else.
    pub(super) fn of(schema: &JSONSchemaProps) -> Self {
        let least = schema.minimum.unwrap_or(f64::NEG_INFINITY);
        let most = schema.maximum.unwrap_or(f64::INFINITY);
        let size = |most: Option<i64>| most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
        let of = || schema.enum_.iter().flatten().map(|value| &value.0);
        match schema.type_.as_deref().unwrap_or_default() {
            "boolean" => Self::Boolean,
            "integer" => Self::Integer { least, most, of: of().filter_map(Value::as_i64).collect() },
            "number" => Self::Number { least, most },
            "string" => Self::Text {
                longest: size(schema.max_length),
                pattern: schema
                    .pattern
                    .as_deref()
                    .map(|pattern| Regex::new(pattern).expect("a pattern of ours is one")),
                of: of().filter_map(Value::as_str).map(str::to_owned).collect(),
            },
            "array" => Self::List {
                longest: size(schema.max_items),
                item: Box::new(match &schema.items {
                    Some(JSONSchemaPropsOrArray::Schema(items)) => Self::of(items),
                    _ => Self::Boolean,
                }),
                told_apart_by: schema.x_kubernetes_list_map_keys.iter().flatten().next().cloned(),
            },
            _ => Self::Object {
                required: schema.required.iter().flatten().cloned().collect(),
                fields: schema
                    .properties
                    .iter()
                    .flatten()
                    .map(|(name, schema)| (name.clone(), Self::of(schema)))
                    .collect(),
            },
        }
    }

    /// Everything in `value` that does not fit, in the order of the fields' names. A field that is `null` is as good as left out.
    pub(super) fn misfits(&self, value: &Value) -> Vec<Misfit> {
        let mut found = Vec::new();
        self.check(value, &Path::default(), &mut found);
        found
    }

    fn check(&self, value: &Value, at: &Path, found: &mut Vec<Misfit>) {
        let mut misfit = |field: Path, why: String| found.push(Misfit { field, why });
        match (self, value) {
            (_, Value::Null) | (Self::Boolean, Value::Bool(_)) => {}
            (Self::Integer { least, most, of }, Value::Number(number)) => {
                let whole = number.as_i64().or_else(|| number.as_u64().map(|_| i64::MAX));
                let (Some(whole), Some(size)) = (whole, number.as_f64()) else {
                    return misfit(at.clone(), format!("must be a whole number, and is {number}"));
                };
                if !of.is_empty() && !of.contains(&whole) {
                    misfit(at.clone(), format!("must be one of {}, and is {number}", listed(of)));
                } else {
                    found.extend(outside(*least, *most, size, at));
                }
            }
            (Self::Number { least, most }, Value::Number(number)) => {
                found.extend(number.as_f64().and_then(|size| outside(*least, *most, size, at)));
            }
            (Self::Text { longest, pattern, of }, Value::String(text)) => {
                let length = text.chars().count();
                if length > *longest {
                    misfit(
                        at.clone(),
                        format!("must be no longer than {longest} characters, and has {length}"),
                    );
                } else if let Some(pattern) = pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
                    misfit(at.clone(), format!("must be of the form {pattern}"));
                } else if !of.is_empty() && !of.contains(text) {
                    let of: Vec<_> = of.iter().filter(|name| !name.is_empty()).collect();
                    misfit(at.clone(), format!("must be one of {}, and is {text:?}", listed(&of)));
                }
            }
            (Self::List { longest, item, told_apart_by }, Value::Array(items)) => {
                if items.len() > *longest {
                    misfit(
                        at.clone(),
                        format!("must have no more than {longest} items, and has {}", items.len()),
                    );
                }
                for (index, value) in items.iter().enumerate() {
                    let at = at.then(Step::Item(index));
                    if let Some(key) = told_apart_by
                        && items[..index].iter().any(|earlier| earlier.get(key) == value.get(key))
                    {
                        let why = format!("must have a {key} of its own, and has that of an earlier item");
                        found.push(Misfit { field: at.clone(), why });
                    }
                    // Only a field can be left out.
                    if value.is_null() {
                        found.push(Misfit { field: at, why: "must not be null".to_owned() });
                    } else {
                        item.check(value, &at, found);
                    }
                }
            }
            (Self::Object { required, fields }, Value::Object(values)) => {
                for name in required.iter().filter(|name| values.get(*name).is_none_or(Value::is_null)) {
                    let field = at.then(Step::Field(name.clone()));
                    misfit(field, "is required, and is not there".to_owned());
                }
                for (name, shape) in fields {
                    if let Some(value) = values.get(name) {
                        shape.check(value, &at.then(Step::Field(name.clone())), found);
                    }
                }
            }
            (shape, value) => misfit(at.clone(), format!("must be {}, and is {}", shape.noun(), noun(value))),
        }
    }

    const fn noun(&self) -> &'static str {
        match self {
            Self::Boolean => "true or false",
            Self::Integer { .. } => "a whole number",
            Self::Number { .. } => "a number",
            Self::Text { .. } => "a text",
            Self::List { .. } => "a list",
            Self::Object { .. } => "a mapping",
        }
    }
}

fn outside(least: f64, most: f64, size: f64, at: &Path) -> Option<Misfit> {
    let why = if size < least {
        format!("must be at least {least}, and is {size}")
    } else if size > most {
        format!("must be at most {most}, and is {size}")
    } else {
        return None;
    };
    Some(Misfit { field: at.clone(), why })
}

fn listed(words: &[impl fmt::Display]) -> String {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn noun(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}
