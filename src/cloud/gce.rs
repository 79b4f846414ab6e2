//! The adapter to Compute Engine: the port's calls in terms of the client, and the model in terms of wire types.
//!
//! Each resource has a file with both directions in it. What is observed is turned into the model before anything is compared, so a
//! field that we do not own does not exist. No decisions here: which call to make is in the plan.

mod address;
mod backend_policy;
mod backend_service;
mod claim;
mod error;
mod firewall;
mod foreign;
mod forwarding_rule;
mod health_check;
mod instance_group;
mod link;
mod network_endpoint_group;
mod operations;
mod pace;
mod preflight;
mod ssl_certificate;
mod target_proxy;
mod url_map;
mod wire;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::time::Instant;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use gce::{Client, Completion, Global, HealthStatus, InstanceState, Query};
use tracing::warn;

use super::{
    Claim, Cloud, CloudError, Executed, Found, KeyPairs, Listing, Obstacle, Owned, Ownership, Reading, Seen,
    Standing, Whose,
};
use crate::metrics::Metrics;
use crate::model::{
    BackendService, Endpoint, Entry, Facts, Fingerprint, ForeignFacts, ForeignKind, Holder, Kind, Mark,
    Members, Node, Region, Resource as _, ResourceId, ResourceName, Scope, Target, Unknown,
};
use crate::plan::{Action, Change, Verb};
use crate::preflight::Quotas;
use crate::status::ServiceHealth;
use error::Doing;
use link::{Links, scope_to_model, scope_to_wire};
use wire::{Patched, Wire, patch_of};

/// When the operation of a change began, as the API says it.
struct Began(Option<String>);

/// So many member lists are asked for at a time while a kind of group is listed.
const MEMBER_LISTS: usize = 16;

/// Compute Engine, seen from one cluster.
#[derive(Debug, Clone)]
pub struct Gce {
    client: Client,
    ownership: Ownership,
    links: Links,
    metrics: Arc<Metrics>,
}

/// Does the same with the wire type of each kind.
macro_rules! with_wire_type {
    ($kind:expr, $wire:ident => $body:expr) => {
        match $kind {
            Kind::Firewall => {
                type $wire = gce_api::Firewall;
                $body
            }
            Kind::InstanceGroup => {
                type $wire = gce_api::InstanceGroup;
                $body
            }
            Kind::NetworkEndpointGroup => {
                type $wire = gce_api::NetworkEndpointGroup;
                $body
            }
            Kind::HealthCheck => {
                type $wire = gce_api::HealthCheck;
                $body
            }
            Kind::BackendService => {
                type $wire = gce_api::BackendService;
                $body
            }
            Kind::UrlMap => {
                type $wire = gce_api::UrlMap;
                $body
            }
            Kind::SslCertificate => {
                type $wire = gce_api::SslCertificate;
                $body
            }
            Kind::TargetHttpProxy => {
                type $wire = gce_api::TargetHttpProxy;
                $body
            }
            Kind::TargetHttpsProxy => {
                type $wire = gce_api::TargetHttpsProxy;
                $body
            }
            Kind::Address => {
                type $wire = gce_api::Address;
                $body
            }
            Kind::ForwardingRule => {
                type $wire = gce_api::ForwardingRule;
                $body
            }
        }
    };
}

impl Gce {
    /// Through that client, for that cluster.
    #[must_use]
    pub fn new(client: Client, ownership: Ownership, metrics: Arc<Metrics>) -> Self {
        let links = Links::new(client.endpoint(), client.project());
        Self { client, ownership, links, metrics }
    }

    /// Every resource of one kind that concerns us, without the members of groups.
    async fn bodies<R: Wire + gce::methods::AggregatedList>(
        &self,
        kind: Kind,
    ) -> Result<Listing, CloudError> {
        let doing = Doing::new("list", kind.collection());
        let query = self.of_ours();
        let found = self.client.aggregated_list::<R>(&query).await.map_err(|error| doing.failed(error))?;
        let unknown = found
            .unreachable
            .iter()
            .map(|part| Unknown { kind, scope: part.scope.as_ref().map(ToString::to_string) });
        let unknown: BTreeSet<_> = unknown.collect();
        let seen = found
            .items
            .iter()
            .flat_map(|(scope, bodies)| bodies.iter().map(|body| (scope_to_model(scope), body)))
            .filter_map(|(scope, body)| self.see(kind, &scope, body))
            .collect();
        Ok(Listing { seen, unknown })
    }

