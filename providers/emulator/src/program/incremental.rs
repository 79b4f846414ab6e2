//! Compiling again only what a change can have changed.
//!
//! A program is the sum of what each forwarding rule brings: its frontend, its URL map, the backend services of that, and
//! their groups and health checks. What a rule reads while it is compiled is noted, and it is compiled again when one of
//! those resources has changed, come or gone. The sum is always what [`compile`](super::compile) makes of the whole.

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::{Resources, backend_service, firewall, forwarding_rule};
use crate::dataplane::Differing;
use crate::dataplane::program::{NetworkEndpoint, Problem, Program};
use crate::dataplane::resource_id::{BackendServiceId, ForwardingRuleId, GroupId, HealthCheckId, UrlMapId};

/// A program, and where its parts come from.
#[derive(Debug, Default)]
pub(crate) struct Compiler {
    program: Program,
    rules: BTreeMap<String, Part>,
    /// Which rules have read a resource, there or not.
    readers: HashMap<String, BTreeSet<String>>,
    /// How many rules bring what.
    brought: HashMap<(Table, String), usize>,
    surroundings: Vec<Problem>,
}

/// A table of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Table {
    UrlMaps,
    BackendServices,
    BackendBuckets,
    Groups,
    HealthChecks,
}

/// What one forwarding rule brings.
#[derive(Debug)]
struct Part {
    reads: BTreeSet<String>,
    /// The keys of what it brings to the tables of the program, by table.
    url_maps: Vec<UrlMapId>,
    backend_services: Vec<BackendServiceId>,
    backend_buckets: Vec<BackendServiceId>,
    groups: Vec<GroupId>,
    health_checks: Vec<HealthCheckId>,
    problems: Vec<Problem>,
}

impl Compiler {
    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// Compiles everything.
    pub(crate) fn all(resources: &impl Resources) -> Self {
        let mut compiler = Self::default();
        for (path, _) in resources.list("forwardingRules") {
            compiler.bring(resources, path);
        }
        compiler.surround(resources);
        compiler.sum_problems();
        compiler
    }

    /// Takes up changes: the paths of resources that were put in place, changed, or taken away. Where the program can differ
    /// from what it was.
    pub(crate) fn update<'a>(
        &mut self,
        resources: &impl Resources,
        changed: impl IntoIterator<Item = &'a str>,
    ) -> Differing {
        let mut rules = BTreeSet::new();
        let mut surroundings = false;
        for path in changed {
            match super::json::collection(path) {
                "forwardingRules" => drop(rules.insert(path.to_owned())),
                "firewalls" | "instances" => surroundings = true,
                _ => {}
            }
            rules.extend(self.readers.get(path).into_iter().flatten().cloned());
        }
        let mut problems = surroundings;
        let mut services = self.services_of(&rules);
        // Everything that is to go, goes first: what two of the rules share is then made anew by the first of them.
        for rule in &rules {
            problems |= self.withdraw(rule);
        }
        for rule in &rules {
            problems |= self.bring(resources, rule);
        }
        services.append(&mut self.services_of(&rules));
        if surroundings {
            self.surround(resources);
        }
        if problems {
            self.sum_problems();
        }
        if surroundings {
            return Differing::All;
        }
        let frontends = rules.iter().map(|rule| ForwardingRuleId::new(rule.as_str())).collect();
        Differing::These { frontends, backend_services: services }
    }

    /// The backend services that some rules bring.
    fn services_of(&self, rules: &BTreeSet<String>) -> BTreeSet<BackendServiceId> {
        let parts = rules.iter().filter_map(|rule| self.rules.get(rule));
        parts.flat_map(|part| part.backend_services.iter().cloned()).collect()
    }

    /// Compiles one rule, if it is there. Whether it has problems.
    fn bring(&mut self, resources: &impl Resources, rule: &str) -> bool {
        let Some(body) = resources.get(rule) else { return false };
        let recorder = Recorder { resources, reads: RefCell::default() };
        let mut one = Program::default();
        forwarding_rule::compile(&recorder, rule, body, &mut one);
        let services: Vec<_> =
            one.url_maps.values().flat_map(|url_map| url_map.backend_services().cloned()).collect();
        for id in services {
            backend_service::compile(&recorder, &id, &mut one);
        }
        let Program {
            frontends,
            url_maps,
            backend_services,
            backend_buckets,
            groups,
            health_checks,
            firewalls: _,
            instances: _,
            problems,
        } = one;
        let part = Part {
            reads: recorder.reads.into_inner(),
            url_maps: url_maps.keys().cloned().collect(),
            backend_services: backend_services.keys().cloned().collect(),
            backend_buckets: backend_buckets.keys().cloned().collect(),
            groups: groups.keys().cloned().collect(),
            health_checks: health_checks.keys().cloned().collect(),
            problems,
        };
        for frontend in frontends {
            let at = self.program.frontends.partition_point(|other| other.id < frontend.id);
            self.program.frontends.insert(at, frontend);
        }
        add(&mut self.program.url_maps, url_maps, &mut self.brought, Table::UrlMaps, |id| id.as_str());
        add(
            &mut self.program.backend_services,
            backend_services,
            &mut self.brought,
            Table::BackendServices,
            |id| id.as_str(),
        );
        add(
            &mut self.program.backend_buckets,
            backend_buckets,
            &mut self.brought,
            Table::BackendBuckets,
            |id| id.as_str(),
        );
        add(&mut self.program.groups, groups, &mut self.brought, Table::Groups, |id| id.as_str());
        add(&mut self.program.health_checks, health_checks, &mut self.brought, Table::HealthChecks, |id| {
            id.as_str()
        });
        for path in &part.reads {
            self.readers.entry(path.clone()).or_default().insert(rule.to_owned());
        }
        let has_problems = !part.problems.is_empty();
        self.rules.insert(rule.to_owned(), part);
        has_problems
    }

    /// Takes away what a rule has brought and nobody else brings. Whether it had problems.
    fn withdraw(&mut self, rule: &str) -> bool {
        let Some(part) = self.rules.remove(rule) else { return false };
        let Part { reads, url_maps, backend_services, backend_buckets, groups, health_checks, problems } =
            part;
        for path in reads {
            if let Some(readers) = self.readers.get_mut(&path) {
                readers.remove(rule);
                if readers.is_empty() {
                    self.readers.remove(&path);
                }
            }
        }
        let frontends = &mut self.program.frontends;
        let at = frontends.partition_point(|frontend| frontend.id.as_str() < rule);
        if frontends.get(at).is_some_and(|frontend| frontend.id.as_str() == rule) {
            frontends.remove(at);
        }
        take(&mut self.program.url_maps, url_maps, &mut self.brought, Table::UrlMaps, |id| id.as_str());
        take(
            &mut self.program.backend_services,
            backend_services,
            &mut self.brought,
            Table::BackendServices,
            |id| id.as_str(),
        );
        take(
            &mut self.program.backend_buckets,
            backend_buckets,
            &mut self.brought,
            Table::BackendBuckets,
            |id| id.as_str(),
        );
        take(&mut self.program.groups, groups, &mut self.brought, Table::Groups, |id| id.as_str());
        take(&mut self.program.health_checks, health_checks, &mut self.brought, Table::HealthChecks, |id| {
            id.as_str()
        });
        !problems.is_empty()
    }

    /// Firewalls and instances, which no rule brings.
    fn surround(&mut self, resources: &impl Resources) {
        let mut one = Program::default();
        firewall::compile(resources, &mut one);
        self.program.firewalls = one.firewalls;
        self.program.instances = one.instances;
        self.surroundings = one.problems;
    }

    fn sum_problems(&mut self) {
        let mut seen = BTreeSet::new();
        let all = self.rules.values().flat_map(|part| &part.problems).chain(&self.surroundings);
        let once = all.filter(|problem| seen.insert((problem.resource.as_str(), problem.message.as_str())));
        self.program.problems = once.cloned().collect();
    }
}

