//! The state of each load balancer, from what is asked for, what there is, and how the work goes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::apply::{Ending, Failure, Next};
use crate::model::{
    BackendService, Group, Holder, Holdings, InstanceGroup, Kind, LoadBalancerKey, NetworkEndpointGroup,
    ObjectKey, Observed, ResourceId,
};
use crate::plan::{Action, Block, Blocked, Change};
use crate::problem::{Problem, Severity};
use crate::translate::{Claimant, Disposition, Frontends, Share, Translation};

use super::{Activity, Event, Health, Phase, Report, ServiceHealth, Summary, Wait, Work, sentence, waits};

/// The reason in a summary while nothing is missing but the cloud's word on the health of some backends.
pub const HEALTH_UNKNOWN: &str = "HealthUnknown";

/// What is to be shown for each object that the translation speaks of.
#[must_use]
pub fn compute(
    translation: &Translation,
    observed: &Observed,
    work: &Work<'_>,
    health: &Health,
) -> BTreeMap<ObjectKey, Report> {
    let desk = Desk {
        translation,
        observed,
        work,
        health,
        held: held(translation, observed),
        in_cloud: observed.holdings(),
        pending: pending(work, observed),
        blocked: work.plan.blocked.iter().fold(BTreeMap::new(), |mut blocked, one| {
            blocked.entry(&one.id).or_insert_with(Vec::new).push(one);
            blocked
        }),
    };
    translation.claimants.iter().map(|(object, claimant)| (object.clone(), desk.report(claimant))).collect()
}

/// What exists, or should, for each load balancer alone.
fn held<'a>(
    translation: &'a Translation,
    observed: &'a Observed,
) -> BTreeMap<&'a LoadBalancerKey, BTreeSet<&'a ResourceId>> {
    let mut held: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (id, entry) in observed.graph.entries().chain(translation.desired.entries()) {
        if let Holder::LoadBalancer(key) = &entry.mark.holder {
            held.entry(key).or_default().insert(id);
        }
    }
    held
}

/// What is being changed for load balancers, as far as it is worth a word: what the whole cluster shares changes with every Service,
/// and members with every pod.
fn pending<'a>(work: &Work<'a>, observed: &Observed) -> BTreeMap<&'a ResourceId, &'a Change> {
    if work.activity == Activity::Over {
        return BTreeMap::new();
    }
    let changes = work.plan.pending(observed).into_iter();
    changes
        .filter(|change| match &change.action {
            Action::Create(_) | Action::Update { .. } | Action::Delete => {
                change.mark.holder != Holder::Cluster
            }
            Action::AttachEndpoints(_)
            | Action::DetachEndpoints(_)
            | Action::AddInstances(_)
            | Action::RemoveInstances(_)
            | Action::AwaitHealthy { .. } => false,
        })
        .map(|change| (&change.id, change))
        .collect()
}

struct Desk<'a> {
    translation: &'a Translation,
    observed: &'a Observed,
    work: &'a Work<'a>,
    health: &'a Health,
    /// What exists for each load balancer alone, or should.
    held: BTreeMap<&'a LoadBalancerKey, BTreeSet<&'a ResourceId>>,
    /// What of it exists.
    in_cloud: Holdings<'a>,
    pending: BTreeMap<&'a ResourceId, &'a Change>,
    blocked: BTreeMap<&'a ResourceId, Vec<&'a Blocked>>,
}

/// Something that keeps a load balancer from being as it should be.
struct Trouble {
    /// Whether somebody must know of it, or it is merely waited for.
    kind: TroubleKind,
    reason: &'static str,
    message: String,
}

impl Trouble {
    /// Whether somebody should hear of it.
    fn is_wrong(&self) -> bool {
        match self.kind {
            TroubleKind::Person | TroubleKind::Failed => true,
            TroubleKind::Held | TroubleKind::Waiting => false,
        }
    }
}

/// The order is that of importance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum TroubleKind {
    Person,
    Failed,
    /// Waited for, with something to say about how long.
    Held,
    Waiting,
}

/// What is known of the backends of a load balancer.
#[derive(Default)]
struct Backends {
    known: ServiceHealth,
    /// Services of which no backend is well, in words.
    unwell: Vec<String>,
    /// Services whose backends nobody has probed yet, in words.
    unprobed: Vec<String>,
    /// Services that the cloud has said nothing of yet, in words.
    unknown: Vec<String>,
    events: Vec<Event>,
}

