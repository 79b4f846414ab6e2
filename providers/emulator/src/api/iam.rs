//! Who may do what with a resource: policies are kept and shown, and nobody is refused by them.

use crate::declaration::{
    CustomVerb, Effect, Fields, Question, Type, VerbAddress, choice, integer, list, object, text,
};
use crate::error::ApiError;
use crate::fingerprint::Fingerprint;
use crate::state::Stored;
use serde_json::{Map, Value, json};

/// `GET …/getIamPolicy`.
pub(super) const GET_POLICY: CustomVerb = CustomVerb {
    name: "getIamPolicy",
    request: &[integer("optionsRequestedPolicyVersion").in_query()],
    effect: Effect::Answer(|question, _| Ok(policy(question.stored))),
    address: VerbAddress::Read,
};

/// `POST …/setIamPolicy`. Answers with the policy, not with an operation.
pub(super) const SET_POLICY: CustomVerb = CustomVerb {
    name: "setIamPolicy",
    request: SET_REQUEST,
    effect: Effect::Settle(set_policy),
    address: VerbAddress::Scoped,
};

/// `POST …/testIamPermissions`. Whoever asks has those of the token, and every one where no token is looked at.
pub(super) const TEST_PERMISSIONS: CustomVerb = CustomVerb {
    name: "testIamPermissions",
    request: &[list("permissions", &Type::Text)],
    effect: Effect::Answer(|question, _| Ok(granted(question))),
    address: VerbAddress::Scoped,
};

const CONDITION: Fields = &[text("description"), text("expression"), text("location"), text("title")];

const BINDING: Fields = &[object("condition", CONDITION), list("members", &Type::Text), text("role")];

const AUDIT: Fields = &[
    list(
        "auditLogConfigs",
        &Type::Object(&[
            list("exemptedMembers", &Type::Text),
            choice("logType", &["ADMIN_READ", "DATA_READ", "DATA_WRITE", "LOG_TYPE_UNSPECIFIED"]),
        ]),
    ),
    text("service"),
];

const POLICY: Fields = &[
    list("auditConfigs", &Type::Object(AUDIT)),
    list("bindings", &Type::Object(BINDING)),
    text("etag"),
    integer("version"),
];

/// `bindings` and `etag` beside the policy are the older form of the same.
const SET_REQUEST: Fields =
    &[list("bindings", &Type::Object(BINDING)), text("etag"), object("policy", POLICY)];

/// The key under which a policy is kept apart from the body of its resource.
const KEPT: &str = "iamPolicy";

/// The policy of a resource, and the fingerprint that is its etag.
fn kept(stored: &Stored) -> (Map<String, Value>, Fingerprint) {
    let policy = match stored.secrets.get(KEPT) {
        Some(Value::Object(policy)) => policy.clone(),
        _ => Map::new(),
    };
    let etag = Fingerprint::of_text(&Value::Object(policy.clone()).to_string());
    (policy, etag)
}

fn policy(stored: &Stored) -> Value {
    let (mut policy, etag) = kept(stored);
    policy.entry("version").or_insert_with(|| json!(1));
    policy.insert("etag".to_owned(), json!(etag.show()));
    Value::Object(policy)
}

fn set_policy(stored: &mut Stored, request: &Map<String, Value>) -> Result<Value, ApiError> {
    let mut given = match request.get("policy") {
        Some(Value::Object(policy)) => policy.clone(),
        _ => request.clone(),
    };
    if let Some(etag) = given.shift_remove("etag").filter(|etag| etag != "")
        && !etag.as_str().is_some_and(|etag| kept(stored).1.is(etag))
    {
        return Err(ApiError::conflict(
            "aborted",
            "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.",
        ));
    }
    stored.secrets.insert(KEPT.to_owned(), Value::Object(given));
    Ok(policy(stored))
}

fn granted(question: &Question<'_>) -> Value {
    let asked = question.request.get("permissions").and_then(Value::as_array);
    let given: Vec<&Value> = asked
        .into_iter()
        .flatten()
        .filter(|permission| match (question.caller, permission.as_str()) {
            (Some(caller), Some(permission)) => caller.may(permission, &question.path.project),
            _ => true,
        })
        .collect();
    if given.is_empty() { json!({}) } else { json!({ "permissions": given }) }
}
