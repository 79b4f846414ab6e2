//! The custom resources that people who come from ingress-gce have: their fields, and what may stand in them.
//!
//! Said once, here: from these types come the definitions that an API server is given (`deploy/crds`, `kubectl explain`), and the
//! checks of what was read. So a value that an API server with our definitions refuses is never acted on where it is one with others, or
//! a folder.
//!
//! Names of kinds, groups, versions and fields are those of ingress-gce; whatever was written for it can be read. Fields of our own
//! are only added where leaving them out means what it always meant.

pub mod backend_config;
mod concealed;
pub mod frontend_config;
pub mod managed_certificate;
mod read;
mod rule;
mod schema;
pub mod service_network_endpoint_group;
mod shape;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt as _;

pub use backend_config::{BackendConfig, BackendConfigSpec};
pub use concealed::Concealed;
pub use frontend_config::{FrontendConfig, FrontendConfigSpec};
pub use managed_certificate::{ManagedCertificate, ManagedCertificateSpec, ManagedCertificateStatus};
pub use read::Spec;
use rule::Rule;
pub use service_network_endpoint_group::{
    ServiceNetworkEndpointGroup, ServiceNetworkEndpointGroupSpec, ServiceNetworkEndpointGroupStatus,
};
pub use shape::{Misfit, Path, Step};

/// Where another name of the same version is served.
#[derive(Debug, Clone, Copy)]
struct OldVersion(&'static str);

/// Every definition, as it is given to an API server.
#[must_use]
pub fn definitions() -> [CustomResourceDefinition; 4] {
    [backend_configs(), frontend_configs(), service_network_endpoint_groups(), managed_certificates()]
}

/// `backendconfigs.cloud.google.com`
#[must_use]
pub fn backend_configs() -> CustomResourceDefinition {
    finished(BackendConfig::crd(), backend_config::RULES, &[OldVersion("v1beta1")])
}

/// `frontendconfigs.networking.gke.io`
#[must_use]
pub fn frontend_configs() -> CustomResourceDefinition {
    finished::<FrontendConfigSpec>(FrontendConfig::crd(), &[], &[])
}

/// `servicenetworkendpointgroups.networking.gke.io`
#[must_use]
pub fn service_network_endpoint_groups() -> CustomResourceDefinition {
    finished::<ServiceNetworkEndpointGroupSpec>(ServiceNetworkEndpointGroup::crd(), &[], &[])
}

/// `managedcertificates.networking.gke.io`; in a GKE cluster it is there, and not ours.
#[must_use]
pub fn managed_certificates() -> CustomResourceDefinition {
    let old = [OldVersion("v1beta2"), OldVersion("v1beta1")];
    finished::<ManagedCertificateSpec>(ManagedCertificate::crd(), &[], &old)
}

/// A definition with the rules between its fields, and with its older versions, which have the same fields.
fn finished<Spec>(
    mut definition: CustomResourceDefinition,
    rules: &[Rule<Spec>],
    old: &[OldVersion],
) -> CustomResourceDefinition {
    let versions = &mut definition.spec.versions;
    for version in versions.iter_mut() {
        let schema = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut());
        let schema = schema.expect("a derived definition has a schema");
        schema::tidy(schema);
        for rule in rules {
            schema::at(schema, rule.at)
                .expect("a rule stands at a field that there is")
                .x_kubernetes_validations
                .get_or_insert_default()
                .push(rule.validation());
        }
    }
    let newest = versions.first().cloned().expect("a derived definition has a version");
    for OldVersion(name) in old {
        let mut version = newest.clone();
        (*name).clone_into(&mut version.name);
        version.storage = false;
        versions.push(version);
    }
    definition
}

#[cfg(test)]
mod tests;
