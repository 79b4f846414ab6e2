//! One test for each thing that a user is told.

use super::*;
use crate::apply::{Ended, Ending, Failure, Next, Outcome};
use crate::model::{Holder, Kind, Observed};
use crate::plan::tests::fixture::{World, done, http, https, id, key, service_holder, walkthrough};
use crate::plan::{Block, Blocked};
use crate::problem::{Problem, Reason, Severity};
use crate::translate::Disposition;

/// A report on one load balancer in a cloud where nothing is being done.
fn report(world: &World, observed: &Observed, unfinished: &Unfinished, health: &Health, lb: &str) -> Report {
    let plan = crate::plan::plan(&world.translation, observed);
    let work = Work { plan: &plan, activity: Activity::Over, unfinished, waits: &Waits::new() };
    compute(&world.translation, observed, &work, health)[&key(lb).object].clone()
}

fn healthy(service: &str, healthy: usize, total: usize) -> Health {
    [(id(Kind::BackendService, &format!("bs-{service}")), ServiceHealth { healthy, total })].into()
}

fn failed(kind: Kind, name: &str, next: Next) -> Unfinished {
    let failure = Failure { message: "create: quota BACKEND_SERVICES of 9 is used up".into(), next };
    [(id(kind, name), Ending::Failed(failure))].into()
}

fn problem(severity: Severity) -> Problem {
    Problem {
        severity,
        reason: Reason::SecretNotFound,
        field: "spec.tls[0].secretName".into(),
        message: "The Secret tls does not exist.".into(),
    }
}

fn give_problem(world: &mut World, lb: &str, problem: Problem) {
    world.translation.claimants.get_mut(&key(lb).object).unwrap().problems.push(problem);
}

#[test]
fn ready_when_all_exists_and_is_healthy() {
    let world = walkthrough();
    let report = report(&world, &world.observed(), &Unfinished::new(), &healthy("echo", 2, 2), "test");
    assert_eq!(report.address, Some([203, 0, 113, 1].into()));
    assert_eq!(
        report.summary,
        Summary { phase: Phase::Ready, reason: None, message: None, healthy: Some("2/2".into()) }
    );
    assert_eq!(
        report.events,
        [Event::normal(
            "BackendsHealthy",
            "2 of 2 backends of Service default/echo, port 80 (backend service bs-echo) are healthy"
        )]
    );
    assert_eq!(
        serde_json::to_string(&report.summary).unwrap(),
        r#"{"phase":"Ready","healthy":"2/2"}"#,
        "the annotation stays short"
    );
}

#[test]
fn no_address_before_the_last_forwarding_rule() {
    let world = walkthrough();
    let mut observed = world.observed();
    observed.graph.remove(&id(Kind::ForwardingRule, "fr-test-443"));
    let report = report(&world, &observed, &Unfinished::new(), &Health::new(), "test");
    assert_eq!(report.address, None);
    assert_eq!(report.summary.phase, Phase::Progressing);
    assert_eq!(report.summary.message.as_deref(), Some("Forwarding rule fr-test-443 is still to be made"));
}

#[test]
fn no_address_before_the_cloud_has_named_one() {
    let world = walkthrough();
    let mut observed = world.observed();
    observed.facts.remove(&id(Kind::ForwardingRule, "fr-test-443"));
    assert_eq!(report(&world, &observed, &Unfinished::new(), &Health::new(), "test").address, None);
}

#[test]
fn of_two_addresses_none_is_told() {
    let world = walkthrough();
    let mut observed = world.observed();
    let elsewhere = observed.facts.get_mut(&id(Kind::ForwardingRule, "fr-test-443")).unwrap();
    elsewhere.address = Some([203, 0, 113, 9].into());
    assert_eq!(report(&world, &observed, &Unfinished::new(), &Health::new(), "test").address, None);
}

