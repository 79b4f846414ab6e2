//! The router: which destination a URL map gives a request, and what is done to the request on the way.
//!
//! Written from the rules of URL maps alone, without side effects and total: any map and any request have an
//! answer, and the same numbers drawn give the same answer. It knows nothing of backends, health or sockets.
//!
//! What Google leaves open is decided so: an exact host beats a wildcard, the longer wildcard beats the shorter,
//! `*` comes last, and at equal length a pattern with a port beats one without; of two path patterns with the
//! same text before the star the one without a star wins; paths are compared byte by byte without decoding;
//! query parameters are compared as they were sent; `invertMatch` turns round the answer of a predicate whatever
//! the reason it did not match.

mod header_edit;
mod host;
mod matching;
mod redirect;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use http::{HeaderMap, StatusCode};

pub(super) use self::header_edit::edits;
pub use self::header_edit::{Connection, HeaderEdit, TlsFacts};
use self::matching::Matched;
pub use self::redirect::{RequestUrl, location};
use super::program::{
    CorsPolicy, Destination, Forward, HeaderAction, Mirror, PathMatcher, PathRewrite, Redirect, RetryPolicy,
    RouteAction, Rules, Scheme, UrlMap, UrlRewrite, WeightedService,
};
use super::resource_id::BackendServiceId;

/// The parts of a request that a URL map looks at.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// The host as the client wrote it, with its port if it named one; empty if it sent none.
    pub authority: &'a str,
    /// The path, without query and fragment.
    pub path: &'a str,
    /// The query without its question mark.
    pub query: Option<&'a str>,
    /// The method.
    pub method: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
}

/// What else decides over a request.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// Which product serves it: a classic load balancer acts on rewrites and redirects alone.
    pub scheme: Scheme,
    /// The numbers drawn for it.
    pub draws: Draws,
    /// The client's connection.
    pub connection: Connection<'a>,
}

impl Circumstances<'_> {
    /// Of a request that no client made: a URL map's own tests. Every number drawn is 0.
    #[must_use]
    pub fn nobodys(scheme: Scheme) -> Self {
        let nowhere = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        let connection = Connection { client: nowhere, server: nowhere, protocol: "HTTP/1.1", tls: None };
        Self { scheme, draws: Draws::default(), connection }
    }
}

/// The numbers drawn for one request, each anywhere in `u32` and taken as a fraction of 2³².
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Draws {
    /// Which of the weighted services.
    pub service: u32,
    /// Whether it is aborted.
    pub abort: u32,
    /// Whether it is delayed.
    pub delay: u32,
    /// Whether it is mirrored.
    pub mirror: u32,
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Routed<'a> {
    /// To a backend service.
    Forward(Box<Forwarding<'a>>),
    /// Redirected.
    Redirect {
        /// How.
        redirect: &'a Redirect,
        /// How many bytes of the path the winning pattern matched; zero for defaults and patterns without text.
        matched: usize,
    },
    /// Nowhere, and why.
    Nowhere(&'a str),
}

/// A request on its way to a backend service: all that the URL map has to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Forwarding<'a> {
    /// The service that was drawn.
    pub service: &'a BackendServiceId,
    /// The services it was drawn from.
    pub candidates: &'a [WeightedService],
    /// The `Host` to send instead of the client's.
    pub host: Option<&'a str>,
    /// The path to send instead of the client's. The query stays.
    pub path: Option<String>,
    /// Changes of the request's headers, in order.
    pub request_edits: Vec<HeaderEdit<'a>>,
    /// Changes of the answer's headers, in order.
    pub response_edits: Vec<HeaderEdit<'a>>,
    /// Instead of the services' own time-outs.
    pub timeout: Option<Duration>,
    /// When it is sent again.
    pub retry: Option<&'a RetryPolicy>,
    /// Who gets a copy.
    pub mirror: Option<&'a Mirror>,
    /// Cross-origin requests.
    pub cors: Option<&'a CorsPolicy>,
    /// How long it waits first, if it was drawn for that.
    pub delay: Option<Duration>,
    /// What it is answered instead, if it was drawn for that.
    pub abort: Option<StatusCode>,
}

/// Routes one request.
#[must_use]
pub fn route<'a>(
    url_map: &'a UrlMap,
    request: &RequestHead<'_>,
    circumstances: &Circumstances<'_>,
) -> Routed<'a> {
    let UrlMap { id: _, host_rules, path_matchers, default, headers } = url_map;
    let mut way = Way { request, circumstances, headers: vec![headers] };
    let Some(rule) = host::best(host_rules, request.authority) else {
        return way.led_to(default, &Matched::default());
    };
    match path_matchers.get(&rule.path_matcher) {
        Some(matcher) => way.within(matcher),
        None => Routed::Nowhere("the host rule names a path matcher that the URL map does not have"),
    }
}

