//! What is to be done to each resource by itself; in which order is decided elsewhere.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    BackendPolicy, BackendService, Entry, Firewall, ForwardingRule, Graph, Holder, InstanceGroup, Kind,
    LoadBalancerKey, Node, Observed, ResourceId, Target, TargetHttpsProxy, UrlMap,
};
use crate::translate::Translation;

use super::diff::{ADDRESS, Difference, How, differences};
use super::outage;
use super::retain::{Retention, retain};
use super::warm::{Awaits, Warmth};
use super::{Block, Blocked, FieldChange, Verb, drift};

/// What is to be done.
pub(super) struct Decisions<'a> {
    /// Made new.
    pub(super) creates: BTreeMap<&'a ResourceId, &'a Entry>,
    /// Changed, by these calls in this order.
    pub(super) updates: BTreeMap<&'a ResourceId, Vec<Step>>,
    /// Groups whose members may be changed.
    pub(super) groups: Vec<&'a ResourceId>,
    /// Deleted and made anew, with consent: what was, and what is to be.
    pub(super) replaces: BTreeMap<&'a ResourceId, (&'a Entry, &'a Entry)>,
    /// Deleted.
    pub(super) deletes: BTreeMap<&'a ResourceId, &'a Entry>,
    /// Not done.
    pub(super) blocked: Vec<Blocked>,
}

/// One call that changes a resource.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) verb: Verb,
    pub(super) to: Node,
    pub(super) fields: Vec<FieldChange>,
    /// What it does to what the cluster's resources allow.
    pub(super) reach: Reach,
    /// What is waited for before it.
    pub(super) awaits: Awaits,
}

/// Whether a change gives others something they may wait for, or takes away what they may still need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Neither.
    Same,
    /// A port is opened or named: before its users.
    Wider,
    /// A port is closed or unnamed: after its users.
    Narrower,
}

pub(super) fn decide<'a>(translation: &'a Translation, observed: &'a Observed) -> Decisions<'a> {
    let desired = &translation.desired;
    let mut draft = Draft::default();
    // Needed only where something could not be seen.
    let referenced = OnceCell::new();
    let is_referenced = |id: &ResourceId| {
        let all = || -> BTreeSet<&ResourceId> {
            observed.graph.entries().flat_map(|(_, entry)| entry.node.references()).collect()
        };
        referenced.get_or_init(all).contains(id)
    };

    let Apart { wanted, unwanted } = apart(desired, observed);
    for (id, entry, seen) in &wanted {
        let (id, entry, seen) = (*id, *entry, *seen);
        // A resource that is marked as held for something else is as good as somebody else's.
        if observed.taken.contains(id) || seen.is_some_and(|seen| seen.mark != entry.mark) {
            draft.block(id, entry, Block::NameTaken);
            draft.missing.insert(id);
        } else if let Some(seen) = seen {
            if !drift::stays(translation, observed, id) {
                draft.compare(id, seen, entry, translation);
            }
        } else if observed.can_tell(id) {
            draft.creates.insert(id, entry);
        } else {
            draft.block(id, entry, Block::Unseen);
            // What something seen points at exists, even where we could not look.
            if !is_referenced(id) {
                draft.missing.insert(id);
            }
        }
    }
    draft.keep_together();
    draft.block_dependents(translation, observed);

    let stuck = draft.stuck();
    let mut more_blocked = Vec::new();
    let Retention { deleted, more_than_desired } =
        retain(translation, observed, &unwanted, || draft.after(observed), &stuck, &mut more_blocked);
    draft.blocked.append(&mut more_blocked);

    let narrow = !more_than_desired && draft.blocked.is_empty() && observed.unknown.is_empty();
    let Draft { creates, changed, replaced, blocked, missing: _ } = draft;
    let blocked_ids: BTreeSet<&ResourceId> = blocked.iter().map(|blocked| &blocked.id).collect();
    let mut updates = BTreeMap::new();
    let warmth = Warmth::new(desired, observed);
    for (id, Changed { from, to, .. }) in changed {
        let steps = match (&from.node, &to.node) {
            (Node::UrlMap(from), Node::UrlMap(to)) => url_map_steps(&warmth, id, from, to),
            (from, to) => steps(from, to, narrow),
        };
        if !steps.is_empty() {
            updates.insert(id, steps);
        }
    }
    // What cannot be made whole in one call.
    for (id, entry) in &creates {
        let steps = steps(&entry.node.as_made(), &entry.node, narrow);
        if matches!(entry.node, Node::BackendService(_)) && !steps.is_empty() {
            updates.insert(*id, steps);
        }
    }
    // Of a group that is as it should be, so are the members.
    let groups = wanted
        .iter()
        .map(|(id, _, _)| *id)
        .filter(|id| matches!(id.kind, Kind::InstanceGroup | Kind::NetworkEndpointGroup))
        .filter(|id| !blocked_ids.contains(id))
        .filter(|id| creates.contains_key(id) || observed.graph.contains(id))
        .collect();
    let replaces = replaced.into_iter().map(|(id, Changed { from, to })| (id, (from, to))).collect();
    Decisions { creates, updates, groups, replaces, deletes: deleted, blocked }
}

