//! How plans read.

use crate::model::{Kind, Observed};
use crate::plan::{Colours, plan};

use super::fixture::{World, http, https, id, walkthrough};

#[test]
fn a_new_load_balancer() {
    let mut world = World::new();
    world.pods("web", 3);
    world.serve("test", &http(&["web"]));
    let plan = plan(&world.translation, &Observed::default());
    insta::assert_snapshot!(plan.to_string());
}

/// Something of everything: made, changed, deleted, blocked, left alone.
pub(super) fn mixed() -> crate::plan::Plan {
    let mut before = walkthrough();
    before.pods("web", 4);
    before.serve("second", &http(&["web"]));
    before.serve("vanished", &http(&["web"]));
    let mut observed = before.observed();
    observed.taken.insert(id(Kind::Address, "ip-third"));

    let mut after = World::new();
    after.node_port("echo", 30001);
    after.pods("api", 1);
    after.pods("web", 2);
    after.serve("test", &https(&["echo", "api"], &[("tls", "renewed")]));
    after.serve("third", &http(&["echo"]));
    after.dispose("second", crate::translate::Disposition::TearDown);
    plan(&after.translation, &observed)
}

#[test]
fn something_of_everything() {
    insta::assert_snapshot!(mixed().to_string());
}

#[test]
fn something_of_everything_for_programs() {
    let json = serde_json::to_string_pretty(&mixed().document()).unwrap();
    insta::assert_snapshot!(json);
}

#[test]
fn nothing_to_do() {
    let world = walkthrough();
    assert_eq!(plan(&world.translation, &world.observed()).to_string(), "Plan: nothing to do.\n");
}

#[test]
fn colours_only_when_asked_for() {
    let plan = mixed();
    assert!(!plan.text(Colours::None).to_string().contains('\u{1b}'));
    let coloured = plan.text(Colours::Ansi).to_string();
    assert!(coloured.contains("\u{1b}[32m+\u{1b}[0m ") && coloured.contains("\u{1b}[31m-\u{1b}[0m "));
    let without: String = coloured
        .split('\u{1b}')
        .map(|part| {
            part.split_once('m').map_or(part, |(code, rest)| if code.starts_with('[') { rest } else { part })
        })
        .collect();
    assert_eq!(without, plan.to_string());
}

/// A switch from node ports to pods, and a forwarding rule at another port, with and without consent.
fn moved() -> (World, Observed) {
    let mut before = World::new();
    before.node_port("echo", 30001);
    before.serve("test", &http(&["echo"]));
    let mut after = World::new();
    after.pods("web", 3);
    after.serve("test", &http(&["web"]));
    let mut observed = before.observed();
    super::fixture::tamper(&mut observed.graph, &id(Kind::ForwardingRule, "fr-test-80"), |node| {
        if let crate::model::Node::ForwardingRule(rule) = node {
            rule.port = 8080;
        }
    });
    (after, observed)
}

pub(super) fn consented() -> crate::plan::Plan {
    let (mut world, observed) = moved();
    let blocked = plan(&world.translation, &observed);
    let [crate::plan::Blocked { why: crate::plan::Block::Outage { consent, .. }, .. }] =
        blocked.blocked.as_slice()
    else {
        panic!("{blocked}")
    };
    let ingress = crate::model::ObjectKey::new("default", "test");
    world.translation.consents.insert(ingress, consent.clone());
    plan(&world.translation, &observed)
}

#[test]
fn an_outage_is_told_of_and_waits_for_consent() {
    let (world, observed) = moved();
    let waits = plan(&world.translation, &observed);
    assert!(!super::fixture::steps(&waits).iter().any(|step| step.ends_with("fr-test-80")), "{waits}");
    insta::assert_snapshot!(waits.to_string());
}

#[test]
fn an_outage_that_was_consented_to_is_short_and_used_up() {
    let plan = consented();
    insta::assert_snapshot!(plan.to_string());
    let (mut world, observed) = moved();
    assert!(super::fixture::waits(&plan, ("delete fr-test-80", 0), ("create fr-test-80", 0)));
    let after = super::fixture::done(&observed, &plan);
    assert_eq!(after.graph, world.translation.desired);
    assert!(crate::plan::plan(&world.translation, &after).is_empty());
    // Another outage of the same rule is another one.
    world.translation.consents.insert(crate::model::ObjectKey::new("default", "test"), "0badc0de".into());
    assert_eq!(crate::plan::plan(&world.translation, &observed).blocked.len(), 1);
}