impl Desk<'_> {
    fn report(&self, claimant: &Claimant) -> Report {
        let Claimant { home, elsewhere, share, problems } = claimant;
        let mut events: Vec<Event> = problems.iter().map(problem_event).collect();
        let at_home =
            home.as_ref().and_then(|key| Some((key, &self.translation.load_balancers.get(key)?.disposition)));
        let mut resources = None;
        let (address, summary) = match at_home {
            Some((key, Disposition::Serve(frontends))) if *share != Share::Nothing => {
                let home = Home { key, uses: own(share, &frontends.uses) };
                let mut troubles = self.troubles(&self.concerned(key, home.uses.iter().copied()));
                // What is left of it elsewhere is told of too, but it is served.
                for left in elsewhere {
                    troubles.extend(
                        self.leaving(left)
                            .into_iter()
                            .map(|trouble| Trouble { kind: TroubleKind::Waiting, ..trouble }),
                    );
                }
                events.extend(troubles.iter().filter_map(trouble_event));
                let backends = self.backends(&home);
                let summary = self.serving(&home, problems, &troubles, &backends);
                events.extend(backends.events);
                let Self { translation, observed, health, .. } = self;
                resources =
                    Some(super::resources::resources(frontends, &translation.desired, observed, health));
                (self.address(frontends), summary)
            }
            // A home that is being torn down while it is one cannot be.
            Some((_, Disposition::Serve(_) | Disposition::Keep | Disposition::TearDown)) => {
                (None, rejected(problems))
            }
            None => {
                let mut troubles: Vec<Trouble> = elsewhere.iter().flat_map(|key| self.leaving(key)).collect();
                troubles.sort_by_key(|trouble| trouble.kind);
                events.extend(troubles.iter().filter_map(trouble_event));
                (None, self.tearing_down(elsewhere, &troubles))
            }
        };
        Report { address, summary, resources, events }
    }

    /// What keeps a load balancer from losing what it is to lose.
    fn leaving(&self, key: &LoadBalancerKey) -> Vec<Trouble> {
        match self.translation.load_balancers.get(key).map(|translated| &translated.disposition) {
            Some(Disposition::TearDown) => {
                let held = self.held.get(key).into_iter().flatten().copied();
                let all = self.observed.graph.closure(held);
                self.troubles(&self.concerned(key, all.iter()))
            }
            Some(Disposition::Serve(_)) if key.is_shared() => self.troubles(&self.concerned(key, [])),
            Some(Disposition::Serve(_) | Disposition::Keep) | None => Vec::new(),
        }
    }

    /// Once every forwarding rule that should answer there exists; a reserved address alone answers nothing. It is the one that they
    /// have, whichever they should have: of two, none is told.
    fn address(&self, frontends: &Frontends) -> Option<IpAddr> {
        let Frontends { forwarding_rules, uses: _ } = frontends;
        let numbers: Option<BTreeSet<IpAddr>> = forwarding_rules
            .iter()
            .map(|rule| {
                let there = self.observed.graph.contains(rule.id());
                self.observed.facts.get(rule.id()).filter(|_| there)?.address
            })
            .collect();
        let mut numbers = numbers?.into_iter();
        numbers.next().filter(|_| numbers.next().is_none())
    }

    /// Everything whose troubles are this load balancer's.
    fn concerned<'a>(
        &'a self,
        key: &LoadBalancerKey,
        uses: impl IntoIterator<Item = &'a ResourceId>,
    ) -> BTreeSet<&'a ResourceId> {
        uses.into_iter().chain(self.held.get(key).into_iter().flatten().copied()).collect()
    }

    /// The most important first.
    fn troubles(&self, concerned: &BTreeSet<&ResourceId>) -> Vec<Trouble> {
        let Work { plan: _, activity: _, unfinished, waits } = self.work;
        // What a failed change holds up is not told of, but the failure is, whosever it is.
        let mut failed: BTreeMap<&ResourceId, &Failure> = BTreeMap::new();
        let mut troubles = Vec::new();
        for id in concerned {
            match unfinished.get(*id) {
                Some(Ending::Failed(failure)) => {
                    failed.insert(id, failure);
                }
                Some(Ending::Blocked { by }) => match unfinished.get(by) {
                    Some(Ending::Failed(failure)) => {
                        failed.insert(by, failure);
                    }
                    _ => troubles.push(waiting("Waiting", &format!("{id} waits for {by}"))),
                },
                Some(Ending::Waiting { message }) => {
                    let waits = waiting("BackendsNotHealthy", &format!("{id} {message}"));
                    troubles.push(Trouble { kind: TroubleKind::Held, ..waits });
                }
                Some(Ending::Superseded) => {
                    troubles.push(waiting("Waiting", &format!("{id} is to be looked at again")));
                }
                Some(Ending::Done) | None => {}
            }
        }
        troubles.extend(concerned.iter().filter_map(|id| wait_trouble(id, *waits.get(*id)?)));
        troubles.extend(failed.into_iter().map(|(id, failure)| failure_trouble(id, failure, waits.get(id))));
        let blocked = concerned.iter().filter_map(|id| self.blocked.get(*id)).flatten();
        troubles.extend(blocked.map(|blocked| block_trouble(blocked)));
        troubles.sort_by_key(|trouble| trouble.kind);
        troubles
    }

    fn serving(
        &self,
        home: &Home<'_>,
        problems: &[Problem],
        troubles: &[Trouble],
        backends: &Backends,
    ) -> Summary {
        let ServiceHealth { healthy, total } = backends.known;
        let healthy = (total > 0).then(|| format!("{healthy}/{total}"));
        let of = |phase, reason: Option<&str>, message: Option<String>| Summary {
            phase,
            reason: reason.map(str::to_owned),
            message,
            healthy: healthy.clone(),
        };
        if let Some(trouble) = troubles.first().filter(|trouble| trouble.kind <= TroubleKind::Held) {
            let phase = if trouble.is_wrong() { Phase::Failing } else { Phase::Progressing };
            return of(phase, Some(trouble.reason), Some(trouble.message.clone()));
        }
        if let Some(problem) = problems.iter().find(|problem| problem.severity == Severity::Rejected) {
            return of(Phase::Rejected, Some(problem.reason.word()), Some(problem_message(problem)));
        }
        if let Some(message) = self.under_way(home) {
            return of(Phase::Progressing, Some("Changing"), Some(message));
        }
        if let Some(trouble) = troubles.first() {
            return of(Phase::Progressing, Some(trouble.reason), Some(trouble.message.clone()));
        }
        if !backends.unwell.is_empty() {
            let message = sentence(&backends.unwell.join("; "));
            return of(Phase::Unhealthy, Some("BackendsUnhealthy"), Some(message));
        }
        if !backends.unprobed.is_empty() {
            let message = sentence(&backends.unprobed.join("; "));
            return of(Phase::Progressing, Some("BackendsUnprobed"), Some(message));
        }
        let worst = problems
            .iter()
            .filter(|problem| problem.severity > Severity::Warning)
            // The last of equals wins: from behind, that is the first of the input.
            .rev()
            .max_by_key(|problem| problem.severity);
        if let Some(problem) = worst {
            return of(Phase::Degraded, Some(problem.reason.word()), Some(problem_message(problem)));
        }
        if !backends.unknown.is_empty() {
            let message = format!("Waiting for the health of {}", backends.unknown.join(", "));
            return of(Phase::Progressing, Some(HEALTH_UNKNOWN), Some(message));
        }
        match problems.iter().find(|problem| problem.severity == Severity::Note) {
            Some(note) => of(Phase::Ready, Some(note.reason.word()), Some(problem_message(note))),
            None => of(Phase::Ready, None, None),
        }
    }

    /// What is being made, changed or deleted for this load balancer, or still is to be.
    fn under_way(&self, home: &Home<'_>) -> Option<String> {
        let Home { key, uses } = home;
        let missing: Vec<&ResourceId> =
            uses.iter().copied().filter(|id| !self.observed.graph.contains(id)).collect();
        if let Some(first) = missing.first() {
            return Some(match missing.len() - 1 {
                0 => format!("{} is still to be made", sentence(&first.to_string())),
                more => format!("{} and {more} more are still to be made", sentence(&first.to_string())),
            });
        }
        let own = self.held.get(key).into_iter().flatten().copied();
        let change = uses.iter().copied().chain(own).find_map(|id| self.pending.get(id))?;
        Some(format!("{} is being changed: {}", sentence(&change.id.to_string()), change.reason))
    }

    fn tearing_down(&self, keys: &BTreeSet<LoadBalancerKey>, troubles: &[Trouble]) -> Summary {
        let goes = |key: &&LoadBalancerKey| {
            let translated = self.translation.load_balancers.get(*key);
            translated.is_some_and(|translated| translated.disposition == Disposition::TearDown)
        };
        let left = keys.iter().filter(goes).map(|key| self.in_cloud.of(key).len()).sum::<usize>();
        if left == 0 && troubles.is_empty() && self.observed.may_hold_more() {
            let unseen = "Parts of the cloud did not answer, so it is not known whether anything is still to be deleted";
            let message = Some(unseen.to_owned());
            return Summary { phase: Phase::Deleting, reason: None, message, healthy: None };
        }
        if let (0, None, Some(group)) = (left, troubles.first(), keys.iter().find(|key| !goes(key))) {
            let message = format!("Its rules are still to be taken out of {group}, which serves others too");
            return Summary { phase: Phase::Deleting, reason: None, message: Some(message), healthy: None };
        }
        let (reason, message) = match (troubles.first(), left) {
            (Some(trouble), _) => (Some(trouble.reason.to_owned()), Some(trouble.message.clone())),
            (None, 0) => (None, None),
            (None, 1) => (None, Some("1 resource is still to be deleted".to_owned())),
            (None, left) => (None, Some(format!("{left} resources are still to be deleted"))),
        };
        Summary { phase: Phase::Deleting, reason, message, healthy: None }
    }

    fn backends(&self, home: &Home<'_>) -> Backends {
        let mut backends = Backends::default();
        for id in home.uses.iter().copied().filter(|id| id.kind == Kind::BackendService) {
            let Some(entry) = self.translation.desired.entry(id) else { continue };
            let crate::model::Node::BackendService(service) = &entry.node else { continue };
            // One without groups serves nothing by itself, and has nobody to be well.
            if service.backends.is_empty() || !self.observed.graph.contains(id) {
                continue;
            }
            let name = service_name(&entry.mark.holder, id);
            let Some(health) = self.health.get(id) else {
                backends.unknown.push(name);
                continue;
            };
            let ServiceHealth { healthy, total } = *health;
            backends.known.healthy += healthy;
            backends.known.total += total;
            let text = match (healthy, total) {
                (0, 0) if self.is_empty(service) => format!("{name} has no endpoints"),
                (0, 0) => format!("no backend of {name} has been probed yet"),
                (0, total) => format!("none of {total} backends of {name} is healthy"),
                (healthy, total) if healthy < total => format!("some backends of {name} are not healthy"),
                (healthy, total) => format!("{healthy} of {total} backends of {name} are healthy"),
            };
            let unprobed = total == 0 && !self.is_empty(service);
            let reason = match (healthy, total) {
                _ if unprobed => "BackendsUnprobed",
                (1.., total) if healthy == total => "BackendsHealthy",
                _ => "BackendsUnhealthy",
            };
            backends.events.push(Event::normal(reason, sentence(&text)));
            if unprobed {
                backends.unprobed.push(text);
            } else if healthy == 0 {
                backends.unwell.push(text);
            }
        }
        backends
    }

    /// Whether its groups have no member.
    fn is_empty(&self, service: &BackendService) -> bool {
        let desired = &self.translation.desired;
        service.backends.iter().all(|backend| match &backend.group {
            Group::Instances(group) => {
                desired.get(group).is_some_and(|InstanceGroup { members, .. }| members.is_empty())
            }
            Group::Endpoints(group) => desired
                .get(group)
                .is_some_and(|NetworkEndpointGroup { members, .. }| members.count() == Some(0)),
            Group::Other(_) => false,
        })
    }
}

