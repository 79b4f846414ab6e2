//! What is read of custom resources.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{ManagedCertificate, Service, Unreadable};
use crate::custom_resource::{ManagedCertificateSpec, ManagedCertificateStatus, Misfit, Spec as _};

/// The annotation by which an Ingress names its `FrontendConfig`.
pub const FRONTEND_CONFIG_ANNOTATION: &str = "networking.gke.io/v1beta1.FrontendConfig";

/// The annotation by which an Ingress names its `ManagedCertificate`s, with commas between.
pub const MANAGED_CERTIFICATES_ANNOTATION: &str = "networking.gke.io/managed-certificates";

impl From<Misfit> for Unreadable {
    fn from(Misfit { field, why }: Misfit) -> Self {
        Self { field: field.to_string(), why }
    }
}

impl ManagedCertificate {
    /// Reads an object. A status that cannot be read is as good as none: it is written by a controller of its own, and what it says is
    /// looked up in the cloud.
    ///
    /// # Errors
    /// When the spec does not fit.
    pub fn read(object: &Value) -> Result<Self, Unreadable> {
        let spec = ManagedCertificateSpec::read(object)?;
        let status = object.get("status").cloned().map(serde_json::from_value::<ManagedCertificateStatus>);
        Ok(Self { spec, status: status.and_then(Result::ok).unwrap_or_default() })
    }
}

impl Service {
    /// Every `BackendConfig` that its annotation names; none of one that cannot be read.
    pub(super) fn backend_config_names(&self) -> BTreeSet<String> {
        let annotation = self.backend_config.iter();
        annotation
            .filter_map(|annotation| serde_json::from_str::<Value>(&annotation.value).ok())
            .flat_map(|config| {
                let of_ports = config.get("ports").and_then(Value::as_object).cloned().unwrap_or_default();
                of_ports.into_iter().map(|(_, name)| name).chain(config.get("default").cloned())
            })
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect()
    }
}
