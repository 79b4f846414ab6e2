//! Defaults, and the limits of a complete body.

use super::find;
use crate::declaration::{Field, Fields, Limit, Presence, Type};
use crate::error::ApiError;
use crate::name;
use serde_json::{Map, Value};

/// Fills in declared defaults, also inside objects that are there.
pub(crate) fn fill(fields: Fields, body: &mut Map<String, Value>) {
    for field in fields {
        if let Presence::Default(default) = field.presence
            && !body.contains_key(field.name)
        {
            body.insert(field.name.to_owned(), default.value());
        }
        if let Some(value) = body.get_mut(field.name) {
            fill_value(&field.shape, value);
        }
    }
}

fn fill_value(shape: &Type, value: &mut Value) {
    match (shape, value) {
        (Type::Object(fields), Value::Object(body)) => fill(fields, body),
        (Type::List(of), Value::Array(items)) => items.iter_mut().for_each(|item| fill_value(of, item)),
        (Type::Map(of), Value::Object(body)) => body.values_mut().for_each(|item| fill_value(of, item)),
        _ => {}
    }
}

/// Refuses a body that lacks a required field or breaks a declared limit.
pub(crate) fn verify(fields: Fields, body: &Map<String, Value>, at: &str) -> Result<(), ApiError> {
    for field in fields {
        if matches!(field.presence, Presence::Required)
            && body.get(field.name).is_none_or(|value| value.is_null() || value == "")
        {
            return Err(ApiError::required(&format!("{at}.{}", field.name)));
        }
    }
    for (name, value) in body {
        if let Some(field) = find(fields, name) {
            let at = format!("{at}.{name}");
            limit(field, value, &at)?;
            inside(&field.shape, value, &at)?;
        }
    }
    Ok(())
}

fn inside(shape: &Type, value: &Value, at: &str) -> Result<(), ApiError> {
    match (shape, value) {
        (Type::Object(fields), Value::Object(body)) => verify(fields, body, at),
        (Type::List(of), Value::Array(items)) => {
            items.iter().enumerate().try_for_each(|(index, item)| inside(of, item, &format!("{at}[{index}]")))
        }
        (Type::Map(of), Value::Object(body)) => {
            body.iter().try_for_each(|(key, item)| inside(of, item, &format!("{at}.{key}")))
        }
        _ => Ok(()),
    }
}

fn limit(field: &Field, value: &Value, at: &str) -> Result<(), ApiError> {
    match (field.limit, value) {
        (Limit::Range(from, to), Value::Number(number)) => {
            within(number.as_i64(), from, to).map_err(|why| ApiError::invalid(at, &number.to_string(), &why))
        }
        // 64 bits travel as text.
        (Limit::Range(from, to), Value::String(text)) => {
            within(text.parse().ok(), from, to).map_err(|why| ApiError::invalid(at, text, &why))
        }
        (Limit::Fraction(from, to), Value::Number(number)) => {
            within(number.as_f64(), from, to).map_err(|why| ApiError::invalid(at, &number.to_string(), &why))
        }
        (Limit::Length(from, to), Value::String(text)) => {
            if (from..=to).contains(&text.chars().count()) {
                Ok(())
            } else {
                let why = format!("Must be between {from} and {to} characters long.");
                Err(ApiError::invalid(at, text, &why))
            }
        }
        (Limit::Count(most), Value::Array(items)) if items.len() > most => {
            Err(ApiError::invalid_text(format!(
                "Invalid value for field '{at}': ''. Too many values: {} given, at most {most} allowed.",
                items.len()
            )))
        }
        (Limit::Name, Value::String(text)) => name::check(at, text),
        _ => Ok(()),
    }
}

/// Says which end of a range a number is beyond.
fn within<N: PartialOrd + Copy + std::fmt::Display>(number: Option<N>, from: N, to: N) -> Result<(), String> {
    match number {
        Some(number) if number < from => Err(format!("Must be greater than or equal to {from}")),
        Some(number) if number <= to => Ok(()),
        _ => Err(format!("Must be less than or equal to {to}")),
    }
}