#[test]
fn what_is_being_changed_is_said() {
    let mut world = walkthrough();
    let observed = world.observed();
    world.node_port("other", 30002);
    world.serve("second", &http(&["other"]));
    let mut renewed = World::new();
    renewed.node_port("echo", 30001);
    renewed.serve("test", &https(&["echo"], &[("tls", "a"), ("more", "b")]));
    let plan = crate::plan::plan(&renewed.translation, &observed);
    let over =
        Work { plan: &plan, activity: Activity::Over, unfinished: &Unfinished::new(), waits: &Waits::new() };
    let mut during = observed.clone();
    // The certificate is there, the proxy does not serve it yet.
    let certificate = id(Kind::SslCertificate, "cert-more-b");
    during.graph.put(certificate.clone(), renewed.translation.desired.entry(&certificate).unwrap().clone());
    let health = healthy("echo", 1, 1);
    let applying = Work { activity: Activity::Applying, ..over };
    let summary = &compute(&renewed.translation, &during, &applying, &health)[&key("test").object].summary;
    assert_eq!(summary.phase, Phase::Progressing);
    assert_eq!(summary.reason.as_deref(), Some("Changing"));

    // A load balancer beside it that only shares the cluster's own resources is not said to be changed.
    let plan = crate::plan::plan(&world.translation, &observed);
    assert!(plan.graph.node_weights().any(|change| change.id == id(Kind::Firewall, "fw")));
    let applying = Work {
        plan: &plan,
        activity: Activity::Applying,
        unfinished: &Unfinished::new(),
        waits: &Waits::new(),
    };
    let summary = &compute(&world.translation, &observed, &applying, &health)[&key("test").object].summary;
    assert_eq!(summary.phase, Phase::Ready, "{summary:?}");
}

#[test]
fn unhealthy_backends_are_a_state_and_not_a_warning() {
    let world = walkthrough();
    let observed = world.observed();
    for (health, phase, reason, text) in [
        (
            (0, 2),
            Phase::Unhealthy,
            "BackendsUnhealthy",
            "None of 2 backends of Service default/echo, port 80",
        ),
        ((0, 0), Phase::Progressing, "BackendsUnprobed", "No backend of Service default/echo, port 80"),
        ((1, 2), Phase::Ready, "BackendsUnhealthy", "Some backends of Service default/echo, port 80"),
    ] {
        let report =
            report(&world, &observed, &Unfinished::new(), &healthy("echo", health.0, health.1), "test");
        assert_eq!(report.summary.phase, phase, "{health:?}");
        let [event] = report.events.as_slice() else { panic!("one Event, not {:?}", report.events) };
        assert_eq!((event.warning, event.reason.as_str()), (false, reason));
        assert!(event.message.starts_with(text), "{}", event.message);
    }
}

#[test]
fn a_service_without_pods_is_said_to_have_none() {
    let mut world = World::new();
    world.pods("web", 0);
    world.serve("test", &http(&["web"]));
    let report = report(&world, &world.observed(), &Unfinished::new(), &healthy("web", 0, 0), "test");
    assert_eq!(
        report.summary.message.as_deref(),
        Some("Service default/web, port 80 (backend service bs-web) has no endpoints")
    );
}

#[test]
fn unknown_health_is_waited_for() {
    let world = walkthrough();
    let report = report(&world, &world.observed(), &Unfinished::new(), &Health::new(), "test");
    assert_eq!(report.summary.phase, Phase::Progressing);
    assert_eq!(report.summary.reason.as_deref(), Some("HealthUnknown"));
    assert_eq!(report.summary.healthy, None);
    assert_eq!(report.events, []);
    assert!(report.address.is_some(), "the address does not wait for health");
}

#[test]
fn a_problem_degrades_and_is_an_event_with_its_field() {
    let mut world = walkthrough();
    give_problem(&mut world, "test", problem(Severity::Degraded));
    let report = report(&world, &world.observed(), &Unfinished::new(), &healthy("echo", 1, 1), "test");
    let text = "spec.tls[0].secretName: The Secret tls does not exist.";
    assert_eq!(report.summary.phase, Phase::Degraded);
    assert_eq!(report.summary.reason.as_deref(), Some("SecretNotFound"));
    assert_eq!(report.summary.message.as_deref(), Some(text));
    assert_eq!(report.events[0], Event::warning("SecretNotFound", text));
    assert!(report.address.is_some());
}

#[test]
fn a_mere_warning_leaves_it_ready() {
    let mut world = walkthrough();
    give_problem(&mut world, "test", problem(Severity::Warning));
    let report = report(&world, &world.observed(), &Unfinished::new(), &healthy("echo", 1, 1), "test");
    assert_eq!(report.summary.phase, Phase::Ready);
    assert!(report.events[0].warning);
}

