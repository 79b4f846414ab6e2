//! Forwarding rules: pointing one at another target.

use gce_api::{ForwardingRule, TargetReference};
use http::Method;

use crate::{Collection, Error, Operation};

impl Collection<ForwardingRule> {
    /// Points the rule at another target proxy of the same type, without interrupting traffic.
    pub async fn set_target(&self, name: &str, target: &str) -> Result<Operation, Error> {
        let body = TargetReference { target: Some(target.to_owned()), ..TargetReference::default() };
        self.change(Method::POST, "setTarget", name, self.verb_path("setTarget", name)?, Some(&body)).await
    }
}