    /// There is no aggregated list of firewall rules, since there are only global ones.
    async fn firewalls(&self) -> Result<Listing, CloudError> {
        let doing = Doing::new("list", Kind::Firewall.collection());
        let firewalls = self.client.firewalls(Global);
        let found = firewalls.list_where(&self.of_ours()).await.map_err(|error| doing.failed(error))?;
        let seen = found.iter().filter_map(|body| self.see(Kind::Firewall, &Scope::Global, body)).collect();
        Ok(Listing { seen, unknown: BTreeSet::new() })
    }

    /// Saves the transport of what does not concern us; `see` judges what comes all the same.
    fn of_ours(&self) -> Query {
        Query::all().filter(format!("name eq gclb.*-{}-.*", self.ownership.cluster()))
    }

    /// What a body is to us. `None`: no concern of ours.
    fn see<R: Wire>(&self, kind: Kind, scope: &Scope, body: &R) -> Option<Seen> {
        let name = ResourceName::new(body.name()?).ok()?;
        let id = ResourceId { kind, scope: scope.clone(), name };
        let whose = match self.ownership.judge(&id.name, body.description()) {
            Standing::Unrelated => return None,
            Standing::Foreign => Whose::Foreign,
            Standing::Ours(mark) => match body.read(scope) {
                Ok(model) => Whose::Ours(Box::new(Owned {
                    entry: Entry { mark, node: model.into_node() },
                    facts: Facts {
                        fingerprint: body.fingerprint().map(|text| Fingerprint(text.to_owned())),
                        address: Wire::address(body),
                        created: body.created().map(str::to_owned),
                    },
                })),
                Err(error) => {
                    warn!(%id, %error, "it carries our mark but cannot be ours; it is left alone");
                    Whose::Foreign
                }
            },
        };
        Some(Seen { id, whose })
    }

    async fn body<R: Wire>(&self, id: &ResourceId) -> Result<Reading, CloudError> {
        let collection = self.client.collection::<R>(scope_to_wire(&id.scope));
        match collection.get(id.name.as_str()).await {
            Ok(body) => Ok(self
                .see(id.kind, &id.scope, &body)
                .map_or(Reading::Present(Seen { id: id.clone(), whose: Whose::Foreign }), Reading::Present)),
            Err(error) if error.is_not_found() => Ok(Reading::Absent),
            Err(error) => Err(Doing::new("read", id).failed(error)),
        }
    }

    /// Puts the members into an instance group that was read; `None` where the group has gone meanwhile.
    async fn with_members(&self, mut seen: Seen) -> Result<Option<Seen>, CloudError> {
        let doing = Doing::new("list the members of", &seen.id);
        let Whose::Ours(owned) = &mut seen.whose else { return Ok(Some(seen)) };
        let scope = scope_to_wire(&seen.id.scope);
        let name = seen.id.name.as_str();
        let failed = match &mut owned.entry.node {
            Node::InstanceGroup(group) => {
                let groups = self.client.collection::<gce_api::InstanceGroup>(scope);
                match groups.list_instances(name, InstanceState::All).await {
                    Ok(listed) => {
                        group.members = instance_group::members_from(&listed);
                        None
                    }
                    Err(error) => Some(error),
                }
            }
            _ => None,
        };
        match failed {
            None => Ok(Some(seen)),
            Some(error) if error.is_not_found() => {
                self.unless_gone::<gce_api::InstanceGroup, _>(&seen.id, doing.failed(error)).await
            }
            Some(error) => Err(doing.failed(error)),
        }
    }

    /// Nobody is believed at the first word that something of ours is gone: `Ok(None)` where it is, and else the error as it came.
    async fn unless_gone<R: Wire, T>(
        &self,
        id: &ResourceId,
        error: CloudError,
    ) -> Result<Option<T>, CloudError> {
        match self.body::<R>(id).await? {
            Reading::Absent => Ok(None),
            Reading::Present(_) => Err(error),
        }
    }

    /// The same with the endpoints of a group of endpoints, where it is not known that there are none.
    async fn with_endpoints(&self, mut seen: Seen) -> Result<Option<Seen>, CloudError> {
        if let Whose::Ours(owned) = &mut seen.whose
            && let Node::NetworkEndpointGroup(group) = &mut owned.entry.node
            && group.members.known().is_none()
        {
            let Some(members) = self.endpoints(&seen.id).await? else { return Ok(None) };
            group.members = Members::Known(members);
        }
        Ok(Some(seen))
    }