/// The load balancer that serves an object, as far as it concerns that one.
struct Home<'a> {
    key: &'a LoadBalancerKey,
    uses: Vec<&'a ResourceId>,
}

/// What of all that a load balancer uses concerns one of its objects.
fn own<'a>(share: &'a Share, uses: &'a BTreeSet<ResourceId>) -> Vec<&'a ResourceId> {
    match share {
        Share::Nothing => Vec::new(),
        Share::Whole => uses.iter().collect(),
        Share::Part(part) => uses
            .iter()
            .filter(|id| match id.kind {
                Kind::BackendService
                | Kind::HealthCheck
                | Kind::InstanceGroup
                | Kind::NetworkEndpointGroup
                | Kind::SslCertificate => part.contains(*id),
                Kind::Firewall
                | Kind::UrlMap
                | Kind::TargetHttpProxy
                | Kind::TargetHttpsProxy
                | Kind::Address
                | Kind::ForwardingRule => true,
            })
            .collect(),
    }
}

/// A backend service by what people know it by.
fn service_name(holder: &Holder, id: &ResourceId) -> String {
    match holder {
        Holder::Service { service, port } => format!("Service {service}, port {port} ({id})"),
        Holder::LoadBalancer(_) | Holder::Secret(_) | Holder::Cluster => id.to_string(),
    }
}

