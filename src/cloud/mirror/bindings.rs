//! Forwarding rules say a bare address; the plan asks for the address resource. The cloud itself knows the relation only by the number.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::model::{
    Address, AddressBinding, Entry, ForeignFacts, ForwardingRule, Graph, Lookup, Observed, Ref, Resource as _,
};

/// Binds each forwarding rule to the address that it has: one of ours, one that is not ours and was looked up, or a bare number.
pub(super) fn bind(observed: &mut Arc<Observed>) {
    let by_number = by_number(observed);
    let mut rebound = Vec::new();
    let mut numbered = Vec::new();
    for (id, mark, rule) in observed.graph.of::<ForwardingRule>() {
        let Some(number) = observed.facts.get(id).and_then(|facts| facts.address) else {
            // We made it, and did not ask for what follows from its address.
            if let AddressBinding::Reserved(address) = &rule.address
                && let Some(number) = observed.number_of(address.id())
            {
                numbered.push((id.clone(), number));
            }
            continue;
        };
        let binding = by_number
            .get(&number)
            .map_or(AddressBinding::Literal(number), |address| AddressBinding::Reserved(address.clone()));
        if rule.address != binding {
            let rule = ForwardingRule { address: binding, ..rule.clone() };
            rebound.push((id.clone(), Entry { mark: mark.clone(), node: rule.into_node() }));
        }
    }
    if !rebound.is_empty() || !numbered.is_empty() {
        let observed = Arc::make_mut(observed);
        for (id, number) in numbered {
            observed.facts.entry(id).or_default().address = Some(number);
        }
        for (id, entry) in rebound {
            observed.graph.put(id, entry);
        }
    }
}

/// Every address that is known, ours where there are two of a number.
fn by_number(observed: &Observed) -> BTreeMap<IpAddr, Ref<Address>> {
    let foreign = observed.foreign.iter().filter_map(|(id, lookup)| match lookup {
        Lookup::Found(ForeignFacts::Address { number, reach: _, users: _ }) => {
            // Not a node of ours; only a graph makes references.
            Some(((*number)?, Graph::default().foreign(id.scope.clone(), id.name.clone())))
        }
        Lookup::Found(ForeignFacts::Exists) | Lookup::Missing | Lookup::Failed { .. } => None,
    });
    let ours = observed.graph.of::<Address>().filter_map(|(id, _, _)| {
        Some((observed.facts.get(id)?.address?, observed.graph.reference(&id.scope, &id.name)?))
    });
    foreign.chain(ours).collect()
}