/// What is gathered from the URL map down to the rule that wins.
struct Way<'a, 'r> {
    request: &'r RequestHead<'r>,
    circumstances: &'r Circumstances<'r>,
    /// The outermost first; they are applied the other way round.
    headers: Vec<&'a HeaderAction>,
}

impl<'a> Way<'a, '_> {
    fn within(&mut self, path_matcher: &'a PathMatcher) -> Routed<'a> {
        let PathMatcher { rules, default, headers } = path_matcher;
        self.headers.push(headers);
        match rules {
            Rules::Paths(rules) => {
                if let Some((rule, matched)) = matching::by_path(rules, self.request.path) {
                    return self.led_to(&rule.destination, &matched);
                }
            }
            Rules::Routes(rules) => {
                let found = rules
                    .iter()
                    .filter_map(|rule| {
                        let mut candidates = rule.matches.iter();
                        let matched = candidates.find_map(|rule| matching::matched(rule, self.request))?;
                        Some((rule, matched))
                    })
                    .min_by_key(|(rule, _)| rule.priority);
                if let Some((rule, matched)) = found {
                    self.headers.push(&rule.headers);
                    return self.led_to(&rule.destination, &matched);
                }
            }
        }
        self.led_to(default, &Matched::default())
    }

    fn led_to(&mut self, destination: &'a Destination, matched: &Matched<'_>) -> Routed<'a> {
        match destination {
            Destination::Forward(forward) => self.forward(forward, matched),
            Destination::Redirect(redirect) => Routed::Redirect { redirect, matched: matched.length },
            Destination::Unprogrammed(why) => Routed::Nowhere(why),
        }
    }

    fn forward(&mut self, forward: &'a Forward, matched: &Matched<'_>) -> Routed<'a> {
        let Forward { services, action } = forward;
        let RouteAction { rewrite, timeout, retry, mirror, cors, abort, delay } = action;
        let UrlRewrite { host, path } = rewrite;
        let Circumstances { scheme, draws, connection } = self.circumstances;
        let Some(chosen) = choose(services, draws.service) else {
            return Routed::Nowhere("none of the rule's backend services has a weight above 0");
        };
        let mut forwarding = Forwarding {
            service: &chosen.service,
            candidates: services,
            host: host.as_deref(),
            path: rewritten(path, self.request.path, matched),
            request_edits: Vec::new(),
            response_edits: Vec::new(),
            timeout: None,
            retry: None,
            mirror: None,
            cors: None,
            delay: None,
            abort: None,
        };
        match scheme {
            Scheme::Classic => {}
            Scheme::Managed => {
                self.headers.push(&chosen.headers);
                self.headers.reverse();
                (forwarding.request_edits, forwarding.response_edits) =
                    header_edit::edits(&self.headers, self.request, connection);
                forwarding.timeout = *timeout;
                forwarding.retry = retry.as_ref();
                forwarding.mirror = mirror.as_ref().filter(|mirror| mirror.share.holds(draws.mirror));
                forwarding.cors = cors.as_ref();
                forwarding.delay =
                    delay.filter(|delay| delay.share.holds(draws.delay)).map(|delay| delay.wait);
                forwarding.abort =
                    abort.filter(|abort| abort.share.holds(draws.abort)).map(|abort| abort.status);
            }
        }
        Routed::Forward(Box::new(forwarding))
    }
}

/// The service in whose part of the whole weight the draw falls.
fn choose(services: &[WeightedService], draw: u32) -> Option<&WeightedService> {
    let whole: u64 = services.iter().map(|service| u64::from(service.weight)).sum();
    // Below `whole`, as the draw is below 2^32; a sum of weights of at most 1000 each is far from overflowing.
    let mut point = whole.saturating_mul(draw.into()) >> 32;
    services.iter().find(|service| {
        let weight = u64::from(service.weight);
        let inside = point < weight;
        point = point.saturating_sub(weight);
        inside
    })
}

/// The path after a rewrite; none if it stays. A path always begins with a slash, whatever the rewrite says.
fn rewritten(rewrite: &PathRewrite, path: &str, matched: &Matched<'_>) -> Option<String> {
    let path = match rewrite {
        PathRewrite::Keep => return None,
        PathRewrite::ReplaceMatched(prefix) => {
            // A pattern equal to the path's beginning ends at a boundary of characters.
            format!("{prefix}{}", path.get(matched.length..).unwrap_or_default())
        }
        PathRewrite::Template(template) => template.apply(matched.captures.as_ref()?),
    };
    Some(if path.starts_with('/') { path } else { format!("/{path}") })
}
