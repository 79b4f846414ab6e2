//! The claim on a cluster id: a health check that nothing uses, whose description says which cluster it is that uses the id.
//!
//! It costs nothing, touches no traffic, and needs no permission that the controller does not have. Making it is atomic: of two
//! clusters that begin at once one is told that the name exists. It carries no mark, so no plan ever changes or deletes it.

use gce::Global;
use gce_api::{HealthCheck, TcpHealthCheck};

use super::Gce;
use super::error::Doing;
use crate::cloud::{Claim, CloudError};
use crate::naming;

/// What the description begins with; the claimant follows. **Frozen**, as names are.
const CLAIMED_BY: &str = "gclb.dev/claimed-by: ";

impl Gce {
    /// Makes the claim where there is none, and says whose it is.
    pub(super) async fn claim_for(&self, claimant: &str) -> Result<Claim, CloudError> {
        let name = naming::claim(self.ownership.cluster());
        if let Some(claim) = self.claimed(claimant).await? {
            return Ok(claim);
        }
        let doing = Doing::new("claim the cluster id with health check", &name);
        let body = HealthCheck {
            name: Some(name.to_string()),
            description: Some(format!("{CLAIMED_BY}{claimant}")),
            r#type: Some("TCP".to_owned()),
            tcp_health_check: Some(TcpHealthCheck { port: Some(80), ..TcpHealthCheck::default() }),
            ..HealthCheck::default()
        };
        match self.client.health_checks(Global).insert(&body).await {
            Ok(operation) => drop(self.finish(&doing, operation).await?),
            // Somebody was quicker: who, is looked for below.
            Err(error) if Doing::exists_already(&error) => {}
            Err(error) => return Err(doing.failed(error)),
        }
        // Read back: what the cloud holds counts, not what we meant to write.
        self.claimed(claimant).await?.ok_or_else(|| doing.vanished())
    }

    async fn claimed(&self, claimant: &str) -> Result<Option<Claim>, CloudError> {
        let name = naming::claim(self.ownership.cluster());
        match self.client.health_checks(Global).get(name.as_str()).await {
            Ok(body) => {
                let description = body.description.unwrap_or_default();
                Ok(Some(match description.strip_prefix(CLAIMED_BY) {
                    Some(by) if by == claimant => Claim::Ours,
                    by => Claim::Taken {
                        cluster: self.ownership.cluster().clone(),
                        by: by.unwrap_or(&description).to_owned(),
                        name,
                    },
                }))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(Doing::new("read health check", &name).failed(error)),
        }
    }
}