    async fn create<R: Wire>(&self, change: &Change, body: R) -> Result<Began, CloudError> {
        let doing = Doing::new("create", &change.id);
        let collection = self.client.collection::<R>(scope_to_wire(&change.id.scope));
        let operation = collection.insert(&body).await.map_err(|error| doing.failed(error))?;
        // A certificate's body holds its key: not a moment longer than it must.
        drop(body);
        self.finish(&doing, operation).await
    }

    fn written<R: Wire>(&self, doing: &Doing, change: &Change, model: &R::Model) -> Result<R, CloudError> {
        R::write(model, &change.id, &change.mark, &self.links).map_err(|why| doing.unspeakable(why))
    }

    async fn upload(
        &self,
        change: &Change,
        certificate: &crate::model::SslCertificate,
        keys: &impl KeyPairs,
    ) -> Result<Began, CloudError> {
        let doing = Doing::new("create", &change.id);
        let Mark { cluster: _, holder } = &change.mark;
        let Holder::Secret(secret) = holder else {
            return Err(
                doing.unspeakable(wire::Unspeakable(format!("a certificate that is held for {holder}")))
            );
        };
        let body = self.written::<gce_api::SslCertificate>(&doing, change, certificate)?;
        let content =
            keys.key_pair(secret, &certificate.fingerprint).await.map_err(|error| doing.no_key(error))?;
        let body = ssl_certificate::with_content(body, &content);
        drop(content);
        self.create(change, body).await
    }

    async fn make(&self, change: &Change, node: &Node, keys: &impl KeyPairs) -> Result<Began, CloudError> {
        let doing = Doing::new("create", &change.id);
        macro_rules! create {
            ($wire:ty, $model:expr) => {
                self.create(change, self.written::<$wire>(&doing, change, $model)?).await
            };
        }
        match node {
            Node::Firewall(model) => create!(gce_api::Firewall, model),
            Node::InstanceGroup(model) => create!(gce_api::InstanceGroup, model),
            Node::NetworkEndpointGroup(model) => create!(gce_api::NetworkEndpointGroup, model),
            Node::HealthCheck(model) => create!(gce_api::HealthCheck, model),
            Node::BackendService(model) => create!(gce_api::BackendService, model),
            Node::UrlMap(model) => {
                self.validate(change, model).await?;
                create!(gce_api::UrlMap, model)
            }
            Node::SslCertificate(model) => self.upload(change, model, keys).await,
            Node::TargetHttpProxy(model) => create!(gce_api::TargetHttpProxy, model),
            Node::TargetHttpsProxy(model) => create!(gce_api::TargetHttpsProxy, model),
            Node::Address(model) => create!(gce_api::Address, model),
            Node::ForwardingRule(model) => create!(gce_api::ForwardingRule, model),
        }
    }

    async fn patch<R: Patched>(&self, change: &Change, model: &R::Model) -> Result<Began, CloudError> {
        let doing = Doing::new("change", &change.id);
        let body = self.written::<R>(&doing, change, model)?;
        let fingerprint = self.fingerprint_of::<R>(change, &doing).await?;
        let patch = patch_of(&body, fingerprint.as_deref()).map_err(|error| {
            doing.unspeakable(wire::Unspeakable(format!("a body that is not JSON: {error}")))
        })?;
        let collection = self.client.collection::<R>(scope_to_wire(&change.id.scope));
        let operation =
            collection.patch(change.id.name.as_str(), &patch).await.map_err(|error| doing.failed(error))?;
        self.finish(&doing, operation).await
    }

