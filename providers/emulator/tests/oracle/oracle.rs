//! The rules of URL maps, read plainly: one question after the other, on the JSON itself.

mod expression;
mod template;

use serde_json::Value;

use crate::request::{BACKEND_SAYS, CLIENT, Forward, Headers, Kind, Outcome, Request};

/// Which part of a map had the last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decided {
    Rule,
    MatcherDefault,
    MapDefault,
}

/// What a map makes of a request.
pub(crate) fn say(kind: Kind, map: &Value, request: &Request) -> (Outcome, Decided) {
    let nobody = Matched { part: String::new(), variables: None };
    let Some(host_rule) = host_rule(map, &request.host) else {
        return (lead(kind, map, "default", &[&map["headerAction"]], request, &nobody), Decided::MapDefault);
    };
    let matcher = list(&map["pathMatchers"]).find(|matcher| matcher["name"] == host_rule["pathMatcher"]);
    let Some(matcher) = matcher else { return (Outcome::Nowhere, Decided::MapDefault) };
    let around = [&matcher["headerAction"], &map["headerAction"]];
    if let Some((rule, matched)) = path_rule(matcher, request) {
        return (lead(kind, rule, "", &around, request, &matched), Decided::Rule);
    }
    if let Some((rule, matched)) = route_rule(matcher, request) {
        let around = [&rule["headerAction"], around[0], around[1]];
        return (lead(kind, rule, "", &around, request, &matched), Decided::Rule);
    }
    (lead(kind, matcher, "default", &around, request, &nobody), Decided::MatcherDefault)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

// ---- hosts ----

/// An exact host before any wildcard, the longer wildcard before the shorter, `*` last; with a port before without.
fn host_rule<'a>(map: &'a Value, sent: &str) -> Option<&'a Value> {
    let mut found: Vec<(&Value, String, bool)> = Vec::new();
    for rule in list(&map["hostRules"]) {
        for pattern in list(&rule["hosts"]) {
            let pattern = text(pattern).to_lowercase();
            let (name, port) = cut_port(&pattern);
            let (sent_name, sent_port) = cut_port(sent);
            let port_fits = port.is_none() || port == sent_port;
            if port_fits && host_fits(&name, &sent_name.to_lowercase()) {
                found.push((rule, name, port.is_some()));
            }
        }
    }
    let exact = |name: &str| !name.starts_with('*');
    let mut best: Option<(&Value, String, bool)> = None;
    for (rule, name, port) in found {
        let better = match &best {
            None => true,
            Some((_, other, _)) if exact(&name) != exact(other) => exact(&name),
            Some((_, other, _)) if name.len() != other.len() => name.len() > other.len(),
            Some((_, _, other)) => port && !other,
        };
        if better {
            best = Some((rule, name, port));
        }
    }
    best.map(|(rule, _, _)| rule)
}

fn cut_port(host: &str) -> (String, Option<u16>) {
    for (at, byte) in host.bytes().enumerate().rev() {
        if byte == b':' {
            return (host[..at].to_owned(), host[at + 1..].parse().ok());
        }
    }
    (host.to_owned(), None)
}

fn host_fits(pattern: &str, host: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    if !pattern.starts_with('*') {
        return pattern == host;
    }
    let rest = &pattern[1..];
    if host.len() < rest.len() {
        return false;
    }
    let star = host.len() - rest.len();
    &host[star..] == rest
        && host[..star].chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.')
}

// ---- paths and rules ----

/// What a rule took hold of.
struct Matched {
    /// The beginning of the path that matched.
    part: String,
    variables: Option<Vec<(String, String)>>,
}

