//! How an Ingress and a class find each other.

/// `spec.controller` of the classes that are ours.
pub const CONTROLLER: &str = "gclb.dev/ingress";

/// The annotation that named a class before there was `spec.ingressClassName`.
pub const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";

/// A class of ingress-gce, as we serve it: what its IngressClass says is all in which it differs from a class of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassOfIngressGce {
    /// Its name: what Ingresses say.
    pub name: &'static str,
    /// The annotations of its IngressClass.
    pub annotations: [(&'static str, &'static str); 2],
}

/// The classes of ingress-gce. A cluster has them if somebody applied `deploy/ingress-gce`; a folder of manifests has those that its
/// Ingresses name.
pub const CLASSES_OF_INGRESS_GCE: [ClassOfIngressGce; 3] = [
    of_ingress_gce("gce", "classic"),
    of_ingress_gce("gce-internal", "internal"),
    of_ingress_gce("gce-regional-external", "regional"),
];

const fn of_ingress_gce(name: &'static str, scheme: &'static str) -> ClassOfIngressGce {
    ClassOfIngressGce { name, annotations: [("gclb.dev/redirect", "false"), ("gclb.dev/scheme", scheme)] }
}
