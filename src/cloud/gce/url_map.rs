//! URL maps.
//!
//! "Answered 404 by the load balancer itself" is written as a service that gets no request, because a fault policy aborts each of
//! them: the API has no other word for it.

use gce_api::{
    HostRule, HttpFaultAbort, HttpFaultInjection, HttpRedirectAction, HttpRouteAction,
    PathMatcher as WirePathMatcher, PathRule as WirePathRule, UrlMap as WireUrlMap,
};
use serde_json::{Map, Value};

use super::link::{Links, reference};
use super::wire::{NotUnderstood, Patched, Unspeakable, Wire, clear_others};
use crate::model::{
    Destination, HostRoutes, Mark, PathMatcher, PathRule, Redirect, RedirectCode, ResourceId, Scope, UrlMap,
};

const NOT_FOUND: u32 = 404;
const ALWAYS: f64 = 100.0;

impl Wire for WireUrlMap {
    type Model = UrlMap;

    fn write(model: &UrlMap, id: &ResourceId, mark: &Mark, links: &Links) -> Result<Self, Unspeakable> {
        let UrlMap { default, hosts } = model;
        let Spoken { service, redirect, action } = destination_to_wire(default, links)?;
        let host_rules = hosts.iter().map(|HostRoutes { hosts, matcher }| HostRule {
            hosts: Some(hosts.clone()),
            path_matcher: Some(matcher.name.clone()),
            ..HostRule::default()
        });
        let matchers = hosts.iter().map(|HostRoutes { hosts: _, matcher }| matcher_to_wire(matcher, links));
        Ok(Self {
            name: Some(id.name.to_string()),
            description: Some(mark.render()),
            default_service: service,
            default_url_redirect: redirect,
            default_route_action: action,
            host_rules: Some(host_rules.collect()),
            path_matchers: Some(matchers.collect::<Result<_, _>>()?),
            ..Self::default()
        })
    }

    fn read(&self, _: &Scope) -> Result<UrlMap, NotUnderstood> {
        let matchers = self.path_matchers.as_deref().unwrap_or_default();
        let hosts = self.host_rules.iter().flatten().map(|rule| {
            let named = rule.path_matcher.as_deref().unwrap_or_default();
            let matcher = matchers.iter().find(|matcher| matcher.name.as_deref() == Some(named));
            HostRoutes {
                hosts: rule.hosts.clone().unwrap_or_default(),
                matcher: matcher.map_or_else(|| no_matcher(named), matcher_from),
            }
        });
        Ok(UrlMap {
            default: destination_from(
                self.default_service.as_deref(),
                self.default_url_redirect.as_ref(),
                self.default_route_action.as_ref(),
            ),
            hosts: hosts.collect(),
        })
    }

    fn created(&self) -> Option<&str> {
        self.creation_timestamp.as_deref()
    }
}

impl Patched for WireUrlMap {
    const OWNED: &'static [&'static str] =
        &["defaultService", "defaultUrlRedirect", "defaultRouteAction", "hostRules", "pathMatchers"];

    fn clear_within(patch: &mut Map<String, Value>) {
        clear_others(patch, "defaultUrlRedirect", &["hostRedirect", "pathRedirect", "prefixRedirect"]);
        clear_others(
            patch,
            "defaultRouteAction",
            &[
                "cachePolicy",
                "corsPolicy",
                "maxStreamDuration",
                "requestMirrorPolicy",
                "retryPolicy",
                "timeout",
                "urlRewrite",
                "weightedBackendServices",
            ],
        );
        if let Some(Value::Object(action)) = patch.get_mut("defaultRouteAction") {
            clear_others(action, "faultInjectionPolicy", &["delay"]);
        }
    }
}

/// The three fields that say a destination, whatever they are called where it stands.
struct Spoken {
    service: Option<String>,
    redirect: Option<HttpRedirectAction>,
    action: Option<HttpRouteAction>,
}

fn destination_to_wire(destination: &Destination, links: &Links) -> Result<Spoken, Unspeakable> {
    let mut spoken = Spoken { service: None, redirect: None, action: None };
    match destination {
        Destination::Service(service) => spoken.service = Some(links.to(service.id())),
        Destination::Redirect(Redirect { https, code }) => {
            spoken.redirect = Some(HttpRedirectAction {
                https_redirect: Some(*https),
                redirect_response_code: Some(code_word(*code).to_owned()),
                strip_query: Some(false),
                ..HttpRedirectAction::default()
            });
        }
        Destination::NotFound { behind } => {
            spoken.service = Some(links.to(behind.id()));
            spoken.action = Some(not_found());
        }
        Destination::Other(text) => return Err(Unspeakable(format!("the destination {text}"))),
    }
    Ok(spoken)
}

