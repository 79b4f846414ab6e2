//! The `tests` of a URL map: requests, and where the map's author expects them to go. The data plane's own router says
//! where they go.

use crate::api::scheme::Scheme;
use crate::dataplane::program::{self, UrlMap};
use crate::dataplane::route::{Circumstances, Forwarding, RequestHead, RequestUrl, Routed, location, route};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::program::compile_url_map;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::{Map, Value, json};

type Body = Map<String, Value>;

/// A test as it is written.
#[derive(Debug, Clone, PartialEq)]
struct Expectation<'a> {
    host: &'a str,
    path: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    service: Option<&'a str>,
    code: Option<i64>,
    url: Option<&'a str>,
}

/// What came of a test that failed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    /// Its place in `tests[]`.
    index: usize,
    /// The request and what was expected, in the API's fields; services from `projects/` on.
    expected: Body,
    actual: Actual,
}

/// Where a request went.
#[derive(Debug, Clone, PartialEq, Default)]
struct Actual {
    service: Option<String>,
    code: Option<u16>,
    url: Option<String>,
}

fn text<'a>(body: &'a Body, field: &str) -> Option<&'a str> {
    body.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn tests(map: &Body) -> impl Iterator<Item = (usize, &Body)> {
    let tests = map.get("tests").and_then(Value::as_array).into_iter().flatten().enumerate();
    tests.filter_map(|(index, test)| Some((index, test.as_object()?)))
}

impl<'a> Expectation<'a> {
    fn read(test: &'a Body) -> Self {
        let headers = test.get("headers").and_then(Value::as_array).into_iter().flatten();
        Self {
            host: text(test, "host").unwrap_or_default(),
            path: text(test, "path").unwrap_or_default(),
            headers: headers
                .filter_map(|header| {
                    let field = |name| header.get(name).and_then(Value::as_str);
                    Some((field("name")?, field("value").unwrap_or_default()))
                })
                .collect(),
            service: text(test, "service"),
            code: test.get("expectedRedirectResponseCode").and_then(Value::as_i64),
            url: text(test, "expectedOutputUrl"),
        }
    }
}

/// The rules of tests, whatever they expect.
pub(super) fn check(map: &Body) -> Result<(), ApiError> {
    for (index, test) in tests(map) {
        let at = format!("resource.tests[{index}]");
        for field in ["host", "path"] {
            if text(test, field).is_none() {
                return Err(ApiError::required(&format!("{at}.{field}")));
            }
        }
        let Expectation { host, path: _, headers, service, code, url } = Expectation::read(test);
        if service.is_some() && code.is_some() {
            return Err(ApiError::invalid_text(format!(
                "Invalid value for field '{at}': ''. expectedRedirectResponseCode cannot be set when service is set."
            )));
        }
        if service.is_none() && code.is_none() && url.is_none() {
            return Err(ApiError::invalid_text(format!(
                "Invalid value for field '{at}': ''. One of service, expectedRedirectResponseCode and expectedOutputUrl \
                 must be specified."
            )));
        }
        for (place, (name, value)) in headers.iter().enumerate() {
            let at = format!("{at}.headers[{place}]");
            let pseudo = [":authority", ":method"].contains(name);
            if !pseudo && HeaderName::try_from(*name).is_err() {
                return Err(ApiError::invalid(&format!("{at}.name"), name, "Must be the name of a header."));
            }
            if HeaderValue::try_from(*value).is_err() {
                return Err(ApiError::invalid(
                    &format!("{at}.value"),
                    value,
                    "Must be the value of a header.",
                ));
            }
            if name.eq_ignore_ascii_case("host") && !value.eq_ignore_ascii_case(host) {
                return Err(ApiError::invalid(
                    &format!("{at}.value"),
                    value,
                    "The host header must match the host of the test.",
                ));
            }
        }
    }
    Ok(())
}

/// The tests that fail on a load balancer of a scheme; a map that nobody's scheme decides is classic, as for
/// `validate`.
pub(super) fn failures(draft: &Draft, scheme: Option<Scheme>) -> Vec<Failure> {
    let mut tests = tests(draft.body()).peekable();
    if tests.peek().is_none() {
        return Vec::new();
    }
    let map = compile_url_map(&draft.path.to_string(), draft.next.body());
    let scheme = match scheme {
        None | Some(Scheme::External) => program::Scheme::Classic,
        Some(Scheme::ExternalManaged | Scheme::InternalManaged | Scheme::InternalSelfManaged) => {
            program::Scheme::Managed
        }
    };
    tests
        .filter_map(|(index, test)| {
            let expectation = Expectation::read(test);
            let actual = run(&map, scheme, &expectation)?;
            Some(Failure { index, expected: test.clone(), actual })
        })
        .collect()
}