/// Adds what a rule brings to a table of the program.
fn add<K: Ord, V>(
    table: &mut BTreeMap<K, V>,
    more: BTreeMap<K, V>,
    brought: &mut HashMap<(Table, String), usize>,
    of: Table,
    path: impl Fn(&K) -> &str,
) {
    for (id, value) in more {
        *brought.entry((of, path(&id).to_owned())).or_default() += 1;
        // Whoever else brings it has read the same.
        table.entry(id).or_insert(value);
    }
}

/// Takes what a rule has brought out of a table of the program, unless another rule brings it too.
fn take<K: Ord, V>(
    table: &mut BTreeMap<K, V>,
    ids: Vec<K>,
    brought: &mut HashMap<(Table, String), usize>,
    of: Table,
    path: impl Fn(&K) -> &str,
) {
    for id in ids {
        let key = (of, path(&id).to_owned());
        let Some(count) = brought.get_mut(&key) else { continue };
        *count -= 1;
        if *count == 0 {
            brought.remove(&key);
            table.remove(&id);
        }
    }
}

/// Notes what is read.
struct Recorder<'a, R> {
    resources: &'a R,
    reads: RefCell<BTreeSet<String>>,
}

impl<R> Recorder<'_, R> {
    fn note(&self, path: &str) {
        self.reads.borrow_mut().insert(path.to_owned());
    }
}

impl<R: Resources> Resources for Recorder<'_, R> {
    fn list(&self, collection: &str) -> Vec<(&str, &Value)> {
        self.resources.list(collection)
    }

    fn get(&self, path: &str) -> Option<&Value> {
        self.note(path);
        self.resources.get(path)
    }

    fn network_endpoints(&self, group: &str) -> Vec<NetworkEndpoint> {
        self.note(group);
        self.resources.network_endpoints(group)
    }

    fn group_members(&self, group: &str) -> Vec<String> {
        self.note(group);
        self.resources.group_members(group)
    }

    fn private_key(&self, ssl_certificate: &str) -> Option<&str> {
        self.note(ssl_certificate);
        self.resources.private_key(ssl_certificate)
    }
}
