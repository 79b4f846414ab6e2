//! Destinations, redirects and route actions.

use std::time::Duration;

use http::{HeaderValue, StatusCode};
use serde_json::Value;

use super::Reader;
use crate::dataplane::path_template::PathTemplateRewrite;
use crate::dataplane::program::{
    Abort, CorsPolicy, Delay, Destination, Forward, HeaderAction, Mirror, PathRedirect, PathRewrite,
    Redirect, RedirectCode, RetryCondition, RetryPolicy, RouteAction, Share, UrlRewrite, WeightedService,
};
use crate::dataplane::resource_id::BackendServiceId;
use crate::program::json::{field, flag, integer, items, link, text, texts};

/// The names of the three fields that can give a destination.
#[derive(Clone, Copy)]
pub(super) struct DestinationFields {
    service: &'static str,
    redirect: &'static str,
    route_action: &'static str,
}

pub(super) const DEFAULT: DestinationFields = DestinationFields {
    service: "defaultService",
    redirect: "defaultUrlRedirect",
    route_action: "defaultRouteAction",
};
pub(super) const RULE: DestinationFields =
    DestinationFields { service: "service", redirect: "urlRedirect", route_action: "routeAction" };

impl Reader<'_> {
    pub(super) fn destination(&mut self, body: &Value, fields: DestinationFields, at: &str) -> Destination {
        let DestinationFields { service, redirect, route_action } = fields;
        if let Some(redirect) = field(body, redirect) {
            return Destination::Redirect(url_redirect(redirect));
        }
        let action = field(body, route_action);
        let services = match (link(body, service), action) {
            (Some(service), _) => vec![WeightedService {
                service: BackendServiceId::new(service),
                weight: 1,
                headers: HeaderAction::default(),
            }],
            (None, Some(action)) => self.weighted_services(action, at),
            (None, None) => Vec::new(),
        };
        if services.is_empty() {
            let why = format!("{at} has no destination");
            self.problem(why.clone());
            return Destination::Unprogrammed(why);
        }
        let action = action.map(|action| self.route_action(action, at)).unwrap_or_default();
        Destination::Forward(Box::new(Forward { services, action }))
    }

    fn weighted_services(&mut self, action: &Value, at: &str) -> Vec<WeightedService> {
        let mut services = Vec::new();
        for entry in items(action, "weightedBackendServices") {
            let Some(service) = link(entry, "backendService") else {
                self.problem(format!("{at} has a weighted backend service that names none"));
                continue;
            };
            services.push(WeightedService {
                service: BackendServiceId::new(service),
                weight: integer(entry, "weight").and_then(|weight| u32::try_from(weight).ok()).unwrap_or(0),
                headers: self.header_action(entry, at),
            });
        }
        if !services.is_empty() && services.iter().all(|service| service.weight == 0) {
            self.problem(format!("{at} gives no backend service any weight"));
        }
        services
    }

    fn route_action(&mut self, action: &Value, at: &str) -> RouteAction {
        self.unserved(action, at, &["maxStreamDuration", "cachePolicy"]);
        let faults = field(action, "faultInjectionPolicy");
        RouteAction {
            rewrite: self.url_rewrite(action, at),
            timeout: duration(action, "timeout"),
            retry: field(action, "retryPolicy").map(|policy| self.retry_policy(policy, at)),
            mirror: field(action, "requestMirrorPolicy").and_then(|policy| self.mirror(policy, at)),
            cors: field(action, "corsPolicy").and_then(|policy| self.cors(policy, at)),
            abort: faults.and_then(|policy| self.abort(policy, at)),
            delay: faults.and_then(|policy| self.delay(policy, at)),
        }
    }

    fn url_rewrite(&mut self, action: &Value, at: &str) -> UrlRewrite {
        let Some(rewrite) = field(action, "urlRewrite") else { return UrlRewrite::default() };
        let path = match (text(rewrite, "pathPrefixRewrite"), text(rewrite, "pathTemplateRewrite")) {
            (Some(prefix), _) => PathRewrite::ReplaceMatched(prefix.to_owned()),
            (None, Some(template)) => match PathTemplateRewrite::parse(template) {
                Ok(template) => PathRewrite::Template(template),
                Err(error) => {
                    self.problem(format!("{at} has the path template {template}, which is none: it {error}"));
                    PathRewrite::Keep
                }
            },
            (None, None) => PathRewrite::Keep,
        };
        UrlRewrite { host: text(rewrite, "hostRewrite").map(str::to_owned), path }
    }

    fn retry_policy(&mut self, policy: &Value, at: &str) -> RetryPolicy {
        let mut conditions = Vec::new();
        for condition in texts(policy, "retryConditions") {
            conditions.push(match condition {
                "5xx" => RetryCondition::ServerError,
                "gateway-error" => RetryCondition::GatewayError,
                "connect-failure" => RetryCondition::ConnectFailure,
                "retriable-4xx" => RetryCondition::Conflict,
                "reset" => RetryCondition::Reset,
                "refused-stream" => RetryCondition::RefusedStream,
                "cancelled" => RetryCondition::GrpcStatus(1),
                "deadline-exceeded" => RetryCondition::GrpcStatus(4),
                "resource-exhausted" => RetryCondition::GrpcStatus(8),
                "internal" => RetryCondition::GrpcStatus(13),
                "unavailable" => RetryCondition::GrpcStatus(14),
                other => {
                    self.problem(format!("{at} has the retry condition {other}, which is none"));
                    continue;
                }
            });
        }
        RetryPolicy {
            retries: integer(policy, "numRetries").and_then(|count| u32::try_from(count).ok()).unwrap_or(1),
            per_try: duration(policy, "perTryTimeout"),
            conditions,
        }
    }

    fn mirror(&mut self, policy: &Value, at: &str) -> Option<Mirror> {
        let Some(service) = link(policy, "backendService") else {
            self.problem(format!("{at} mirrors requests to no backend service"));
            return None;
        };
        let share = match field(policy, "mirrorPercent").and_then(Value::as_f64) {
            Some(percentage) => self.share(percentage, at)?,
            None => Share::ALL,
        };
        Some(Mirror { service: BackendServiceId::new(service), share })
    }

    fn cors(&mut self, policy: &Value, at: &str) -> Option<CorsPolicy> {
        if flag(policy, "disabled") {
            return None;
        }
        self.unserved(policy, at, &["allowOriginRegexes"]);
        let mut joined = |name: &str| {
            let words = texts(policy, name).collect::<Vec<_>>().join(",");
            if words.is_empty() {
                return None;
            }
            let value = HeaderValue::try_from(words).ok();
            if value.is_none() {
                self.problem(format!("{at} has a CORS policy whose {name} cannot be a header"));
            }
            value
        };
        Some(CorsPolicy {
            methods: joined("allowMethods"),
            headers: joined("allowHeaders"),
            expose: joined("exposeHeaders"),
            origins: texts(policy, "allowOrigins").map(str::to_owned).collect(),
            max_age: integer(policy, "maxAge"),
            credentials: flag(policy, "allowCredentials"),
        })
    }

    fn abort(&mut self, policy: &Value, at: &str) -> Option<Abort> {
        let abort = field(policy, "abort")?;
        let status = integer(abort, "httpStatus")
            .and_then(|status| u16::try_from(status).ok())
            .filter(|status| (200..=599).contains(status))
            .and_then(|status| StatusCode::from_u16(status).ok());
        let Some(status) = status else {
            self.problem(format!("{at} has an abort whose status is out of range"));
            return None;
        };
        let share = self.share(field(abort, "percentage").and_then(Value::as_f64).unwrap_or(-1.0), at)?;
        Some(Abort { status, share })
    }

    fn delay(&mut self, policy: &Value, at: &str) -> Option<Delay> {
        let delay = field(policy, "delay")?;
        let Some(wait) = duration(delay, "fixedDelay") else {
            self.problem(format!("{at} has a delay that says no time"));
            return None;
        };
        let share = self.share(field(delay, "percentage").and_then(Value::as_f64).unwrap_or(-1.0), at)?;
        Some(Delay { wait, share })
    }

    fn share(&mut self, percentage: f64, at: &str) -> Option<Share> {
        if !(0.0..=100.0).contains(&percentage) {
            self.problem(format!("{at} has a percentage that is out of range"));
            return None;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in 0..=100")]
        let per_million = (percentage * 10_000.0).round() as u32;
        Some(Share { per_million })
    }
}

