//! Several Ingresses in one load balancer.
//!
//! Members stand in an order: by `gclb.dev/group-order`, then by age, then by namespace and name. Where two contradict each other the
//! earlier wins, the later is told who did, and everything else of the later one is served. Nothing that is wrong with a member
//! changes anything for the others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::load_balancer::{
    AddressWish, Certificate, DefaultRoute, Frontend, Host, HostPattern, LoadBalancer, PathMatch, PlainHttp,
    Route, SslPolicy,
};
use crate::model::{LoadBalancerKey, ObjectKey, Scheme};
use crate::problem::{Problem, Reason};
use crate::snapshot::FRONTEND_CONFIG_ANNOTATION;

use super::annotations::{ALLOW_HTTP, REDIRECT, SCHEME, Said, field_of};
use super::{By, Parts, Reading, Wish, rules};

/// Problems, by whose they are.
type Findings = BTreeMap<Arc<ObjectKey>, Vec<Problem>>;

/// A group while its members are gathered.
#[derive(Default)]
pub(super) struct Group {
    pub(super) members: Vec<Member>,
    /// Served elsewhere from now on, or soon.
    pub(super) leaving: Vec<Parts>,
    /// How many are being deleted.
    pub(super) gone: usize,
}

pub(super) struct Member {
    pub(super) order: i32,
    pub(super) created: Option<Timestamp>,
    pub(super) parts: Parts,
}

impl Group {
    pub(super) fn merge(self, key: LoadBalancerKey) -> (Reading, Findings) {
        let Self { mut members, leaving, gone: _ } = self;
        members.sort_by(|one, other| {
            let rank = |member: &Member| {
                (member.order, member.created.unwrap_or(Timestamp::MAX), Arc::clone(&member.parts.object))
            };
            rank(one).cmp(&rank(other))
        });
        let members: Vec<Parts> = members.into_iter().map(|member| member.parts).collect();
        let moving: BTreeSet<Arc<ObjectKey>> =
            leaving.iter().map(|parts| Arc::clone(&parts.object)).collect();
        if members.is_empty() && leaving.is_empty() {
            return (Reading { wish: Wish::TearDown, moving }, Findings::new());
        }
        let mut findings = Findings::new();
        for parts in &members {
            let said = findings.entry(Arc::clone(&parts.object)).or_default();
            said.extend(parts.problems.iter().chain(&parts.rule_problems).cloned());
        }
        let wish = merge(key, members, leaving, &mut findings);
        (Reading { wish, moving }, findings)
    }
}

fn merge(key: LoadBalancerKey, members: Vec<Parts>, leaving: Vec<Parts>, findings: &mut Findings) -> Wish {
    let encrypted = members.iter().chain(&leaving).any(|parts| !parts.certificates.is_empty());
    let mut conflicts = Findings::new();
    // Those that leave have no say any more, but where nobody else is left; and they are told nothing, they are on their way.
    let whole = match members.as_slice() {
        [] => Whole::of(&leaving, &mut Findings::new()),
        members => Whole::of(members, &mut conflicts),
    };
    let wants_none = |parts: &Parts| !parts.plain.allowed.value;
    if !encrypted && whole.plain == PlainHttp::Refuse {
        let (refused, rest): (Vec<_>, Vec<_>) = members.into_iter().partition(wants_none);
        for parts in &refused {
            findings.entry(Arc::clone(&parts.object)).or_default().push(Problem::rejected(
                Reason::NothingToServe,
                field_of(ALLOW_HTTP),
                format!(
                    "Plain HTTP is refused ({ALLOW_HTTP}: \"false\") and no member of {key} names a certificate, so there is no port on which \
                     this Ingress could be served. The other members of the group are served without it. Name a Secret in spec.tls, or \
                     remove the annotation (it may stand on the IngressClass)."
                ),
            ));
        }
        if rest.is_empty() {
            let all = refused.into_iter().chain(leaving).collect();
            return Wish::Keep(Merged::of(all, findings).finish(key, whole));
        }
        return merge(key, rest, leaving, findings);
    }
    for (object, conflicts) in conflicts {
        findings.entry(object).or_default().extend(conflicts);
    }
    if !encrypted {
        for parts in &members {
            findings
                .entry(Arc::clone(&parts.object))
                .or_default()
                .extend(parts.redirect_without_tls.iter().cloned());
        }
    }
    let mut merged = Merged::of(members, findings);
    merged.take_all(leaving, &mut Findings::new());
    let known = whole.scheme.is_some();
    let load_balancer = merged.finish(key, whole);
    if known { Wish::Serve(load_balancer) } else { Wish::Keep(load_balancer) }
}