/// The longest pattern first, and of equals the one without a star.
fn path_rule<'a>(matcher: &'a Value, request: &Request) -> Option<(&'a Value, Matched)> {
    let mut patterns: Vec<(String, bool, &Value)> = Vec::new();
    for rule in list(&matcher["pathRules"]) {
        for path in list(&rule["paths"]) {
            let path = text(path);
            match path.strip_suffix("/*") {
                Some(above) => patterns.push((format!("{above}/"), true, rule)),
                None => patterns.push((path, false, rule)),
            }
        }
    }
    patterns.sort_by_key(|(path, star, _)| (usize::MAX - path.len(), *star));
    for (path, star, rule) in patterns {
        let long_enough = request.path.len() >= path.len();
        let fits = if star {
            long_enough && request.path.as_bytes()[..path.len()] == *path.as_bytes()
        } else {
            request.path == path
        };
        if fits {
            return Some((rule, Matched { part: path, variables: None }));
        }
    }
    None
}

/// By priority; of a rule's matches the first that holds.
fn route_rule<'a>(matcher: &'a Value, request: &Request) -> Option<(&'a Value, Matched)> {
    let mut rules: Vec<&Value> = list(&matcher["routeRules"]).collect();
    rules.sort_by_key(|rule| rule["priority"].as_i64().unwrap_or(0));
    for rule in rules {
        for matches in list(&rule["matchRules"]) {
            let headers = list(&matches["headerMatches"]).all(|header| header_holds(header, request));
            let query =
                list(&matches["queryParameterMatches"]).all(|parameter| parameter_holds(parameter, request));
            if headers
                && query
                && let Some(matched) = path_holds(matches, &request.path)
            {
                return Some((rule, matched));
            }
        }
    }
    None
}

fn path_holds(matches: &Value, path: &str) -> Option<Matched> {
    let folded = matches["ignoreCase"] == true;
    let fold = |text: &str| if folded { text.to_ascii_lowercase() } else { text.to_owned() };
    let whole = || Matched { part: path.to_owned(), variables: None };
    if let Some(prefix) = matches["prefixMatch"].as_str() {
        let part: String = path.chars().take(prefix.chars().count()).collect();
        return (fold(&part) == fold(prefix)).then_some(Matched { part, variables: None });
    }
    if let Some(full) = matches["fullPathMatch"].as_str() {
        return (fold(path) == fold(full)).then(whole);
    }
    if let Some(regex) = matches["regexMatch"].as_str() {
        return expression::whole(regex, path).then(whole);
    }
    if let Some(template) = matches["pathTemplateMatch"].as_str() {
        let variables = template::captures(template, path)?;
        return Some(Matched { part: path.to_owned(), variables: Some(variables) });
    }
    Some(Matched { part: String::new(), variables: None })
}

fn header_holds(wanted: &Value, request: &Request) -> bool {
    let name = text(&wanted["headerName"]).to_lowercase();
    let value = match name.as_str() {
        ":authority" | "host" => Some(request.host.clone()),
        ":method" => Some(request.method.to_owned()),
        "port" => request.host.split(':').nth(1).map(str::to_owned),
        name => {
            let lines: Vec<String> = request
                .headers
                .iter()
                .filter(|(sent, _)| sent == name)
                .map(|(_, value)| value.clone())
                .collect();
            (!lines.is_empty()).then(|| lines.join(","))
        }
    };
    let holds = match &value {
        None => false,
        Some(value) => {
            if let Some(exact) = wanted["exactMatch"].as_str() {
                value == exact
            } else if let Some(prefix) = wanted["prefixMatch"].as_str() {
                value.len() >= prefix.len() && value[..prefix.len()] == *prefix
            } else if let Some(suffix) = wanted["suffixMatch"].as_str() {
                value.len() >= suffix.len() && value[value.len() - suffix.len()..] == *suffix
            } else if let Some(regex) = wanted["regexMatch"].as_str() {
                expression::whole(regex, value)
            } else if wanted["presentMatch"] == true {
                true
            } else {
                let end = |field: &str| text(&wanted["rangeMatch"][field]).parse::<i64>().unwrap_or(0);
                let digits = value.strip_prefix('-').unwrap_or(value);
                let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
                is_number
                    && value
                        .parse::<i64>()
                        .is_ok_and(|number| end("rangeStart") <= number && number < end("rangeEnd"))
            }
        }
    };
    if wanted["invertMatch"] == true { !holds } else { holds }
}

