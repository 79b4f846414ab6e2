//! Several Ingresses in one load balancer: who wins, who gives way, and that nobody is in anybody's way.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::world::*;
use crate::ingress::{FINALIZER, MEMBER_OF};
use crate::model::{Destination, Kind, LoadBalancerKey, ObjectKey, Observed, Unknown, UrlMap};
use crate::plan::{plan, simulate};
use crate::problem::Reason;
use crate::snapshot::Snapshot;
use crate::translate::{Disposition, Translation, translate};

const SERVICES: [&str; 4] = ["web", "api", "shop", "files"];

fn group() -> LoadBalancerKey {
    LoadBalancerKey::group("default", "front")
}

fn services(snapshot: &mut Snapshot) {
    for (service, node_port) in SERVICES.iter().zip(30080..) {
        add_service(snapshot, service, Some(node_port));
    }
}

/// A rule for one path of one host.
fn rule(host: &str, path: &str, service: &str) -> Value {
    json!({"host": host, "http": {"paths": [{"pathType": "Prefix", "path": path, "backend": to(service)}]}})
}

fn add_member(snapshot: &mut Snapshot, name: &str, annotations: Value, spec: Value) {
    let mut all = json!({"gclb.dev/group": "front"});
    for (key, value) in annotations.as_object().unwrap() {
        all[key] = value.clone();
    }
    add_ingress(snapshot, name, all, spec);
}

/// As the API server has it once it is served.
fn claim(snapshot: &mut Snapshot, name: &str) {
    let ingress = std::sync::Arc::make_mut(snapshot.ingresses.get_mut(&key(name)).unwrap());
    ingress.metadata.finalizers = Some(vec![FINALIZER.to_owned()]);
    ingress.metadata.annotations.get_or_insert_default().insert(MEMBER_OF.to_owned(), group().to_string());
}

fn delete(snapshot: &mut Snapshot, name: &str) {
    let ingress = std::sync::Arc::make_mut(snapshot.ingresses.get_mut(&key(name)).unwrap());
    ingress.metadata.deletion_timestamp =
        Some(serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap());
}

/// Where each host and path of the group's map leads.
fn requests(translation: &Translation) -> BTreeMap<(String, String), Destination> {
    let mut maps = translation.desired.of::<UrlMap>().filter(|(_, mark, map)| {
        mark.holder == crate::model::Holder::LoadBalancer(group()) && !map.hosts.is_empty()
    });
    let Some((_, _, map)) = maps.next() else { return BTreeMap::new() };
    let mut requests = BTreeMap::new();
    for host in &map.hosts {
        for rule in &host.matcher.path_rules {
            for path in &rule.paths {
                requests.insert((host.hosts[0].clone(), path.clone()), rule.destination.clone());
            }
        }
    }
    requests
}

fn done(snapshot: &Snapshot, observed: &Observed) -> (Translation, Observed) {
    let mut now = snapshot.clone();
    now.held = observed.held();
    let translation = translate(&now);
    let after = simulate(observed, &plan(&translation, observed));
    (translation, after)
}

#[test]
fn where_there_is_not_room_for_all_the_last_give_way() {
    let mut snapshot = world();
    services(&mut snapshot);
    let many = |member: &str, hosts: usize| {
        let rules: Vec<Value> = (0..hosts)
            .map(|host| {
                let paths: Vec<Value> = (0..10)
                    .map(|path| {
                        let path = format!("/{path}{}", "x".repeat(900));
                        json!({"pathType": "Exact", "path": path, "backend": to("web")})
                    })
                    .collect();
                json!({"host": format!("{member}-{host}.example.com"), "http": {"paths": paths}})
            })
            .collect();
        json!({"rules": rules})
    };
    add_member(&mut snapshot, "a", json!({}), many("a", 60));
    add_member(&mut snapshot, "b", json!({}), many("b", 60));
    add_member(&mut snapshot, "c", json!({}), json!({"rules": [rule("c.example.com", "/", "web")]}));
    let translation = translate(&snapshot);
    let hosts: BTreeSet<String> = requests(&translation).into_keys().map(|(host, _)| host).collect();
    let of = |member: &str| hosts.iter().filter(|host| host.starts_with(member)).count();
    assert_eq!(of("a-"), 60, "the first has all of it");
    assert!((30..60).contains(&of("b-")), "the second as much as there is room for: {}", of("b-"));
    assert_eq!(of("c."), 0);
    let reasons = |name: &str| -> Vec<Reason> {
        translation.claimants[&key(name)].problems.iter().map(|problem| problem.reason).collect()
    };
    assert_eq!(reasons("a"), []);
    assert_eq!(reasons("b"), [Reason::UrlMapTooLarge]);
    assert_eq!(reasons("c"), [Reason::UrlMapTooLarge]);
    let first_lost = (0..60).find(|host| !hosts.contains(&format!("b-{host}.example.com"))).unwrap();
    assert_eq!(of("b-"), first_lost, "hosts are lost from the end");
}

