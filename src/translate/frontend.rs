//! One load balancer, put together: from its address to the backend services, which are there already.

use std::collections::{BTreeMap, BTreeSet};

use crate::load_balancer::{Backend, Frontend, LoadBalancer, PlainHttp, WeightedBackend};
use crate::model::{Certificates, LoadBalancerKey, ObjectKey, Ref, ResourceId, Target, UrlMap};

use super::address::Bindings;
use super::draft::Draft;
use super::service_port::{Reach, Resolved};
use super::{
    Disposition, Findings, Frontends, address, backend_service, forwarding_rule, network_endpoint_group,
    room, ssl_certificate, target_proxy, url_map,
};
use crate::problem::{Problem, Reason};

/// Draws a load balancer, and says what is wrong with its input.
pub(super) fn draw(
    draft: &mut Draft<'_>,
    load_balancer: &LoadBalancer,
    bindings: &Bindings,
    findings: &mut Findings,
) -> Disposition {
    let LoadBalancer {
        key,
        scheme,
        objects,
        encrypted_only,
        address: _,
        frontend,
        ssl_policy: _,
        default: _,
        hosts: _,
    } = load_balancer;
    backend_problems(draft, load_balancer, findings);
    let url_map = url_map::compose(draft, load_balancer, findings);
    if let Some(problem) = url_map::too_large(&url_map, *scheme).filter(|_| !key.is_shared()) {
        findings.push(&key.object, problem);
        backend_service::drop_unused_not_found(draft, *scheme);
        return Disposition::Keep;
    }
    let ports = match frontend {
        Frontend::Http => Ports::Plain,
        Frontend::Https { certificates, plain } => {
            match (ssl_certificate::draw(draft, load_balancer, certificates, *plain, findings), plain) {
                (Some(certificates), plain) => Ports::Tls(certificates, *plain),
                (None, PlainHttp::Serve | PlainHttp::Redirect(_)) => Ports::Plain,
                (None, PlainHttp::Refuse) => {
                    // Nobody is kept waiting for somebody else's certificate.
                    let rest = load_balancer.clone().without(encrypted_only);
                    if rest.objects.is_empty() {
                        backend_service::drop_unused_not_found(draft, *scheme);
                        return Disposition::Keep;
                    }
                    for object in encrypted_only {
                        findings.push(object, not_without_a_certificate(key));
                    }
                    let url_map = url_map::compose(draft, &rest, &mut Findings::default());
                    return draw_rules(draft, &rest, bindings, url_map, Ports::Plain, findings);
                }
            }
        }
    };
    let disposition = draw_rules(draft, load_balancer, bindings, url_map, ports, findings);
    let Some(first) = objects.first() else { return disposition };
    for conflict in draft.conflicts.drain(..) {
        findings.push(first, Problem::degraded(
            Reason::NameTaken,
            "metadata.name",
            format!(
                "By an accident of naming, two different resources would both be called {}. The first one stays. Rename this object, or the \
                 Service or Secret that it uses.",
                conflict.id
            ),
        ));
    }
    disposition
}

fn not_without_a_certificate(key: &LoadBalancerKey) -> Problem {
    Problem::rejected(
        Reason::NothingToServe,
        "spec.tls",
        format!(
            "Plain HTTP is refused for this object, and not one certificate of {key} is there yet, so it is not served; the other members \
             of the group are, without TLS. It is served as soon as a certificate comes."
        ),
    )
}

fn draw_rules(
    draft: &mut Draft<'_>,
    load_balancer: &LoadBalancer,
    bindings: &Bindings,
    url_map: UrlMap,
    ports: Ports,
    findings: &mut Findings,
) -> Disposition {
    let key = &load_balancer.key;
    let url_map = if url_map::fits(&url_map, load_balancer.scheme) {
        url_map
    } else {
        room::cut(draft, load_balancer, findings)
    };
    share_backends(draft, load_balancer, findings);
    let url_map = url_map::draw(draft, key, url_map);
    Disposition::Serve(frontends(draft, load_balancer, bindings, url_map, ports))
}

/// Notes who uses which backend services, where there are several who could.
fn share_backends(draft: &Draft<'_>, load_balancer: &LoadBalancer, findings: &mut Findings) {
    if !load_balancer.key.is_shared() {
        return;
    }
    for object in &load_balancer.objects {
        findings.shares.entry((**object).clone()).or_default();
    }
    let mut named: BTreeSet<(&ObjectKey, &ResourceId)> = BTreeSet::new();
    for (_, weighted) in load_balancer.backends() {
        if let Some(service) = draft.service(load_balancer.scheme, &weighted.backend) {
            named.insert((&weighted.place.object, service.id()));
        }
    }
    for (object, service) in named {
        let reached = draft.graph.closure(std::iter::once(service));
        findings.shares.entry(object.clone()).or_default().extend(reached);
    }
}

/// What is listened on.
enum Ports {
    /// 80 alone.
    Plain,
    /// 443, and 80 according to what it is to do.
    Tls(Certificates, PlainHttp),
}