#[test]
fn a_refused_input_keeps_what_is_written() {
    let mut world = walkthrough();
    let observed = world.observed();
    world.dispose("test", Disposition::Keep);
    give_problem(&mut world, "test", problem(Severity::Rejected));
    let report = report(&world, &observed, &Unfinished::new(), &healthy("echo", 1, 1), "test");
    assert_eq!(report.address, None);
    assert_eq!(report.summary.phase, Phase::Rejected);
    assert_eq!(report.summary.reason.as_deref(), Some("SecretNotFound"));
}

#[test]
fn failures_say_what_failed_and_what_is_next() {
    let world = walkthrough();
    let observed = world.observed();
    let health = healthy("echo", 1, 1);
    for (next, reason, end) in [
        (Next::Later, "ChangeFailed", "it is tried again"),
        (Next::Person, "ChangeRefused", "somebody must see to that; it is tried again from time to time"),
    ] {
        let unfinished = failed(Kind::BackendService, "bs-echo", next);
        let report = report(&world, &observed, &unfinished, &health, "test");
        let text = format!("Backend service bs-echo: create: quota BACKEND_SERVICES of 9 is used up; {end}");
        assert_eq!(report.summary.phase, Phase::Failing);
        assert_eq!(report.summary.reason.as_deref(), Some(reason));
        assert_eq!(report.events[0], Event::warning(reason, text));
    }
    // What looks again at once is no failure yet.
    let unfinished = failed(Kind::BackendService, "bs-echo", Next::LookAgain);
    let report = report(&world, &observed, &unfinished, &health, "test");
    assert_eq!(report.summary.phase, Phase::Progressing);
    assert!(!report.events.iter().any(|event| event.warning));
}

#[test]
fn a_failure_that_holds_up_something_of_mine_is_told_to_me() {
    let world = walkthrough();
    let observed = world.observed();
    let stranger = id(Kind::Firewall, "elsewhere");
    let mut unfinished = failed(Kind::Firewall, "elsewhere", Next::Person);
    unfinished.insert(id(Kind::ForwardingRule, "fr-test-80"), Ending::Blocked { by: stranger });
    let report = report(&world, &observed, &unfinished, &Health::new(), "test");
    assert_eq!(report.summary.phase, Phase::Failing);
    assert!(report.events[0].message.starts_with("Firewall rule elsewhere: "));
}

#[test]
fn another_load_balancers_failure_is_not_mine() {
    let mut world = walkthrough();
    world.node_port("other", 30002);
    world.serve("second", &http(&["other"]));
    let observed = world.observed();
    let unfinished = failed(Kind::UrlMap, "um-second", Next::Later);
    let health = healthy("echo", 1, 1);
    assert_eq!(report(&world, &observed, &unfinished, &health, "test").summary.phase, Phase::Ready);
    assert_eq!(report(&world, &observed, &unfinished, &health, "second").summary.phase, Phase::Failing);
}

#[test]
fn what_cannot_be_planned_is_said() {
    let world = walkthrough();
    let observed = world.observed();
    let blocked =
        |why| Blocked { id: id(Kind::BackendService, "bs-echo"), holder: service_holder("echo"), why };
    for (why, phase, reason, warns) in [
        (Block::NameTaken, Phase::Failing, "NameTaken", true),
        (Block::Unseen, Phase::Progressing, "CloudNotSeen", false),
        (Block::DependsOn(id(Kind::HealthCheck, "hc-echo")), Phase::Progressing, "Waiting", false),
    ] {
        let plan = Plan { blocked: vec![blocked(why)], ..Plan::default() };
        let work = Work {
            plan: &plan,
            activity: Activity::Over,
            unfinished: &Unfinished::new(),
            waits: &Waits::new(),
        };
        let report =
            &compute(&world.translation, &observed, &work, &healthy("echo", 1, 1))[&key("test").object];
        assert_eq!(report.summary.phase, phase);
        assert_eq!(report.summary.reason.as_deref(), Some(reason));
        assert_eq!(report.events.iter().any(|event| event.warning), warns);
    }
}

