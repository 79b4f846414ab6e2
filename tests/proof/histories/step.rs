//! What somebody does, or what befalls somebody; and how it is drawn.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;

use crate::cloud::NODES;
use crate::fault_matrix::kinds;
use crate::gate::Side;
use crate::objects::{Reached, Readiness};

pub(super) const INGRESSES: [&str; 5] = ["one", "two", "three", "press/one", "press/two"];
pub(super) const SERVICES: [&str; 5] = ["web", "api", "shop", "press/web", "press/api"];
pub(super) const SECRETS: [&str; 4] = ["tls", "other-tls", "press/tls", "press/other-tls"];
pub(super) const PORTS: [u16; 2] = [80, 8080];

/// What an Ingress may call a Service or a Secret: in its own namespace.
const SERVICE_NAMES: [&str; 3] = ["web", "api", "shop"];
const SECRET_NAMES: [&str; 2] = ["tls", "other-tls"];

#[derive(Debug, Clone)]
pub(super) enum Step {
    Ingress {
        name: &'static str,
        shape: Shape,
    },
    DeleteIngress {
        name: &'static str,
    },
    /// Somebody consents to losing the address that an Ingress had before it joined a group.
    Release {
        name: &'static str,
    },
    /// Somebody consents to an outage that an Ingress was told of.
    Consent {
        name: &'static str,
    },
    Service {
        name: &'static str,
        port: u16,
        reached: Reached,
    },
    NoService {
        name: &'static str,
    },
    Pods {
        service: &'static str,
        pods: Vec<u16>,
    },
    NoPods {
        service: &'static str,
    },
    Secret {
        name: &'static str,
        pair: usize,
    },
    BadSecret {
        name: &'static str,
    },
    NoSecret {
        name: &'static str,
    },
    Class {
        redirect: Option<&'static str>,
        scope: Option<&'static str>,
    },
    NoClass,
    Node {
        name: &'static str,
        readiness: Readiness,
    },
    NoNode {
        name: &'static str,
    },
    /// Somebody deletes one of our resources by hand.
    Delete {
        which: usize,
    },
    /// Somebody changes one by hand.
    Edit {
        which: usize,
        how: usize,
    },
    /// Somebody describes one anew, so that it does not say any more that it is ours, or what it is for.
    Unmark {
        which: usize,
        how: usize,
    },
    Fault {
        kind: usize,
        after: u64,
        count: u64,
    },
    NoFaults,
    Wait {
        span: Duration,
    },
    Restart,
    Crash,
    /// The process dies in the middle of what it does next.
    CrashAt {
        call: usize,
        side: Side,
    },
    /// Another process is the leader from now on.
    Leader,
}

/// What an Ingress asks for.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) tls: Option<&'static str>,
    pub(super) redirect: Option<&'static str>,
    pub(super) group: Option<&'static str>,
    pub(super) order: Option<&'static str>,
    pub(super) default: Option<(&'static str, u16)>,
    pub(super) rules: Vec<(&'static str, &'static str, &'static str, u16)>,
}

fn shape() -> impl Strategy<Value = Shape> {
    let redirect = select(vec![None, None, Some("false"), Some("308"), Some("nonsense")]);
    let group =
        select(vec![None, None, None, Some("front"), Some("front"), Some("back"), Some("Not a label")]);
    let order = select(vec![None, None, Some("1"), Some("-1"), Some("nonsense")]);
    let target = || (select(&SERVICE_NAMES[..]), select(&PORTS[..]));
    let hosts = select(vec!["a.example.com", "b.example.com", "*.example.org"]);
    let rule = (hosts, select(vec!["/", "/v1", "/v2"]), target())
        .prop_map(|(host, path, (service, port))| (host, path, service, port));
    (
        proptest::option::of(select(&SECRET_NAMES[..])),
        redirect,
        group,
        order,
        proptest::option::of(target()),
        proptest::collection::vec(rule, 1..4),
    )
        .prop_map(|(tls, redirect, group, order, default, rules)| Shape {
            tls,
            redirect,
            group,
            order,
            default,
            rules,
        })
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let ingress = || select(&INGRESSES[..]);
    let service = || select(&SERVICES[..]);
    let secret = || select(&SECRETS[..]);
    let node = || select(&NODES[..]);
    let reached = select(vec![Reached::AtNodes, Reached::AtPods]);
    let readiness = select(vec![Readiness::Ready, Readiness::NotReady]);
    let pods = proptest::collection::vec(select(vec![1, 2, 3, 4, 257, 258, 259, 513]), 0..5);
    let waits = [0, 30, 200, 1500, 5000, 20_000, 150_000].map(Duration::from_millis).to_vec();
    let side = select(vec![Side::Before, Side::After]);
    let redirect = select(vec![None, Some("false"), Some("302")]);
    let scope = select(vec![None, None, Some("namespace"), Some("class"), Some("nonsense")]);
    prop_oneof![
        14 => (ingress(), shape()).prop_map(|(name, shape)| Step::Ingress { name, shape }),
        4 => ingress().prop_map(|name| Step::DeleteIngress { name }),
        4 => ingress().prop_map(|name| Step::Release { name }),
        2 => ingress().prop_map(|name| Step::Consent { name }),
        8 => (service(), select(&PORTS[..]), reached)
            .prop_map(|(name, port, reached)| Step::Service { name, port, reached }),
        2 => service().prop_map(|name| Step::NoService { name }),
        12 => (service(), pods).prop_map(|(service, pods)| Step::Pods { service, pods }),
        1 => service().prop_map(|service| Step::NoPods { service }),
        5 => (secret(), 0_usize..4).prop_map(|(name, pair)| Step::Secret { name, pair }),
        1 => secret().prop_map(|name| Step::BadSecret { name }),
        1 => secret().prop_map(|name| Step::NoSecret { name }),
        2 => (redirect, scope).prop_map(|(redirect, scope)| Step::Class { redirect, scope }),
        1 => Just(Step::NoClass),
        4 => (node(), readiness).prop_map(|(name, readiness)| Step::Node { name, readiness }),
        1 => node().prop_map(|name| Step::NoNode { name }),
        3 => any::<usize>().prop_map(|which| Step::Delete { which }),
        4 => any::<(usize, usize)>().prop_map(|(which, how)| Step::Edit { which, how }),
        2 => any::<(usize, usize)>().prop_map(|(which, how)| Step::Unmark { which, how }),
        8 => (0..kinds().len(), 0_u64..12, 1_u64..4)
            .prop_map(|(kind, after, count)| Step::Fault { kind, after, count }),
        3 => Just(Step::NoFaults),
        25 => select(waits).prop_map(|span| Step::Wait { span }),
        2 => Just(Step::Restart),
        2 => Just(Step::Crash),
        3 => (0_usize..20, side).prop_map(|(call, side)| Step::CrashAt { call, side }),
        2 => Just(Step::Leader),
    ]
}