fn frontends(
    draft: &mut Draft<'_>,
    load_balancer: &LoadBalancer,
    bindings: &Bindings,
    url_map: Ref<UrlMap>,
    ports: Ports,
) -> Frontends {
    let (key, scheme) = (&load_balancer.key, load_balancer.scheme);
    let mut targets: Vec<(u16, Target)> = Vec::new();
    match ports {
        Ports::Plain => targets.push((80, target_proxy::draw_http(draft, key, url_map))),
        Ports::Tls(certificates, plain) => {
            let plain_map = match plain {
                PlainHttp::Serve => Some(url_map.clone()),
                PlainHttp::Redirect(code) => Some(url_map::draw_redirect(draft, key, code)),
                PlainHttp::Refuse => None,
            };
            targets.extend(plain_map.map(|map| (80, target_proxy::draw_http(draft, key, map))));
            targets.push((443, target_proxy::draw_https(draft, load_balancer, url_map, certificates)));
        }
    }
    let forwarding_rules: Vec<_> = targets
        .into_iter()
        .map(|(port, target)| {
            let address = address::draw(draft, key, bindings, port);
            forwarding_rule::draw(draft, key, scheme, address, port, target)
        })
        .collect();
    let mut uses = draft.graph.closure(forwarding_rules.iter().map(Ref::id));
    uses.extend(draft.firewall.iter().map(|firewall| firewall.id().clone()));
    Frontends { forwarding_rules, uses }
}

/// What is wrong with the backends, to each object each thing once however often it names the backend.
fn backend_problems(draft: &Draft<'_>, load_balancer: &LoadBalancer, findings: &mut Findings) {
    let mut uses: BTreeMap<(&ObjectKey, &Backend), Use> = BTreeMap::new();
    let mut order: Vec<(&ObjectKey, &Backend)> = Vec::new();
    for (requests, WeightedBackend { backend, weight: _, place }) in load_balancer.backends() {
        uses.entry((&place.object, backend)).and_modify(|usage| usage.more += 1).or_insert_with(|| {
            order.push((&place.object, backend));
            Use { field: place.field.clone(), requests, more: 0 }
        });
    }
    // Two ports of one Service share its annotations, and every node port shares the nodes.
    let mut said = BTreeSet::new();
    for (object, backend) in order {
        let (Some(usage), Some(resolved)) = (uses.get(&(object, backend)), draft.reached(backend)) else {
            continue;
        };
        let own = usage.fault(resolved).into_iter();
        let problems = own.chain(resolved.problems.iter().cloned()).chain(usage.unplaced(draft, resolved));
        for problem in problems {
            if said.insert((object, problem.reason, problem.message.clone())) {
                findings.push(object, problem);
            }
        }
    }
}

/// Where a backend is named.
struct Use {
    field: String,
    requests: String,
    more: usize,
}

impl Use {
    fn requests(&self) -> String {
        match self.more {
            0 => self.requests.clone(),
            1 => format!("{} (and 1 more path)", self.requests),
            more => format!("{} (and {more} more paths)", self.requests),
        }
    }

    fn fault(&self, resolved: &Resolved<'_>) -> Option<Problem> {
        let fault = resolved.fault.as_ref()?;
        Some(Problem::degraded(
            fault.reason,
            format!("{}.{}", self.field, fault.below),
            format!(
                "{} Until this is mended, the load balancer answers {} with an error of its own; everything else is served. {}",
                fault.what,
                self.requests(),
                fault.remedy
            ),
        ))
    }

    fn unplaced(&self, draft: &Draft<'_>, resolved: &Resolved<'_>) -> Option<Problem> {
        let nodes = &draft.snapshot.nodes;
        match &resolved.reach {
            Reach::NodePort(_) if !nodes.values().any(|node| node.takes_traffic) => Some(Problem::degraded(
                Reason::NodesUnusable,
                self.field.clone(),
                format!(
                    "Not one of the cluster's nodes ({} of them known) can take traffic, so no request to a node port is answered. A node is used when it is \
                     Ready, has a spec.providerID of the form gce://PROJECT/ZONE/INSTANCE, and does not carry the label \
                     node.kubernetes.io/exclude-from-external-load-balancers.",
                    nodes.len()
                ),
            )),
            Reach::Pods(endpoints)
                if !endpoints.is_empty()
                    && network_endpoint_group::placed(&draft.snapshot.nodes, endpoints.iter().copied())
                        .next()
                        .is_none() =>
            {
                Some(Problem::degraded(
                    Reason::NodesUnusable,
                    self.field.clone(),
                    format!(
                        "None of the {} endpoints of Service {} is on a node whose instance is known, so the load balancer answers {} with \
                         an error of its own. Nodes need a spec.providerID of the form gce://PROJECT/ZONE/INSTANCE, which the cloud controller of the cluster sets.",
                        endpoints.len(),
                        resolved.service,
                        self.requests()
                    ),
                ))
            }
            Reach::NodePort(_) | Reach::Pods(_) | Reach::Nowhere(_) => None,
        }
    }
}