    async fn update(&self, change: &Change, verb: Verb, to: &Node) -> Result<Began, CloudError> {
        let doing = Doing::new("change", &change.id);
        let scope = scope_to_wire(&change.id.scope);
        let name = change.id.name.as_str();
        let operation = match (verb, to) {
            (Verb::Patch, Node::Firewall(model)) => {
                return self.patch::<gce_api::Firewall>(change, model).await;
            }
            (Verb::Patch, Node::HealthCheck(model)) => {
                return self.patch::<gce_api::HealthCheck>(change, model).await;
            }
            (Verb::Patch, Node::BackendService(model)) => {
                return self.patch::<gce_api::BackendService>(change, model).await;
            }
            (Verb::Patch, Node::UrlMap(model)) => {
                self.validate(change, model).await?;
                return self.patch::<gce_api::UrlMap>(change, model).await;
            }
            (Verb::SetTarget, Node::ForwardingRule(rule)) => {
                let target: &Target = &rule.target;
                let target = forwarding_rule::target_link(target, &self.links);
                self.client.forwarding_rules(scope).set_target(name, &target).await
            }
            (Verb::SetUrlMap, Node::TargetHttpProxy(proxy)) => {
                let url_map = self.links.to(proxy.url_map.id());
                self.client.target_http_proxies(scope).set_url_map(name, &url_map).await
            }
            (Verb::SetUrlMap, Node::TargetHttpsProxy(proxy)) => {
                let url_map = self.links.to(proxy.url_map.id());
                self.client.target_https_proxies(scope).set_url_map(name, &url_map).await
            }
            (Verb::SetSslCertificates, Node::TargetHttpsProxy(proxy)) => {
                let certificates = target_proxy::certificate_links(&proxy.certificates, &self.links);
                self.client.target_https_proxies(scope).set_ssl_certificates(name, &certificates).await
            }
            (Verb::SetSslPolicy, Node::TargetHttpsProxy(proxy)) => {
                let policy = proxy.ssl_policy.as_ref();
                let policy = policy.map(|policy| self.links.ssl_policy(&change.id.scope, policy));
                self.client.target_https_proxies(scope).set_ssl_policy(name, policy.as_deref()).await
            }
            (Verb::SetSecurityPolicy, Node::BackendService(service)) => {
                let policy = service.policy.security_policy.as_ref();
                let policy = policy.map(|policy| self.links.security_policy(&change.id.scope, policy));
                self.client.backend_services(scope).set_security_policy(name, policy.as_deref()).await
            }
            (Verb::SetNamedPorts, Node::InstanceGroup(group)) => {
                let ports = instance_group::named_ports_to_wire(&group.named_ports);
                let fingerprint = self.fingerprint_of::<gce_api::InstanceGroup>(change, &doing).await?;
                self.client.instance_groups(scope).set_named_ports(name, &ports, fingerprint.as_deref()).await
            }
            (verb, node) => {
                let why = format!("{verb:?} of a {}", node.kind());
                return Err(doing.unspeakable(wire::Unspeakable(why)));
            }
        };
        self.finish(&doing, operation.map_err(|error| doing.failed(error))?).await
    }

    async fn change_members(&self, change: &Change) -> Result<Began, CloudError> {
        let scope = scope_to_wire(&change.id.scope);
        let name = change.id.name.as_str();
        let endpoint_groups = || self.client.collection::<gce_api::NetworkEndpointGroup>(&scope);
        let instance_groups = || self.client.collection::<gce_api::InstanceGroup>(&scope);
        let (verb, operation) = match &change.action {
            Action::AttachEndpoints(endpoints) => {
                let endpoints = network_endpoint_group::endpoints_to_wire(endpoints);
                ("attach endpoints to", endpoint_groups().attach(name, &endpoints).await)
            }
            Action::DetachEndpoints(endpoints) => {
                let endpoints = network_endpoint_group::endpoints_to_wire(endpoints);
                ("detach endpoints from", endpoint_groups().detach(name, &endpoints).await)
            }
            Action::AddInstances(instances) => {
                let instances = self.instance_links(change, instances)?;
                ("add instances to", instance_groups().add_instances(name, &instances).await)
            }
            Action::RemoveInstances(instances) => {
                let instances = self.instance_links(change, instances)?;
                ("remove instances from", instance_groups().remove_instances(name, &instances).await)
            }
            Action::Create(_) | Action::Update { .. } | Action::AwaitHealthy { .. } | Action::Delete => {
                let doing = Doing::new("change the members of", &change.id);
                return Err(doing.unspeakable(wire::Unspeakable("an action of another kind".to_owned())));
            }
        };
        let doing = Doing::new(verb, &change.id);
        self.finish(&doing, operation.map_err(|error| doing.failed(error))?).await
    }

    fn instance_links(&self, change: &Change, instances: &[String]) -> Result<Vec<String>, CloudError> {
        match &change.id.scope {
            Scope::Zone(zone) => {
                Ok(instances.iter().map(|instance| self.links.instance(zone, instance)).collect())
            }
            scope => Err(Doing::new("change the members of", &change.id)
                .unspeakable(wire::Unspeakable(format!("instances in {scope}")))),
        }
    }

