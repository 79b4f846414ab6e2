//! The one address of a load balancer, shared by its ports.

use crate::model::{Address, Holder, LoadBalancerKey, Ref, Scope};
use crate::naming;

use super::draft::Draft;

pub(super) fn draw(draft: &mut Draft<'_>, key: &LoadBalancerKey) -> Ref<Address> {
    let name = naming::address(&draft.snapshot.cluster.id, key);
    draft.place(Scope::Global, name, Holder::LoadBalancer(key.clone()), Address {})
}