#[test]
fn a_member_is_let_go_when_its_rules_are_out_of_the_map_and_the_last_with_the_group() {
    let mut snapshot = world();
    services(&mut snapshot);
    add_member(&mut snapshot, "a", json!({}), json!({"rules": [rule("a.example.com", "/", "web")]}));
    add_member(&mut snapshot, "b", json!({}), json!({"rules": [rule("b.example.com", "/", "api")]}));
    let (_, observed) = done(&snapshot, &Observed::default());
    for name in ["a", "b"] {
        claim(&mut snapshot, name);
    }
    delete(&mut snapshot, "a");
    let (translation, after) = done(&snapshot, &observed);
    let gone = |translation: &Translation, name: &str, observed: &Observed| {
        translation.is_gone(&key(name), &translation.claimants[&key(name)], &observed.holdings())
    };
    assert!(!gone(&translation, "a", &observed), "its rules are still there");
    assert!(gone(&translation, "a", &after));
    assert!(!gone(&translation, "b", &after), "it has a home");
    assert_eq!(requests(&translation).len(), 1);

    snapshot.ingresses.remove(&key("a"));
    delete(&mut snapshot, "b");
    let (translation, gone_all) = done(&snapshot, &after);
    assert_eq!(translation.load_balancers[&group()].disposition, Disposition::TearDown);
    assert!(!gone(&translation, "b", &after));
    assert!(gone(&translation, "b", &gone_all));
    assert_eq!(gone_all.held_by(&group()).count(), 0);
    for (kind, scope, hides) in [
        (Kind::UrlMap, Some("global"), true),
        (Kind::ForwardingRule, None, true),
        (Kind::InstanceGroup, Some("zones/us-central1-a"), false),
    ] {
        let mut partly_seen = gone_all.clone();
        partly_seen.unknown.insert(Unknown { kind, scope: scope.map(ToOwned::to_owned) });
        assert_eq!(gone(&translation, "b", &partly_seen), !hides, "what is not seen may be there: {kind}");
    }
}

#[test]
fn what_a_member_had_for_itself_before_holds_it_also_where_it_shows_up_late() {
    let mut snapshot = world();
    services(&mut snapshot);
    let rules = |host: &str| json!({"rules": [rule(host, "/", "web")]});
    add_ingress(&mut snapshot, "a", json!({}), rules("a.example.com"));
    let (_, had) = done(&snapshot, &Observed::default());
    assert_ne!(had.held_by(&LoadBalancerKey::ingress(key("a"))).count(), 0);
    // Its group cannot be changed because of somebody else, and nobody is held for that.
    add_member(&mut snapshot, "a", json!({}), rules("a.example.com"));
    add_member(&mut snapshot, "b", json!({"gclb.dev/allow-http": "false"}), rules("b.example.com"));
    for name in ["a", "b"] {
        claim(&mut snapshot, name);
    }
    delete(&mut snapshot, "a");
    let translation = translate(&snapshot);
    assert!(matches!(translation.load_balancers[&group()].disposition, Disposition::Keep));
    let gone = |observed: &Observed| {
        translation.is_gone(&key("a"), &translation.claimants[&key("a")], &observed.holdings())
    };
    let mut partly_seen = Observed::default();
    partly_seen.unknown.insert(Unknown { kind: Kind::Address, scope: Some("global".to_owned()) });
    assert!(gone(&Observed::default()));
    assert!(!gone(&partly_seen), "it may be where could not be looked");
    assert!(!gone(&had), "it was seen only after this was translated");
}

#[test]
fn what_vanished_unseen_takes_no_group_with_it() {
    let mut snapshot = world();
    services(&mut snapshot);
    add_ingress(&mut snapshot, "alone", json!({}), json!({"defaultBackend": to("web")}));
    add_member(&mut snapshot, "a", json!({}), json!({"rules": [rule("a.example.com", "/", "web")]}));
    let (_, observed) = done(&snapshot, &Observed::default());
    snapshot.ingresses.remove(&key("a"));
    let (translation, after) = done(&snapshot, &observed);
    assert!(!translation.load_balancers.contains_key(&group()));
    assert_eq!(after.held_by(&group()).count(), observed.held_by(&group()).count());
    // Whoever names the group of others in his record tears down nothing of theirs.
    add_ingress(&mut snapshot, "stranger", json!({MEMBER_OF: "group/other/front"}), json!({}));
    claim_only_finalizer(&mut snapshot, "stranger");
    delete(&mut snapshot, "stranger");
    let (translation, _) = done(&snapshot, &observed);
    assert!(!translation.load_balancers.contains_key(&LoadBalancerKey::group("other", "front")));
}

fn claim_only_finalizer(snapshot: &mut Snapshot, name: &str) {
    let ingress = std::sync::Arc::make_mut(snapshot.ingresses.get_mut(&key(name)).unwrap());
    ingress.metadata.finalizers = Some(vec![FINALIZER.to_owned()]);
}

/// What can be wrong with a member.
#[derive(Debug, Clone, Copy)]
enum Defect {
    MissingService,
    BadHost,
    BadPath,
    MissingSecret,
    NonsenseSettings,
    PlainHttpRefused,
    NoRules,
    ClassGone,
    NameSpoiled,
    Deleted,
    Left,
}