fn destination_from(
    service: Option<&str>,
    redirect: Option<&HttpRedirectAction>,
    action: Option<&HttpRouteAction>,
) -> Destination {
    let empty = HttpRouteAction::default();
    let known = match (service.and_then(reference), redirect, action) {
        (Some(service), None, None) => Some(Destination::Service(service)),
        // Some answers have an empty object where nothing was said.
        (Some(service), None, Some(action)) if *action == empty => Some(Destination::Service(service)),
        (Some(behind), None, Some(action)) if *action == not_found() => {
            Some(Destination::NotFound { behind })
        }
        (None, Some(redirect), None) => redirect_from(redirect).map(Destination::Redirect),
        _ => None,
    };
    known.unwrap_or_else(|| Destination::Other(describe(service, redirect, action)))
}

/// What was found, for people: the fields as JSON.
fn describe(
    service: Option<&str>,
    redirect: Option<&HttpRedirectAction>,
    action: Option<&HttpRouteAction>,
) -> String {
    serde_json::json!({ "service": service, "urlRedirect": redirect, "routeAction": action }).to_string()
}

fn not_found() -> HttpRouteAction {
    HttpRouteAction {
        fault_injection_policy: Some(HttpFaultInjection {
            abort: Some(HttpFaultAbort {
                http_status: Some(NOT_FOUND),
                percentage: Some(ALWAYS),
                ..HttpFaultAbort::default()
            }),
            ..HttpFaultInjection::default()
        }),
        ..HttpRouteAction::default()
    }
}

fn redirect_from(wire: &HttpRedirectAction) -> Option<Redirect> {
    let plain = wire.host_redirect.is_none()
        && wire.path_redirect.is_none()
        && wire.prefix_redirect.is_none()
        && !wire.strip_query.unwrap_or_default();
    let code = code_from(wire.redirect_response_code.as_deref())?;
    plain.then(|| Redirect { https: wire.https_redirect.unwrap_or_default(), code })
}

const fn code_word(code: RedirectCode) -> &'static str {
    match code {
        RedirectCode::MovedPermanently => "MOVED_PERMANENTLY_DEFAULT",
        RedirectCode::Found => "FOUND",
        RedirectCode::SeeOther => "SEE_OTHER",
        RedirectCode::TemporaryRedirect => "TEMPORARY_REDIRECT",
        RedirectCode::PermanentRedirect => "PERMANENT_REDIRECT",
    }
}

fn code_from(word: Option<&str>) -> Option<RedirectCode> {
    match word {
        None | Some("MOVED_PERMANENTLY_DEFAULT") => Some(RedirectCode::MovedPermanently),
        Some("FOUND") => Some(RedirectCode::Found),
        Some("SEE_OTHER") => Some(RedirectCode::SeeOther),
        Some("TEMPORARY_REDIRECT") => Some(RedirectCode::TemporaryRedirect),
        Some("PERMANENT_REDIRECT") => Some(RedirectCode::PermanentRedirect),
        Some(_) => None,
    }
}

fn matcher_to_wire(matcher: &PathMatcher, links: &Links) -> Result<WirePathMatcher, Unspeakable> {
    let PathMatcher { name, default, path_rules } = matcher;
    let Spoken { service, redirect, action } = destination_to_wire(default, links)?;
    let rules = path_rules.iter().map(|PathRule { paths, destination }| {
        let Spoken { service, redirect, action } = destination_to_wire(destination, links)?;
        Ok(WirePathRule {
            paths: Some(paths.clone()),
            service,
            url_redirect: redirect,
            route_action: action,
            ..WirePathRule::default()
        })
    });
    Ok(WirePathMatcher {
        name: Some(name.clone()),
        default_service: service,
        default_url_redirect: redirect,
        default_route_action: action,
        path_rules: Some(rules.collect::<Result<_, _>>()?),
        ..WirePathMatcher::default()
    })
}

fn matcher_from(wire: &WirePathMatcher) -> PathMatcher {
    let default = if wire.route_rules.as_deref().unwrap_or_default().is_empty() {
        destination_from(
            wire.default_service.as_deref(),
            wire.default_url_redirect.as_ref(),
            wire.default_route_action.as_ref(),
        )
    } else {
        Destination::Other("route rules".to_owned())
    };
    let path_rules = wire.path_rules.iter().flatten().map(|rule| PathRule {
        paths: rule.paths.clone().unwrap_or_default(),
        destination: destination_from(
            rule.service.as_deref(),
            rule.url_redirect.as_ref(),
            rule.route_action.as_ref(),
        ),
    });
    PathMatcher { name: wire.name.clone().unwrap_or_default(), default, path_rules: path_rules.collect() }
}

fn no_matcher(name: &str) -> PathMatcher {
    PathMatcher {
        name: name.to_owned(),
        default: Destination::Other(format!("no path matcher {name}")),
        path_rules: Vec::new(),
    }
}