/// A span of time: seconds and nanoseconds. One that is negative, or nothing, counts as absent.
fn duration(body: &Value, name: &str) -> Option<Duration> {
    let span = field(body, name)?;
    let seconds = u64::try_from(integer(span, "seconds").unwrap_or(0)).ok()?;
    let nanos =
        u32::try_from(integer(span, "nanos").unwrap_or(0)).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(seconds, nanos)).filter(|span| !span.is_zero())
}

fn url_redirect(body: &Value) -> Redirect {
    let code = match text(body, "redirectResponseCode") {
        Some("FOUND") => RedirectCode::Found,
        Some("SEE_OTHER") => RedirectCode::SeeOther,
        Some("TEMPORARY_REDIRECT") => RedirectCode::TemporaryRedirect,
        Some("PERMANENT_REDIRECT") => RedirectCode::PermanentRedirect,
        // MOVED_PERMANENTLY_DEFAULT, and the default when nothing is said.
        _ => RedirectCode::MovedPermanently,
    };
    let path = match (text(body, "pathRedirect"), text(body, "prefixRedirect")) {
        (Some(path), _) => PathRedirect::Replace(path.to_owned()),
        (None, Some(prefix)) => PathRedirect::ReplaceMatched(prefix.to_owned()),
        (None, None) => PathRedirect::Keep,
    };
    Redirect {
        code,
        https: flag(body, "httpsRedirect"),
        host: text(body, "hostRedirect").map(str::to_owned),
        path,
        strip_query: flag(body, "stripQuery"),
    }
}
