use super::*;
use crate::dataplane::config::google_probe_sources;
use crate::dataplane::program::PortRange;
use crate::dataplane::resource_id::FirewallId;

fn network() -> NetworkId {
    NetworkId::new("projects/p/global/networks/default")
}

/// `allow|deny PRIORITY SOURCES PORTS [TAGS]`, lists separated by commas, `*` for all.
fn rule(text: &str) -> Firewall {
    let mut words = text.split(' ');
    let mut next = || words.next().unwrap_or_default();
    let action = if next() == "allow" { FirewallAction::Allow } else { FirewallAction::Deny };
    let priority = next().parse().unwrap();
    let source_ranges = next().split(',').map(|range| range.parse().unwrap()).collect();
    let protocols = next()
        .split(',')
        .map(|range| match range.split_once('-') {
            _ if range == "*" => FirewallProtocol::Tcp(PortRange::ALL),
            _ if range == "udp" => FirewallProtocol::Other,
            Some((first, last)) => FirewallProtocol::Tcp(PortRange {
                first: first.parse().unwrap(),
                last: last.parse().unwrap(),
            }),
            None => {
                let port = range.parse().unwrap();
                FirewallProtocol::Tcp(PortRange { first: port, last: port })
            }
        })
        .collect();
    let target = match next() {
        "" => FirewallTarget::EveryInstance,
        "account" => FirewallTarget::ServiceAccounts,
        tags => FirewallTarget::Tags(tags.split(',').map(str::to_owned).collect()),
    };
    Firewall {
        id: FirewallId::new("projects/p/global/firewalls/f"),
        network: network(),
        priority,
        action,
        source_ranges,
        protocols,
        target,
    }
}

/// Whether the load balancer reaches port 30080 of an instance tagged `node`.
fn admitted(rules: &[&str]) -> bool {
    let rules: Vec<_> = rules.iter().map(|text| rule(text)).collect();
    let instance = Instance { tags: ["node".to_owned()].into(), interfaces: Vec::new() };
    Firewalls::new(&rules).admit(&network(), &instance, 30080, &google_probe_sources())
}

const BOTH: &str = "35.191.0.0/16,130.211.0.0/22";

#[test]
fn nothing_is_admitted_without_a_rule() {
    assert!(!admitted(&[]));
}

#[test]
fn a_rule_must_cover_all_ranges_the_port_and_the_instance() {
    for (text, expected) in [
        (format!("allow 1000 {BOTH} 30080"), true),
        (format!("allow 1000 {BOTH} 30000-32767 node"), true),
        (format!("allow 1000 {BOTH} 80,30080 other,node"), true),
        ("allow 1000 0.0.0.0/0 *".to_owned(), true),
        ("allow 1000 35.191.0.0/17,35.191.128.0/17,130.211.0.0/22 30080".to_owned(), true),
        ("allow 1000 35.191.0.0/16 30080".to_owned(), false),
        ("allow 1000 35.191.0.0/17,130.211.0.0/22 30080".to_owned(), false),
        ("allow 1000 10.0.0.0/8 30080".to_owned(), false),
        (format!("allow 1000 {BOTH} 30081"), false),
        (format!("allow 1000 {BOTH} udp"), false),
        (format!("allow 1000 {BOTH} 30080 other"), false),
        (format!("allow 1000 {BOTH} 30080 account"), false),
    ] {
        assert_eq!(admitted(&[&text]), expected, "{text}");
    }
}

#[test]
fn two_rules_may_cover_one_range_each() {
    assert!(admitted(&["allow 1000 35.191.0.0/16 30080", "allow 900 130.211.0.0/22 30080"]));
}

#[test]
fn the_lower_number_wins_and_deny_wins_a_tie() {
    let allow = format!("allow 1000 {BOTH} 30080");
    for (deny, expected) in [
        ("deny 999 0.0.0.0/0 *", false),
        ("deny 1000 0.0.0.0/0 *", false),
        ("deny 1001 0.0.0.0/0 *", true),
        ("deny 999 35.191.7.0/24 *", false),
        ("deny 999 10.0.0.0/8 *", true),
        ("deny 999 0.0.0.0/0 22", true),
        ("deny 999 0.0.0.0/0 * other", true),
    ] {
        assert_eq!(admitted(&[&allow, deny]), expected, "{deny}");
        assert_eq!(admitted(&[deny, &allow]), expected, "{deny}");
    }
}

#[test]
fn a_rule_of_another_network_means_nothing() {
    let mut rule = rule(&format!("allow 1000 {BOTH} *"));
    rule.network = NetworkId::new("projects/p/global/networks/other");
    let rules = [rule];
    let admitted =
        Firewalls::new(&rules).admit(&network(), &Instance::default(), 30080, &google_probe_sources());
    assert!(!admitted);
}
