//! Tokens of the account of the instance: one is handed out again and again until it is nearly over, as Google's does.

use super::MetadataServer;
use super::tree::{account, number};
use crate::engine::Engine;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// A token is not handed out any more when it has only so long to live, or a tenth of its life if that is less.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// The tokens that were handed out last, by the scopes that were asked for.
#[derive(Default)]
pub(crate) struct Handed(Mutex<HashMap<Vec<String>, (String, Timestamp)>>);

/// Never prints tokens.
impl std::fmt::Debug for Handed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handed").finish_non_exhaustive()
    }
}

/// As many sets of scopes are remembered.
const MOST: usize = 100;

/// The answer of `…/token`.
pub(super) fn hand_out(engine: &Engine, server: &MetadataServer, mut scopes: Vec<String>) -> Value {
    scopes.sort_unstable();
    scopes.dedup();
    let now = engine.clock.now();
    let lifetime = SignedDuration::try_from(server.token_lifetime).unwrap_or(SignedDuration::MAX);
    let margin = MARGIN.min(lifetime / 10);
    let account = account(number(engine, server));
    let mut handed = engine.handed.0.lock().unwrap_or_else(PoisonError::into_inner);
    handed.retain(|_, (_, expires)| expires.duration_since(now) > margin);
    if handed.len() >= MOST {
        handed.clear();
    }
    let (token, expires) = handed.entry(scopes).or_insert_with(|| {
        let token = engine.tokens.hand_out(&account, &server.project, now, lifetime);
        (token, now.saturating_add(lifetime).unwrap_or(Timestamp::MAX))
    });
    json!({
        "access_token": token,
        "expires_in": expires.duration_since(now).as_secs().max(0),
        "token_type": "Bearer",
    })
}
