//! Reading `multipart/mixed` whose parts are HTTP requests.
//!
//! Lines may end in CRLF or in LF alone: Python's `email` package, which several of Google's clients are built on, writes LF.

use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// One part of a batch.
#[derive(Debug)]
pub(crate) struct Part {
    /// Its `Content-ID`, as it came.
    pub(crate) id: Option<String>,
    pub(crate) call: Result<Call, PartError>,
}

/// A call inside a part.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why a batch cannot be taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MultipartError {
    #[error("the boundary never appears")]
    NoBoundary,
    #[error("the closing boundary is missing")]
    Unclosed,
    #[error("the headers of a part cannot be read")]
    PartHeaders,
}

/// Why a part is no call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PartError {
    #[error("the Content-Type of the part is not application/http")]
    ContentType,
    #[error("the request line must be METHOD PATH HTTP/1.1, with a path that begins with '/' or a full URL")]
    RequestLine,
    #[error("the headers cannot be read")]
    Headers,
    #[error("the body is shorter than its Content-Length")]
    ShortBody,
}

/// Header lines of one part or call beyond this are refused.
const MAX_HEADERS: usize = 64;

/// The longest boundary of RFC 2046.
const MAX_BOUNDARY: usize = 70;

/// The boundary in a content type, if that is `multipart/mixed`.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    let mut parts = content_type.split(';');
    if !parts.next()?.trim().eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    let found = parts.find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then_some(value.trim())
    })?;
    let found = found.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(found);
    let fits =
        (1..=MAX_BOUNDARY).contains(&found.len()) && found.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    fits.then(|| found.to_owned())
}

/// Takes a body apart.
pub(crate) fn split(body: &[u8], boundary: &str) -> Result<Vec<Part>, MultipartError> {
    let mut parts = Vec::new();
    // Whatever stands before the first boundary means nothing.
    let mut begin: Option<usize> = None;
    let mut at = 0;
    while at < body.len() {
        let end = line_end(body, at);
        let line = body.get(at..end).unwrap_or_default();
        if let Some(last) = is_boundary(line, boundary) {
            if let Some(begin) = begin {
                // The line end before a boundary belongs to the boundary.
                parts.push(part(trim_line_end(body.get(begin..at).unwrap_or_default()))?);
            }
            if last {
                return Ok(parts);
            }
            begin = Some(end);
        }
        at = end;
    }
    Err(if begin.is_none() { MultipartError::NoBoundary } else { MultipartError::Unclosed })
}

/// Where the next line begins.
fn line_end(body: &[u8], at: usize) -> usize {
    let rest = body.get(at..).unwrap_or_default();
    rest.iter().position(|byte| *byte == b'\n').map_or(body.len(), |found| at + found + 1)
}

fn trim_line_end(text: &[u8]) -> &[u8] {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.strip_suffix(b"\r").unwrap_or(text)
}

/// `Some(true)`: the closing boundary. Spaces after it are allowed.
fn is_boundary(line: &[u8], boundary: &str) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary.as_bytes())?;
    let (rest, last) = match rest.strip_prefix(b"--") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    rest.iter().all(u8::is_ascii_whitespace).then_some(last)
}

fn part(text: &[u8]) -> Result<Part, MultipartError> {
    let (headers, rest) = headers(text).ok_or(MultipartError::PartHeaders)?;
    let id = headers.get("content-id").and_then(|value| value.to_str().ok()).map(|id| id.trim().to_owned());
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let call =
        if kind.eq_ignore_ascii_case("application/http") { call(rest) } else { Err(PartError::ContentType) };
    Ok(Part { id, call })
}

fn call(text: &[u8]) -> Result<Call, PartError> {
    let end = line_end(text, 0);
    let line =
        std::str::from_utf8(text.get(..end).unwrap_or_default()).map_err(|_| PartError::RequestLine)?;
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let (method, target) = match words.as_slice() {
        [method, target] => (*method, *target),
        [method, target, version] if version.starts_with("HTTP/1.") => (*method, *target),
        _ => return Err(PartError::RequestLine),
    };
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| PartError::RequestLine)?;
    let target = path_of(target).ok_or(PartError::RequestLine)?;
    let (headers, body) = headers(text.get(end..).unwrap_or_default()).ok_or(PartError::Headers)?;
    let length = headers.get("content-length").map(|value| value.to_str().ok()?.trim().parse::<usize>().ok());
    let body = match length {
        // What stands between the end of the body and the boundary is padding.
        Some(Some(length)) => body.get(..length).ok_or(PartError::ShortBody)?,
        Some(None) => return Err(PartError::Headers),
        None => body,
    };
    Ok(Call { method, target, headers, body: body.to_vec() })
}

/// Path and query of a request target: of a full URL, what follows its host.
fn path_of(target: &str) -> Option<String> {
    let path = match target.split_once("://") {
        Some(("http" | "https", rest)) => rest.get(rest.find('/')?..)?,
        _ => target,
    };
    let printable = path.bytes().all(|byte| byte.is_ascii_graphic());
    (path.starts_with('/') && printable).then(|| path.to_owned())
}

/// Header lines up to the empty one, and what follows that. Text that ends with the headers has no body.
fn headers(text: &[u8]) -> Option<(HeaderMap, &[u8])> {
    let mut found = HeaderMap::new();
    let mut at = 0;
    while at < text.len() {
        let end = line_end(text, at);
        let line = trim_line_end(text.get(at..end)?);
        at = end;
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at_checked(colon)?;
        let name = HeaderName::from_bytes(name).ok()?;
        let value = HeaderValue::from_bytes(value.get(1..)?.trim_ascii()).ok()?;
        if found.len() >= MAX_HEADERS {
            return None;
        }
        found.append(name, value);
    }
    Some((found, text.get(at..).unwrap_or_default()))
}

#[cfg(test)]
mod tests;
