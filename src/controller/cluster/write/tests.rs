use super::*;
use crate::status::Summary;

fn ingress(value: Value) -> Ingress {
    serde_json::from_value(value).unwrap()
}

fn report(address: Option<&str>, phase: Phase) -> Report {
    Report {
        resources: None,
        address: address.map(|address| address.parse().unwrap()),
        summary: Summary { phase, reason: None, message: None, healthy: Some("1/2".to_owned()) },
        events: Vec::new(),
    }
}

#[test]
fn a_finalizer_is_added_once_and_beside_those_of_others() {
    let bare =
        ingress(json!({"metadata": {"name": "a", "resourceVersion": "7", "finalizers": ["other.dev/x"]}}));
    let patch = claim(&bare, &BTreeSet::new()).unwrap();
    assert_eq!(
        patch,
        json!({"metadata": {"resourceVersion": "7", "finalizers": ["other.dev/x", FINALIZER]}})
    );
    let claimed = ingress(json!({"metadata": {"finalizers": ["other.dev/x", FINALIZER]}}));
    assert_eq!(claim(&claimed, &BTreeSet::new()), None);
}

#[test]
fn what_an_object_is_a_member_of_is_written_with_the_finalizer_and_kept_right() {
    let of = |names: &[&str]| names.iter().map(|name| LoadBalancerKey::group("default", *name)).collect();
    let bare = ingress(json!({"metadata": {"resourceVersion": "7"}}));
    assert_eq!(
        claim(&bare, &of(&["b", "a"])),
        Some(json!({"metadata": {"resourceVersion": "7", "finalizers": [FINALIZER],
            "annotations": {MEMBER_OF: "group/default/a,group/default/b"}}}))
    );
    let member = ingress(json!({"metadata": {"resourceVersion": "7", "finalizers": [FINALIZER],
        "annotations": {MEMBER_OF: "group/default/a"}}}));
    assert_eq!(claim(&member, &of(&["a"])), None);
    let left = claim(&member, &of(&[])).unwrap();
    assert_eq!(left["metadata"]["annotations"], json!({MEMBER_OF: null}));
}

#[test]
fn what_is_let_go_keeps_nothing_of_ours() {
    let ours = ingress(json!({"metadata": {"resourceVersion": "7", "finalizers": [FINALIZER, "other.dev/x"],
        "annotations": {STATUS: "{}", "other": "x"}}}));
    let patch = release(&ours).unwrap();
    assert_eq!(
        patch,
        json!({"metadata": {"resourceVersion": "7", "finalizers": ["other.dev/x"], "annotations": {STATUS: null, MEMBER_OF: null}}})
    );
    assert_eq!(release(&ingress(json!({"metadata": {}}))), None);
}

#[test]
fn the_address_is_written_only_where_it_differs() {
    let at =
        |ip: &str| ingress(json!({"metadata": {}, "status": {"loadBalancer": {"ingress": [{"ip": ip}]}}}));
    let none = ingress(json!({"metadata": {}}));
    let ready = report(Some("203.0.113.7"), Phase::Ready);
    let wanted = json!({"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}});
    assert_eq!(status(&none, &ready), Some(wanted.clone()));
    assert_eq!(status(&at("203.0.113.8"), &ready), Some(wanted.clone()));
    assert_eq!(status(&at("203.0.113.7"), &ready), None);
    let by_name = ingress(json!({"metadata": {}, "status": {"loadBalancer": {"ingress": [
        {"ip": "203.0.113.7", "hostname": "a.example.com"}]}}}));
    assert_eq!(status(&by_name, &ready), Some(wanted));
}

#[test]
fn an_address_is_taken_back_only_by_a_tear_down() {
    let at =
        ingress(json!({"metadata": {}, "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}}));
    assert_eq!(status(&at, &report(None, Phase::Progressing)), None);
    assert_eq!(
        status(&at, &report(None, Phase::Deleting)),
        Some(json!({"status": {"loadBalancer": {"ingress": []}}}))
    );
}

#[test]
fn the_annotation_is_short_json_and_written_once() {
    let ready = report(None, Phase::Ready);
    let text = r#"{"phase":"Ready","healthy":"1/2"}"#;
    let bare = ingress(json!({"metadata": {}}));
    assert_eq!(annotations(&bare, &ready), Some(json!({"metadata": {"annotations": {STATUS: text}}})));
    let written = ingress(json!({"metadata": {"annotations": {STATUS: text}}}));
    assert_eq!(annotations(&written, &ready), None);
    assert!(is_told(&written, &ready));
    assert!(!is_told(&bare, &ready));
}

#[test]
fn the_annotations_of_ingress_gce_come_and_go_with_what_they_name() {
    let shown = [(resources::URL_MAP, Some("map".to_owned())), (resources::SSL_CERT, None)];
    let ready = Report { resources: Some(shown.into()), ..report(None, Phase::Ready) };
    let text = r#"{"phase":"Ready","healthy":"1/2"}"#;
    let before = json!({STATUS: text, resources::URL_MAP: "old", resources::SSL_CERT: "cert"});
    let ingress = ingress(json!({"metadata": {"annotations": before, "finalizers": [FINALIZER]}}));
    assert_eq!(
        annotations(&ingress, &ready),
        Some(json!({"metadata": {"annotations": {resources::URL_MAP: "map", resources::SSL_CERT: null}}}))
    );
    assert!(!is_told(&ingress, &ready));
    // What is being looked into takes nothing away.
    assert_eq!(annotations(&ingress, &report(None, Phase::Ready)), None);
    let gone = release(&ingress).unwrap();
    let annotations = gone["metadata"]["annotations"].as_object().unwrap();
    let names: Vec<_> = annotations.iter().map(|(key, value)| (key.as_str(), value.is_null())).collect();
    assert_eq!(
        names,
        [(STATUS, true), (MEMBER_OF, true), (resources::URL_MAP, true), (resources::SSL_CERT, true)]
    );
}

#[test]
fn what_is_not_known_yet_does_not_take_back_what_was() {
    let shown =
        ingress(json!({"metadata": {"annotations": {STATUS: r#"{"phase":"Ready","healthy":"2/2"}"#}},
        "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}}));
    let with = |address, phase, reason: Option<&str>, healthy: Option<&str>| {
        let mut report = report(Some(address), phase);
        report.summary.reason = reason.map(str::to_owned);
        report.summary.healthy = healthy.map(str::to_owned);
        report
    };
    let here = "203.0.113.7";
    assert!(says_less(&shown, &with(here, Phase::Progressing, Some(HEALTH_UNKNOWN), None)));
    assert!(says_less(&shown, &with(here, Phase::Ready, None, None)));
    assert!(!says_less(&shown, &with(here, Phase::Unhealthy, Some("BackendsUnhealthy"), Some("0/2"))));
    assert!(!says_less(&shown, &with("203.0.113.8", Phase::Progressing, Some(HEALTH_UNKNOWN), None)));
    assert!(!says_less(&shown, &with(here, Phase::Degraded, Some("SecretNotFound"), None)));
    let bare = ingress(json!({"metadata": {}}));
    assert!(!says_less(&bare, &with(here, Phase::Progressing, Some(HEALTH_UNKNOWN), None)));
}