fn parameter_holds(wanted: &Value, request: &Request) -> bool {
    let name = text(&wanted["name"]);
    let query = request.query.clone().unwrap_or_default();
    for pair in query.split('&') {
        let (key, value) = match pair.find('=') {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, ""),
        };
        if key == name {
            return if let Some(exact) = wanted["exactMatch"].as_str() {
                value == exact
            } else if let Some(regex) = wanted["regexMatch"].as_str() {
                expression::whole(regex, value)
            } else {
                wanted["presentMatch"] == true
            };
        }
    }
    false
}

// ---- destinations ----

/// What a rule, or the default of a matcher or map, leads to. `around` are the header actions from the inside out, without
/// the weighted service's own.
fn lead(
    kind: Kind,
    from: &Value,
    prefix: &str,
    around: &[&Value],
    request: &Request,
    matched: &Matched,
) -> Outcome {
    let field = |name: &str| {
        let mut first = name[..1].to_uppercase();
        first.push_str(&name[1..]);
        if prefix.is_empty() { &from[name] } else { &from[format!("{prefix}{first}")] }
    };
    let redirect = field("urlRedirect");
    if redirect.is_object() {
        return redirected(redirect, request, matched);
    }
    let action = field("routeAction");
    let plain = field("service");
    let (service, own_headers) = if let Some(service) = plain.as_str() {
        (service.to_owned(), &Value::Null)
    } else {
        let Some(chosen) = weighted(&action["weightedBackendServices"], request.draws.service) else {
            return Outcome::Nowhere;
        };
        (text(&chosen["backendService"]), &chosen["headerAction"])
    };
    let query = request.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    let host = action["urlRewrite"]["hostRewrite"].as_str().unwrap_or(&request.host);
    let path = rewritten(&action["urlRewrite"], request, matched);
    let mut forward = Forward {
        service,
        url: format!("{host}{path}{query}"),
        request_headers: headers(request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))),
        response_headers: headers(BACKEND_SAYS.iter().copied()),
        timeout_ms: None,
        retries: None,
        mirror: None,
        cors: None,
        delay_ms: None,
        abort: None,
    };
    if kind == Kind::Classic {
        return Outcome::Forward(Box::new(forward));
    }
    for action in std::iter::once(own_headers).chain(around.iter().copied()) {
        act(action, "request", request, &mut forward.request_headers);
        act(action, "response", request, &mut forward.response_headers);
    }
    forward.timeout_ms = milliseconds(&action["timeout"]);
    let retry = &action["retryPolicy"];
    forward.retries = retry.is_object().then(|| retry["numRetries"].as_u64().unwrap_or(1));
    let mirror = &action["requestMirrorPolicy"];
    let percent = mirror["mirrorPercent"].as_f64().unwrap_or(100.0);
    if mirror.is_object() && falls_in(percent, request.draws.mirror) {
        forward.mirror = Some(text(&mirror["backendService"]));
    }
    let cors = &action["corsPolicy"];
    if cors.is_object() && cors["disabled"] != true {
        forward.cors = Some(list(&cors["allowOrigins"]).map(text).collect());
    }
    let faults = &action["faultInjectionPolicy"];
    if faults["abort"].is_object()
        && falls_in(faults["abort"]["percentage"].as_f64().unwrap(), request.draws.abort)
    {
        forward.abort = Some(u16::try_from(faults["abort"]["httpStatus"].as_u64().unwrap()).unwrap());
    }
    if faults["delay"].is_object()
        && falls_in(faults["delay"]["percentage"].as_f64().unwrap(), request.draws.delay)
    {
        forward.delay_ms = milliseconds(&faults["delay"]["fixedDelay"]);
    }
    Outcome::Forward(Box::new(forward))
}

/// Of services in a row, each as long as its weight, the one that the draw points at.
fn weighted(services: &Value, draw: u32) -> Option<&Value> {
    let weight = |service: &Value| u128::from(service["weight"].as_u64().unwrap_or(0));
    let whole: u128 = list(services).map(weight).sum();
    let mut passed = 0;
    for service in list(services) {
        passed += weight(service);
        if u128::from(draw) * whole < passed << 32 {
            return Some(service);
        }
    }
    None
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "generated in 0..=100")]
fn falls_in(percent: f64, draw: u32) -> bool {
    let millionths = (percent * 10_000.0).round() as u128;
    u128::from(draw) * 1_000_000 < millionths << 32
}

