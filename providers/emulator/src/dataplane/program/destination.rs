//! Where the rules of a URL map lead, and what is done on the way.

use std::time::Duration;

use http::{HeaderValue, StatusCode};

use super::header_action::HeaderAction;
use crate::dataplane::path_template::PathTemplateRewrite;
use crate::dataplane::resource_id::BackendServiceId;

/// Where a rule leads.
#[derive(Debug, Clone, PartialEq)]
pub enum Destination {
    /// To a backend.
    Forward(Box<Forward>),
    /// Answered by the load balancer itself.
    Redirect(Redirect),
    /// Nowhere, with the reason: answered 404.
    Unprogrammed(String),
}

impl Destination {
    /// To one backend service, with nothing done on the way. One that is not in the program has no healthy backend.
    #[must_use]
    pub fn to_service(service: BackendServiceId) -> Self {
        let only = WeightedService { service, weight: 1, headers: HeaderAction::default() };
        Self::Forward(Box::new(Forward { services: vec![only], action: RouteAction::default() }))
    }
}

/// Requests that go to a backend.
#[derive(Debug, Clone, PartialEq)]
pub struct Forward {
    /// One of these, by weight. A plain `service` is one with any weight.
    pub services: Vec<WeightedService>,
    /// What is done to them.
    pub action: RouteAction,
}

/// One entry of `weightedBackendServices[]`.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedService {
    /// The backend service.
    pub service: BackendServiceId,
    /// Its share is this over the sum of all; 0 is none.
    pub weight: u32,
    /// Applied first of all header actions.
    pub headers: HeaderAction,
}

/// A route action, without the weighted services. A classic load balancer acts on the rewrite alone.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RouteAction {
    /// How the URL is changed before it is sent on.
    pub rewrite: UrlRewrite,
    /// From the end of the request to the end of the answer, retries included. None: the longest of the backend
    /// services' own.
    pub timeout: Option<Duration>,
    /// When a request is sent again.
    pub retry: Option<RetryPolicy>,
    /// Where copies go.
    pub mirror: Option<Mirror>,
    /// Cross-origin requests; a disabled policy is none.
    pub cors: Option<CorsPolicy>,
    /// Which share of requests is answered an error instead.
    pub abort: Option<Abort>,
    /// Which share of requests waits first.
    pub delay: Option<Delay>,
}

/// `urlRewrite`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UrlRewrite {
    /// `hostRewrite`: the `Host` that the backend sees.
    pub host: Option<String>,
    /// What becomes of the path.
    pub path: PathRewrite,
}

/// How a rewrite changes the path.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum PathRewrite {
    /// Not at all.
    #[default]
    Keep,
    /// `pathPrefixRewrite`: this instead of the part of the path that matched.
    ReplaceMatched(String),
    /// `pathTemplateRewrite`: this, with the variables of the template that matched. Where another kind of match won,
    /// the path is kept.
    Template(PathTemplateRewrite),
}

/// A share of all requests, in parts of a million: the grain at which it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// At most 1,000,000.
    pub per_million: u32,
}

impl Share {
    /// Every request.
    pub const ALL: Self = Self { per_million: 1_000_000 };

    /// Whether a number that was drawn anywhere in `u32` falls into the share.
    #[must_use]
    pub fn holds(self, draw: u32) -> bool {
        (u64::from(draw) * 1_000_000) >> 32 < u64::from(self.per_million)
    }
}

/// `retryPolicy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a request may be sent again after the first time.
    pub retries: u32,
    /// How long each time may take. None: only the time-out of the whole counts.
    pub per_try: Option<Duration>,
    /// What is tried again.
    pub conditions: Vec<RetryCondition>,
}

/// What makes an attempt worth another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryCondition {
    /// `5xx`: any such status, or no answer at all.
    ServerError,
    /// `gateway-error`: 502, 503 and 504, or no answer at all.
    GatewayError,
    /// `connect-failure`: there is no connection to the endpoint.
    ConnectFailure,
    /// `retriable-4xx`: 409.
    Conflict,
    /// `reset`: the endpoint broke off, or did not answer in time.
    Reset,
    /// `refused-stream`: an HTTP/2 backend refused the stream, so it did nothing.
    RefusedStream,
    /// `cancelled`, `deadline-exceeded`, `internal`, `resource-exhausted`, `unavailable`: this `grpc-status` in the
    /// headers of the answer.
    GrpcStatus(u8),
}

/// `requestMirrorPolicy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Who gets the copies.
    pub service: BackendServiceId,
    /// How many requests are copied.
    pub share: Share,
}

/// `corsPolicy`, in the form of the headers it leads to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CorsPolicy {
    /// Origins that may ask; `*` is any.
    pub origins: Vec<String>,
    /// `Access-Control-Allow-Methods`.
    pub methods: Option<HeaderValue>,
    /// `Access-Control-Allow-Headers`.
    pub headers: Option<HeaderValue>,
    /// `Access-Control-Expose-Headers`.
    pub expose: Option<HeaderValue>,
    /// `Access-Control-Max-Age`, in seconds.
    pub max_age: Option<i64>,
    /// `Access-Control-Allow-Credentials: true`.
    pub credentials: bool,
}

/// A fault that is injected on purpose (`faultInjectionPolicy.abort`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abort {
    /// What the client is answered: 200 to 599.
    pub status: StatusCode,
    /// How many requests.
    pub share: Share,
}

/// A wait that is injected on purpose (`faultInjectionPolicy.delay`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// How long.
    pub wait: Duration,
    /// How many requests.
    pub share: Share,
}

/// A URL redirect.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redirect {
    /// The status.
    pub code: RedirectCode,
    /// Change the scheme to `https`.
    pub https: bool,
    /// Change the host.
    pub host: Option<String>,
    /// Change the path.
    pub path: PathRedirect,
    /// Drop the query.
    pub strip_query: bool,
}

/// How a redirect changes the path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PathRedirect {
    /// Not at all.
    #[default]
    Keep,
    /// `pathRedirect`: this path instead.
    Replace(String),
    /// `prefixRedirect`: this instead of the part of the path that matched.
    ReplaceMatched(String),
}

/// The status of a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RedirectCode {
    /// 301, the default.
    #[default]
    MovedPermanently,
    /// 302.
    Found,
    /// 303.
    SeeOther,
    /// 307.
    TemporaryRedirect,
    /// 308.
    PermanentRedirect,
}
