//! Each rule fails on text that breaks it, and lets pass what only looks like it.

use super::code::code_only;
use super::rules::{Rule, Source};

#[track_caller]
fn breaks(rule: Rule, path: &str, text: &str) {
    let source = Source { path: path.to_owned(), text: text.to_owned() };
    assert!(!rule.check(&source).is_empty(), "{rule:?} does not see {text:?} in {path}");
}

#[track_caller]
fn passes(rule: Rule, path: &str, text: &str) {
    let source = Source { path: path.to_owned(), text: text.to_owned() };
    assert_eq!(rule.check(&source), Vec::<String>::new());
}

#[test]
fn comments_and_literals_are_no_code() {
    let text = r##"
        // tokio in a comment
        /* and /* tokio */ nested */
        let a = "tokio \" tokio"; let b = r#"tokio " tokio"#; let c = b"tokio"; let d = '"'; let e = '\'';
        fn f<'tokio_lifetime>(x: &'tokio_lifetime str) {}
    "##;
    let code = code_only(text);
    assert!(!super::code::names(&code, "tokio"), "{code}");
    assert!(code.contains("fn f<'tokio_lifetime>"), "{code}");
    assert_eq!(code.lines().count(), text.lines().count());
    assert!(super::code::names(&code_only("let x = \"a\"; tokio::spawn(x);"), "tokio"));
}

#[test]
fn waiting_and_looking_are_seen_where_things_are_decided() {
    for text in [
        "pub async fn translate() {}",
        "let x = f().await;",
        "use kube::Client;",
        "use kube::{Api};\nfn f(client: kube::Client) {}",
        "reqwest::get(url)",
        "tokio::spawn(f)",
        "let now = jiff::Timestamp::now();",
        "std::time::SystemTime::now()",
        "let n: u8 = rand::random();",
        "std::fs::read(path)",
    ] {
        for path in
            ["src/translate/url_map.rs", "src/plan.rs", "src/snapshot/node.rs", "src/status/compute.rs"]
        {
            breaks(Rule::Purity, path, text);
        }
        for path in
            ["src/apply/run.rs", "src/snapshot/folder.rs", "src/status/write.rs", "src/plan/tests/order.rs"]
        {
            passes(Rule::Purity, path, text);
        }
    }
    passes(
        Rule::Purity,
        "src/plan.rs",
        "/// Never async.\nfn asynchronous_names(operand: u8) { let brand = \"tokio\"; }",
    );
}

#[test]
fn the_front_end_is_not_named_behind_the_description() {
    breaks(Rule::FrontEndStaysInFront, "src/plan/diff.rs", "fn of_ingress() {}");
    breaks(
        Rule::FrontEndStaysInFront,
        "src/cloud/mirror.rs",
        "use k8s_openapi::api::networking::v1::Ingress;",
    );
    breaks(Rule::FrontEndStaysInFront, "src/load_balancer.rs", "pub struct IngressRule;");
    breaks(Rule::FrontEndStaysInFront, "src/model/identity.rs", "fn ingress_only() {}");
    passes(Rule::FrontEndStaysInFront, "src/model/identity.rs", "enum Origin { Ingress }");
    passes(
        Rule::FrontEndStaysInFront,
        "src/cloud/gce/firewall.rs",
        "let direction = \"INGRESS\"; // an Ingress",
    );
    passes(Rule::FrontEndStaysInFront, "src/ingress/rules.rs", "fn of_ingress() {}");
    passes(
        Rule::FrontEndStaysInFront,
        "src/model/mark.rs",
        "fn f() {}\n#[cfg(test)]\nmod tests {\n fn g() { LoadBalancerKey::ingress(x) }\n}",
    );
}

#[test]
fn the_emulator_stays_in_its_commands() {
    breaks(Rule::EmulatorOnlyInItsCommands, "src/controller.rs", "use emulator::Emulator;");
    breaks(Rule::EmulatorOnlyInItsCommands, "src/cli/plan.rs", "let e = ::emulator::start();");
    passes(Rule::EmulatorOnlyInItsCommands, "src/cli/local.rs", "use emulator::Emulator;");
    passes(Rule::EmulatorOnlyInItsCommands, "src/lib.rs", "#[cfg(feature = \"emulator\")]\npub mod echo;");
    passes(Rule::EmulatorOnlyInItsCommands, "src/cli.rs", "#[cfg(feature = \"emulator\")]\nmod local;\n");
    breaks(Rule::EmulatorOnlyInItsCommands, "src/cli.rs", "mod controller;\nmod local;\n");
}

#[test]
fn providers_that_name_more_than_they_may_are_seen() {
    breaks(Rule::ProvidersAreLeaves, "providers/gce-api/src/url_map.rs", "use gce::Client;");
    breaks(Rule::ProvidersAreLeaves, "providers/emulator/src/api.rs", "let client = gce::Client::new();");
    breaks(Rule::ProvidersAreLeaves, "providers/gce/src/lib.rs", "use kube::Client;");
    breaks(Rule::ProvidersAreLeaves, "providers/gce/src/lib.rs", "use gclb::model::Graph;");
    breaks(Rule::ProvidersAreLeaves, "providers/emulator/Cargo.toml", "[dependencies]\ngce.workspace = true");
    breaks(
        Rule::ProvidersAreLeaves,
        "providers/gce/Cargo.toml",
        "[dev-dependencies]\ngclb = { workspace = true }",
    );
    breaks(Rule::ProvidersAreLeaves, "providers/gce/Cargo.toml", "k8s-openapi.workspace = true");
    passes(
        Rule::ProvidersAreLeaves,
        "providers/gce/Cargo.toml",
        "[package]\nname = \"gce\"\n[dependencies]\ngce-api.workspace = true",
    );
    passes(Rule::ProvidersAreLeaves, "providers/emulator/src/api.rs", "use gce_api::UrlMap;");
    passes(
        Rule::ProvidersAreLeaves,
        "providers/gce/src/lib.rs",
        "const AGENT: &str = \"gclb::x\"; use gce_api::UrlMap;",
    );
    passes(Rule::ProvidersAreLeaves, "src/cloud/gce.rs", "use gce::Client;");
    // The client's tests meet the emulator's faults; the client does not know that there is one.
    passes(Rule::ProvidersAreLeaves, "providers/gce/tests/faults.rs", "use emulator::Emulator;");
    breaks(Rule::ProvidersAreLeaves, "providers/gce/src/lib.rs", "use emulator::Emulator;");
    passes(
        Rule::ProvidersAreLeaves,
        "providers/gce/Cargo.toml",
        "[dev-dependencies]\nemulator.workspace = true\n[lints]\nworkspace = true",
    );
    breaks(Rule::ProvidersAreLeaves, "providers/gce/Cargo.toml", "[dependencies]\nemulator.workspace = true");
}

#[test]
fn long_files_and_empty_names_are_seen() {
    breaks(Rule::FileSize, "src/plan.rs", &"\n".repeat(801));
    passes(Rule::FileSize, "src/plan.rs", &"\n".repeat(800));
    for path in [
        "src/utils.rs",
        "src/cloud/helpers/x.rs",
        "src/plan/mod.rs",
        "providers/gce/src/common.rs",
        "tests/misc.rs",
    ] {
        breaks(Rule::FileNames, path, "");
    }
    passes(Rule::FileNames, "src/model.rs", "");
    passes(Rule::FileNames, "src/commonplace.rs", "");
}
