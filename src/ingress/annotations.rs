//! Settings that are annotations: `gclb.dev/…` on an Ingress or on its IngressClass. The Ingress's own wins over its class's.
//!
//! | annotation | values | default |
//! |---|---|---|
//! | `gclb.dev/redirect` | `true` (301), `false`, or the status to redirect with: `301`, `302`, `303`, `307`, `308` | `true` |
//! | `gclb.dev/allow-http` | `true`, `false` (nothing listens on port 80) | `true` |
//! | `kubernetes.io/ingress.allow-http` | the same, on an Ingress that has not got that | |
//! | `gclb.dev/scheme` (class only) | `global`, `classic`: which kind of load balancer | `global` |
//!
//! | `gclb.dev/group` | a DNS label: the group whose load balancer serves this Ingress too | none |
//! | `gclb.dev/group-order` | a whole number; lower ones come first in their group | `0` |
//! | `gclb.dev/group-scope` (class only) | `namespace`, `class`: from where Ingresses of the same group are one | `namespace` |
//! | `gclb.dev/drift` (class only) | `revert`, `report`: what follows when somebody else changes a resource of ours | `revert` |
//! | `gclb.dev/release-address` | the address that an Ingress gives up which has joined a group | none |
//! | `gclb.dev/allow-outage` | the word by which a plan names an outage | none |
//! | `gclb.dev/confirm-deletion` | `true`: the load balancer may go, however many others go at the same time | none |
//!
//! A redirect is from `http` to `https` and so has a meaning only beside TLS. Where plain HTTP is not allowed there is nothing to
//! redirect, and `gclb.dev/redirect` does not matter.
//!
//! A value that cannot be read is a problem, and the value that would hold without it holds: the class's, else the default.

use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::load_balancer::{ALLOW_OUTAGE, PlainHttp};
use crate::model::RedirectCode;
use crate::problem::{Problem, Reason};

/// Whether and how plain HTTP is redirected.
pub const REDIRECT: &str = "gclb.dev/redirect";

/// Whether port 80 is served at all.
pub const ALLOW_HTTP: &str = "gclb.dev/allow-http";

/// The same, as ingress-gce has it.
pub const ALLOW_HTTP_OF_INGRESS_GCE: &str = "kubernetes.io/ingress.allow-http";

/// On a class: which kind of load balancer its Ingresses get.
pub const SCHEME: &str = "gclb.dev/scheme";

/// The group whose load balancer serves the Ingress.
pub const GROUP: &str = "gclb.dev/group";

/// The Ingress's place in its group.
pub const GROUP_ORDER: &str = "gclb.dev/group-order";

/// On a class: how far its groups reach.
pub const GROUP_SCOPE: &str = "gclb.dev/group-scope";

/// Consent to giving up the address of the load balancer that an Ingress had before it joined a group.
pub const RELEASE_ADDRESS: &str = "gclb.dev/release-address";

/// On a class: what follows when somebody else changes a resource of ours.
pub const DRIFT: &str = "gclb.dev/drift";

/// Consent to losing the load balancer, where most others go at the same time.
pub const CONFIRM_DELETION: &str = "gclb.dev/confirm-deletion";

/// Written by us: the groups whose load balancers may hold something of the Ingress.
pub const MEMBER_OF: &str = "gclb.dev/member-of";

/// Written by us: how far the load balancer is.
pub const STATUS: &str = "gclb.dev/status";

/// Written by `gclb release`, with the moment: the Ingress and its load balancer are not ours any more.
pub const RELEASED: &str = "gclb.dev/released";

/// What all of our annotations begin with.
const PREFIX: &str = "gclb.dev/";

/// What port 80 is to do, as one Ingress has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlainSettings {
    /// What it does beside TLS, where plain HTTP is allowed.
    pub(super) redirect: Said<PlainHttp>,
    /// Whether plain HTTP is allowed.
    pub(super) allowed: Said<bool>,
}

/// A setting's value, and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said<T> {
    pub(super) value: T,
    pub(super) by: By,
}

/// Who says what a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The Ingress itself.
    Object,
    /// Its class.
    Class,
    /// Nobody.
    Default,
}

