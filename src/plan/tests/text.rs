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
fn mixed() -> crate::plan::Plan {
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
