//! Who may call: tokens, whose they are, and what each permits.
//!
//! Off unless asked for: then every token is as good as none. When tokens are checked, those of the token file and those
//! that the metadata server has handed out are known; any other is refused as the real API refuses it.

mod grant;
mod permission;

use crate::call::Call;
use crate::engine::{Engine, Request};
use crate::error::ApiError;
use crate::version::Version;
pub(crate) use grant::read;
pub use grant::{Permissions, StaticToken, TokenFileError};
use http::{HeaderValue, header};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Whether requests must show a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenCheck {
    /// No token is looked at.
    #[default]
    Off,
    /// A request without a valid token is 401, one without the permission 403.
    On,
}

/// The tokens that are known.
#[derive(Default)]
pub(crate) struct Tokens {
    known: Mutex<HashMap<String, Known>>,
}

/// Never prints tokens.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("known", &self.known().len()).finish()
    }
}

#[derive(Clone)]
struct Known {
    caller: Arc<Caller>,
    expires: Option<Timestamp>,
}

/// Somebody with a valid token.
#[derive(Debug)]
pub(crate) struct Caller {
    /// Who operations say has asked.
    pub(crate) account: String,
    /// All, if nothing is said.
    projects: Option<Vec<String>>,
    permissions: Permissions,
}

impl Caller {
    /// Whether a permission such as `compute.urlMaps.create` is given on a project.
    pub(crate) fn may(&self, permission: &str, project: &str) -> bool {
        self.projects.as_ref().is_none_or(|projects| projects.iter().any(|known| known == project))
            && self.permissions.give(permission)
    }
}

impl Tokens {
    pub(crate) fn new(fixed: Vec<StaticToken>) -> Self {
        let known = fixed
            .into_iter()
            .map(|StaticToken { token, account, projects, permissions, expires }| {
                (token, Known { caller: Arc::new(Caller { account, projects, permissions }), expires })
            })
            .collect();
        Self { known: Mutex::new(known) }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a token for the account of a project's instances: it may do everything in that project.
    pub(crate) fn hand_out(
        &self,
        account: &str,
        project: &str,
        now: Timestamp,
        lifetime: SignedDuration,
    ) -> String {
        let token = format!("ya29.emulator-{:016x}{:016x}", rand::random::<u64>(), rand::random::<u64>());
        let caller = Arc::new(Caller {
            account: account.to_owned(),
            projects: Some(vec![project.to_owned()]),
            permissions: Permissions::Admin,
        });
        let expires = Some(now.saturating_add(lifetime).unwrap_or(Timestamp::MAX));
        let mut known = self.known();
        known.retain(|_, known| known.expires.is_none_or(|expires| expires > now));
        known.insert(token.clone(), Known { caller, expires });
        token
    }

    fn find(&self, token: &str, now: Timestamp) -> Result<Arc<Caller>, Refusal> {
        let known = self.known();
        let found = known.get(token).ok_or(Refusal::Invalid("ACCESS_TOKEN_TYPE_UNSUPPORTED"))?;
        if found.expires.is_some_and(|expires| expires <= now) {
            return Err(Refusal::Invalid("ACCESS_TOKEN_EXPIRED"));
        }
        Ok(Arc::clone(&found.caller))
    }
}

/// Why a call is not let in.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// No token.
    Missing,
    /// A token that means nothing, or nothing any more.
    Invalid(&'static str),
    /// A token that does not permit this.
    Forbidden { permission: String, resource: String },
}

impl Refusal {
    /// The answer, and what it carries besides its body.
    pub(crate) fn answer(&self, method: Option<&str>) -> (ApiError, Option<HeaderValue>) {
        const REALM: &str = r#"Bearer realm="https://accounts.google.com/""#;
        const REALM_INVALID: &str = r#"Bearer realm="https://accounts.google.com/", error="invalid_token""#;
        match self {
            Self::Missing => (ApiError::credentials_missing(method), Some(HeaderValue::from_static(REALM))),
            Self::Invalid(why) => {
                (ApiError::credentials_invalid(why, method), Some(HeaderValue::from_static(REALM_INVALID)))
            }
            Self::Forbidden { permission, resource } => (ApiError::forbidden(permission, resource), None),
        }
    }
}

/// A method as refusals name it: `compute.v1.UrlMapsService.List`.
pub(crate) fn rpc(version: Version, call: &Call) -> String {
    let method = call.method();
    let upper = |text: &str| {
        let mut letters = text.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        first + letters.as_str()
    };
    let (collection, verb) = method.split_once('.').unwrap_or((&method, ""));
    format!("compute.{}.{}Service.{}", version.name(), upper(collection), upper(verb))
}

/// Lets a call in, or not. None: tokens are not checked, or nobody needs one for what is asked.
pub(crate) fn admit(
    engine: &Engine,
    request: &Request,
    call: Option<&Call>,
) -> Result<Option<Arc<Caller>>, Refusal> {
    if engine.config.tokens == TokenCheck::Off {
        return Ok(None);
    }
    // What is no method is not found, with or without a token.
    let Some(call) = call else { return Ok(None) };
    let token = bearer(request).ok_or(Refusal::Missing)?;
    let caller = engine.tokens.find(token, engine.clock.now())?;
    let Some(permission) = permission::of(call) else { return Ok(Some(caller)) };
    let project = {
        let state = engine.state();
        let number = call.project().parse().ok().and_then(|number| state.identities().project(number));
        number.unwrap_or(call.project()).to_owned()
    };
    if caller.may(&permission, &project) {
        Ok(Some(caller))
    } else {
        Err(Refusal::Forbidden { resource: permission::subject(call, &project, &request.body), permission })
    }
}

/// The token of a request: in the header, or in the query, where old clients put it.
fn bearer(request: &Request) -> Option<&str> {
    let header = request.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = match header {
        Some(header) => {
            let (scheme, token) = header.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())?
        }
        None => request.query.get("access_token")?,
    };
    (!token.is_empty()).then_some(token)
}
