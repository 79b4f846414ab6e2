//! Security policies: rules about who may reach a backend.

mod fields;
mod rules;

use super::{SET_LABELS_VERB, iam};
use crate::declaration::{
    CollectionAnswer, CollectionVerb, CustomVerb, Effect, Field, Fields, ListOf, Locking, Question, Resource,
    ScopeKind, Standard, VerbAddress, VerbPlace, integer, joined, text,
};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::schema;
use crate::world::World;
use serde_json::{Map, Value, json};

pub(super) static RESOURCE: Resource = Resource {
    collection: "securityPolicies",
    singular: "security_policy",
    kind: "compute#securityPolicy",
    scopes: &[ScopeKind::Global, ScopeKind::Region],
    fields: fields::FIELDS,
    verbs: &[Standard::Insert, Standard::Patch, Standard::Delete],
    custom: &[
        CustomVerb {
            name: "addRule",
            request: fields::RULE,
            effect: Effect::Change(add_rule),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "getRule",
            request: PRIORITY,
            effect: Effect::Answer(get_rule),
            address: VerbAddress::Read,
        },
        CustomVerb {
            name: "patchRule",
            request: &PATCH_RULE,
            effect: Effect::Change(patch_rule),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "removeRule",
            request: PRIORITY,
            effect: Effect::Change(remove_rule),
            address: VerbAddress::Scoped,
        },
        SET_LABELS_VERB,
        iam::TEST_PERMISSIONS,
    ],
    collection_verbs: &[CollectionVerb {
        name: "listPreconfiguredExpressionSets",
        place: VerbPlace::Scoped,
        answer: CollectionAnswer::Facts(expression_sets),
    }],
    lacks: &[(ScopeKind::Region, &["listPreconfiguredExpressionSets", "testIamPermissions"])],
    list_kinds: &[(ListOf::Everywhere, "compute#securityPoliciesAggregatedList")],
    locking: Locking::Fingerprint,
    masked: &["patch"],
    validates: &["insert", "addRule", "patchRule"],
    fill,
    check,
    ..Resource::PLAIN
};

/// The rule that is meant, by its place in the order of rules. None given: the first one.
const PRIORITY: Fields = &[integer("priority").default_integer(0).in_query()];

const MASKED: Fields = &[integer("priority").default_integer(0).in_query(), text("updateMask").in_query()];

const PATCH_RULE: [Field; fields::RULE.len() + MASKED.len()] = joined(fields::RULE, MASKED);

/// The sets of expressions that rules may name. What is in each is not said.
const EXPRESSION_SETS: &[&str] = &[
    "cve-canary",
    "java-v33-stable",
    "json-sqli-canary",
    "lfi-v33-stable",
    "methodenforcement-v33-stable",
    "nodejs-v33-stable",
    "php-v33-stable",
    "protocolattack-v33-stable",
    "rce-v33-stable",
    "rfi-v33-stable",
    "scannerdetection-v33-stable",
    "sessionfixation-v33-stable",
    "sqli-v33-stable",
    "xss-v33-stable",
];

fn expression_sets() -> Value {
    let sets: Vec<Value> = EXPRESSION_SETS.iter().map(|id| json!({ "id": id })).collect();
    json!({ "preconfiguredExpressionSets": { "wafRules": { "expressionSets": sets } } })
}

fn rules(body: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    body.get("rules").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

fn priority(rule: &Map<String, Value>) -> i64 {
    rule.get("priority").and_then(Value::as_i64).unwrap_or_default()
}

/// Rules are told apart by their priority, and shown in the order of its digits, as recorded.
fn put_rules(draft: &mut Draft, mut rules: Vec<Map<String, Value>>) {
    rules.sort_by_key(|rule| priority(rule).to_string());
    for rule in &mut rules {
        rule.insert("kind".to_owned(), json!("compute#securityPolicyRule"));
    }
    draft.body_mut().insert("rules".to_owned(), json!(rules));
}

/// A policy that comes without rules admits everybody.
fn fill(draft: &mut Draft, _: &World<'_>) {
    let mut found: Vec<Map<String, Value>> = rules(draft.body()).cloned().collect();
    if found.is_empty() && draft.previous.is_none() {
        found.extend(
            json!({
                "action": "allow",
                "description": "default rule",
                "match": { "config": { "srcIpRanges": ["*"] }, "versionedExpr": "SRC_IPS_V1" },
                "preview": false,
                "priority": rules::LAST,
            })
            .as_object()
            .cloned(),
        );
    }
    put_rules(draft, found);
}

fn check(draft: &Draft, _: &World<'_>) -> Result<(), ApiError> {
    rules::check(&rules(draft.body()).collect::<Vec<_>>())
}

fn asked(request: &Map<String, Value>) -> i64 {
    request.get("priority").and_then(Value::as_i64).unwrap_or_default()
}

fn no_rule(priority: i64) -> ApiError {
    ApiError::invalid(
        "priority",
        &priority.to_string(),
        &format!("The security policy does not contain a rule at priority {priority}."),
    )
}

fn get_rule(question: &Question<'_>, _: &World<'_>) -> Result<Value, ApiError> {
    let wanted = asked(question.request);
    let found = rules(question.stored.fields()).find(|rule| priority(rule) == wanted);
    found.map(|rule| Value::Object(rule.clone())).ok_or_else(|| no_rule(wanted))
}

fn add_rule(draft: &mut Draft, request: &Map<String, Value>, _: &World<'_>) -> Result<(), ApiError> {
    let wanted = asked(request);
    let mut all: Vec<_> = rules(draft.body()).cloned().collect();
    if all.iter().any(|rule| priority(rule) == wanted) {
        return Err(rules::same_priority("resource.priority", wanted));
    }
    rules::check_one(request, "resource")?;
    all.push(request.clone());
    put_rules(draft, all);
    Ok(())
}

fn patch_rule(draft: &mut Draft, request: &Map<String, Value>, _: &World<'_>) -> Result<(), ApiError> {
    let wanted = asked(request);
    let mut change = request.clone();
    let mask = change.shift_remove("updateMask");
    change.shift_remove("priority");
    if let Some(mask) = mask.as_ref().and_then(Value::as_str).filter(|mask| !mask.is_empty()) {
        change = schema::masked(change, mask);
    }
    let mut all: Vec<_> = rules(draft.body()).cloned().collect();
    let rule = all.iter_mut().find(|rule| priority(rule) == wanted).ok_or_else(|| no_rule(wanted))?;
    schema::merge(rule, change);
    put_rules(draft, all);
    Ok(())
}

fn remove_rule(draft: &mut Draft, request: &Map<String, Value>, _: &World<'_>) -> Result<(), ApiError> {
    let wanted = asked(request);
    let mut all: Vec<_> = rules(draft.body()).cloned().collect();
    let before = all.len();
    all.retain(|rule| priority(rule) != wanted);
    if all.len() == before {
        return Err(no_rule(wanted));
    }
    if wanted == rules::LAST {
        return Err(ApiError::invalid(
            "priority",
            &wanted.to_string(),
            "The default rule cannot be removed.",
        ));
    }
    put_rules(draft, all);
    Ok(())
}
