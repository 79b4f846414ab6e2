//! What a load balancer consists of, in the annotations of ingress-gce: `ingress.kubernetes.io/…`, as tools and people know them.
//!
//! Only what exists is named. The health is that of the background polling, not of the moment when something else was written.

use std::collections::BTreeMap;

use crate::model::{
    AddressBinding, BackendService, ForwardingRule, Graph, Kind, Observed, Ref, ResourceId, Target,
    TargetHttpProxy, TargetHttpsProxy, UrlMap,
};
use crate::translate::Frontends;

use super::{Health, ServiceHealth};

/// Each annotation, with its value; `None`: there is no such resource, and the annotation goes.
pub type Resources = BTreeMap<&'static str, Option<String>>;

/// The health of each backend service, as a JSON object.
pub const BACKENDS: &str = "ingress.kubernetes.io/backends";
/// The url map with the rules.
pub const URL_MAP: &str = "ingress.kubernetes.io/url-map";
/// The url map that only redirects.
pub const REDIRECT_URL_MAP: &str = "ingress.kubernetes.io/redirect-url-map";
/// The forwarding rule of port 80.
pub const FORWARDING_RULE: &str = "ingress.kubernetes.io/forwarding-rule";
/// The proxy of port 80.
pub const TARGET_PROXY: &str = "ingress.kubernetes.io/target-proxy";
/// The forwarding rule of port 443.
pub const HTTPS_FORWARDING_RULE: &str = "ingress.kubernetes.io/https-forwarding-rule";
/// The proxy of port 443.
pub const HTTPS_TARGET_PROXY: &str = "ingress.kubernetes.io/https-target-proxy";
/// The certificates, in order, joined by commas.
pub const SSL_CERT: &str = "ingress.kubernetes.io/ssl-cert";
/// The address that was reserved for the load balancer.
pub const STATIC_IP: &str = "ingress.kubernetes.io/static-ip";

/// Every annotation, once.
pub const ALL: [&str; 9] = [
    BACKENDS,
    URL_MAP,
    REDIRECT_URL_MAP,
    FORWARDING_RULE,
    TARGET_PROXY,
    HTTPS_FORWARDING_RULE,
    HTTPS_TARGET_PROXY,
    SSL_CERT,
    STATIC_IP,
];

/// What there is of a load balancer.
pub(super) fn resources(
    frontends: &Frontends,
    desired: &Graph,
    observed: &Observed,
    health: &Health,
) -> Resources {
    let Frontends { forwarding_rules, uses } = frontends;
    let mut found: Resources = ALL.into_iter().map(|key| (key, None)).collect();
    let mut put = |key: &'static str, id: &ResourceId| {
        if observed.graph.contains(id) {
            found.insert(key, Some(id.name.to_string()));
        }
    };
    for rule in forwarding_rules.iter().filter_map(|rule| Some((rule, desired.get(rule)?))) {
        let (rule, ForwardingRule { address, target, .. }): (&Ref<ForwardingRule>, _) = rule;
        if let AddressBinding::Reserved(address) = address {
            put(STATIC_IP, address.id());
        }
        match target {
            Target::Http(proxy) => {
                put(FORWARDING_RULE, rule.id());
                put(TARGET_PROXY, proxy.id());
                if let Some(TargetHttpProxy { url_map }) = desired.get(proxy) {
                    let redirects = desired.get(url_map).is_some_and(UrlMap::redirects_to_https);
                    put(if redirects { REDIRECT_URL_MAP } else { URL_MAP }, url_map.id());
                }
            }
            Target::Https(proxy) => {
                put(HTTPS_FORWARDING_RULE, rule.id());
                put(HTTPS_TARGET_PROXY, proxy.id());
                if let Some(TargetHttpsProxy { url_map, .. }) = desired.get(proxy) {
                    put(URL_MAP, url_map.id());
                }
            }
            Target::Other(_) => {}
        }
    }
    let certificates: Vec<&str> = forwarding_rules
        .iter()
        .filter_map(|rule| match &desired.get(rule)?.target {
            Target::Https(proxy) => desired.get(proxy),
            Target::Http(_) | Target::Other(_) => None,
        })
        .flat_map(|proxy| proxy.certificates.iter().map(|certificate| certificate.name().as_str()))
        .collect();
    if !certificates.is_empty() {
        found.insert(SSL_CERT, Some(certificates.join(",")));
    }
    let services = uses.iter().filter(|id| id.kind == Kind::BackendService && has_backends(desired, id));
    let backends: BTreeMap<&str, &str> =
        services.map(|id| (id.name.as_str(), word(health.get(id)))).collect();
    found.insert(BACKENDS, serde_json::to_string(&backends).ok());
    found
}

/// The one that stands behind every 404 is nobody's backend.
fn has_backends(desired: &Graph, id: &ResourceId) -> bool {
    let service: Option<&BackendService> = desired.reference(&id.scope, &id.name).and_then(|service| {
        let service: Ref<BackendService> = service;
        desired.get(&service)
    });
    service.is_some_and(|service| service.health_check.is_some())
}

/// One healthy backend is enough for ingress-gce to call all of it so.
fn word(health: Option<&ServiceHealth>) -> &'static str {
    match health {
        Some(ServiceHealth { healthy: 1.., total: _ }) => "HEALTHY",
        Some(ServiceHealth { healthy: 0, total: 1.. }) => "UNHEALTHY",
        Some(ServiceHealth { healthy: 0, total: 0 }) | None => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::fixture::{World, http, https};
    use crate::translate::Disposition;

    fn frontends(world: &World) -> &Frontends {
        match &world.translation.load_balancers.values().next().unwrap().disposition {
            Disposition::Serve(frontends) => frontends,
            other => panic!("{other:?}"),
        }
    }

    fn of(world: &World, observed: &Observed, health: &Health) -> Vec<String> {
        let resources = resources(frontends(world), &world.translation.desired, observed, health);
        assert_eq!(resources.len(), ALL.len(), "each is said, or taken away");
        resources
            .into_iter()
            .filter_map(|(key, value)| {
                Some(format!("{}: {}", key.strip_prefix("ingress.kubernetes.io/")?, value?))
            })
            .collect()
    }

    #[test]
    fn all_that_there_is_is_named() {
        let mut world = World::new();
        let service = world.node_port("echo", 30080);
        world.pods("api", 1);
        world.serve("lb", &https(&["echo", "api"], &[("tls", "a"), ("other", "b")]));
        let observed = world.observed();
        let health: Health = [(service.id().clone(), ServiceHealth { healthy: 1, total: 3 })].into();
        insta::assert_snapshot!(of(&world, &observed, &health).join("\n"));
    }

    #[test]
    fn what_there_is_not_is_taken_away() {
        let mut world = World::new();
        let service = world.node_port("echo", 30080);
        world.serve("lb", &http(&["echo"]));
        assert_eq!(of(&world, &Observed::default(), &Health::new()), ["backends: {\"bs-echo\":\"Unknown\"}"]);
        let health: Health = [(service.id().clone(), ServiceHealth { healthy: 0, total: 3 })].into();
        let there = of(&world, &world.observed(), &health);
        assert!(there.contains(&"backends: {\"bs-echo\":\"UNHEALTHY\"}".to_owned()), "{there:?}");
        assert!(
            there.iter().all(|line| !line.starts_with("https-") && !line.starts_with("ssl")),
            "{there:?}"
        );
    }
}
