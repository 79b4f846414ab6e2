//! The forwarding rules of a load balancer: one for each of its ports.

use crate::model::{AddressBinding, ForwardingRule, Holder, LoadBalancerKey, Ref, Scheme, Scope, Target};
use crate::naming;

use super::draft::Draft;

pub(super) fn draw(
    draft: &mut Draft<'_>,
    key: &LoadBalancerKey,
    scheme: Scheme,
    address: AddressBinding,
    port: u16,
    target: Target,
) -> Ref<ForwardingRule> {
    let name = naming::forwarding_rule(&draft.snapshot.cluster.id, key, port);
    let rule = ForwardingRule { address, port, target, scheme };
    draft.place(Scope::Global, name, Holder::LoadBalancer(key.clone()), rule)
}