fn milliseconds(span: &Value) -> Option<u64> {
    span.is_object().then(|| {
        let seconds: u64 = text(&span["seconds"]).parse().unwrap_or(0);
        seconds * 1000 + span["nanos"].as_u64().unwrap_or(0) / 1_000_000
    })
}

fn rewritten(rewrite: &Value, request: &Request, matched: &Matched) -> String {
    if let Some(prefix) = rewrite["pathPrefixRewrite"].as_str() {
        return format!("{prefix}{}", &request.path[matched.part.len()..]);
    }
    if let (Some(rewrite), Some(variables)) = (rewrite["pathTemplateRewrite"].as_str(), &matched.variables) {
        let mut path = rewrite.to_owned();
        for (name, value) in variables {
            // Values have no braces, as paths have none here.
            path = path.replace(&format!("{{{name}}}"), value);
        }
        return path;
    }
    request.path.clone()
}

fn redirected(redirect: &Value, request: &Request, matched: &Matched) -> Outcome {
    let status = match redirect["redirectResponseCode"].as_str() {
        None | Some("MOVED_PERMANENTLY_DEFAULT") => 301,
        Some("FOUND") => 302,
        Some("SEE_OTHER") => 303,
        Some("TEMPORARY_REDIRECT") => 307,
        Some("PERMANENT_REDIRECT") => 308,
        Some(other) => panic!("{other}"),
    };
    let https = redirect["httpsRedirect"] == true;
    let scheme = if https { "https" } else { "http" };
    let host = match redirect["hostRedirect"].as_str() {
        Some(host) => host.to_owned(),
        // The port belonged to the other scheme.
        None if https => request.host.split(':').next().unwrap().to_owned(),
        None => request.host.clone(),
    };
    let path = if let Some(path) = redirect["pathRedirect"].as_str() {
        path.to_owned()
    } else if let Some(prefix) = redirect["prefixRedirect"].as_str() {
        format!("{prefix}{}", &request.path[matched.part.len()..])
    } else {
        request.path.clone()
    };
    let query = match &request.query {
        Some(query) if redirect["stripQuery"] != true => format!("?{query}"),
        _ => String::new(),
    };
    Outcome::Redirect { status, location: format!("{scheme}://{host}{path}{query}") }
}

// ---- headers ----

fn headers<'a>(lines: impl Iterator<Item = (&'a str, &'a str)>) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in lines {
        headers.entry(name.to_owned()).or_default().push(value.to_owned());
    }
    headers
}

/// First what is removed, then what is added, one after the other.
fn act(action: &Value, side: &str, request: &Request, headers: &mut Headers) {
    for name in list(&action[format!("{side}HeadersToRemove")]) {
        headers.remove(&text(name).to_lowercase());
    }
    for option in list(&action[format!("{side}HeadersToAdd")]) {
        let written = text(&option["headerValue"]);
        let value = filled(&written, request);
        let replace = option["replace"].as_bool().unwrap_or(value == written);
        let lines = headers.entry(text(&option["headerName"]).to_lowercase()).or_default();
        if replace {
            lines.clear();
        }
        lines.push(value);
    }
}

/// A header value with its variables put in. The values of variables contain no variables.
fn filled(value: &str, request: &Request) -> String {
    let address = CLIENT.0.map(|byte| byte.to_string()).join(".");
    let origin = request.headers.iter().find(|(name, _)| name == "origin").map(|(_, value)| value.clone());
    value
        .replace("{client_ip_address}", &address)
        .replace("{client_port}", &CLIENT.1.to_string())
        .replace("{client_encrypted}", "false")
        .replace("{client_protocol}", "HTTP/1.1")
        .replace("{client_region}", "")
        .replace("{origin_request_header}", &origin.unwrap_or_default())
}