impl PlainSettings {
    /// The two together.
    pub(super) const fn plain(&self) -> PlainHttp {
        if self.allowed.value { self.redirect.value } else { PlainHttp::Refuse }
    }
}

/// What port 80 is to do. What the Ingress's FrontendConfig says of it gives way to the Ingress's own annotation.
pub(super) fn plain_http(
    ingress: &Ingress,
    by_config: Option<PlainHttp>,
    class: Option<&IngressClass>,
) -> (PlainSettings, Vec<Problem>) {
    let mut problems = unknown(ingress);
    let redirect = Setting {
        key: REDIRECT,
        also: None,
        legal: "true, false, 301, 302, 303, 307 and 308",
        read: redirect,
        default: PlainHttp::Redirect(RedirectCode::MovedPermanently),
        default_text: "true",
    }
    .of(ingress, class, &mut problems);
    let redirect = match (redirect.by, by_config) {
        (By::Class | By::Default, Some(value)) => Said { value, by: By::Object },
        _ => redirect,
    };
    let allowed = Setting {
        key: ALLOW_HTTP,
        also: Some((ALLOW_HTTP_OF_INGRESS_GCE, go_bool)),
        legal: "true and false",
        read: switch,
        default: true,
        default_text: "true",
    }
    .of(ingress, class, &mut problems);
    (PlainSettings { redirect, allowed }, problems)
}

/// An Ingress's place in its group.
pub(super) fn group_order(ingress: &Ingress) -> (i32, Option<Problem>) {
    let Some(text) = annotation(&ingress.metadata, GROUP_ORDER) else { return (0, None) };
    if let Ok(order) = text.parse() {
        return (order, None);
    }
    let message = format!(
        "{text:?} is not a value of the annotation {GROUP_ORDER}, so the default holds: 0. Legal are whole numbers, such as -10 or 5; \
                 lower ones come first."
    );
    (0, Some(Problem::degraded(Reason::AnnotationInvalid, field_of(GROUP_ORDER), message)))
}

/// Whether the class wants drift to be reported and not undone, and what is wrong where it cannot be read.
pub(super) fn drift_is_only_reported(class: Option<&IngressClass>) -> (bool, Option<Problem>) {
    let Some((class, value)) = class.and_then(|class| Some((class, annotation(&class.metadata, DRIFT)?)))
    else {
        return (false, None);
    };
    match value {
        "report" => (true, None),
        "revert" => (false, None),
        other => {
            let name = name_of(class);
            let message = format!(
                "{other:?} is not a value of the annotation {DRIFT} of IngressClass {name}, so the default holds: revert. Legal values are \
                 revert and report."
            );
            let field = format!("IngressClass {name}: {}", field_of(DRIFT));
            (false, Some(Problem::degraded(Reason::AnnotationInvalid, field, message)))
        }
    }
}

/// A redirect that an Ingress without TLS asks for.
pub(super) fn redirect_without_tls(ingress: &Ingress) -> Option<Problem> {
    let value = annotation(&ingress.metadata, REDIRECT)?;
    let asked = matches!(redirect(value), Some(PlainHttp::Redirect(_)));
    asked.then(|| {
        Problem::warning(
            Reason::AnnotationInvalid,
            field_of(REDIRECT),
            format!(
                "The redirect to https ({value:?}) has no effect, since there is no certificate: plain HTTP is served as it is. Name \
                 a Secret in spec.tls, or remove the annotation."
            ),
        )
    })
}