const DEFECTS: [Defect; 11] = [
    Defect::MissingService,
    Defect::BadHost,
    Defect::BadPath,
    Defect::MissingSecret,
    Defect::NonsenseSettings,
    Defect::PlainHttpRefused,
    Defect::NoRules,
    Defect::ClassGone,
    Defect::NameSpoiled,
    Defect::Deleted,
    Defect::Left,
];

/// Four members, each with a host of its own and a path of one that they share.
fn four(snapshot: &mut Snapshot, order: &[i32; 4], broken: Option<(usize, Defect)>) {
    services(snapshot);
    for (index, service) in SERVICES.iter().enumerate() {
        let name = format!("m{index}");
        let defect = broken.and_then(|(which, defect)| (which == index).then_some(defect));
        let service = if matches!(defect, Some(Defect::MissingService)) { "nobody" } else { service };
        let host = if matches!(defect, Some(Defect::BadHost)) {
            "not_a_host".to_owned()
        } else {
            format!("{name}.example.com")
        };
        let path =
            if matches!(defect, Some(Defect::BadPath)) { "no-slash".to_owned() } else { format!("/{name}") };
        let mut spec =
            json!({"rules": [rule(&host, "/", service), rule("shop.example.com", &path, service)]});
        let mut annotations = json!({"gclb.dev/group-order": order[index].to_string()});
        match defect {
            Some(Defect::MissingSecret) => spec["tls"] = json!([{"secretName": "nowhere"}]),
            Some(Defect::NonsenseSettings) => {
                annotations["gclb.dev/redirect"] = json!("sideways");
                annotations["gclb.dev/allow-http"] = json!("maybe");
            }
            Some(Defect::PlainHttpRefused) => annotations["gclb.dev/allow-http"] = json!("false"),
            Some(Defect::NoRules) => spec["rules"] = json!([]),
            _ => {}
        }
        add_member(snapshot, &name, annotations, spec);
        claim(snapshot, &name);
        let ingress = std::sync::Arc::make_mut(snapshot.ingresses.get_mut(&key(&name)).unwrap());
        match defect {
            Some(Defect::ClassGone) => {
                ingress.spec.as_mut().unwrap().ingress_class_name = Some("gone".to_owned());
            }
            Some(Defect::NameSpoiled) => {
                let annotations = ingress.metadata.annotations.as_mut().unwrap();
                annotations.insert("gclb.dev/group".to_owned(), "Not A Name".to_owned());
            }
            Some(Defect::Left) => {
                ingress.metadata.annotations.as_mut().unwrap().remove("gclb.dev/group");
            }
            Some(Defect::Deleted) => delete(snapshot, &name),
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_defect_of_one_changes_nothing_for_the_others(
        which in 0..4_usize, defect in select(DEFECTS.to_vec()), order in any::<[i32; 4]>(),
    ) {
        let (mut well, mut ill) = (world(), world());
        four(&mut well, &order, None);
        four(&mut ill, &order, Some((which, defect)));
        let (well, ill) = (translate(&well), translate(&ill));
        let wanted = requests(&well);
        let served = requests(&ill);
        let is_frontend = matches!(ill.load_balancers[&group()].disposition, Disposition::Serve(_));
        prop_assert!(is_frontend, "the group is served");
        for other in (0..4).filter(|other| *other != which) {
            let own = [
                (format!("m{other}.example.com"), "/*".to_owned()),
                ("shop.example.com".to_owned(), format!("/m{other}")),
                ("shop.example.com".to_owned(), format!("/m{other}/*")),
            ];
            for request in own {
                prop_assert_eq!(served.get(&request), wanted.get(&request), "{:?}", request);
                prop_assert!(wanted.contains_key(&request));
            }
            let claimant = &ill.claimants[&key(&format!("m{other}"))];
            prop_assert_eq!(&claimant.problems, &Vec::new());
        }
    }

    #[test]
    fn the_first_in_order_has_the_path_whatever_else(order in any::<[i8; 4]>()) {
        let mut snapshot = world();
        services(&mut snapshot);
        for (index, service) in SERVICES.iter().enumerate() {
            let annotations = json!({"gclb.dev/group-order": order[index].to_string()});
            add_member(&mut snapshot, &format!("m{index}"), annotations, json!({"rules": [rule("a.example.com", "/", service)]}));
        }
        let translation = translate(&snapshot);
        let winner = (0..4).min_by_key(|index| (order[*index], *index)).unwrap();
        let requests = requests(&translation);
        let Some(Destination::Service(service)) = requests.values().next() else { panic!("{requests:?}") };
        prop_assert!(service.name().as_str().contains(SERVICES[winner]), "{} for {}", service.name(), SERVICES[winner]);
        for index in 0..4 {
            let claimant = &translation.claimants[&ObjectKey::new("default", format!("m{index}"))];
            let reasons: Vec<Reason> = claimant.problems.iter().map(|problem| problem.reason).collect();
            let expected = if index == winner { vec![] } else { vec![Reason::PathConflict] };
            prop_assert_eq!(reasons, expected, "m{}", index);
        }
        prop_assert_eq!(&translation.desired, &translate(&snapshot).desired);
    }
}
