//! A request for an object of a bucket.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;

use super::headers;
use crate::dataplane::answer::AnswerBody;
use crate::dataplane::bucket::{Buckets, Missing, decoded};
use crate::dataplane::program::BackendBucket;
use crate::dataplane::route::{Forwarding, HeaderEdit};

/// Answers as Cloud Storage does to somebody who may read everything.
pub(super) fn answer(
    buckets: &Buckets,
    bucket: &BackendBucket,
    forwarding: &Forwarding<'_>,
    request: &Request<Incoming>,
) -> Response<AnswerBody> {
    let path = forwarding.path.as_deref().unwrap_or(request.uri().path());
    let mut response = object(buckets, &bucket.bucket, path, request.method(), request.headers());
    headers::add_via(response.headers_mut());
    HeaderEdit::apply(&forwarding.response_edits, response.headers_mut());
    response.map(|body| Full::new(body).map_err(|never| match never {}).boxed_unsync())
}

fn object(
    buckets: &Buckets,
    bucket: &str,
    path: &str,
    method: &Method,
    asked: &HeaderMap,
) -> Response<Bytes> {
    if method != Method::GET && method != Method::HEAD {
        let what = "The specified method is not allowed against this resource.";
        return error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", what);
    }
    let name = decoded(path.strip_prefix('/').unwrap_or(path));
    let object = match buckets.get(bucket, &name) {
        Ok(object) => object,
        Err(Missing::Bucket) => {
            return error(StatusCode::NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist.");
        }
        Err(Missing::Object) => {
            return error(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.");
        }
    };
    let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    let unchanged =
        known.flat_map(|line| line.split(',')).map(str::trim).any(|tag| tag == "*" || tag == object.etag);
    let mut response = Response::new(Bytes::new());
    let fields = response.headers_mut();
    fields.insert(header::ETAG, object.etag.clone());
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    if unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    fields.insert(header::CONTENT_TYPE, object.content_type.clone());
    if method == Method::HEAD {
        fields.insert(header::CONTENT_LENGTH, object.content.len().into());
    } else {
        *response.body_mut() = object.content.clone();
    }
    response
}

fn error(status: StatusCode, code: &str, message: &str) -> Response<Bytes> {
    let body = format!(
        "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/xml; charset=UTF-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
