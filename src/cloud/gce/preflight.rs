//! What the cloud says before it is asked to change anything: quotas, and whether it would take a URL map.

use std::collections::BTreeSet;

use tracing::debug;

use super::Gce;
use super::error::Doing;
use super::link::scope_to_wire;
use crate::cloud::{CloudError, chain};
use crate::model::{Destination, Kind, Region, ResourceId, UrlMap};
use crate::plan::Change;
use crate::preflight::{Place, Quota, Quotas};

/// As every backend service and forwarding rule of ours.
const SCHEME: &str = "EXTERNAL_MANAGED";

impl Gce {
    pub(super) async fn read_quotas(&self, regions: &BTreeSet<Region>) -> Result<Quotas, CloudError> {
        let doing = Doing::new("read the quotas of project", self.client.project());
        let mut quotas = Quotas::default();
        let project = self.client.get_project().await.map_err(|error| doing.failed(error))?;
        take(&mut quotas, &Place::Global, project.quotas);
        for region in regions {
            let doing = Doing::new("read the quotas of region", region);
            let body = self.client.regions().get(&region.0).await.map_err(|error| doing.failed(error))?;
            take(&mut quotas, &Place::Region(region.clone()), body.quotas);
        }
        Ok(quotas)
    }

    /// Asks which of these permissions we have on a resource, and says which we have not. Of a kind that cannot be asked, none.
    pub(super) async fn permissions_lacking(
        &self,
        id: &ResourceId,
        permissions: &BTreeSet<&'static str>,
    ) -> Result<BTreeSet<&'static str>, CloudError> {
        let doing = Doing::new("ask for the permissions on", id);
        let asked: Vec<&str> = permissions.iter().copied().collect();
        let (name, scope) = (id.name.as_str(), scope_to_wire(&id.scope));
        macro_rules! ask {
            ($wire:ident) => {
                self.client.collection::<gce_api::$wire>(scope).test_permissions(name, &asked).await
            };
        }
        let granted = match id.kind {
            Kind::Address => ask!(Address),
            Kind::BackendService => ask!(BackendService),
            Kind::Firewall => ask!(Firewall),
            Kind::HealthCheck => ask!(HealthCheck),
            Kind::InstanceGroup => ask!(InstanceGroup),
            Kind::NetworkEndpointGroup => ask!(NetworkEndpointGroup),
            Kind::UrlMap => ask!(UrlMap),
            Kind::SslCertificate | Kind::TargetHttpProxy | Kind::TargetHttpsProxy | Kind::ForwardingRule => {
                return Ok(BTreeSet::new());
            }
        };
        let granted = granted.map_err(|error| doing.failed(error))?;
        let is_granted = |permission: &&str| granted.iter().any(|one| one == permission);
        Ok(permissions.iter().copied().filter(|permission| !is_granted(permission)).collect())
    }

    /// Asks whether the cloud would take a URL map, now that all that it points at exists. Only a "no" is an error: where the question
    /// itself goes wrong, the write that follows says more.
    pub(super) async fn validate(&self, change: &Change, map: &UrlMap) -> Result<(), CloudError> {
        // One that only redirects points at nothing that could be wrong.
        if map.destinations().all(|destination| matches!(destination, Destination::Redirect(_))) {
            return Ok(());
        }
        let doing = Doing::new("validate", &change.id);
        let body = self.written::<gce_api::UrlMap>(&doing, change, map)?;
        let maps = self.client.url_maps(scope_to_wire(&change.id.scope));
        let result = match maps.validate(change.id.name.as_str(), &body, &[SCHEME.to_owned()]).await {
            Ok(result) => result,
            Err(error) => {
                debug!(error = chain(&error), url_map = %change.id, "it could not be validated beforehand");
                return Ok(());
            }
        };
        if result.load_succeeded == Some(false) {
            let errors = result.load_errors.unwrap_or_default().join("; ");
            return Err(doing.refused(errors));
        }
        Ok(())
    }
}

fn take(quotas: &mut Quotas, place: &Place, wire: Option<Vec<gce_api::Quota>>) {
    for quota in wire.into_iter().flatten() {
        if let (Some(metric), Some(limit), Some(usage)) = (quota.metric, quota.limit, quota.usage) {
            let quota = Quota { limit: whole(limit), usage: whole(usage) };
            quotas.by_metric.insert((place.clone(), metric), quota);
        }
    }
}

/// Quotas are counts that the API writes as floating-point numbers.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what fits, and counts have no fraction"
)]
fn whole(number: f64) -> u64 {
    number.clamp(0.0, 1e15) as u64
}
