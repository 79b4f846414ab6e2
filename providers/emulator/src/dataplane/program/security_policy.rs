//! Security policies: who may reach a backend.

use http::{HeaderName, HeaderValue, StatusCode};
use ipnet::IpNet;
use std::sync::Arc;

use crate::dataplane::expression::Expression;
use crate::dataplane::resource_id::SecurityPolicyId;

/// The policies that stand before a backend service or bucket.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Guard {
    /// `edgeSecurityPolicy`: asked first.
    pub edge: Option<Arc<SecurityPolicy>>,
    /// `securityPolicy`.
    pub backend: Option<Arc<SecurityPolicy>>,
}

/// A security policy.
#[derive(Debug, Clone, PartialEq)]
pub struct SecurityPolicy {
    /// The resource.
    pub id: SecurityPolicyId,
    /// In the order in which they are asked. Where none matches, the request is let through.
    pub rules: Vec<SecurityRule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct SecurityRule {
    /// Its place, and its name.
    pub priority: u32,
    /// Which requests it speaks of.
    pub matcher: SecurityMatch,
    /// What becomes of them.
    pub action: SecurityAction,
    /// Whether that really happens.
    pub force: Force,
    /// What is added to a request that it lets through, in the place of what is there by that name.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// Whether a rule acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// It acts.
    Enforced,
    /// It is only said in the log what it would do.
    Preview,
}

/// Which requests a rule speaks of.
#[derive(Debug, Clone, PartialEq)]
pub enum SecurityMatch {
    /// All.
    Everybody,
    /// Those of clients in one of these ranges.
    Sources(Vec<IpNet>),
    /// Those of which this is true.
    Expression(Box<Expression>),
    /// None: what the rule asks for cannot be told here.
    Nobody,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecurityAction {
    /// It goes on.
    Allow,
    /// It is answered this.
    Deny(StatusCode),
    /// It is sent elsewhere, with 302.
    Redirect(String),
}
