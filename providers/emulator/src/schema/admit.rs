//! From a request's JSON to the form bodies are kept in, or an error that names the field.

use super::{COMMON_OUTPUT, find};
use crate::declaration::{Field, Fields, Presence, Since, Type, UnknownFields, Written};
use crate::error::ApiError;
use crate::scope::{Place, ResourcePath};
use crate::version::Version;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Whether a body stands for a whole resource or for a change of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `null` means that the field is not there.
    Whole,
    /// RFC 7396: `null` takes a field away, so it is kept for [`merge`].
    Patch,
}

/// How to read one request body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Admission<'a> {
    pub(crate) version: Version,
    pub(crate) mode: Mode,
    pub(crate) unknown_fields: UnknownFields,
    /// Where the resource is, for references that leave that out.
    pub(crate) place: Place<'a>,
}

/// How deep objects and lists may be nested. The API's own messages stay far below.
const MAX_DEPTH: usize = 32;

impl Admission<'_> {
    /// Reads the body of a resource: declared fields in their canonical form, `name` if it is there, nothing that
    /// only the server or a verb may write.
    pub(crate) fn resource(
        &self,
        fields: Fields,
        body: &Map<String, Value>,
    ) -> Result<Map<String, Value>, ApiError> {
        let mut admitted = Map::new();
        let mut refused = None;
        for (name, value) in body {
            if COMMON_OUTPUT.contains(&name.as_str()) {
                continue;
            }
            let member = match (name.as_str(), value) {
                ("name", Value::Null) => Ok(()),
                ("name", Value::String(_)) => {
                    admitted.insert(name.clone(), value.clone());
                    Ok(())
                }
                ("name", other) => Err(wrong_type("resource.name", "TYPE_STRING", other)),
                _ => self.member(fields, name, value, "resource", 0, &mut admitted),
            };
            note(&mut refused, member);
        }
        refused.map_or(Ok(admitted), Err)
    }

    /// Reads the body of a verb's request.
    pub(crate) fn request(
        &self,
        fields: Fields,
        body: &Map<String, Value>,
    ) -> Result<Map<String, Value>, ApiError> {
        self.object(fields, body, "resource", 0)
    }

    /// Reads the parameters of a verb's query that its fields declare.
    pub(crate) fn parameters(
        &self,
        fields: Fields,
        query: &BTreeMap<String, String>,
    ) -> Result<Map<String, Value>, ApiError> {
        let mut admitted = Map::new();
        for field in fields.iter().filter(|field| field.written == Written::InQuery) {
            match query.get(field.name) {
                Some(text) => {
                    let value = self.value(&field.shape, &Value::from(text.as_str()), field.name, 0)?;
                    admitted.insert(field.name.to_owned(), value);
                }
                None if matches!(field.presence, Presence::Required) => {
                    return Err(ApiError::required_parameter(field.name));
                }
                None => {}
            }
        }
        Ok(admitted)
    }

    fn object(
        &self,
        fields: Fields,
        body: &Map<String, Value>,
        at: &str,
        depth: usize,
    ) -> Result<Map<String, Value>, ApiError> {
        let mut admitted = Map::new();
        let mut refused = None;
        for (name, value) in body {
            note(&mut refused, self.member(fields, name, value, at, depth, &mut admitted));
        }
        refused.map_or(Ok(admitted), Err)
    }

    fn member(
        &self,
        fields: Fields,
        name: &str,
        value: &Value,
        at: &str,
        depth: usize,
        admitted: &mut Map<String, Value>,
    ) -> Result<(), ApiError> {
        let Some(field) = find(fields, name).filter(|field| self.knows(field)) else {
            return match self.unknown_fields {
                UnknownFields::Keep => {
                    if self.mode == Mode::Patch || !value.is_null() {
                        admitted.insert(name.to_owned(), value.clone());
                    }
                    Ok(())
                }
                UnknownFields::Refuse => Err(ApiError::payload(
                    &spelled(at),
                    format!(
                        "Invalid JSON payload received. Unknown name \"{name}\" at '{}': Cannot find field.",
                        spelled(at)
                    ),
                )),
            };
        };
        match field.written {
            Written::ByServer | Written::ByVerb | Written::InQuery => return Ok(()),
            Written::ByRequest | Written::Secret => {}
        }
        if value.is_null() {
            if self.mode == Mode::Patch {
                admitted.insert(name.to_owned(), Value::Null);
            }
            return Ok(());
        }
        let value = self.value(&field.shape, value, &format!("{at}.{name}"), depth + 1)?;
        // An empty reference means none, and an empty list is never shown.
        let none = match field.shape {
            Type::Link(_) => value == "",
            Type::List(_) => value.as_array().is_some_and(Vec::is_empty),
            _ => false,
        };
        if !none {
            admitted.insert(name.to_owned(), value);
        } else if self.mode == Mode::Patch {
            admitted.insert(name.to_owned(), Value::Null);
        }
        Ok(())
    }

    fn knows(&self, field: &Field) -> bool {
        match field.since {
            Since::V1 => true,
            Since::Beta => self.version != Version::V1,
        }
    }

    fn value(&self, shape: &Type, value: &Value, at: &str, depth: usize) -> Result<Value, ApiError> {
        if depth > MAX_DEPTH {
            return Err(ApiError::payload(&spelled(at), "Invalid JSON payload received. Message too deep."));
        }
        match (shape, value) {
            (Type::Opaque, value) => Ok(value.clone()),
            (Type::Text, Value::String(_))
            | (Type::Flag, Value::Bool(_))
            | (Type::Number, Value::Number(_)) => Ok(value.clone()),
            (Type::Flag, other) => Err(wrong_type(at, "TYPE_BOOL", other)),
            // Read as JSON would have it: "1" is shown as 1, not as 1.0.
            (Type::Number, Value::String(text)) => text
                .parse::<serde_json::Number>()
                .ok()
                .map(Value::Number)
                .ok_or_else(|| wrong_type(at, "TYPE_DOUBLE", value)),
            (Type::Number, other) => Err(wrong_type(at, "TYPE_DOUBLE", other)),
            (Type::Integer, value) => whole_number(value)
                .and_then(|number| i32::try_from(number).ok())
                .map(Value::from)
                .ok_or_else(|| wrong_type(at, "TYPE_INT32", value)),
            (Type::Long, value) => whole_number(value)
                .map(|number| Value::from(number.to_string()))
                .ok_or_else(|| wrong_type(at, "TYPE_INT64", value)),
            (Type::Choice(words), Value::String(word)) => {
                if words.contains(&word.as_str()) {
                    Ok(value.clone())
                } else {
                    Err(ApiError::payload(
                        &spelled(at),
                        format!(
                            "Invalid value at '{}' (TYPE_ENUM), \"{word}\". Must be one of [{}].",
                            spelled(at),
                            words.join(", ")
                        ),
                    ))
                }
            }
            (Type::Choice(_), other) => Err(wrong_type(at, "TYPE_ENUM", other)),
            (Type::Link(_), Value::String(text)) if text.is_empty() => Ok(value.clone()),
            (Type::Link(targets), Value::String(text)) => ResourcePath::resolve(text, targets, &self.place)
                .map(|path| Value::from(path.to_string()))
                .ok_or_else(|| ApiError::invalid(at, text, "The URL is malformed.")),
            (Type::Text | Type::Link(_), other) => Err(wrong_type(at, "TYPE_STRING", other)),
            (Type::Object(fields), Value::Object(body)) => {
                Ok(Value::Object(self.object(fields, body, at, depth)?))
            }
            (Type::List(of), Value::Array(items)) => {
                // A list's items are whole even in a patch: it replaces lists.
                let whole = Self { mode: Mode::Whole, ..*self };
                let mut admitted = Vec::with_capacity(items.len());
                let mut refused = None;
                for (index, item) in items.iter().enumerate() {
                    let item = whole.value(of, item, &format!("{at}[{index}]"), depth + 1);
                    note(&mut refused, item.map(|item| admitted.push(item)));
                }
                refused.map_or(Ok(Value::Array(admitted)), Err)
            }
            (Type::Map(of), Value::Object(body)) => {
                let mut admitted = Map::new();
                for (key, item) in body {
                    if item.is_null() {
                        if self.mode == Mode::Patch {
                            admitted.insert(key.clone(), Value::Null);
                        }
                        continue;
                    }
                    admitted.insert(key.clone(), self.value(of, item, &format!("{at}.{key}"), depth + 1)?);
                }
                Ok(Value::Object(admitted))
            }
            (Type::Object(_) | Type::List(_) | Type::Map(_), other) => Err(ApiError::payload(
                &spelled(at),
                format!(
                    "Invalid JSON payload received. Unexpected value at '{}': {} is not {}.",
                    spelled(at),
                    brief(other),
                    if matches!(shape, Type::List(_)) { "a list" } else { "an object" }
                ),
            )),
        }
    }
}