/// Settings of the load balancer as a whole.
struct Whole {
    /// Those whose class cannot be read have no say; `None` where nobody has.
    scheme: Option<Scheme>,
    address: AddressWish,
    plain: PlainHttp,
    ssl_policy: SslPolicy,
}

impl Whole {
    fn of(members: &[Parts], findings: &mut Findings) -> Self {
        let readable: Vec<Parts> =
            members.iter().filter(|parts| parts.scheme.value.is_some()).cloned().collect();
        let policy = decide(members, |parts| &parts.ssl_policy, FRONTEND_CONFIG_ANNOTATION, findings);
        Self {
            scheme: decide(&readable, |parts| &parts.scheme, SCHEME, findings).flatten(),
            address: address(members, findings),
            plain: plain(members, findings),
            ssl_policy: policy.unwrap_or(SslPolicy::Default),
        }
    }
}

/// What port 80 does for all of them. What an Ingress says itself counts more than what its class says.
fn plain(members: &[Parts], findings: &mut Findings) -> PlainHttp {
    let redirect = decide(members, |parts| &parts.plain.redirect, REDIRECT, findings);
    let allowed = decide(members, |parts| &parts.plain.allowed, ALLOW_HTTP, findings);
    match (allowed, redirect) {
        (Some(false), _) => PlainHttp::Refuse,
        (_, Some(plain)) => plain,
        (_, None) => PlainHttp::Serve,
    }
}

fn decide<T: Clone + PartialEq>(
    members: &[Parts],
    setting: impl Fn(&Parts) -> &Said<T>,
    key: &str,
    findings: &mut Findings,
) -> Option<T> {
    let first = |by: By| members.iter().find(|parts| setting(parts).by == by);
    let winner = first(By::Object).or_else(|| first(By::Class)).or_else(|| members.first())?;
    let Said { value, by: winner_by } = setting(winner).clone();
    for loser in members {
        let said = setting(loser);
        // A class's setting gives way to what some member says, and contradicts only that of another class.
        let whose = match said.by {
            By::Object => "",
            By::Class if winner_by == By::Class => " of this Ingress's class",
            By::Class | By::Default => continue,
        };
        if said.value == value {
            continue;
        }
        findings.entry(Arc::clone(&loser.object)).or_default().push(Problem::degraded(
            Reason::GroupConflict,
            field_of(key),
            format!(
                "The setting {key}{whose} contradicts that of Ingress {}, which decides for the whole group, since it comes first: what is \
                 said here is not followed. Make the two the same, or remove one.",
                winner.object
            ),
        ));
    }
    Some(value)
}

/// The one address of all of them: the first that asks for one decides.
fn address(members: &[Parts], findings: &mut Findings) -> AddressWish {
    let said = |parts: &Parts| match &parts.address {
        AddressWish::Any => None,
        AddressWish::Named { name, place: _ } => Some(name.to_string()),
        AddressWish::Unclear { place: _, why } => Some(why.clone()),
    };
    let Some(winner) = members.iter().find(|parts| parts.address != AddressWish::Any) else {
        return AddressWish::Any;
    };
    for loser in members {
        let Some(place) = loser.address.place().filter(|_| said(loser) != said(winner)) else { continue };
        findings.entry(Arc::clone(&loser.object)).or_default().push(Problem::degraded(
            Reason::GroupConflict,
            place.field.clone(),
            format!(
                "The address that is named here contradicts that of Ingress {}, which decides for the whole group, since it comes first: \
                 what is said here is not followed. Make the two the same, or remove one.",
                winner.object
            ),
        ));
    }
    winner.address.clone()
}

