use std::time::Duration;

use super::*;
use crate::apply::quota::Group;
use crate::apply::{Failure, Next};
use crate::plan::tests::fixture::walkthrough;
use crate::plan::tests::schema::faults_by;
use crate::plan::{Block, Plan, plan};

const SCHEMA_TEXT: &str = include_str!("../../../docs/running.schema.json");

fn everything() -> Question {
    Question { limit: USUAL_LIMIT, holder: None }
}

/// A change of the walkthrough's plan in each state there is.
fn tasks(now: Instant) -> Vec<Task> {
    let world = walkthrough();
    let Plan { graph, leaks: _, blocked: _ } = plan(&world.translation, &crate::model::Observed::default());
    let changes: Vec<Arc<_>> = graph.node_weights().cloned().map(Arc::new).collect();
    let failure = Failure { message: "the quota URL_MAPS is used up".to_owned(), next: Next::Person };
    let later = now + Duration::from_secs(40);
    let id = changes[0].id.clone();
    let stages = vec![
        Stage::Ready { since: now },
        Stage::Quota { since: now, group: Group::of_change(&id), until: Some(later) },
        Stage::Quota { since: now, group: Group::of_change(&id), until: None },
        Stage::Busy { since: now },
        Stage::After(id.clone()),
        Stage::NotReady { until: later },
        Stage::NotYet { message: "waits for healthy backends".to_owned(), until: later },
        Stage::SetBack { until: later, failure: failure.clone() },
        Stage::Undecided { behind: id.clone() },
        Stage::Failed(failure),
    ];
    assert!(changes.len() >= stages.len(), "each state has a change");
    let found = Task { id, change: None, stage: Stage::UnderWay { since: now - Duration::from_secs(2) } };
    let others = changes.iter().zip(stages).map(|(change, stage)| Task {
        id: change.id.clone(),
        change: Some(Arc::clone(change)),
        stage,
    });
    std::iter::once(found).chain(others).collect()
}

#[tokio::test(start_paused = true)]
async fn every_state_keeps_to_the_schema() {
    let now = Instant::now() + Duration::from_secs(10);
    let tasks = tasks(now);
    let change = tasks[1].change.clone().unwrap();
    let blocked =
        Blocked { id: change.id.clone(), holder: change.mark.holder.clone(), why: Block::NameTaken };
    let document = Document::of(tasks, &[blocked], &everything(), now);
    let json = serde_json::to_value(&document).unwrap();
    assert_eq!(faults_by(SCHEMA_TEXT, &json), Vec::<String>::new());
    let mut wrong = json;
    wrong["changes"][0]["state"]["word"] = "asleep".into();
    assert_eq!(faults_by(SCHEMA_TEXT, &wrong).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn people_read_what_is_waited_for_and_how_long() {
    let now = Instant::now() + Duration::from_secs(10);
    let text = Document::of(tasks(now), &[], &everything(), now).to_string();
    let first = "In hand: 11; under way: 1; waiting for: dependency 1, healthy 1, next plan 1, not ready 1, quota 2, ";
    assert!(text.starts_with(first), "{text}");
    for said in [
        "an operation that was running at the start\n    under way, for 2.0 s\n",
        "waits for its turn, for 0.0 s\n",
        "waits for the quota of mutations in z, for 0.0 s, about 40 s more\n",
        "failed: the quota URL_MAPS is used up; again in 40 s\n",
        "waits for healthy backends; again in 40 s\n",
    ] {
        assert!(text.contains(said), "{said:?} is not in {text}");
    }
    let nothing = Document::of(Vec::new(), &[], &everything(), now).to_string();
    assert!(nothing.starts_with("Nothing is in hand"), "{nothing}");
}

#[tokio::test(start_paused = true)]
async fn what_is_left_out_is_counted() {
    let now = Instant::now() + Duration::from_secs(10);
    let all = tasks(now);
    let holder = all.last().unwrap().change.as_ref().unwrap().mark.holder.to_string();
    let of_holder = all
        .iter()
        .filter(|task| task.change.as_ref().is_some_and(|change| change.mark.holder.to_string() == holder))
        .count();
    let short = Document::of(all.clone(), &[], &Question { limit: 3, holder: None }, now);
    assert_eq!((short.changes.len(), short.omitted), (3, all.len() - 3));
    assert_eq!(short.summary.values().sum::<usize>(), all.len());
    let question = Question { limit: USUAL_LIMIT, holder: Some(holder.clone()) };
    let filtered = Document::of(all, &[], &question, now);
    assert_eq!((filtered.changes.len(), filtered.omitted), (of_holder, 0));
    assert!(filtered.changes.iter().all(|change| change.resource.holder == holder));
}
