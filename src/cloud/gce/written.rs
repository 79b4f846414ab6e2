//! What a change leaves behind, known without reading it back.
//!
//! A resource is what was sent. What only the cloud can say about it is its fingerprint, and that is wanted only by the next change of
//! it: until then a digest of what was sent stands in for it. When the next change comes, the resource is read, what is found is
//! compared with that digest, and the fingerprint that was read goes along with the change. So neither a change that somebody else
//! made before the read nor one made after it goes unnoticed, and no read stands between the operations of a new load balancer.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{Doing, Gce, scope_to_wire};
use crate::cloud::gce::wire::Wire;
use crate::cloud::{CloudError, Executed, Owned, Seen, Whose};
use crate::model::{
    AddressBinding, Entry, Facts, Fingerprint, ForwardingRule, InstanceGroup, Kind, Members,
    NetworkEndpointGroup, Node, Resource as _,
};
use crate::plan::Change;

/// A fingerprint of the API is Base64, which has no colon.
const DIGEST: &str = "sent:";

/// The resource of a change that made it `node`, at the time that the operation says.
pub(super) fn as_sent(change: &Change, node: &Node, created: Option<String>) -> Executed {
    let node = without_members(node);
    let address = match &node {
        Node::ForwardingRule(ForwardingRule { address: AddressBinding::Literal(address), .. }) => {
            Some(*address)
        }
        _ => None,
    };
    let fingerprint = has_fingerprint(change.id.kind).then(|| digest(&node));
    let entry = Entry { mark: change.mark.clone(), node };
    let owned = Owned { entry, facts: Facts { fingerprint, address, created } };
    Executed::Present(Seen { id: change.id.clone(), whose: Whose::Ours(Box::new(owned)) })
}

impl Gce {
    /// The fingerprint that has to go along with a change: the one that was seen, or else the present one, if the resource is what we
    /// left.
    pub(super) async fn fingerprint_of<R: Wire>(
        &self,
        change: &Change,
        doing: &Doing,
    ) -> Result<Option<String>, CloudError> {
        let sent = match &change.seen {
            Some(seen) if !seen.0.starts_with(DIGEST) => return Ok(Some(seen.0.clone())),
            seen => seen,
        };
        if !has_fingerprint(change.id.kind) {
            return Ok(None);
        }
        let id = &change.id;
        let collection = self.client.collection::<R>(scope_to_wire(&id.scope));
        let body = collection.get(id.name.as_str()).await.map_err(|error| doing.failed(error))?;
        let Some(Seen { whose: Whose::Ours(owned), .. }) = self.see(id.kind, &id.scope, &body) else {
            return Err(doing.overtaken());
        };
        let Owned { entry, facts } = *owned;
        if sent.as_ref().is_some_and(|sent| *sent != digest(&without_members(&entry.node))) {
            return Err(doing.overtaken());
        }
        Ok(facts.fingerprint.map(|Fingerprint(text)| text))
    }
}

/// Whether changes of it carry a fingerprint.
const fn has_fingerprint(kind: Kind) -> bool {
    match kind {
        Kind::BackendService | Kind::UrlMap | Kind::InstanceGroup => true,
        Kind::Firewall
        | Kind::NetworkEndpointGroup
        | Kind::HealthCheck
        | Kind::SslCertificate
        | Kind::TargetHttpProxy
        | Kind::TargetHttpsProxy
        | Kind::Address
        | Kind::ForwardingRule => false,
    }
}

/// Members join by calls of their own, and with the first of them a group of instances gets its network.
fn without_members(node: &Node) -> Node {
    match node {
        Node::InstanceGroup(group) => {
            InstanceGroup { network: None, members: BTreeSet::new(), ..group.clone() }.into_node()
        }
        Node::NetworkEndpointGroup(group) => {
            NetworkEndpointGroup { members: Members::nobody(), ..group.clone() }.into_node()
        }
        node => node.clone(),
    }
}

/// Stands in for the fingerprint of something that is `node`.
fn digest(node: &Node) -> Fingerprint {
    let mut text = DIGEST.to_owned();
    for byte in Sha256::digest(format!("{node:?}")) {
        // Writing into a string cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
    }
    Fingerprint(text)
}
