//! Requests as backends get them, and answers as clients get them.

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, Version, header};
use hyper::body::Incoming;

use super::body::RequestBody;
use super::exchange::Wire;
use super::headers;
use crate::dataplane::connection::Client;
use crate::dataplane::route::HeaderEdit;

/// A request without its body, so that it can be sent more than once.
#[derive(Debug, Clone)]
pub(super) struct Head {
    method: Method,
    uri: Uri,
    version: Version,
    headers: HeaderMap,
}

/// What a request becomes on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Changes<'a> {
    /// The host to name.
    pub(super) host: &'a str,
    /// Instead of the client's path.
    pub(super) path: Option<&'a str>,
    /// Of the URL map.
    pub(super) edits: &'a [HeaderEdit<'a>],
    /// The protocol to change to.
    pub(super) upgrade: Option<&'a HeaderValue>,
}

impl Head {
    pub(super) fn new(
        client: &Client,
        parts: &Parts,
        wire: Wire,
        changes: Changes<'_>,
    ) -> Result<Self, http::Error> {
        let Changes { host, path, edits, upgrade } = changes;
        let path = match (path, parts.uri.query()) {
            (None, _) => {
                parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"))
            }
            (Some(path), None) => PathAndQuery::try_from(path)?,
            (Some(path), Some(query)) => PathAndQuery::try_from(format!("{path}?{query}"))?,
        };
        let uri = if wire.http1 {
            Uri::from(path)
        } else {
            let scheme = if wire.tls { "https" } else { "http" };
            Uri::builder().scheme(scheme).authority(host).path_and_query(path).build()?
        };
        let mut fields = parts.headers.clone();
        let trailers =
            fields.get(header::TE).is_some_and(|te| te.as_bytes().eq_ignore_ascii_case(b"trailers"));
        headers::remove_hop_by_hop(&mut fields);
        headers::join_cookies(&mut fields);
        headers::add_forwarded(&mut fields, client.address.ip(), client.place.address.ip(), client.scheme());
        HeaderEdit::apply(edits, &mut fields);
        if wire.http1 {
            fields.insert(header::HOST, HeaderValue::try_from(host)?);
            if let Some(protocol) = upgrade {
                headers::set_upgrade(&mut fields, protocol.clone());
            }
        } else {
            // It is the URI's authority there.
            fields.remove(header::HOST);
            if trailers {
                fields.insert(header::TE, HeaderValue::from_static("trailers"));
            }
        }
        let version = if wire.http1 { Version::HTTP_11 } else { Version::HTTP_2 };
        Ok(Self { method: parts.method.clone(), uri, version, headers: fields })
    }

    pub(super) fn with(self, body: RequestBody) -> Request<RequestBody> {
        let mut request = Request::new(body);
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.version_mut() = self.version;
        *request.headers_mut() = self.headers;
        request
    }
}

/// The answer as the client gets it.
pub(super) fn answer(response: Response<Incoming>, edits: &[HeaderEdit<'_>]) -> Response<Incoming> {
    let (parts, body) = response.into_parts();
    let mut fields = parts.headers;
    headers::remove_hop_by_hop(&mut fields);
    headers::add_via(&mut fields);
    HeaderEdit::apply(edits, &mut fields);
    let mut answer = Response::new(body);
    *answer.status_mut() = parts.status;
    *answer.headers_mut() = fields;
    answer
}
