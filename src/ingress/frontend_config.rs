//! The FrontendConfig of an Ingress: `networking.gke.io/v1beta1.FrontendConfig` names it, in the Ingress's own namespace.
//!
//! Where it cannot be had, plain HTTP does what the class says, and the versions and ciphers of TLS stay as they are: clients are neither
//! let in by what was ruled out, nor kept out.

use k8s_openapi::api::networking::v1::Ingress;

use crate::custom_resource::frontend_config::{FrontendConfigSpec, RedirectToHttps, ResponseCodeName};
use crate::load_balancer::{PlainHttp, SslPolicy};
use crate::model::{ObjectKey, RedirectCode, ResourceName};
use crate::problem::{Problem, Reason};
use crate::snapshot::{FRONTEND_CONFIG_ANNOTATION, Snapshot};

use super::By;
use super::annotations::{Said, annotation, field_of};

/// What an Ingress's FrontendConfig says.
pub(super) struct Settings {
    /// What port 80 does beside TLS; `None` where it does not say.
    pub(super) plain: Option<PlainHttp>,
    pub(super) ssl_policy: Said<SslPolicy>,
    pub(super) problem: Option<Problem>,
}

pub(super) fn read(snapshot: &Snapshot, object: &ObjectKey, ingress: &Ingress) -> Settings {
    let Some(name) =
        annotation(&ingress.metadata, FRONTEND_CONFIG_ANNOTATION).filter(|name| !name.is_empty())
    else {
        let ssl_policy = Said { value: SslPolicy::Default, by: By::Default };
        return Settings { plain: None, ssl_policy, problem: None };
    };
    let config = ObjectKey::new(object.namespace.as_str(), name);
    let until = "Until then plain HTTP does what the class says, and clients may speak the versions and ciphers of TLS that they may now.";
    let problem = match snapshot.frontend_configs.get(&config) {
        Some(Ok(spec)) => {
            let FrontendConfigSpec { ssl_policy, redirect_to_https } = &**spec;
            let ssl_policy = Said { value: self::ssl_policy(ssl_policy.as_deref()), by: By::Object };
            return Settings { plain: redirect_to_https.as_ref().map(plain), ssl_policy, problem: None };
        }
        Some(Err(unreadable)) => Problem::degraded(
            Reason::FrontendConfigInvalid,
            format!("FrontendConfig {config}: {}", unreadable.field),
            format!("The field {} {}. Correct it. {until}", unreadable.field, unreadable.why),
        ),
        None => Problem::degraded(
            Reason::FrontendConfigNotFound,
            field_of(FRONTEND_CONFIG_ANNOTATION),
            format!("There is no FrontendConfig {config}. Create it, or name another one. {until}"),
        ),
    };
    let ssl_policy = Said { value: SslPolicy::AsItIs, by: By::Object };
    Settings { plain: None, ssl_policy, problem: Some(problem) }
}

/// Another name than a legal one is refused when the object is read.
fn ssl_policy(asked: Option<&str>) -> SslPolicy {
    match asked.and_then(|name| ResourceName::new(name).ok()) {
        Some(name) => SslPolicy::Named(name),
        None => SslPolicy::Default,
    }
}

fn plain(asked: &RedirectToHttps) -> PlainHttp {
    let RedirectToHttps { enabled, response_code_name } = asked;
    if !enabled {
        return PlainHttp::Serve;
    }
    PlainHttp::Redirect(match response_code_name {
        None | Some(ResponseCodeName::MovedPermanentlyDefault | ResponseCodeName::Unset) => {
            RedirectCode::MovedPermanently
        }
        Some(ResponseCodeName::Found) => RedirectCode::Found,
        Some(ResponseCodeName::TemporaryRedirect) => RedirectCode::TemporaryRedirect,
        Some(ResponseCodeName::PermanentRedirect) => RedirectCode::PermanentRedirect,
    })
}