    async fn delete<R: Wire>(&self, id: &ResourceId) -> Result<Began, CloudError> {
        let doing = Doing::new("delete", id);
        let collection = self.client.collection::<R>(scope_to_wire(&id.scope));
        match collection.delete(id.name.as_str()).await {
            Ok(operation) => self.finish(&doing, operation).await,
            // What was to be is.
            Err(error) if error.is_not_found() => {
                let began: Option<Began> = self.unless_gone::<R, _>(id, doing.failed(error)).await?;
                Ok(began.unwrap_or(Began(None)))
            }
            Err(error) => Err(doing.failed(error)),
        }
    }

    async fn finish(&self, doing: &Doing, operation: gce::Operation) -> Result<Began, CloudError> {
        match self.client.wait(operation).await {
            Ok(Completion::Done(operation)) => Ok(Began(operation.insert_time)),
            Ok(Completion::Lost(operation)) => Err(doing.lost(&operation)),
            Err(error) => Err(doing.failed(error)),
        }
    }

    async fn do_it(&self, change: &Change, keys: &impl KeyPairs) -> Result<Executed, CloudError> {
        match &change.action {
            Action::Create(node) => {
                let Began(created) = self.make(change, node, keys).await?;
                if change.id.kind == Kind::Address {
                    // The number is what the user waits for, and only the cloud knows it.
                    return self.read_back(change).await;
                }
                Ok(written::as_sent(change, node, created))
            }
            Action::Update { verb, to, fields: _ } => {
                let Began(_) = self.update(change, *verb, to).await?;
                if change.id.kind == Kind::InstanceGroup {
                    // It keeps its members and its network, which are not in what was sent.
                    return self.read_back(change).await;
                }
                Ok(written::as_sent(change, to, None))
            }
            Action::AttachEndpoints(_) | Action::DetachEndpoints(_) | Action::RemoveInstances(_) => {
                let Began(_) = self.change_members(change).await?;
                Ok(Executed::Members)
            }
            Action::AddInstances(_) => {
                let Began(_) = self.change_members(change).await?;
                // The first instance gives a group its network.
                self.read_back(change).await
            }
            // Waiting is the executor's: there is nothing to call.
            Action::AwaitHealthy { .. } => {
                let doing = Doing::new("change", &change.id);
                Err(doing.unspeakable(wire::Unspeakable("a wait".to_owned())))
            }
            Action::Delete => {
                let Began(_) = with_wire_type!(change.id.kind, R => self.delete::<R>(&change.id).await)?;
                Ok(Executed::Gone)
            }
        }
    }

    /// For what only the cloud knows and the plan needs at once.
    async fn read_back(&self, change: &Change) -> Result<Executed, CloudError> {
        match self.read(&change.id).await? {
            Reading::Present(seen) => Ok(Executed::Present(seen)),
            Reading::Absent => Err(Doing::new("read back", &change.id).vanished()),
        }
    }
}

impl Cloud for Gce {
    async fn list(&self, kind: Kind) -> Result<Listing, CloudError> {
        let listing = match kind {
            Kind::Firewall => self.firewalls().await?,
            Kind::InstanceGroup => self.bodies::<gce_api::InstanceGroup>(kind).await?,
            Kind::NetworkEndpointGroup => self.bodies::<gce_api::NetworkEndpointGroup>(kind).await?,
            Kind::HealthCheck => self.bodies::<gce_api::HealthCheck>(kind).await?,
            Kind::BackendService => self.bodies::<gce_api::BackendService>(kind).await?,
            Kind::UrlMap => self.bodies::<gce_api::UrlMap>(kind).await?,
            Kind::SslCertificate => self.bodies::<gce_api::SslCertificate>(kind).await?,
            Kind::TargetHttpProxy => self.bodies::<gce_api::TargetHttpProxy>(kind).await?,
            Kind::TargetHttpsProxy => self.bodies::<gce_api::TargetHttpsProxy>(kind).await?,
            Kind::Address => self.bodies::<gce_api::Address>(kind).await?,
            Kind::ForwardingRule => self.bodies::<gce_api::ForwardingRule>(kind).await?,
        };
        let Listing { seen, unknown } = listing;
        let seen: Vec<Option<Seen>> = stream::iter(seen.into_iter().map(|seen| self.with_members(seen)))
            .buffered(MEMBER_LISTS)
            .try_collect()
            .await?;
        Ok(Listing { seen: seen.into_iter().flatten().collect(), unknown })
    }