/// Where two graphs are not the same.
pub(super) struct Apart<'a> {
    /// What is desired and not there, or there and not as desired, or under a name that is taken.
    wanted: Vec<(&'a ResourceId, &'a Entry, Option<&'a Entry>)>,
    /// What is there and not desired.
    unwanted: Vec<(&'a ResourceId, &'a Entry)>,
}

/// Both graphs are walked once, side by side, and all else is done for what this finds: where nearly all is as it should be, this is what
/// planning costs.
fn apart<'a>(desired: &'a Graph, observed: &'a Observed) -> Apart<'a> {
    let Observed { graph, taken, .. } = observed;
    let mut apart = Apart { wanted: Vec::new(), unwanted: Vec::new() };
    let mut there = graph.entries().peekable();
    for (id, entry) in desired.entries() {
        let mut seen = None;
        while let Some((at, candidate)) = there.next_if(|(at, _)| *at <= id) {
            if at == id {
                seen = Some(candidate);
            } else {
                apart.unwanted.push((at, candidate));
            }
        }
        let is_same = seen.is_some_and(|seen| std::ptr::eq(seen, entry) || seen == entry);
        if !is_same || taken.contains(id) {
            apart.wanted.push((id, entry, seen));
        }
    }
    apart.unwanted.extend(there);
    apart
}

/// What of one graph another has not got under the same mark.
pub(super) fn only_in<'a>(
    one: &'a Graph,
    other: &Graph,
) -> impl Iterator<Item = (&'a ResourceId, &'a Entry)> {
    let mut others = other.entries().peekable();
    one.entries().filter(move |(id, entry)| {
        let mut found = false;
        while let Some((at, candidate)) = others.next_if(|(at, _)| at <= id) {
            found = at == *id && candidate.mark == entry.mark;
        }
        !found
    })
}

#[derive(Default)]
struct Draft<'a> {
    creates: BTreeMap<&'a ResourceId, &'a Entry>,
    changed: BTreeMap<&'a ResourceId, Changed<'a>>,
    /// Cannot be changed, but deleted and made anew.
    replaced: BTreeMap<&'a ResourceId, Changed<'a>>,
    blocked: Vec<Blocked>,
    /// What nothing new may point at: it does not exist, and will not.
    missing: BTreeSet<&'a ResourceId>,
}

struct Changed<'a> {
    from: &'a Entry,
    to: &'a Entry,
}

impl<'a> Draft<'a> {
    fn block(&mut self, id: &ResourceId, entry: &Entry, why: Block) {
        self.blocked.push(Blocked { id: id.clone(), holder: entry.mark.holder.clone(), why });
    }