/// What members ask for together.
#[derive(Default)]
struct Merged {
    objects: Vec<Arc<ObjectKey>>,
    encrypted_only: BTreeSet<Arc<ObjectKey>>,
    certificates: Vec<Certificate>,
    default: Option<DefaultRoute>,
    hosts: Vec<MergedHost>,
    by_pattern: BTreeMap<HostPattern, usize>,
}

struct MergedHost {
    pattern: HostPattern,
    routes: Vec<Route>,
    by_path: BTreeMap<PathMatch, usize>,
}

impl Merged {
    fn of(members: Vec<Parts>, findings: &mut Findings) -> Self {
        let mut merged = Self::default();
        merged.take_all(members, findings);
        merged
    }

    fn take_all(&mut self, members: Vec<Parts>, findings: &mut Findings) {
        for parts in members {
            let problems = findings.entry(Arc::clone(&parts.object)).or_default();
            self.take(parts, problems);
        }
    }

    fn take(&mut self, parts: Parts, problems: &mut Vec<Problem>) {
        let Parts {
            object,
            scheme: _,
            plain,
            // Decided for all of them together.
            address: _,
            ssl_policy: _,
            certificates,
            default,
            hosts,
            problems: _,
            rule_problems: _,
            redirect_without_tls: _,
        } = parts;
        if !plain.allowed.value {
            self.encrypted_only.insert(Arc::clone(&object));
        }
        self.objects.push(object);
        for certificate in certificates {
            if self.certificates.iter().all(|known| known.source != certificate.source) {
                self.certificates.push(certificate);
            }
        }
        match (&self.default, default) {
            (None, default) => self.default = default,
            (Some(first), Some(later)) if !first.action.goes_where(&later.action) => {
                problems.push(Problem::degraded(
                    Reason::GroupConflict,
                    later.place.field,
                    format!(
                        "Requests that no rule fits are already sent elsewhere by Ingress {} ({}), which comes first in the group and wins: \
                         none reaches the backend given here. Remove one of the two.",
                        first.place.object, first.place.field
                    ),
                ));
            }
            (Some(_), _) => {}
        }
        for host in hosts {
            self.host(host, problems);
        }
    }

    fn host(&mut self, host: Host, problems: &mut Vec<Problem>) {
        let Host { pattern, routes } = host;
        let at = *self.by_pattern.entry(pattern).or_insert_with_key(|pattern| {
            let pattern = pattern.clone();
            self.hosts.push(MergedHost { pattern, routes: Vec::new(), by_path: BTreeMap::new() });
            self.hosts.len() - 1
        });
        let host = &mut self.hosts[at];
        for route in routes {
            let Some(first) = host.by_path.get(&route.path).map(|first| &host.routes[*first]) else {
                host.by_path.insert(route.path.clone(), host.routes.len());
                host.routes.push(route);
                continue;
            };
            if !first.action.goes_where(&route.action) {
                problems.push(Problem::degraded(
                    Reason::PathConflict,
                    format!("{}.path", route.place.field),
                    format!(
                        "The requests for {} of host {} are already sent elsewhere by Ingress {} ({}), which comes first in the group and \
                         wins: none reaches the backend given here. Remove one of the two, or change its path.",
                        route.path, host.pattern, first.place.object, first.place.field
                    ),
                ));
            }
        }
    }

    fn finish(self, key: LoadBalancerKey, whole: Whole) -> LoadBalancer {
        let Whole { scheme, address, plain, ssl_policy } = whole;
        let scheme = scheme.unwrap_or(Scheme::ExternalManaged);
        let Self { objects, encrypted_only, certificates, default, hosts, by_pattern: _ } = self;
        let frontend =
            if certificates.is_empty() { Frontend::Http } else { Frontend::Https { certificates, plain } };
        let hosts = hosts
            .into_iter()
            .map(|MergedHost { pattern, mut routes, by_path: _ }| {
                // Stable, so routes of equal precedence stay in the order of the members.
                routes.sort_by_key(|route| rules::precedence(&route.path));
                Host { pattern, routes }
            })
            .collect();
        LoadBalancer { key, scheme, objects, encrypted_only, address, frontend, ssl_policy, default, hosts }
    }
}