/// Another annotation that says the same, and how it is read.
type Also<T> = (&'static str, fn(&str) -> Option<T>);

/// A setting and how it is read.
struct Setting<T> {
    key: &'static str,
    /// On an Ingress where this one is not there.
    also: Option<Also<T>>,
    legal: &'static str,
    read: fn(&str) -> Option<T>,
    default: T,
    default_text: &'static str,
}

impl<T> Setting<T> {
    fn of(self, ingress: &Ingress, class: Option<&IngressClass>, problems: &mut Vec<Problem>) -> Said<T> {
        let Self { key, also, legal, read, default, default_text } = self;
        let of_ingress = annotation(&ingress.metadata, key).map(|value| (key, value, read));
        let own = of_ingress.or_else(|| {
            let (key, read) = also?;
            Some((key, annotation(&ingress.metadata, key)?, read))
        });
        if let Some(value) = own.and_then(|(_, value, read)| read(value)) {
            return Said { value, by: By::Object };
        }
        let of_class = class.and_then(|class| Some((class, annotation(&class.metadata, key)?)));
        let (value_holding, by, holds) =
            match of_class.map(|(class, value)| (name_of(class), value, read(value))) {
                Some((name, value, Some(setting))) => {
                    (setting, By::Class, format!("what IngressClass {name} says holds: {value}"))
                }
                _ => (default, By::Default, format!("the default holds: {default_text}")),
            };
        let unreadable = |key: &str, field: String, whose: String, value: &str| {
            Problem::degraded(
                Reason::AnnotationInvalid,
                field,
                format!(
                    "{value:?} is not a value of the annotation {key}{whose}, so {holds}. Legal values are {legal}."
                ),
            )
        };
        if let Some((key, value, _)) = own {
            problems.push(unreadable(key, field_of(key), String::new(), value));
        }
        if let Some((class, value)) = of_class.filter(|(_, value)| read(value).is_none()) {
            let name = name_of(class);
            let field = format!("IngressClass {name}: {}", field_of(key));
            problems.push(unreadable(key, field, format!(" of IngressClass {name}"), value));
        }
        Said { value: value_holding, by }
    }
}

pub(super) fn name_of(class: &IngressClass) -> &str {
    class.metadata.name.as_deref().unwrap_or_default()
}

fn redirect(value: &str) -> Option<PlainHttp> {
    let code = match value {
        "false" => return Some(PlainHttp::Serve),
        "true" | "301" => RedirectCode::MovedPermanently,
        "302" => RedirectCode::Found,
        "303" => RedirectCode::SeeOther,
        "307" => RedirectCode::TemporaryRedirect,
        "308" => RedirectCode::PermanentRedirect,
        _ => return None,
    };
    Some(PlainHttp::Redirect(code))
}

fn switch(value: &str) -> Option<bool> {
    match value {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// As the Go function reads it by which ingress-gce does (`strconv.ParseBool`).
fn go_bool(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// Annotations with our prefix that nobody here reads: most likely a slip of the pen.
fn unknown(ingress: &Ingress) -> Vec<Problem> {
    let known = [
        REDIRECT,
        ALLOW_HTTP,
        GROUP,
        GROUP_ORDER,
        RELEASE_ADDRESS,
        ALLOW_OUTAGE,
        CONFIRM_DELETION,
        MEMBER_OF,
        RELEASED,
        STATUS,
    ];
    annotations(&ingress.metadata)
        .map(|(key, _)| key)
        .filter(|key| key.starts_with(PREFIX) && !known.contains(&key.as_str()))
        .map(|key| {
            Problem::warning(
                Reason::AnnotationInvalid,
                field_of(key),
                format!(
                    "There is no setting {key}, so the annotation changes nothing. An Ingress may have {REDIRECT}, {ALLOW_HTTP}, \
                     {GROUP}, {GROUP_ORDER} and {RELEASE_ADDRESS}. Correct the name, or remove the annotation."
                ),
            )
        })
        .collect()
}

/// The field of an annotation, as messages name it.
pub(super) fn field_of(key: &str) -> String {
    format!("metadata.annotations[{key}]")
}

pub(super) fn annotation<'a>(metadata: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    metadata.annotations.as_ref()?.get(key).map(|value| value.trim())
}

fn annotations(metadata: &ObjectMeta) -> impl Iterator<Item = (&String, &String)> {
    metadata.annotations.iter().flatten()
}

/// Whether an Ingress may lose its load balancer, however many others go at the same time.
#[must_use]
pub fn confirms_deletion(ingress: &Ingress) -> bool {
    annotation(&ingress.metadata, CONFIRM_DELETION) == Some("true")
}
