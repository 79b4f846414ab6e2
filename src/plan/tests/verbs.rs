//! By which call each difference is made good, and which cannot be.

use crate::model::{
    AddressBinding, BackendProtocol, Balancing, CertificateFingerprint, Fingerprint, HealthPort, Kind,
    Members, Node, Observed, Probe, ResourceId, Scheme, Target,
};
use crate::plan::{Action, Block, FieldChange, MEMBERS_PER_CALL, Plan, plan};

use super::fixture::{World, changed, http, https, id, steps, tamper, walkthrough, zonal};

/// The plan for the walkthrough after somebody has changed one resource of it.
fn after_tampering(id: &ResourceId, edit: impl FnOnce(&mut Node)) -> Plan {
    let world = walkthrough();
    let mut observed = world.observed();
    tamper(&mut observed.graph, id, edit);
    plan(&world.translation, &observed)
}

/// The one field that stands in the way.
fn immutable(plan: &Plan) -> &FieldChange {
    assert!(plan.is_empty(), "{plan}");
    match plan.blocked.as_slice() {
        [blocked] => match &blocked.why {
            Block::Immutable { field } => field,
            Block::Outage { consent: _, fields } if fields.len() == 1 => &fields[0],
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_health_check_is_patched() {
    let plan = after_tampering(&id(Kind::HealthCheck, "hc-echo"), |node| {
        if let Node::HealthCheck(check) = node {
            check.probe = Probe::Https { path: "/healthz".into(), host: Some("a.example.com".into()) };
            check.port = HealthPort::Fixed(8080);
            check.interval_seconds = 5;
        }
    });
    assert_eq!(
        changed(&plan, "hc-echo"),
        [
            "patch type: HTTPS -> HTTP",
            "patch requestPath: /healthz -> /",
            "patch host: a.example.com -> (none)",
            "patch port: 8080 -> the serving port",
            "patch checkIntervalSec: 5 -> 15",
        ]
    );
    assert_eq!(plan.graph.node_count(), 1, "one call");
}

#[test]
fn a_backend_service_is_patched() {
    let plan = after_tampering(&id(Kind::BackendService, "bs-echo"), |node| {
        if let Node::BackendService(service) = node {
            service.policy.timeout_seconds = 5;
            service.protocol = BackendProtocol::H2c;
            service.backends[0].balancing = Balancing::Other;
        }
    });
    assert_eq!(
        changed(&plan, "bs-echo"),
        [
            "patch protocol: H2C -> HTTP",
            "patch backends[z-a/ig]: something else -> RATE, 1 per instance",
            "patch timeoutSec: 5 -> 30",
        ]
    );
}

#[test]
fn a_url_map_is_patched_and_says_which_paths_move() {
    let world = |second: &str| {
        let mut world = World::new();
        for (service, port) in [("echo", 30001), ("api", 30002), ("web", 30003)] {
            world.node_port(service, port);
        }
        world.serve("test", &http(&["echo", second]));
        world.serve("all", &http(&["echo", "api", "web"]));
        world
    };
    let plan = plan(&world("web").translation, &world("api").observed());
    assert_eq!(
        changed(&plan, "um-test"),
        ["patch hosts[*].paths[/api/*]: bs-api -> (none)", "patch hosts[*].paths[/web/*]: (none) -> bs-web"]
    );
}

/// The order of hosts and the names of path matchers mean nothing to the API.
#[test]
fn a_url_map_that_means_the_same_is_left_alone() {
    let mut world = World::new();
    for (service, port) in [("echo", 30001), ("api", 30002)] {
        world.node_port(service, port);
    }
    world.serve("test", &http(&["echo", "api"]));
    let mut observed = world.observed();
    tamper(&mut observed.graph, &id(Kind::UrlMap, "um-test"), |node| {
        if let Node::UrlMap(map) = node {
            map.hosts[0].matcher.name = "another".into();
        }
    });
    assert!(plan(&world.translation, &observed).is_empty());
}

#[test]
fn the_firewall_is_patched() {
    let plan = after_tampering(&id(Kind::Firewall, "fw"), |node| {
        if let Node::Firewall(firewall) = node {
            firewall.source_ranges.pop_last();
        }
    });
    assert_eq!(changed(&plan, "fw"), ["patch sourceRanges: 35.191.0.0/16 -> 35.191.0.0/16, 130.211.0.0/22"]);
}

#[test]
fn a_forwarding_rule_is_repointed() {
    let world = walkthrough();
    let mut observed = world.observed();
    let other =
        observed.graph.foreign(crate::model::Scope::Global, super::fixture::name("thsp-somebody-elses"));
    tamper(&mut observed.graph, &id(Kind::ForwardingRule, "fr-test-443"), |node| {
        if let Node::ForwardingRule(rule) = node {
            rule.target = Target::Https(other);
        }
    });
    let plan = plan(&world.translation, &observed);
    assert_eq!(
        changed(&plan, "fr-test-443"),
        ["setTarget target: targetHttpsProxies thsp-somebody-elses -> targetHttpsProxies thsp-test"]
    );
}

#[test]
fn a_proxy_that_differs_twice_takes_two_calls() {
    let world = walkthrough();
    let mut other = World::new();
    other.node_port("echo", 30001);
    other.serve("test", &https(&["echo"], &[("tls", "b")]));
    let mut observed = other.observed();
    let redirect = observed
        .graph
        .reference(&crate::model::Scope::Global, &super::fixture::name("um-test-redirect"))
        .unwrap();
    let proxy = id(Kind::TargetHttpsProxy, "thsp-test");
    observed.facts.get_mut(&proxy).unwrap().fingerprint = Some(Fingerprint("v1".into()));
    tamper(&mut observed.graph, &proxy, |node| {
        if let Node::TargetHttpsProxy(proxy) = node {
            proxy.url_map = redirect;
        }
    });
    let plan = plan(&world.translation, &observed);
    assert_eq!(
        steps(&plan),
        ["create cert-tls-a", "setUrlMap thsp-test", "setSslCertificates thsp-test", "delete cert-tls-b"]
    );
    let updates: Vec<_> = plan
        .graph
        .node_weights()
        .filter_map(|change| match &change.action {
            Action::Update { to: Node::TargetHttpsProxy(to), .. } => Some((to, &change.seen)),
            _ => None,
        })
        .collect();
    let [(first, first_seen), (second, second_seen)] = updates.as_slice() else { panic!("{updates:?}") };
    assert_eq!(first.certificates.iter().next().unwrap().name().as_str(), "cert-tls-b", "not changed yet");
    assert_eq!(second.certificates.iter().next().unwrap().name().as_str(), "cert-tls-a");
    assert_eq!(**first_seen, Some(Fingerprint("v1".into())));
    assert_eq!(**second_seen, None, "no one has seen the version that the first call makes");
}

#[test]
fn named_ports_are_set() {
    let plan = after_tampering(&zonal(Kind::InstanceGroup, 'a', "ig"), |node| {
        if let Node::InstanceGroup(group) = node {
            group.named_ports.clear();
        }
    });
    assert_eq!(changed(&plan, "ig"), ["setNamedPorts namedPorts: (none) -> port30001:30001"]);
}

#[test]
fn members_join_and_leave_in_batches_and_nothing_is_updated() {
    let world = |pods| {
        let mut world = World::new();
        world.pods("web", pods);
        world.serve("test", &http(&["web"]));
        world
    };
    let new = plan(&world(1201).translation, &Observed::default());
    let attached: Vec<_> = steps(&new).into_iter().filter(|step| step.starts_with("attach")).collect();
    assert_eq!(attached, ["attach 500 neg-web", "attach 500 neg-web", "attach 201 neg-web"]);
    for change in new.graph.node_weights() {
        if let Action::Create(Node::NetworkEndpointGroup(group)) = &change.action {
            assert_eq!(group.members.count(), Some(0), "groups are made empty");
        }
    }
    let fewer = plan(&world(1201 - MEMBERS_PER_CALL - 1).translation, &world(1201).observed());
    assert_eq!(steps(&fewer), ["detach 500 neg-web", "detach 1 neg-web"]);

    let joined = after_tampering(&zonal(Kind::InstanceGroup, 'a', "ig"), |node| {
        if let Node::InstanceGroup(group) = node {
            group.members = ["node-2".into(), "gone".into()].into();
        }
    });
    assert_eq!(steps(&joined), ["add 1 ig", "remove 1 ig"]);
}

#[test]
fn a_group_without_members_has_no_network_yet() {
    let plan = after_tampering(&zonal(Kind::InstanceGroup, 'a', "ig"), |node| {
        if let Node::InstanceGroup(group) = node {
            group.network = None;
        }
    });
    assert!(plan.is_empty() && plan.blocked.is_empty(), "{plan}");
}

#[test]
fn what_cannot_be_changed_is_never_replaced_silently() {
    let rule = id(Kind::ForwardingRule, "fr-test-80");
    let fields = [
        after_tampering(&rule, |node| {
            if let Node::ForwardingRule(rule) = node {
                rule.port = 8080;
            }
        }),
        after_tampering(&rule, |node| {
            if let Node::ForwardingRule(rule) = node {
                rule.address = AddressBinding::Literal([203, 0, 113, 9].into());
            }
        }),
        after_tampering(&rule, |node| {
            if let Node::ForwardingRule(rule) = node {
                rule.scheme = Scheme::External;
            }
        }),
        after_tampering(&rule, |node| {
            if let Node::ForwardingRule(rule) = node {
                rule.target = Target::Other("targetVpnGateways/x".into());
            }
        }),
        after_tampering(&id(Kind::Firewall, "fw"), |node| {
            if let Node::Firewall(firewall) = node {
                firewall.network = "other".into();
            }
        }),
        after_tampering(&zonal(Kind::InstanceGroup, 'a', "ig"), |node| {
            if let Node::InstanceGroup(group) = node {
                group.network = Some("other".into());
            }
        }),
        after_tampering(&id(Kind::BackendService, "bs-echo"), |node| {
            if let Node::BackendService(service) = node {
                service.scheme = Scheme::External;
            }
        }),
        after_tampering(&id(Kind::SslCertificate, "cert-tls-a"), |node| {
            if let Node::SslCertificate(certificate) = node {
                certificate.fingerprint = CertificateFingerprint::of("forged");
            }
        }),
    ]
    .map(|plan| immutable(&plan).field.clone());
    assert_eq!(
        fields,
        [
            "portRange",
            "IPAddress",
            "loadBalancingScheme",
            "target",
            "network",
            "network",
            "loadBalancingScheme",
            "certificate"
        ]
    );
}

#[test]
fn the_network_of_a_neg_cannot_be_changed_and_no_pod_joins_the_wrong_one() {
    let mut world = World::new();
    world.pods("web", 1);
    world.serve("test", &http(&["web"]));
    let mut observed = world.observed();
    tamper(&mut observed.graph, &zonal(Kind::NetworkEndpointGroup, 'a', "neg-web"), |node| {
        if let Node::NetworkEndpointGroup(group) = node {
            group.network = "other".into();
            group.members = Members::nobody();
        }
    });
    assert_eq!(immutable(&plan(&world.translation, &observed)).field, "network");
}

/// A service that a security policy guards, and its load balancer.
fn guarded(policy: Option<&str>) -> World {
    let mut world = World::new();
    let service = world.node_port("echo", 30080);
    world.translation.desired.change(&service, |service| {
        service.policy.security_policy = policy.map(super::fixture::name);
    });
    world.serve("lb", &http(&["echo"]));
    world
}

#[test]
fn nothing_points_at_a_new_service_before_it_is_guarded() {
    let plan = plan(&guarded(Some("armor")).translation, &Observed::default());
    let at = |kind: Kind, is: fn(&Action) -> bool| {
        plan.graph
            .node_indices()
            .find(|at| plan.graph[*at].id.kind == kind && is(&plan.graph[*at].action))
            .unwrap()
    };
    let create = at(Kind::BackendService, |action| matches!(action, Action::Create(_)));
    let guard = at(Kind::BackendService, |action| matches!(action, Action::Update { .. }));
    let map = at(Kind::UrlMap, |action| matches!(action, Action::Create(_)));
    let path = |from, to| petgraph::algo::has_path_connecting(&plan.graph, from, to, None);
    assert!(path(create, guard) && path(guard, map), "{plan}");
    assert_eq!(changed(&plan, "bs-echo"), ["setSecurityPolicy securityPolicy: (none) -> armor"]);
}

#[test]
fn a_security_policy_comes_and_goes_by_its_own_call() {
    let (without, with) = (guarded(None), guarded(Some("armor")));
    let coming = plan(&with.translation, &without.observed());
    assert_eq!(changed(&coming, "bs-echo"), ["setSecurityPolicy securityPolicy: (none) -> armor"]);
    let going = plan(&without.translation, &with.observed());
    assert_eq!(changed(&going, "bs-echo"), ["setSecurityPolicy securityPolicy: armor -> (none)"]);
    assert!(plan(&with.translation, &with.observed()).is_empty());
}
