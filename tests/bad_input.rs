//! Whatever stands in the objects, nothing panics, no good load balancer goes, and whoever is concerned is told what to do.
//!
//! A small cluster is served. Then values that make no sense, or make another one, are put into its Ingresses, Services, classes, pods
//! and configs, as an API server with loose definitions would let them through; and the plan for that is made and carried out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "bad_input/cluster.rs"]
mod cluster;
#[path = "bad_input/values.rs"]
mod values;

use gclb::model::{ForwardingRule, Holder, LoadBalancerKey, Observed, Target};
use gclb::plan::{dangling, plan, simulate};
use gclb::problem::Problem;
use gclb::translate::{Translation, translate};
use proptest::collection::vec;
use proptest::prelude::*;

use cluster::Cluster;
use values::{Edit, edit};

/// Cases of the ordinary run; the long one has ten thousand.
const CASES: u32 = 150;

/// Every load balancer of ours with a forwarding rule.
fn reached(observed: &Observed) -> Vec<LoadBalancerKey> {
    let rules = observed.graph.of::<ForwardingRule>();
    let mut keys: Vec<_> = rules
        .filter_map(|(_, mark, rule)| match (&mark.holder, &rule.target) {
            (Holder::LoadBalancer(key), Target::Http(_) | Target::Https(_)) => Some(key.clone()),
            _ => None,
        })
        .collect();
    keys.dedup();
    keys
}

/// Until nothing is left to do. What moves from one load balancer to another does so in several turns.
fn served(cluster: &Cluster, mut observed: Observed) -> (Observed, Translation) {
    for _ in 0..6 {
        let translation = translate(&cluster.snapshot(observed.held()));
        let plan = plan(&translation, &observed);
        if plan.is_empty() {
            return (observed, translation);
        }
        observed = simulate(&observed, &plan);
    }
    let translation = translate(&cluster.snapshot(observed.held()));
    panic!("there is always something left to do:\n{}", plan(&translation, &observed));
}

/// A person can act on it: it says where, and in whole sentences what is wrong and what to do.
fn is_of_use(problem: &Problem) -> Result<(), String> {
    const REMEDIES: [&str; 31] = [
        "Write ",
        "Name ",
        "Create ",
        "Set ",
        "Correct ",
        "Remove ",
        "Give ",
        "Add ",
        "Take ",
        "Have ",
        "Legal ",
        "Make ",
        "Shorten ",
        "Leave ",
        "Use ",
        "Spread ",
        "Move ",
        "Keep ",
        "Rename ",
        "Either ",
        "Choose ",
        "Renew ",
        "remove ",
        "create ",
        "A node is used when",
        "Nodes need",
        "It is served as soon as",
        "write ",
        "An Ingress may have",
        "Reserve ",
        // What is merely waited for.
        "asked for again within a minute",
    ];
    let Problem { field, message, .. } = problem;
    if field.is_empty() || !message.ends_with('.') {
        return Err("it has no field, or no end".to_owned());
    }
    if !REMEDIES.iter().any(|remedy| message.contains(remedy)) {
        return Err("it does not say what to do".to_owned());
    }
    Ok(())
}

fn nothing_good_goes(edits: &[Edit]) -> Result<(), TestCaseError> {
    let mut cluster = Cluster::new();
    let (before, translation) = served(&cluster, Observed::default());
    prop_assert_eq!(translation.problems().count(), 0, "the cluster is well to begin with");
    let good = reached(&before);
    prop_assert_eq!(good.len(), 3);
    for edit in edits {
        cluster.apply(edit);
    }
    let (after, translation) = served(&cluster, before);
    let left = reached(&after);
    // The last member of a group may leave it, or the class may widen it; then the group as it was goes.
    let leaves = |edit: &Edit| {
        let group = edit.object == "Ingress/member" && edit.place.ends_with("gclb.dev~1group");
        group || edit.place.ends_with("gclb.dev~1group-scope")
    };
    let may_go = |key: &LoadBalancerKey| key.is_shared() && edits.iter().any(leaves);
    for key in good.into_iter().filter(|key| !may_go(key)) {
        prop_assert!(left.contains(&key), "{key} is gone");
    }
    prop_assert_eq!(dangling(&after.graph), Vec::new());
    for (object, problem) in translation.problems() {
        if let Err(why) = is_of_use(problem) {
            return Err(TestCaseError::fail(format!("{why}: {object}: {problem:?}")));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_value_takes_a_good_load_balancer_away(edits in vec(edit(), 1..6)) {
        nothing_good_goes(&edits)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    #[ignore = "long: ten thousand clusters with bad values"]
    fn ten_thousand_bad_clusters(edits in vec(edit(), 1..8)) {
        nothing_good_goes(&edits)?;
    }
}

/// One wrong value in each place, each by itself.
#[test]
#[ignore = "long: every value in every place"]
fn every_value_in_every_place() {
    let mut wrong = std::collections::BTreeMap::new();
    for edit in values::all() {
        if let Err(error) = nothing_good_goes(std::slice::from_ref(&edit)) {
            // One example of each is enough.
            wrong.entry(error.to_string().chars().take(60).collect::<String>()).or_insert((edit, error));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