    fn compare(&mut self, id: &'a ResourceId, from: &'a Entry, to: &'a Entry, translation: &Translation) {
        let differences = differences(&from.node, &to.node);
        if differences.is_empty() {
            return;
        }
        let fixed: Vec<&Difference> =
            differences.iter().filter(|difference| difference.how == How::Never).collect();
        if id.kind == Kind::ForwardingRule && !fixed.is_empty() {
            let fields: Vec<FieldChange> = fixed.iter().map(|difference| difference.change.clone()).collect();
            let consent = outage::word(id, &to.mark.holder, &fields);
            if outage::is_allowed(translation, &to.mark.holder, &consent) {
                self.replaced.insert(id, Changed { from, to });
            } else {
                self.block(id, to, Block::Outage { consent, fields });
            }
            return;
        }
        for difference in &fixed {
            self.block(id, to, Block::Immutable { field: difference.change.clone() });
        }
        if fixed.is_empty() {
            self.changed.insert(id, Changed { from, to });
        }
    }

    /// A load balancer that is to move to another address moves as a whole: while a port of it waits for consent, no other begins there.
    fn keep_together(&mut self) {
        let waits: BTreeMap<Holder, ResourceId> = self
            .blocked
            .iter()
            .filter(|blocked| match &blocked.why {
                Block::Outage { consent: _, fields } => fields.iter().any(|change| change.field == ADDRESS),
                _ => false,
            })
            .map(|blocked| (blocked.holder.clone(), blocked.id.clone()))
            .collect();
        if waits.is_empty() {
            return;
        }
        let begins = |id: &ResourceId, entry: &Entry| {
            waits.get(&entry.mark.holder).filter(|_| id.kind == Kind::ForwardingRule).cloned()
        };
        let found: Vec<(&'a ResourceId, &'a Entry, ResourceId)> =
            self.creates.iter().filter_map(|(id, entry)| Some((*id, *entry, begins(id, entry)?))).collect();
        for (id, entry, first) in found {
            self.creates.remove(id);
            self.missing.insert(id);
            self.block(id, entry, Block::DependsOn(first));
        }
    }

    /// Whoever would come to need something that is missing is not planned either.
    fn block_dependents(&mut self, translation: &'a Translation, observed: &'a Observed) {
        if self.missing.is_empty() {
            return;
        }
        let https = https_rules(translation);
        loop {
            let mut found: Vec<(&'a ResourceId, &'a Entry, ResourceId)> = Vec::new();
            for (id, to) in self
                .creates
                .iter()
                .map(|(id, to)| (*id, *to))
                .chain(self.changed.iter().map(|(id, c)| (*id, c.to)))
                .chain(self.replaced.iter().map(|(id, c)| (*id, c.to)))
            {
                let from = observed.graph.entry(id);
                let needs = gained(from.map(|from| &from.node), &to.node);
                // A redirect to https must not begin while nothing answers https.
                let https = https
                    .get(&to.mark.holder)
                    .filter(|_| from.is_some() && begins_to_redirect(from, to, translation, observed));
                // What it points at already, and somebody deleted: the cloud takes no body that points nowhere.
                let gone = to.node.references().into_iter().filter(|id| is_absent(id, observed));
                let lacking = needs
                    .into_iter()
                    .chain(https.into_iter().flatten().copied())
                    .chain(gone)
                    .find(|needed| self.missing.contains(needed));
                if let Some(lacking) = lacking {
                    found.push((id, to, lacking.clone()));
                }
            }
            if found.is_empty() {
                return;
            }
            for (id, to, lacking) in found {
                if self.creates.remove(id).is_some() {
                    self.missing.insert(id);
                }
                self.changed.remove(id);
                self.replaced.remove(id);
                self.block(id, to, Block::DependsOn(lacking));
            }
        }
    }

    /// What each resource is when creates and updates are done and nothing is deleted yet.
    fn after(&self, observed: &'a Observed) -> BTreeMap<&'a ResourceId, &'a Node> {
        observed
            .graph
            .entries()
            .map(|(id, entry)| (id, &entry.node))
            .chain(self.changed.iter().chain(&self.replaced).map(|(id, changed)| (*id, &changed.to.node)))
            .chain(self.creates.iter().map(|(id, entry)| (*id, &entry.node)))
            .collect()
    }

