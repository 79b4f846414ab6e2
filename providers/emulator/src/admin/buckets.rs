//! `/_emulator/buckets`: the objects that backend buckets serve, in the place of Cloud Storage.

use super::{Paths, refuse};
use crate::dataplane::bucket::{Object, Objects};
use crate::engine::{Engine, Reply, Request};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};

pub(super) const PATHS: Paths = &[
    ("GET /_emulator/buckets", "the storage buckets and their objects; /BUCKET: those of one"),
    (
        "PUT /_emulator/buckets/BUCKET/OBJECT",
        "put an object: its content, with its Content-Type. What a backend bucket of that bucketName serves",
    ),
    (
        "DELETE /_emulator/buckets/BUCKET/OBJECT",
        "take an object away; without OBJECT the bucket with all of them",
    ),
];

pub(super) fn answer(engine: &Engine, request: &Request, rest: &[&str]) -> Option<Reply> {
    let buckets = engine.plane.buckets();
    // An object's name may hold slashes, also several in a row.
    let named = request.path.strip_prefix("/_emulator/buckets/").unwrap_or_default();
    let (bucket, name) = named.split_once('/').unwrap_or((named, ""));
    let name = crate::dataplane::bucket::decoded(name);
    let reply = match (&request.method, rest) {
        (&Method::GET, []) => {
            let all = buckets.all();
            Reply::ok(all.iter().map(|(bucket, objects)| (bucket.clone(), show(objects))).collect())
        }
        (&Method::GET, [bucket]) => match buckets.all().get(*bucket) {
            Some(objects) => Reply::ok(show(objects)),
            None => refuse(StatusCode::NOT_FOUND, &format!("there is no bucket {bucket:?}")),
        },
        (&Method::PUT, [_, _, ..]) if !name.is_empty() => {
            let kind = request.headers.get(header::CONTENT_TYPE).cloned();
            let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
            let object = Object::new(Bytes::from(request.body.clone()), kind);
            let shown = show_one(&object);
            buckets.put(bucket, &name, object);
            Reply::ok(shown)
        }
        (&Method::DELETE, [_]) if name.is_empty() => gone(buckets.remove_bucket(bucket), request),
        (&Method::DELETE, [_, _, ..]) => gone(buckets.remove(bucket, &name), request),
        _ => return None,
    };
    Some(reply)
}

fn gone(there: bool, request: &Request) -> Reply {
    if there {
        Reply { status: StatusCode::NO_CONTENT, body: None }
    } else {
        refuse(StatusCode::NOT_FOUND, &format!("there is nothing at {}", request.path))
    }
}

fn show(objects: &Objects) -> Value {
    objects.iter().map(|(name, object)| (name.clone(), show_one(object))).collect()
}

fn show_one(object: &Object) -> Value {
    json!({
        "size": object.content.len(),
        "contentType": String::from_utf8_lossy(object.content_type.as_bytes()),
        "etag": String::from_utf8_lossy(object.etag.as_bytes()),
    })
}