#[test]
fn a_long_list_shows_what_comes_and_goes() {
    let mut before = World::new();
    for (nth, port) in (30001..30006).enumerate() {
        before.node_port(&format!("s{nth}"), port);
    }
    before.serve("test", &http(&["s0", "s1", "s2", "s3", "s4"]));
    let mut after = World::new();
    for (nth, port) in (30002..30007).enumerate() {
        after.node_port(&format!("s{}", nth + 1), port);
    }
    after.serve("test", &http(&["s1", "s2", "s3", "s4", "s5"]));
    let text = plan(&after.translation, &before.observed()).to_string();
    assert!(text.contains("allowed.ports: +30006 (5 stay)"), "{text}");
    assert!(text.contains("allowed.ports: -30001 (5 stay)"), "{text}");
}

#[test]
fn drawings() {
    insta::assert_snapshot!("drawing_dot", consented().dot());
    insta::assert_snapshot!("drawing_mermaid", consented().mermaid());
}

/// Each box is declared once and before its arrows, every label is closed, and every bracket too.
#[test]
fn drawings_can_be_read() {
    for plan in [mixed(), consented(), crate::plan::Plan::default()] {
        for text in [plan.dot(), plan.mermaid()] {
            let mut declared = std::collections::BTreeSet::new();
            let (mut arrows, mut open) = (0, 0_i32);
            for line in text.lines().map(str::trim) {
                let plain = line.replace("\\\"", "");
                assert_eq!(plain.matches('"').count() % 2, 0, "{line}");
                let is_box = line.starts_with('n') && line.contains('[') && !line.starts_with("node ");
                if is_box && !line.starts_with("nothing") {
                    let name = line.split(['[', ' ']).next().unwrap();
                    assert!(declared.insert(name.to_owned()), "{name} twice");
                    let label = line.split('"').nth(1).unwrap();
                    assert!(!label.is_empty() && !label.contains('<') || label.contains("<br/>"), "{line}");
                } else if let Some((first, then)) = line.split_once("->").or_else(|| line.split_once("-->")) {
                    arrows += 1;
                    for end in [
                        first.trim_end_matches(['-', ' ']),
                        then.trim().trim_start_matches('>').trim_end_matches(';').trim(),
                    ] {
                        assert!(declared.contains(end), "{end} of {line}");
                    }
                } else if line.ends_with('{') || line.starts_with("subgraph") {
                    open += 1;
                } else if line == "}" || line == "end" {
                    open -= 1;
                }
            }
            assert_eq!(declared.len(), plan.graph.node_count());
            assert_eq!(arrows, plan.graph.edge_count());
            assert_eq!(open, 0, "{text}");
        }
    }
}

#[test]
fn labels_are_escaped() {
    let mut plan = mixed();
    for change in plan.graph.node_weights_mut() {
        change.mark.holder = crate::model::Holder::Service {
            service: crate::model::ObjectKey::new("a\"b", "c\\<d>"),
            port: "#1".into(),
        };
    }
    assert!(plan.dot().contains("label=\"Shared: Service a\\\"b/c\\\\<d>, port #1\";"), "{}", plan.dot());
    assert!(
        plan.mermaid().contains("[\"Shared: Service a#quot;b/c\\#lt;d#gt;, port #35;1\"]"),
        "{}",
        plan.mermaid()
    );
}

#[test]
fn what_concerns_one_load_balancer() {
    let mut before = walkthrough();
    before.pods("web", 4);
    before.serve("second", &http(&["web"]));
    let mut after = World::new();
    after.node_port("echo", 30002);
    after.pods("web", 2);
    after.serve("test", &https(&["echo"], &[("tls", "renewed")]));
    after.serve("second", &http(&["web"]));
    let observed = before.observed();
    let whole = plan(&after.translation, &observed);
    let (test, second) = (super::fixture::key("test"), super::fixture::key("second"));
    assert_eq!(whole.touches(&after.translation, &observed), [test.clone(), second.clone()].into());
    let of = |key| whole.only(&[key].into(), &after.translation, &observed);
    assert_eq!(super::fixture::steps(&of(second)), ["detach 2 neg-web"]);
    let steps = super::fixture::steps(&of(test));
    assert!(steps.contains(&"setSslCertificates thsp-test".to_owned()), "{steps:?}");
    assert!(
        steps.contains(&"patch bs-echo".to_owned()) && steps.contains(&"patch fw".to_owned()),
        "{steps:?}"
    );
    assert!(!steps.contains(&"detach 2 neg-web".to_owned()), "{steps:?}");
}
