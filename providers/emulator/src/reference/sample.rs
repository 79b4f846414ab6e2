//! Values to try a field with, and the neighbours without which many fields mean nothing.

use super::place::Wrapping;
use crate::declaration::{Field, Fields, Limit, Type};
use serde_json::{Map, Value, json};

/// Texts of every form that a field of the API may ask for.
const TEXTS: &[&str] = &[
    "alpha",
    "/beta",
    "8443",
    "127.64.0.9",
    "10.9.0.0/16",
    "/x/*",
    "y.example",
    "500-600",
    "tcp",
    "5xx",
    "/t/{a=*}",
    "x-b: c",
    "deny(404)",
    "request.path == '/'",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
];

/// What the compiler needs beside a field: by name, with a value that it takes.
fn neighbour(name: &str) -> Option<Value> {
    Some(match name {
        "name" | "pathMatcher" => json!("n"),
        "headerName" => json!("x-a"),
        "headerValue" => json!("v"),
        "priority" | "weight" => json!(1),
        "hosts" => json!(["*"]),
        "paths" => json!(["/a"]),
        "matchRules" => json!([{ "prefixMatch": "/" }]),
        "service" | "defaultService" | "backendService" => json!(BACKEND_SERVICE),
        "group" => json!("projects/p/zones/z/instanceGroups/g"),
        "seconds" | "rangeStart" => json!("1"),
        "fixedDelay" => json!({ "seconds": "1" }),
        "percentage" => json!(50.0),
        "httpStatus" => json!(503),
        "rangeEnd" => json!("9"),
        "IPProtocol" => json!("tcp"),
        "retryConditions" | "matchResponseCodes" => json!(["5xx"]),
        "path" => json!("/p.html"),
        _ => return None,
    })
}

pub(super) const BACKEND_SERVICE: &str = "projects/p/global/backendServices/b";

/// Which neighbours a body gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Neighbours {
    None,
    All,
    /// Those that are not a destination, which would beat another one.
    WithoutDestination,
}

impl Neighbours {
    pub(super) const ALL: [Self; 3] = [Self::None, Self::All, Self::WithoutDestination];

    /// Adds what an object of these fields lacks, but for the field that is to be tried or entered.
    pub(super) fn complete(self, fields: Fields, but: &str, object: &mut Map<String, Value>) {
        if self == Self::None {
            return;
        }
        for field in fields {
            let destination = matches!(field.name, "service" | "defaultService");
            let left_out = field.name == but || (destination && self == Self::WithoutDestination);
            if left_out || object.contains_key(field.name) {
                continue;
            }
            if let Some(value) = neighbour(field.name) {
                object.insert(field.name.to_owned(), value);
            }
        }
    }
}

/// Values that fit a field. Two at least wherever two can differ.
pub(super) fn values(field: &Field) -> Vec<Value> {
    match (&field.shape, field.limit) {
        (Type::Integer, Limit::Range(from, to)) => {
            vec![json!(to.min(from + 1)), json!(to.min(from + 6)), json!(from)]
        }
        (shape, _) => of_shape(shape),
    }
}

fn of_shape(shape: &Type) -> Vec<Value> {
    match shape {
        Type::Text => TEXTS.iter().map(|text| json!(text)).collect(),
        Type::Integer => vec![json!(7), json!(443), json!(1)],
        Type::Long => vec![json!("7"), json!("9")],
        Type::Number => vec![json!(0.5), json!(0.0)],
        Type::Flag => vec![json!(true), json!(false)],
        Type::Choice(words) => words.iter().map(|word| json!(word)).collect(),
        Type::Link(targets) => targets
            .iter()
            .flat_map(|target| {
                ["b", "b2"].map(|name| match *target {
                    "networks" => format!("projects/p/global/networks/{name}"),
                    "instanceGroups" => "projects/p/zones/z/instanceGroups/g".to_owned(),
                    "networkEndpointGroups" => "projects/p/zones/z/networkEndpointGroups/n".to_owned(),
                    other => format!("projects/p/global/{other}/{name}"),
                })
            })
            .map(Value::from)
            .collect(),
        Type::Object(fields) => objects(fields),
        Type::List(of) => of_shape(of).into_iter().map(|item| json!([item])).collect(),
        Type::Map(of) => of_shape(of).into_iter().map(|item| json!({ "k": item })).collect(),
        Type::Opaque => vec![json!({}), json!("alpha"), json!(["alpha"])],
    }
}

fn objects(fields: Fields) -> Vec<Value> {
    let mut whole = Map::new();
    Neighbours::All.complete(fields, "", &mut whole);
    vec![json!({}), Value::Object(whole)]
}

/// Puts an object where a step of a place leads, and returns it.
pub(super) fn enter<'a>(
    object: &'a mut Map<String, Value>,
    field: &str,
    wrapping: Wrapping,
) -> &'a mut Map<String, Value> {
    let empty = match wrapping {
        Wrapping::None => json!({}),
        Wrapping::List => json!([{}]),
        Wrapping::Map => json!({ "k": {} }),
    };
    let value = object.entry(field).or_insert(empty);
    let inner = match wrapping {
        Wrapping::None => value,
        Wrapping::List => &mut value[0],
        Wrapping::Map => &mut value["k"],
    };
    if !inner.is_object() {
        *inner = json!({});
    }
    inner.as_object_mut().unwrap()
}