#[test]
fn tearing_down_counts_what_is_left_and_tells_failures() {
    let mut world = walkthrough();
    let observed = world.observed();
    world.translation.desired = crate::model::Graph::default();
    world.dispose("test", Disposition::TearDown);
    let quiet = report(&world, &observed, &Unfinished::new(), &Health::new(), "test");
    assert_eq!(quiet.summary.phase, Phase::Deleting);
    assert_eq!(quiet.summary.message.as_deref(), Some("7 resources are still to be deleted"));
    assert_eq!(quiet.address, None);
    let unfinished = failed(Kind::BackendService, "bs-echo", Next::Later);
    let failing = report(&world, &observed, &unfinished, &Health::new(), "test");
    assert_eq!(failing.summary.phase, Phase::Deleting);
    assert_eq!(failing.summary.reason.as_deref(), Some("ChangeFailed"));
}

#[test]
fn news_name_each_thing_and_go_to_whom_it_concerns() {
    let mut world = walkthrough();
    let before = world.observed();
    world.node_port("other", 30002);
    world.serve("second", &http(&["echo", "other"]));
    let plan = crate::plan::plan(&world.translation, &before);
    let after = done(&before, &plan);
    let ended = |id: &crate::model::ResourceId, holder: Holder, what: &str| Ended {
        id: id.clone(),
        holder,
        what: what.into(),
        result: Ending::Done,
    };
    let mut outcome = Outcome {
        ended: vec![
            ended(&id(Kind::Firewall, "fw"), Holder::Cluster, "changed (allowed.ports)"),
            ended(&id(Kind::BackendService, "bs-other"), service_holder("other"), "created"),
            ended(&id(Kind::BackendService, "bs-echo"), service_holder("echo"), "changed (timeoutSec)"),
            ended(&id(Kind::ForwardingRule, "fr-second-80"), Holder::LoadBalancer(key("second")), "created"),
        ],
    };
    let told = news(&outcome, &world.translation, &before, &after);
    let messages =
        |lb: &str| told[&key(lb).object].iter().map(|event| event.message.as_str()).collect::<Vec<_>>();
    assert_eq!(
        messages("second"),
        [
            "Changed firewall rule fw (allowed.ports)",
            "Created backend service bs-other",
            "Changed backend service bs-echo (timeoutSec)",
            "Created forwarding rule fr-second-80 (203.0.113.1:80)",
        ]
    );
    assert_eq!(
        messages("test"),
        ["Changed firewall rule fw (allowed.ports)", "Changed backend service bs-echo (timeoutSec)"]
    );
    assert!(told[&key("test").object].iter().all(|event| !event.warning && event.reason == "Changed"));

    // Nobody is told what was not done, nor of what the whole cluster shares when there is nothing else to tell.
    outcome.ended[2].result = Ending::Superseded;
    let told = news(&outcome, &world.translation, &before, &after);
    assert_eq!(told.keys().collect::<Vec<_>>(), [&key("second").object]);
}

#[test]
fn deleting_what_was_shared_is_told_to_who_used_it() {
    let mut world = walkthrough();
    let before = world.observed();
    world.translation.desired = crate::model::Graph::default();
    world.dispose("test", Disposition::TearDown);
    let plan = crate::plan::plan(&world.translation, &before);
    let after = done(&before, &plan);
    let ended = crate::plan::order(&plan)
        .into_iter()
        .map(|at| &plan.graph[at])
        .map(|change| Ended {
            id: change.id.clone(),
            holder: change.mark.holder.clone(),
            what: "deleted".into(),
            result: Ending::Done,
        })
        .collect();
    let told = news(&Outcome { ended }, &world.translation, &before, &after);
    let messages: Vec<_> = told[&key("test").object].iter().map(|event| event.message.as_str()).collect();
    assert_eq!(messages.len(), before.graph.len());
    assert!(messages.contains(&"Deleted backend service bs-echo"));
    assert!(messages.contains(&"Deleted ssl certificate cert-tls-a"));
}