    /// Load balancers of which a part of their own cannot be planned, and the first such part.
    fn stuck(&self) -> BTreeMap<LoadBalancerKey, ResourceId> {
        let mut stuck = BTreeMap::new();
        for Blocked { id, holder, why: _ } in &self.blocked {
            if let Holder::LoadBalancer(key) = holder {
                stuck.entry(key.clone()).or_insert_with(|| id.clone());
            }
        }
        stuck
    }
}

/// Whether it is known that nothing has this name.
pub(super) fn is_absent(id: &ResourceId, observed: &Observed) -> bool {
    !observed.graph.contains(id) && !observed.taken.contains(id) && observed.can_tell(id)
}

/// What `to` points at and `from` does not.
pub(super) fn gained<'a>(from: Option<&Node>, to: &'a Node) -> BTreeSet<&'a ResourceId> {
    let before: BTreeSet<&ResourceId> = from.into_iter().flat_map(Node::references).collect();
    to.references().into_iter().filter(|id| !before.contains(id)).collect()
}

/// The forwarding rules for https, by whom they are for.
fn https_rules(translation: &Translation) -> BTreeMap<&Holder, Vec<&ResourceId>> {
    let mut rules: BTreeMap<&Holder, Vec<&ResourceId>> = BTreeMap::new();
    for (id, mark, rule) in translation.desired.of::<ForwardingRule>() {
        if matches!(rule.target, Target::Https(_)) {
            rules.entry(&mark.holder).or_default().push(id);
        }
    }
    rules
}

/// Whether a change of this resource makes plain HTTP redirect to https where it did not before.
fn begins_to_redirect(
    from: Option<&Entry>,
    to: &Entry,
    translation: &Translation,
    observed: &Observed,
) -> bool {
    let redirects = |node: &Node, graph: &Graph| match node {
        Node::UrlMap(map) => map.redirects_to_https(),
        Node::TargetHttpProxy(proxy) => graph.get(&proxy.url_map).is_some_and(UrlMap::redirects_to_https),
        _ => false,
    };
    redirects(&to.node, &translation.desired)
        && !from.is_some_and(|from| redirects(&from.node, &observed.graph))
}

/// The calls that lead from one state of a resource to another.
fn steps(from: &Node, to: &Node, narrow: bool) -> Vec<Step> {
    match (from, to) {
        (Node::TargetHttpsProxy(from), Node::TargetHttpsProxy(to)) => https_proxy_steps(from, to),
        (Node::Firewall(from), Node::Firewall(to)) => firewall_steps(from, to, narrow),
        (Node::InstanceGroup(from), Node::InstanceGroup(to)) => instance_group_steps(from, to, narrow),
        (Node::BackendService(from), Node::BackendService(to)) => backend_service_steps(from, to),
        _ => step(from, to.clone(), Reach::Same).into_iter().collect(),
    }
}

/// One call, where one is enough; `None` where nothing differs.
fn step(from: &Node, to: Node, reach: Reach) -> Option<Step> {
    let differences = differences(from, &to);
    let verb = differences.iter().find_map(|difference| match difference.how {
        How::By(verb) => Some(verb),
        How::Never => None,
    })?;
    let fields = differences.into_iter().map(|difference| difference.change).collect();
    Some(Step { verb, to, fields, reach, awaits: Awaits::new() })
}

/// In one call, unless requests move to a backend service that must be waited for: then everything else first, together with the
/// warming, and the move when that service is well. Also in one call where there can be no state in between.
fn url_map_steps(warmth: &Warmth<'_>, id: &ResourceId, from: &UrlMap, to: &UrlMap) -> Vec<Step> {
    let node = |map: &UrlMap| Node::UrlMap(map.clone());
    let awaits = warmth.awaits(id, from, to);
    if awaits.is_empty() {
        return step(&node(from), node(to), Reach::Same).into_iter().collect();
    }
    let Some(warm) = warmth.warm(from, to, &awaits) else {
        return step(&node(from), node(to), Reach::Same).into_iter().collect();
    };
    let first = step(&node(from), node(&warm), Reach::Same);
    let between = if first.is_some() { &warm } else { from };
    let last = step(&node(between), node(to), Reach::Same).map(|step| Step { awaits, ..step });
    first.into_iter().chain(last).collect()
}

