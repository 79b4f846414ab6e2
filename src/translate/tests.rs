// Values made by `json!` read best where they are passed.
#![allow(clippy::needless_pass_by_value)]

mod backends;
mod certificates;
mod frontends;
mod properties;
mod world;

#[test]
fn every_reason_and_every_setting_is_documented() {
    use crate::problem::Reason;

    let problems = include_str!("../../docs/problems.md");
    let mut words = std::collections::BTreeSet::new();
    for reason in Reason::ALL {
        assert!(words.insert(reason.word()), "{} twice", reason.word());
        assert!(problems.contains(&format!("\n| `{}` |", reason.word())), "{} has no line", reason.word());
    }
    let lines = problems.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(lines, words.len(), "a line is about no reason that there is");
    let settings = include_str!("../../docs/annotations.md");
    for name in [
        crate::ingress::REDIRECT,
        crate::ingress::ALLOW_HTTP,
        crate::ingress::STATUS,
        crate::ingress::CLASS_ANNOTATION,
        crate::snapshot::NEG_ANNOTATION,
        crate::snapshot::HEALTH_CHECK_PATH_ANNOTATION,
    ] {
        assert!(settings.contains(&format!("`{name}`")), "{name} is not explained");
    }
}