#[test]
fn members_join_and_leave_groups() {
    let mut world = World::new();
    world.pods("web", 3);
    world.serve("test", &http(&["web"]));
    let group = crate::plan::tests::fixture::zonal(Kind::NetworkEndpointGroup, 'a', "neg-web");
    let observed = world.observed();
    let ended = |what: &str| Ended {
        id: group.clone(),
        holder: service_holder("web"),
        what: what.into(),
        result: Ending::Done,
    };
    let outcome = Outcome { ended: vec![ended("attached 3 endpoints"), ended("detached 1 endpoint")] };
    let told = news(&outcome, &world.translation, &observed, &observed);
    let told: Vec<_> = told[&key("test").object]
        .iter()
        .map(|event| (event.reason.as_str(), event.message.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("Attached", "Attached 3 endpoints to network endpoint group zones/z-a/neg-web"),
            ("Detached", "Detached 1 endpoint from network endpoint group zones/z-a/neg-web"),
        ]
    );
}

#[test]
fn long_texts_are_cut_between_letters() {
    let event = Event::warning("ChangeFailed", "ä".repeat(1000));
    assert!(event.message.len() <= 1024 && event.message.ends_with("ä…"));
    assert_eq!(Event::normal("Created", "short").message, "short");
}

#[test]
fn what_waits_says_for_what_and_how_long() {
    let world = walkthrough();
    let mut observed = world.observed();
    let rule = id(Kind::ForwardingRule, "fr-test-443");
    observed.graph.remove(&rule);
    let plan = crate::plan::plan(&world.translation, &observed);
    let unfinished = Unfinished::new();
    for (wait, reason, text) in [
        (
            Wait::Quota(Some(std::time::Duration::from_secs(38))),
            "WaitingForQuota",
            "Forwarding rule fr-test-443: waiting for quota, about 40 s",
        ),
        (Wait::Quota(None), "WaitingForQuota", "Forwarding rule fr-test-443: waiting for quota"),
        (Wait::Healthy, "WaitingForHealth", "Waiting until the new forwarding rule fr-test-443 is healthy"),
    ] {
        let waits = Waits::from([(rule.clone(), wait)]);
        let work = Work { plan: &plan, activity: Activity::Applying, unfinished: &unfinished, waits: &waits };
        let report = &compute(&world.translation, &observed, &work, &Health::new())[&key("test").object];
        assert_eq!(report.summary.phase, Phase::Progressing);
        assert_eq!(report.summary.reason.as_deref(), Some(reason));
        assert_eq!(report.summary.message.as_deref(), Some(text));
        assert!(report.events.iter().all(|event| !event.warning), "waiting is no error: {:?}", report.events);
    }
}

#[test]
fn a_failure_names_its_resource_once_and_says_when_it_is_tried_again() {
    let world = walkthrough();
    let mut observed = world.observed();
    let rule = id(Kind::ForwardingRule, "fr-test-443");
    observed.graph.remove(&rule);
    let plan = crate::plan::plan(&world.translation, &observed);
    let message = "create forwarding rule fr-test-443: the network is away".to_owned();
    let unfinished =
        Unfinished::from([(rule.clone(), Ending::Failed(Failure { message, next: Next::Later }))]);
    let waits = Waits::from([(
        rule,
        Wait::HeldBack {
            since: Some("2026-06-01T12:00:00Z".parse().unwrap()),
            until: "2026-06-01T12:01:00Z".parse().unwrap(),
        },
    )]);
    let work = Work { plan: &plan, activity: Activity::Applying, unfinished: &unfinished, waits: &waits };
    let report = &compute(&world.translation, &observed, &work, &Health::new())[&key("test").object];
    assert_eq!(
        report.summary.message.as_deref(),
        Some(
            "Create forwarding rule fr-test-443: the network is away; it is tried again (held back since 12:00:00Z, tried again at 12:01:00Z)"
        )
    );
}

#[test]
fn while_the_cloud_cannot_be_listed_the_reason_stands_on_each_object() {
    let world = walkthrough();
    let reports = unlisted(&world.translation, "list addresses: not allowed");
    let report = &reports[&key("test").object];
    assert_eq!(report.address, None);
    assert_eq!(report.summary.phase, Phase::Failing);
    assert_eq!(report.summary.reason.as_deref(), Some("CloudNotListed"));
    assert!(report.summary.message.as_deref().unwrap().contains("list addresses: not allowed"));
    assert!(report.events[0].warning);
}