/// Where the request of a test goes, if that is not where it should.
fn run(map: &UrlMap, scheme: program::Scheme, expectation: &Expectation<'_>) -> Option<Actual> {
    let (path, query) = split(expectation.path);
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let (mut method, mut authority) = ("GET", expectation.host);
    let mut headers = HeaderMap::new();
    for (name, value) in &expectation.headers {
        match *name {
            ":method" => method = value,
            ":authority" => authority = value,
            name => {
                if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(*value)) {
                    headers.append(name, value);
                }
            }
        }
    }
    headers.remove(header::HOST);
    let request = RequestHead { authority, path: &path, query, method, headers: &headers };
    let (passed, actual) = match route(map, &request, &Circumstances::nobodys(scheme)) {
        Routed::Nowhere(_) => (false, Actual::default()),
        Routed::Redirect { redirect, matched } => {
            // Tests have no scheme of their own; a map that redirects to https is for HTTP.
            let url = RequestUrl { scheme: "http", authority, path: &path, query };
            let code = redirect.code.status().as_u16();
            let url = location(redirect, &url, matched, 443);
            let passed = expectation.service.is_none()
                && expectation.code.is_none_or(|expected| expected == i64::from(code))
                && expectation.url.is_none_or(|expected| expected == url);
            (passed, Actual { service: None, code: Some(code), url: Some(url) })
        }
        Routed::Forward(forwarding) => {
            let url = output_url(&forwarding, authority, &path, query);
            let passed = expectation.code.is_none()
                && expectation.service.is_none_or(|expected| leads_to(&forwarding, expected))
                && expectation.url.is_none_or(|expected| {
                    let ignored = expectation.service.is_some();
                    if ignored { without_scheme(expected) == without_scheme(&url) } else { expected == url }
                });
            let service = Some(forwarding.service.as_str().to_owned());
            (passed, Actual { service, code: None, url: Some(url) })
        }
    };
    (!passed).then_some(actual)
}

/// Whether a service is one that requests are drawn for.
fn leads_to(forwarding: &Forwarding<'_>, service: &str) -> bool {
    forwarding
        .candidates
        .iter()
        .any(|candidate| candidate.weight > 0 && candidate.service.as_str() == service)
}

fn output_url(forwarding: &Forwarding<'_>, authority: &str, path: &str, query: Option<&str>) -> String {
    let host = forwarding.host.unwrap_or(authority);
    let path = forwarding.path.as_deref().unwrap_or(path);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("http://{host}{path}{query}")
}

fn without_scheme(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest)
}

/// A path and the query after it; a fragment never gets to a load balancer.
fn split(path: &str) -> (&str, Option<&str>) {
    let path = path.split_once('#').map_or(path, |(path, _)| path);
    path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)))
}

impl Failure {
    /// The error of an insert, update or patch.
    pub(super) fn refusal(&self) -> ApiError {
        let Expectation { host, path, service, code, url, .. } = Expectation::read(&self.expected);
        let Actual { service: to, code: answered, url: became } = &self.actual;
        let or_nothing = |text: Option<&str>| text.unwrap_or("nothing").to_owned();
        let what = if let Some(code) = code
            && answered.map(i64::from) != Some(code)
        {
            let answered = answered.map_or_else(|| or_nothing(to.as_deref()), |code| code.to_string());
            format!("to be redirected with code {code}, but actually got {answered}")
        } else if let (Some(service), Some(url)) = (service, url)
            && to.as_deref() == Some(service)
        {
            format!(
                "to be forwarded to '{service}' as '{url}', but actually forwarded as '{}'",
                or_nothing(became.as_deref())
            )
        } else if let Some(service) = service {
            let to = to.clone().unwrap_or_else(|| or_nothing(became.as_deref()));
            format!("to map to service '{service}', but actually mapped to '{to}'")
        } else {
            let url = url.unwrap_or_default();
            format!("to lead to '{url}', but actually led to '{}'", or_nothing(became.as_deref()))
        };
        ApiError::invalid_text(format!(
            "Invalid value for field 'resource.tests[{}]': ''. Test failure: Expect URL '{host}{path}' {what}.",
            self.index
        ))
    }

    /// As `validate` shows it.
    pub(super) fn show(&self, base: &str) -> Value {
        let mut shown = Map::new();
        for (from, to) in [
            ("host", "host"),
            ("path", "path"),
            ("headers", "headers"),
            ("expectedOutputUrl", "expectedOutputUrl"),
            ("expectedRedirectResponseCode", "expectedRedirectResponseCode"),
        ] {
            if let Some(value) = self.expected.get(from) {
                shown.insert(to.to_owned(), value.clone());
            }
        }
        if let Some(service) = text(&self.expected, "service") {
            shown.insert("expectedService".to_owned(), json!(format!("{base}{service}")));
        }
        let Actual { service, code, url } = &self.actual;
        if let Some(service) = service {
            shown.insert("actualService".to_owned(), json!(format!("{base}{service}")));
        }
        if let Some(code) = code {
            shown.insert("actualRedirectResponseCode".to_owned(), json!(code));
        }
        if let Some(url) = url {
            shown.insert("actualOutputUrl".to_owned(), json!(url));
        }
        Value::Object(shown)
    }
}
