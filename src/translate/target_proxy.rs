//! The target proxies of a load balancer.

use crate::load_balancer::{LoadBalancer, SslPolicy};
use crate::model::{
    Certificates, Holder, LoadBalancerKey, Ref, Scope, Target, TargetHttpProxy, TargetHttpsProxy, UrlMap,
};
use crate::naming;

use super::draft::Draft;

pub(super) fn draw_http(draft: &mut Draft<'_>, key: &LoadBalancerKey, url_map: Ref<UrlMap>) -> Target {
    let name = naming::target_http_proxy(&draft.snapshot.cluster.id, key);
    let holder = Holder::LoadBalancer(key.clone());
    Target::Http(draft.place(Scope::Global, name, holder, TargetHttpProxy { url_map }))
}

pub(super) fn draw_https(
    draft: &mut Draft<'_>,
    load_balancer: &LoadBalancer,
    url_map: Ref<UrlMap>,
    certificates: Certificates,
) -> Target {
    let key = &load_balancer.key;
    let ssl_policy = match &load_balancer.ssl_policy {
        SslPolicy::Default => None,
        SslPolicy::Named(name) => Some(name.clone()),
        SslPolicy::AsItIs => {
            draft.snapshot.held.load_balancers.get(key).and_then(|held| held.ssl_policy.clone())
        }
    };
    let name = naming::target_https_proxy(&draft.snapshot.cluster.id, key);
    let holder = Holder::LoadBalancer(key.clone());
    Target::Https(draft.place(
        Scope::Global,
        name,
        holder,
        TargetHttpsProxy { url_map, certificates, ssl_policy },
    ))
}
