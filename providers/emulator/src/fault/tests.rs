use super::kind::Moment;
use super::rule::At;
use super::*;
use crate::version::Version;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn call<'a>(method: &'a str, name: Option<&'a str>) -> Event<'a> {
    let changes = method.ends_with("insert") || method.ends_with("update");
    Event::Call(Facts {
        method,
        google: method,
        project: "p",
        name,
        version: Version::V1,
        changes,
        in_path: method.ends_with("update"),
    })
}

fn room(rules: &serde_json::Value) -> Room {
    let room = Room::default();
    room.add(Rule::read(&rules.to_string(), None).unwrap(), NOW).unwrap();
    room
}

fn hits(room: &Room, events: usize, event: impl Fn(usize) -> Event<'static>) -> Vec<usize> {
    (0..events).filter(|at| room.decide(&event(*at), NOW).is_some()).collect()
}

#[test]
fn the_first_rule_whose_turn_it_is_counts() {
    let room = room(&json!([
        { "id": "second", "method": "urlMaps.*", "nth": 2, "fault": { "truncate": {} } },
        { "id": "insert", "method": "*.insert", "name": "^web-", "fault": { "error": { "status": 503 } } },
        { "id": "elsewhere", "project": "q", "fault": { "truncate": {} } },
        { "id": "beta", "version": "beta", "fault": { "truncate": {} } },
    ]));
    let decide = |method, name| room.decide(&call(method, name), NOW).map(|verdict| verdict.id);
    assert_eq!(decide("urlMaps.insert", Some("web-1")).as_deref(), Some("insert"));
    assert_eq!(decide("urlMaps.insert", Some("web-1")).as_deref(), Some("second"));
    assert_eq!(decide("urlMaps.insert", Some("other")), None);
    assert_eq!(decide("urlMaps.list", None), None);
    let shown = room.show();
    assert_eq!((&shown[0]["matched"], &shown[0]["hits"]), (&json!(4), &json!(1)));
    assert_eq!((&shown[1]["matched"], &shown[1]["hits"]), (&json!(1), &json!(1)));
}

#[test]
fn turns_are_counted_and_chance_repeats() {
    let get = |_| call("urlMaps.get", None);
    let every = |rule: serde_json::Value| hits(&room(&json!([rule])), 8, get);
    assert_eq!(every(json!({ "after": 3, "count": 2, "fault": { "truncate": {} } })), [3, 4]);
    assert_eq!(every(json!({ "count": 1, "fault": { "truncate": {} } })), [0]);
    let drawn = |seed| every(json!({ "probability": 0.5, "seed": seed, "fault": { "truncate": {} } }));
    assert_eq!(drawn(3), drawn(3));
    assert!((0..20).any(|seed| drawn(seed) != drawn(seed + 1)));
    assert!(every(json!({ "probability": 0.0, "fault": { "truncate": {} } })).is_empty());
    assert_eq!(every(json!({ "probability": 1.0, "fault": { "truncate": {} } })).len(), 8);
}

#[test]
fn a_window_is_counted_from_the_making_of_the_rule() {
    let room = room(&json!([{ "from": "10s", "until": "20s", "fault": { "truncate": {} } }]));
    let at =
        |seconds| room.decide(&call("urlMaps.get", None), NOW + SignedDuration::from_secs(seconds)).is_some();
    assert_eq!([0, 9, 10, 19, 20].map(at), [false, false, true, true, false]);
}

#[test]
fn a_kind_befalls_only_what_it_can() {
    let fail = room(&json!({ "fault": { "failOperation": {} } }));
    assert_eq!(hits(&fail, 2, |at| call(["urlMaps.get", "urlMaps.insert"][at], None)), [1]);
    let stale = room(&json!({ "fault": { "staleFingerprint": {} } }));
    assert_eq!(hits(&stale, 2, |at| call(["urlMaps.insert", "urlMaps.update"][at], None)), [1]);
    let broken = room(&json!({ "name": "web", "fault": { "backend": { "does": "stall", "port": 80 } } }));
    let at = |port| At { project: "p", service: "web", address: [10, 0, 0, 1].into(), port };
    assert_eq!(hits(&broken, 3, |port| Event::Request(at(79 + u16::try_from(port).unwrap()))), [1]);
    assert!(broken.decide(&Event::Probe(at(80)), NOW).is_none());
    assert!(broken.decide(&call("backendServices.get", Some("web")), NOW).is_none());
}

#[test]
fn rules_come_and_go() {
    let room = room(
        &json!([{ "id": "a", "fault": { "truncate": {} } }, { "fault": { "hang": { "when": "beforeCommit" } } }]),
    );
    let twice = vec![Rule { id: "a".to_owned(), ..Rule::new("*", Fault::Truncate {}) }];
    assert!(room.add(twice.clone(), NOW).unwrap_err().to_string().contains("'a'"));
    assert!(room.replace([twice.clone(), twice].concat(), NOW).is_err());
    assert_eq!(room.show().as_array().unwrap().len(), 2, "nothing changed");
    let verdict = room.decide(&call("urlMaps.get", None), NOW).unwrap();
    assert!(room.remove("a") && verdict.gone.is_cancelled() && !room.remove("a"));
    let verdict = room.decide(&call("urlMaps.get", None), NOW).unwrap();
    assert_eq!((verdict.id.as_str(), verdict.fault), ("1", Fault::Hang { when: Moment::BeforeCommit }));
    room.clear();
    assert!(verdict.gone.is_cancelled() && room.is_empty());
}

#[test]
fn files_are_read_strictly_and_errors_say_where() {
    let yaml = "# faults of a bad day\nfaults:\n- id: slow\n  method: '*.insert'\n  fault:\n    slow: {running: 5s}\n\
                - fault:\n    throttle: {status: 429, retryAfter: 3}\n";
    let rules = Rule::read(yaml, None).unwrap();
    assert_eq!(rules.len(), 2);
    assert_eq!(
        rules[1].fault,
        Fault::Throttle { status: ThrottleStatus::TooManyRequests, retry_after: Some(3) }
    );
    // What is shown can be read again.
    for rule in &rules {
        assert_eq!(Rule::read(&json!(rule).to_string(), None).unwrap(), std::slice::from_ref(rule));
    }
    for (bad, part) in [
        ("- fault:\n    slow: {runing: 5s}\n", "line 2"),
        ("- fault: {tuncate: {}}", "tuncate"),
        ("- metod: x\n  fault: {truncate: {}}", "metod"),
        ("- method: x\n", "fault"),
        ("- fault: {error: {status: 200}}", "rule 1 (without an id): an error has a status from 400"),
        ("- id: x\n  name: '('\n  fault: {truncate: {}}", "no regular expression"),
        ("- fault: {truncate: {}}\n- id: b\n  probability: 2\n  fault: {truncate: {}}", "rule 2 (b)"),
        ("- fault: {throttle: {status: 500}}", "403 or 429"),
        ("- version: v7\n  fault: {truncate: {}}", "v1, beta or alpha"),
        ("{\"faults\": 3}", "faults"),
    ] {
        let error = Rule::read(bad, None).unwrap_err().to_string();
        assert!(error.contains(part), "{bad}: {error}");
    }
}
