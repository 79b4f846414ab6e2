//! What security policies say of a request.

use super::expression::Facts;
use super::program::{Force, Guard, SecurityAction, SecurityMatch, SecurityPolicy, SecurityRule};
use super::route::HeaderEdit;

/// A rule that spoke of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spoken<'a> {
    /// Which of the policies it belongs to.
    pub(super) stand: Stand,
    pub(super) policy: &'a SecurityPolicy,
    pub(super) rule: &'a SecurityRule,
}

/// Where a policy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    Edge,
    Backend,
}

/// What policies say of one request, in the order in which it was asked.
#[derive(Debug, Default)]
pub(super) struct Judgement<'a> {
    pub(super) spoken: Vec<Spoken<'a>>,
}

impl<'a> Judgement<'a> {
    /// Asks the policies one after the other. The first that does not let the request through is the last.
    pub(super) fn of(guard: &'a Guard, facts: &Facts<'_>) -> Self {
        let Guard { edge, backend } = guard;
        let mut judgement = Self::default();
        let policies = [(Stand::Edge, edge), (Stand::Backend, backend)];
        for (stand, policy) in
            policies.into_iter().filter_map(|(stand, policy)| Some((stand, policy.as_ref()?)))
        {
            judgement.ask(stand, policy, facts);
            if judgement.against().is_some() {
                break;
            }
        }
        judgement
    }

    /// The first rule that matches decides. Of the rules in preview before it the first one is remembered.
    fn ask(&mut self, stand: Stand, policy: &'a SecurityPolicy, facts: &Facts<'_>) {
        let mut previewed = false;
        for rule in policy.rules.iter().filter(|rule| speaks_of(&rule.matcher, facts)) {
            let spoken = Spoken { stand, policy, rule };
            match rule.force {
                Force::Enforced => {
                    self.spoken.push(spoken);
                    return;
                }
                Force::Preview if previewed => {}
                Force::Preview => {
                    previewed = true;
                    self.spoken.push(spoken);
                }
            }
        }
    }

    /// The headers that the rules which let the request through add to it.
    pub(super) fn headers(&self) -> impl Iterator<Item = HeaderEdit<'a>> {
        let enforced = self.spoken.iter().filter(|spoken| spoken.rule.force == Force::Enforced);
        enforced
            .flat_map(|spoken| &spoken.rule.headers)
            .map(|(name, value)| HeaderEdit::Replace(name, value.clone()))
    }

    /// The action that keeps the request out, if there is one.
    pub(super) fn against(&self) -> Option<&'a SecurityAction> {
        let enforced = self.spoken.iter().filter(|spoken| spoken.rule.force == Force::Enforced);
        enforced.map(|spoken| &spoken.rule.action).find(|action| **action != SecurityAction::Allow)
    }
}

fn speaks_of(matcher: &SecurityMatch, facts: &Facts<'_>) -> bool {
    match matcher {
        SecurityMatch::Everybody => true,
        SecurityMatch::Sources(ranges) => ranges.iter().any(|range| range.contains(&facts.client)),
        SecurityMatch::Expression(expression) => expression.matches(facts),
        SecurityMatch::Nobody => false,
    }
}