/// Protobuf's JSON takes integers as numbers, as text, and as numbers with an empty fraction.
fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            // 2^53: every whole double up to there is exact.
            let float = number.as_f64()?;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the filter keeps whole numbers far inside i64"
            )]
            (float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0).then_some(float as i64)
        }),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn wrong_type(at: &str, expected: &str, value: &Value) -> ApiError {
    let at = spelled(at);
    ApiError::payload(&at, format!("Invalid value at '{at}' ({expected}), {}", brief(value)))
}

/// Adds what is wrong with one member to what is wrong already.
fn note(refused: &mut Option<ApiError>, member: Result<(), ApiError>) {
    if let Err(error) = member {
        *refused = Some(match refused.take() {
            Some(before) => before.and(error),
            None => error,
        });
    }
}

/// Where Google's JSON front end says that something is: `resource.httpHealthCheck` as `resource.http_health_check`.
fn spelled(at: &str) -> String {
    let mut spelled = String::with_capacity(at.len() + 8);
    let mut before = '.';
    for letter in at.chars() {
        if letter.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            spelled.push('_');
        }
        spelled.push(letter.to_ascii_lowercase());
        before = letter;
    }
    spelled
}

/// A value for an error message, cut short.
fn brief(value: &Value) -> String {
    const LONGEST: usize = 120;
    let text = value.to_string();
    if text.chars().count() <= LONGEST {
        text
    } else {
        text.chars().take(LONGEST).chain("…".chars()).collect()
    }
}

#[cfg(test)]
mod tests;
