//! One load balancer, put together: from its address to the backend services, which are there already.

use std::collections::{BTreeMap, BTreeSet};

use crate::load_balancer::{Backend, Frontend, LoadBalancer, PlainHttp};
use crate::model::{Certificates, LoadBalancerKey, Ref, Target, UrlMap};

use super::draft::Draft;
use super::service_port::{Reach, Resolved};
use super::{
    Disposition, Frontends, address, backend_service, forwarding_rule, network_endpoint_group,
    ssl_certificate, target_proxy, url_map,
};
use crate::problem::{Problem, Reason};

/// Draws a load balancer, and says what is wrong with its input.
pub(super) fn draw(
    draft: &mut Draft<'_>,
    load_balancer: &LoadBalancer,
    problems: &mut Vec<Problem>,
) -> Disposition {
    let LoadBalancer { key, frontend, default: _, hosts: _ } = load_balancer;
    problems.extend(backend_problems(draft, load_balancer));
    let url_map = url_map::compose(draft, load_balancer, problems);
    if let Some(problem) = url_map::too_large(&url_map) {
        problems.push(problem);
        backend_service::drop_unused_not_found(draft);
        return Disposition::Keep;
    }
    let ports = match frontend {
        Frontend::Http => Ports::Plain,
        Frontend::Https { certificates, plain } => {
            match (ssl_certificate::draw(draft, key, certificates, *plain, problems), plain) {
                (Some(certificates), plain) => Ports::Tls(certificates, *plain),
                (None, PlainHttp::Serve | PlainHttp::Redirect(_)) => Ports::Plain,
                (None, PlainHttp::Refuse) => {
                    backend_service::drop_unused_not_found(draft);
                    return Disposition::Keep;
                }
            }
        }
    };
    let url_map = url_map::draw(draft, key, url_map);
    let disposition = Disposition::Serve(frontends(draft, key, url_map, ports));
    problems.extend(draft.conflicts.drain(..).map(|conflict| {
        Problem::degraded(
            Reason::NameTaken,
            "metadata.name",
            format!(
                "By an accident of naming, two different resources would both be called {}. The first one stays. Rename this object, or the \
                 Service or Secret that it uses.",
                conflict.id
            ),
        )
    }));
    disposition
}

/// What is listened on.
enum Ports {
    /// 80 alone.
    Plain,
    /// 443, and 80 according to what it is to do.
    Tls(Certificates, PlainHttp),
}

fn frontends(draft: &mut Draft<'_>, key: &LoadBalancerKey, url_map: Ref<UrlMap>, ports: Ports) -> Frontends {
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
            targets.push((443, target_proxy::draw_https(draft, key, url_map, certificates)));
        }
    }
    let address = address::draw(draft, key);
    let forwarding_rules: Vec<_> = targets
        .into_iter()
        .map(|(port, target)| forwarding_rule::draw(draft, key, &address, port, target))
        .collect();
    let mut uses = draft.graph.closure(forwarding_rules.iter().map(Ref::id));
    uses.extend(draft.firewall.iter().map(|firewall| firewall.id().clone()));
    Frontends { address, forwarding_rules, uses }
}

/// What is wrong with the backends, each thing once however often the backend is named.
fn backend_problems(draft: &Draft<'_>, load_balancer: &LoadBalancer) -> Vec<Problem> {
    let mut uses: BTreeMap<&Backend, Use> = BTreeMap::new();
    let mut order: Vec<&Backend> = Vec::new();
    for (requests, weighted) in load_balancer.backends() {
        uses.entry(&weighted.backend).and_modify(|usage| usage.more += 1).or_insert_with(|| {
            order.push(&weighted.backend);
            Use { field: weighted.field.clone(), requests, more: 0 }
        });
    }
    let mut problems: Vec<Problem> = Vec::new();
    for backend in order {
        let (Some(usage), Some((resolved, _))) = (uses.get(backend), draft.backends.get(backend)) else {
            continue;
        };
        problems.extend(usage.fault(resolved));
        problems.extend(resolved.problems.iter().cloned());
        problems.extend(usage.unplaced(draft, resolved));
    }
    // Two ports of one Service share its annotations, and every node port shares the nodes.
    let mut said = BTreeSet::new();
    problems.retain(|problem| said.insert((problem.reason, problem.message.clone())));
    problems
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
                    && network_endpoint_group::placed(draft.snapshot, endpoints).next().is_none() =>
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