/// What clients may speak first, then the url map, then the certificates: each is a call of its own.
fn https_proxy_steps(from: &TargetHttpsProxy, to: &TargetHttpsProxy) -> Vec<Step> {
    let guarded = TargetHttpsProxy { ssl_policy: to.ssl_policy.clone(), ..from.clone() };
    let routed = TargetHttpsProxy { url_map: to.url_map.clone(), ..guarded.clone() };
    let stages = [from, &guarded, &routed, to].map(|proxy| Node::TargetHttpsProxy(proxy.clone()));
    stages
        .windows(2)
        .filter_map(|two| match two {
            [from, to] => step(from, to.clone(), Reach::Same),
            _ => None,
        })
        .collect()
}

/// The security policy first, then all else: two calls of the API, and no setting comes without the protection that was asked for with it.
fn backend_service_steps(from: &BackendService, to: &BackendService) -> Vec<Step> {
    let policy = BackendPolicy { security_policy: to.policy.security_policy.clone(), ..from.policy.clone() };
    let between = BackendService { policy, ..from.clone() };
    let [from, between, to] = [from, &between, to].map(|service| Node::BackendService(service.clone()));
    [step(&from, between.clone(), Reach::Same), step(&between, to, Reach::Same)]
        .into_iter()
        .flatten()
        .collect()
}

/// First everything that either allows, then only what is wanted. With `narrow` false no port is closed.
fn firewall_steps(from: &Firewall, to: &Firewall, narrow: bool) -> Vec<Step> {
    let Firewall { network, source_ranges, ports, target_tags } = to;
    let wide_ports = union_of_ranges(&from.ports, ports);
    let wide = Firewall {
        network: network.clone(),
        source_ranges: source_ranges.union(&from.source_ranges).copied().collect(),
        ports: wide_ports.clone(),
        // No tag means every instance.
        target_tags: if target_tags.is_empty() || from.target_tags.is_empty() {
            BTreeSet::new()
        } else {
            target_tags.union(&from.target_tags).cloned().collect()
        },
    };
    let wanted = Firewall {
        network: network.clone(),
        source_ranges: source_ranges.clone(),
        ports: if narrow { ports.clone() } else { wide_ports },
        target_tags: target_tags.clone(),
    };
    two_steps(&Node::Firewall(from.clone()), &Node::Firewall(wide), Node::Firewall(wanted))
}

/// Every range of either that does not lie within another.
fn union_of_ranges(a: &BTreeSet<(u16, u16)>, b: &BTreeSet<(u16, u16)>) -> BTreeSet<(u16, u16)> {
    let all: BTreeSet<(u16, u16)> = a.union(b).copied().collect();
    let within_another = |range: &(u16, u16)| {
        all.iter().any(|other| other != range && other.0 <= range.0 && range.1 <= other.1)
    };
    all.iter().filter(|range| !within_another(range)).copied().collect()
}

/// As for the firewall. Members stay as they are: they have calls of their own.
fn instance_group_steps(from: &InstanceGroup, to: &InstanceGroup, narrow: bool) -> Vec<Step> {
    let InstanceGroup { network, named_ports, members: _ } = to;
    let group = |named_ports: BTreeMap<String, u16>| {
        Node::InstanceGroup(InstanceGroup {
            network: from.network.clone().or_else(|| network.clone()),
            named_ports,
            members: from.members.clone(),
        })
    };
    let mut wide = from.named_ports.clone();
    wide.extend(named_ports.iter().map(|(name, port)| (name.clone(), *port)));
    let wanted = if narrow { named_ports.clone() } else { wide.clone() };
    two_steps(&group(from.named_ports.clone()), &group(wide), group(wanted))
}

/// What closes nothing needs no second step, and what opens nothing no first.
fn two_steps(from: &Node, wide: &Node, to: Node) -> Vec<Step> {
    let widen = step(from, wide.clone(), Reach::Wider);
    let narrow = step(if widen.is_some() { wide } else { from }, to, Reach::Narrower);
    widen.into_iter().chain(narrow).collect()
}
