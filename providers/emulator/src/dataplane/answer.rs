//! Answers that the load balancer gives itself.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};

use super::proxy::BodyError;

/// The body of every answer to a client.
pub(super) type AnswerBody = UnsyncBoxBody<Bytes, BodyError>;

/// A page with the status and one sentence for people.
pub(super) fn page(status: StatusCode, sentence: &str) -> Response<AnswerBody> {
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or("Error"));
    let sentence = sentence.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let html = format!(
        "<!doctype html>\n<html><head><title>{title}</title></head>\n<body><h1>{title}</h1>\n<p>{sentence}</p></body></html>\n"
    );
    let body = Full::new(Bytes::from(html)).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// A redirect. A location that cannot be a header (the URL map holds something odd) is answered 502.
pub(super) fn redirect(status: StatusCode, location: &str) -> Response<AnswerBody> {
    let Ok(value) = HeaderValue::try_from(location) else {
        return page(StatusCode::BAD_GATEWAY, "The redirect of the URL map is not a valid URL.");
    };
    let mut response = page(status, &format!("The document is at {location}."));
    response.headers_mut().insert(header::LOCATION, value);
    response
}
