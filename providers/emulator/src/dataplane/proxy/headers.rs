//! Headers that a proxy takes away and adds.

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_CLOUD_TRACE_CONTEXT: HeaderName = HeaderName::from_static("x-cloud-trace-context");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
/// What the load balancer calls itself.
const VIA: &str = "1.1 google";

/// Takes away what concerns one connection only. `Trailer` stays: trailers are passed on.
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in [
        header::CONNECTION,
        KEEP_ALIVE,
        PROXY_CONNECTION,
        header::TE,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ] {
        headers.remove(name);
    }
}

/// The protocol a request or answer asks to change to, if it does.
pub(super) fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let asked = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|token| token.trim().eq_ignore_ascii_case("upgrade"));
    let protocol = headers.get(header::UPGRADE)?;
    // A client that offers HTTP/2 in the clear is served HTTP/1.1; the offer is for this hop only.
    let h2c = protocol.to_str().is_ok_and(|protocol| protocol.eq_ignore_ascii_case("h2c"));
    (asked && !h2c).then(|| protocol.clone())
}

/// Puts an upgrade back after [`remove_hop_by_hop`].
pub(super) fn set_upgrade(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, protocol);
}

/// Joins the lines that an HTTP/2 client may spread its cookies over; HTTP/1.1 knows only one.
pub(super) fn join_cookies(headers: &mut HeaderMap) {
    let lines: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if lines.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&lines.join(&b"; "[..]))
    {
        headers.insert(header::COOKIE, joined);
    }
}

/// What every request to a backend carries.
pub(super) fn add_forwarded(headers: &mut HeaderMap, client: IpAddr, own: IpAddr, scheme: &'static str) {
    let mut forwarded = headers
        .get_all(X_FORWARDED_FOR)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect::<Vec<_>>();
    forwarded.push(client.to_string());
    forwarded.push(own.to_string());
    // What the client sent was a header value, so the joined text is one, unless it held bytes above ASCII that
    // were replaced; then only what we know is passed on.
    let value = HeaderValue::try_from(forwarded.join(","))
        .or_else(|_| HeaderValue::try_from(format!("{client},{own}")))
        .ok();
    headers.remove(X_FORWARDED_FOR);
    if let Some(value) = value {
        headers.insert(X_FORWARDED_FOR, value);
    }
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(scheme));
    add_via(headers);
    if !headers.contains_key(X_CLOUD_TRACE_CONTEXT) {
        let trace = format!("{:032x}/{}", rand::random::<u128>(), rand::random::<u64>());
        if let Ok(trace) = HeaderValue::try_from(trace) {
            headers.insert(X_CLOUD_TRACE_CONTEXT, trace);
        }
    }
}

/// Appends the load balancer to `Via`, in both directions.
pub(super) fn add_via(headers: &mut HeaderMap) {
    headers.append(header::VIA, HeaderValue::from_static(VIA));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()))
            .collect()
    }

    #[test]
    fn connection_headers_and_what_they_name_are_taken_away() {
        let mut map = headers(&[
            ("connection", "close, X-Secret"),
            ("x-secret", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("trailer", "x-sum"),
            ("x-other", "2"),
        ]);
        remove_hop_by_hop(&mut map);
        let left: Vec<_> = map.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["trailer", "x-other"]);
    }

    #[test]
    fn an_upgrade_needs_both_headers_and_h2c_is_none() {
        let asked = |lines: &[(&str, &str)]| upgrade(&headers(lines)).is_some();
        assert!(asked(&[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")]));
        assert!(!asked(&[("connection", "keep-alive"), ("upgrade", "websocket")]));
        assert!(!asked(&[("connection", "upgrade")]));
        assert!(!asked(&[("connection", "Upgrade, HTTP2-Settings"), ("upgrade", "h2c")]));
    }

    #[test]
    fn the_client_is_appended_to_what_it_claims() {
        let mut map =
            headers(&[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2"), ("via", "1.0 a")]);
        add_forwarded(&mut map, "127.0.0.1".parse().unwrap(), "127.64.0.1".parse().unwrap(), "https");
        assert_eq!(map["x-forwarded-for"], "1.1.1.1,2.2.2.2,127.0.0.1,127.64.0.1");
        assert_eq!(map["x-forwarded-proto"], "https");
        let via: Vec<_> = map.get_all("via").iter().collect();
        assert_eq!(via, ["1.0 a", "1.1 google"]);
    }
}
