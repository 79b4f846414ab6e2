//! What the controller looks at before it begins a plan, for commands that show or run one.

use std::collections::BTreeSet;

use futures::future::join_all;

use crate::cloud::gce::Gce;
use crate::cloud::{Cloud as _, chain};
use crate::model::Observed;
use crate::plan::{Action, Block, Plan};
use crate::preflight::{Quotas, Refusal, Rights, examine, questions, regions};

/// The plan without what could not be finished; that is among its blocked. Where there is no cloud to ask, only what holds in every
/// project is looked at. What the cloud does not say refuses nothing, and that it was not said is told on the error stream.
pub(super) async fn examined(plan: Plan, observed: &Observed, cloud: Option<&Gce>) -> Plan {
    let (quotas, rights) = match cloud {
        Some(cloud) => (quotas(cloud, &plan).await, rights(cloud, &plan).await),
        None => (Quotas::default(), Rights::default()),
    };
    examine(plan, observed, &quotas, &rights, &BTreeSet::new()).plan
}

async fn quotas(cloud: &Gce, plan: &Plan) -> Quotas {
    let made = |change: &&crate::plan::Change| matches!(change.action, Action::Create(_));
    let mut made = plan.graph.node_weights().filter(made).map(|change| &change.id).peekable();
    if made.peek().is_none() {
        return Quotas::default();
    }
    cloud.quotas(&regions(made)).await.unwrap_or_else(|error| {
        eprintln!("warning: whether the project's quotas have room is not known: {}", chain(&error));
        Quotas::default()
    })
}

async fn rights(cloud: &Gce, plan: &Plan) -> Rights {
    let questions = questions(plan, |_| false);
    let answers = questions.iter().map(|(id, permissions)| cloud.lacking(id, permissions));
    let mut rights = Rights::default();
    for answer in join_all(answers).await {
        match answer {
            Ok(lacking) => rights.lacking.extend(lacking),
            Err(error) => {
                eprintln!("warning: whether all permissions are there is not known: {}", chain(&error));
            }
        }
    }
    rights
}

/// What of a plan could not be finished, as lines.
pub(super) fn unfinishable(plan: &Plan) -> impl Iterator<Item = String> {
    plan.blocked.iter().filter_map(|blocked| match &blocked.why {
        Block::Preflight(refusal) => Some(line(&blocked.id, &blocked.holder, refusal)),
        Block::NameTaken
        | Block::Unseen
        | Block::DependsOn(_)
        | Block::Outage { .. }
        | Block::Immutable { .. } => None,
    })
}

fn line(id: &crate::model::ResourceId, holder: &crate::model::Holder, refusal: &Refusal) -> String {
    format!("{holder} could not be finished: {id}: {refusal}")
}