fn problem_message(problem: &Problem) -> String {
    let Problem { severity: _, reason: _, field, message } = problem;
    format!("{field}: {message}")
}

fn problem_event(problem: &Problem) -> Event {
    let (reason, message) = (problem.reason.word(), problem_message(problem));
    match problem.severity {
        Severity::Note => Event::normal(reason, message),
        Severity::Warning | Severity::Degraded | Severity::Rejected => Event::warning(reason, message),
    }
}

fn trouble_event(trouble: &Trouble) -> Option<Event> {
    trouble.is_wrong().then(|| Event::warning(trouble.reason, trouble.message.clone()))
}

fn waiting(reason: &'static str, message: &str) -> Trouble {
    Trouble { kind: TroubleKind::Waiting, reason, message: sentence(message) }
}

fn wait_trouble(id: &ResourceId, wait: Wait) -> Option<Trouble> {
    let (reason, message) = match wait {
        Wait::Quota(None) => ("WaitingForQuota", format!("{id}: waiting for quota")),
        Wait::Quota(Some(left)) => {
            ("WaitingForQuota", format!("{id}: waiting for quota, {}", waits::about(left)))
        }
        Wait::Healthy => ("WaitingForHealth", format!("waiting until the new {id} is healthy")),
        // The failure itself says so.
        Wait::HeldBack { since: _, until: _ } => return None,
    };
    Some(Trouble { kind: TroubleKind::Held, reason, message: sentence(&message) })
}

