//! Load balancers stay of the kind that they are: the scheme of a forwarding rule cannot be changed (Compute API,
//! `forwardingRules.loadBalancingScheme`), nor can a rule lead to backend services of another scheme.

use std::collections::BTreeMap;

use crate::ingress::{Readings, Wish};
use crate::model::{LoadBalancerHeld, LoadBalancerKey, Scheme};
use crate::problem::{Problem, Reason};

use super::Findings;

/// Gives each description the scheme that its load balancer has already, and says so where another was asked for.
pub(super) fn settle(
    readings: &mut Readings,
    held: &BTreeMap<LoadBalancerKey, LoadBalancerHeld>,
) -> Findings {
    let mut findings = Findings::default();
    for (key, reading) in &mut readings.load_balancers {
        let there = held.get(key).and_then(|held| held.scheme).filter(|scheme| *scheme != Scheme::Other);
        match (&mut reading.wish, there) {
            (Wish::Keep(description), Some(there)) => description.scheme = there,
            (Wish::Serve(description), Some(there)) if description.scheme != there => {
                for object in &description.objects {
                    findings.push(object, kept(there, description.scheme));
                }
                description.scheme = there;
            }
            (Wish::TearDown | Wish::Keep(_) | Wish::Serve(_), _) => {}
        }
    }
    findings
}

fn kept(there: Scheme, asked: Scheme) -> Problem {
    Problem::degraded(
        Reason::SchemeKept,
        "spec.ingressClassName",
        format!(
            "The load balancer is {}, and its class asks for {}. A load balancer cannot be changed from one to the other, so it stays what \
             it is; all else is followed. For one of the other kind create another Ingress of that class, move whatever points at the old \
             address (DNS records), and delete this one.",
            word(there),
            word(asked)
        ),
    )
}

const fn word(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::External => "classic (EXTERNAL)",
        Scheme::ExternalManaged => "global (EXTERNAL_MANAGED)",
        Scheme::Other => "of a kind that gclb does not make",
    }
}
