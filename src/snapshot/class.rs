//! How an Ingress and a class find each other.

/// `spec.controller` of the classes that are ours.
pub const CONTROLLER: &str = "gclb.dev/ingress";

/// The annotation that named a class before there was `spec.ingressClassName`.
pub const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";
