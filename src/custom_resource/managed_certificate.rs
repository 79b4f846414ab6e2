//! `ManagedCertificate`: a certificate that Google makes and renews.
//!
//! An Ingress names some in its annotation `networking.gke.io/managed-certificates`. In GKE another controller makes the certificates and
//! writes the status; these objects are only read here. Comments on fields are what `kubectl explain` prints.

#![allow(clippy::doc_markdown, reason = "kubectl prints comments on fields as they stand")]

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the certificate is for.
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "networking.gke.io",
    version = "v1",
    kind = "ManagedCertificate",
    plural = "managedcertificates",
    shortname = "mcrt",
    namespaced,
    status = "ManagedCertificateStatus",
    derive = "PartialEq",
    doc = "A certificate that Google makes and renews. An Ingress names it in its annotation networking.gke.io/managed-certificates.",
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Status", type_ = "string", json_path = ".status.certificateStatus")
)]
pub struct ManagedCertificateSpec {
    /// The names that the certificate is for, each without a wildcard. Each must lead to the load balancer before the certificate can be made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 100),
        inner(
            length(max = 63),
            regex(
                pattern = r"^(([a-zA-Z0-9]+|[a-zA-Z0-9][-a-zA-Z0-9]*[a-zA-Z0-9])\.)+[a-zA-Z][-a-zA-Z0-9]*[a-zA-Z0-9]\.?$"
            )
        )
    )]
    pub domains: Vec<String>,
}

/// What has become of the certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManagedCertificateStatus {
    /// The name of the certificate in the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_name: Option<String>,
    /// How far it is: Provisioning, Active, ProvisioningFailed, ProvisioningFailedPermanently, RenewalFailed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_status: Option<String>,
    /// How far it is for each name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domain_status: Vec<DomainStatus>,
    /// When it ceases to be valid, unless it is renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub expire_time: Option<String>,
}

/// How far a certificate is for one of its names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DomainStatus {
    /// The name.
    pub domain: String,
    /// How far it is: Provisioning, Active, FailedNotVisible (the name does not lead to the load balancer), FailedCaaChecking, FailedCaaForbidden, FailedRateLimited.
    pub status: String,
}
