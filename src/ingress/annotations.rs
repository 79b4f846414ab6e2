//! Settings that are annotations: `gclb.dev/…` on an Ingress or on its IngressClass. The Ingress's own wins over its class's.
//!
//! | annotation | values | default |
//! |---|---|---|
//! | `gclb.dev/redirect` | `true` (301), `false`, or the status to redirect with: `301`, `302`, `303`, `307`, `308` | `true` |
//! | `gclb.dev/allow-http` | `true`, `false` (nothing listens on port 80) | `true` |
//!
//! A redirect is from `http` to `https` and so has a meaning only beside TLS. Where plain HTTP is not allowed there is nothing to
//! redirect, and `gclb.dev/redirect` does not matter.
//!
//! A value that cannot be read is a problem, and the value that would hold without it holds: the class's, else the default.

use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::load_balancer::PlainHttp;
use crate::model::RedirectCode;
use crate::problem::{Problem, Reason};

/// Whether and how plain HTTP is redirected.
pub const REDIRECT: &str = "gclb.dev/redirect";

/// Whether port 80 is served at all.
pub const ALLOW_HTTP: &str = "gclb.dev/allow-http";

/// Written by us: how far the load balancer is.
pub const STATUS: &str = "gclb.dev/status";

/// What all of our annotations begin with.
const PREFIX: &str = "gclb.dev/";

/// What port 80 is to do beside TLS.
pub(super) fn plain_http(ingress: &Ingress, class: Option<&IngressClass>) -> (PlainHttp, Vec<Problem>) {
    let mut problems = unknown(ingress);
    let redirect = Setting {
        key: REDIRECT,
        legal: "true, false, 301, 302, 303, 307 and 308",
        read: redirect,
        default: PlainHttp::Redirect(RedirectCode::MovedPermanently),
        default_text: "true",
    }
    .of(ingress, class, &mut problems);
    let allowed = Setting {
        key: ALLOW_HTTP,
        legal: "true and false",
        read: switch,
        default: true,
        default_text: "true",
    }
    .of(ingress, class, &mut problems);
    (if allowed { redirect } else { PlainHttp::Refuse }, problems)
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

/// A setting and how it is read.
struct Setting<T> {
    key: &'static str,
    legal: &'static str,
    read: fn(&str) -> Option<T>,
    default: T,
    default_text: &'static str,
}

impl<T> Setting<T> {
    fn of(self, ingress: &Ingress, class: Option<&IngressClass>, problems: &mut Vec<Problem>) -> T {
        let Self { key, legal, read, default, default_text } = self;
        let own = annotation(&ingress.metadata, key);
        if let Some(setting) = own.and_then(read) {
            return setting;
        }
        let of_class = class.and_then(|class| Some((class, annotation(&class.metadata, key)?)));
        let (setting, holds) = match of_class.map(|(class, value)| (name_of(class), value, read(value))) {
            Some((name, value, Some(setting))) => {
                (setting, format!("what IngressClass {name} says holds: {value}"))
            }
            _ => (default, format!("the default holds: {default_text}")),
        };
        let unreadable = |field: String, whose: String, value: &str| {
            Problem::degraded(
                Reason::AnnotationInvalid,
                field,
                format!(
                    "{value:?} is not a value of the annotation {key}{whose}, so {holds}. Legal values are {legal}."
                ),
            )
        };
        if let Some(value) = own {
            problems.push(unreadable(field_of(key), String::new(), value));
        }
        if let Some((class, value)) = of_class.filter(|(_, value)| read(value).is_none()) {
            let name = name_of(class);
            let field = format!("IngressClass {name}: {}", field_of(key));
            problems.push(unreadable(field, format!(" of IngressClass {name}"), value));
        }
        setting
    }
}

fn name_of(class: &IngressClass) -> &str {
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

/// Annotations with our prefix that nobody here reads: most likely a slip of the pen.
fn unknown(ingress: &Ingress) -> Vec<Problem> {
    let known = [REDIRECT, ALLOW_HTTP, STATUS];
    annotations(&ingress.metadata)
        .map(|(key, _)| key)
        .filter(|key| key.starts_with(PREFIX) && !known.contains(&key.as_str()))
        .map(|key| {
            Problem::warning(
                Reason::AnnotationInvalid,
                field_of(key),
                format!(
                    "There is no setting {key}, so the annotation changes nothing. An Ingress may have {REDIRECT} and {ALLOW_HTTP}. Correct \
                     the name, or remove the annotation."
                ),
            )
        })
        .collect()
}

/// The field of an annotation, as messages name it.
pub(super) fn field_of(key: &str) -> String {
    format!("metadata.annotations[{key}]")
}

fn annotation<'a>(metadata: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    metadata.annotations.as_ref()?.get(key).map(|value| value.trim())
}

fn annotations(metadata: &ObjectMeta) -> impl Iterator<Item = (&String, &String)> {
    metadata.annotations.iter().flatten()
}