    async fn endpoints(&self, id: &ResourceId) -> Result<Option<BTreeSet<Endpoint>>, CloudError> {
        let groups = self.client.collection::<gce_api::NetworkEndpointGroup>(scope_to_wire(&id.scope));
        match groups.list_endpoints(id.name.as_str(), HealthStatus::Skip).await {
            Ok(listed) => Ok(Some(network_endpoint_group::members_from(&listed))),
            Err(error) => {
                let is_not_found = error.is_not_found();
                let error = Doing::new("list the members of", id).failed(error);
                if is_not_found {
                    return self.unless_gone::<gce_api::NetworkEndpointGroup, _>(id, error).await;
                }
                Err(error)
            }
        }
    }

    async fn read(&self, id: &ResourceId) -> Result<Reading, CloudError> {
        match with_wire_type!(id.kind, R => self.body::<R>(id).await)? {
            Reading::Present(seen) => {
                let Some(seen) = self.with_members(seen).await? else { return Ok(Reading::Absent) };
                Ok(self.with_endpoints(seen).await?.map_or(Reading::Absent, Reading::Present))
            }
            Reading::Absent => Ok(Reading::Absent),
        }
    }

    async fn execute(&self, change: &Change, keys: &impl KeyPairs) -> Result<Executed, CloudError> {
        let began = Instant::now();
        let result = self.do_it(change, keys).await;
        let word = result.as_ref().map_or_else(CloudError::word, |_| "done");
        self.metrics.change_ended(change.id.kind, change.action.word(), word, began.elapsed());
        result
    }

    async fn under_way(&self) -> Result<Vec<Found>, CloudError> {
        self.operations().await
    }

    async fn see_out(&self, found: &Found) -> Result<(), CloudError> {
        self.wait_for(found).await
    }

    async fn health(&self, id: &ResourceId, service: &BackendService) -> Result<ServiceHealth, CloudError> {
        let services = self.client.backend_services(scope_to_wire(&id.scope));
        let mut health = ServiceHealth::default();
        for backend in &service.backends {
            let group = backend_service::group_link(&backend.group, &self.links);
            let answer = services
                .get_health(id.name.as_str(), &group)
                .await
                .map_err(|error| Doing::new("ask for the health of", id).failed(error))?;
            for status in answer.health_status.iter().flatten() {
                health.total += 1;
                health.healthy += usize::from(status.health_state.as_deref() == Some("HEALTHY"));
            }
        }
        Ok(health)
    }

    async fn look_up(
        &self,
        kind: ForeignKind,
        scope: &Scope,
        names: &BTreeSet<ResourceName>,
    ) -> Result<BTreeMap<ResourceName, ForeignFacts>, CloudError> {
        self.find(kind, scope, names).await
    }

    async fn quotas(&self, regions: &BTreeSet<Region>) -> Result<Quotas, CloudError> {
        self.read_quotas(regions).await
    }

    async fn lacking(
        &self,
        id: &ResourceId,
        permissions: &BTreeSet<&'static str>,
    ) -> Result<BTreeSet<&'static str>, CloudError> {
        self.permissions_lacking(id, permissions).await
    }

    async fn claim(&self, claimant: &str) -> Result<Claim, CloudError> {
        self.claim_for(claimant).await
    }

    async fn preflight(&self, network: &str, subnetwork: &str) -> Result<Vec<Obstacle>, CloudError> {
        match self.client.networks(Global).get(network).await {
            Ok(_) => {}
            Err(error) if error.is_not_found() => {
                let project = self.client.project().to_owned();
                return Ok(vec![Obstacle::NoNetwork { network: network.to_owned(), project }]);
            }
            Err(error) => return Err(Doing::new("read network", network).failed(error)),
        }
        let doing = Doing::new("list", "subnetworks");
        let query = Query::all().filter(format!("name eq {subnetwork}"));
        let found = self
            .client
            .aggregated_list::<gce_api::Subnetwork>(&query)
            .await
            .map_err(|error| doing.failed(error))?;
        let is_it = |body: &gce_api::Subnetwork| {
            body.name.as_deref() == Some(subnetwork)
                && link::short_name(body.network.as_deref()).as_deref() == Some(network)
        };
        if found.items.values().flatten().any(is_it) || !found.unreachable.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Obstacle::NoSubnetwork { subnetwork: subnetwork.to_owned(), network: network.to_owned() }])
    }
}

#[cfg(test)]
mod tests;