fn failure_trouble(id: &ResourceId, failure: &Failure, wait: Option<&Wait>) -> Trouble {
    let Failure { message, next } = failure;
    let held = match wait {
        Some(Wait::HeldBack { since, until }) => {
            let since = since.map_or_else(String::new, |since| format!(" since {}", waits::clock(since)));
            Some(format!("held back{since}, tried again at {}", waits::clock(*until)))
        }
        Some(Wait::Quota(_) | Wait::Healthy) | None => None,
    };
    let (kind, reason, next) = match next {
        Next::LookAgain => {
            (TroubleKind::Waiting, "LookingAgain", "it was not as expected, and is being looked at again")
        }
        Next::Later => (TroubleKind::Failed, "ChangeFailed", "it is tried again"),
        Next::Person => (
            TroubleKind::Person,
            "ChangeRefused",
            "somebody must see to that; it is tried again from time to time",
        ),
    };
    // Most errors name what they are about themselves.
    let about = if message.contains(&id.to_string()) { String::new() } else { format!("{id}: ") };
    let held = held.map_or_else(String::new, |held| format!(" ({held})"));
    Trouble { kind, reason, message: sentence(&format!("{about}{message}; {next}{held}")) }
}

fn block_trouble(blocked: &Blocked) -> Trouble {
    let Blocked { id, holder: _, why } = blocked;
    let (kind, reason) = match why {
        Block::NameTaken => (TroubleKind::Person, "NameTaken"),
        Block::Outage { consent: _, fields: _ } => (TroubleKind::Person, "OutageNeedsConsent"),
        Block::Immutable { field: _ } => (TroubleKind::Person, "CannotBeChanged"),
        Block::Unseen => (TroubleKind::Waiting, "CloudNotSeen"),
        Block::DependsOn(_) => (TroubleKind::Waiting, "Waiting"),
        Block::Preflight(refusal) => (TroubleKind::Person, refusal.word()),
    };
    Trouble { kind, reason, message: sentence(&format!("{id}: {why}")) }
}

fn rejected(problems: &[Problem]) -> Summary {
    let worst = problems.iter().rev().max_by_key(|problem| problem.severity);
    Summary {
        phase: Phase::Rejected,
        reason: worst.map(|problem| problem.reason.word().to_owned()),
        message: worst.map(problem_message),
        healthy: None,
    }
}
