//! The `Location` of a URL redirect.

use http::StatusCode;

use crate::dataplane::program::{PathRedirect, Redirect, RedirectCode};

/// The request's own URL, in parts.
#[derive(Debug, Clone, Copy)]
pub struct RequestUrl<'a> {
    /// `http` or `https`: how the client reached the frontend.
    pub scheme: &'a str,
    /// The host as the client wrote it, with its port if it named one.
    pub authority: &'a str,
    /// The path.
    pub path: &'a str,
    /// The query without its question mark.
    pub query: Option<&'a str>,
}

/// The absolute URL a redirect leads to.
///
/// `matched` is how much of the path the winning rule matched. A redirect to `https` drops the port that the
/// client named, as it belonged to the other scheme; `https_port` is what 443 is called here, which differs from
/// 443 only under a port offset.
#[must_use]
pub fn location(redirect: &Redirect, request: &RequestUrl<'_>, matched: usize, https_port: u16) -> String {
    let Redirect { code: _, https, host, path, strip_query } = redirect;
    let scheme = if *https { "https" } else { request.scheme };
    let mut authority = match host {
        Some(host) => host.clone(),
        None if *https => without_port(request.authority).to_owned(),
        None => request.authority.to_owned(),
    };
    if *https && https_port != 443 && without_port(&authority) == authority {
        authority = format!("{authority}:{https_port}");
    }
    let path = match path {
        PathRedirect::Keep => request.path.to_owned(),
        PathRedirect::Replace(path) => path.clone(),
        PathRedirect::ReplaceMatched(prefix) => {
            // `matched` counts bytes of a pattern equal to the path's beginning, so it is a boundary; a caller
            // that passes anything else keeps the whole path.
            format!("{prefix}{}", request.path.get(matched..).unwrap_or(request.path))
        }
    };
    let query = match request.query {
        Some(query) if !strip_query => format!("?{query}"),
        _ => String::new(),
    };
    format!("{scheme}://{authority}{path}{query}")
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

impl RedirectCode {
    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::MovedPermanently => StatusCode::MOVED_PERMANENTLY,
            Self::Found => StatusCode::FOUND,
            Self::SeeOther => StatusCode::SEE_OTHER,
            Self::TemporaryRedirect => StatusCode::TEMPORARY_REDIRECT,
            Self::PermanentRedirect => StatusCode::PERMANENT_REDIRECT,
        }
    }
}
