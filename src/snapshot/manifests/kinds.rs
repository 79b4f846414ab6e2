//! Which kinds of object a folder may hold, and what is read of each.

/// What a kind is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Ingress,
    IngressClass,
    Service,
    EndpointSlice,
    Secret,
    Node,
    BackendConfig,
    FrontendConfig,
    ManagedCertificate,
    /// Only the labels and named ports of its pods are read: a Service's `targetPort` may name one. `template` says where the pod is.
    Workload {
        template: &'static str,
    },
    /// A cluster knows it; no load balancer depends on it.
    Unread,
}

/// Whether the names of a kind's objects are unique in the cluster or in a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Cluster,
    Namespace,
}

/// A kind that every cluster knows.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownKind {
    pub(super) kind: &'static str,
    /// `apiVersion`s that are served. The first is what to write.
    pub(super) versions: &'static [&'static str],
    pub(super) reach: Reach,
    pub(super) role: Role,
}

const fn kind(kind: &'static str, versions: &'static [&'static str], reach: Reach, role: Role) -> KnownKind {
    KnownKind { kind, versions, reach, role }
}

const POD_TEMPLATE: Role = Role::Workload { template: "spec.template" };

/// Kubernetes 1.36, `kubectl api-resources`; the kinds that people keep in folders of manifests. And the custom resources of `deploy/crds`.
const KNOWN: &[KnownKind] = &[
    kind("Ingress", &["networking.k8s.io/v1"], Reach::Namespace, Role::Ingress),
    kind("IngressClass", &["networking.k8s.io/v1"], Reach::Cluster, Role::IngressClass),
    kind("Service", &["v1"], Reach::Namespace, Role::Service),
    kind("EndpointSlice", &["discovery.k8s.io/v1"], Reach::Namespace, Role::EndpointSlice),
    kind("Secret", &["v1"], Reach::Namespace, Role::Secret),
    kind("Node", &["v1"], Reach::Cluster, Role::Node),
    kind("Pod", &["v1"], Reach::Namespace, Role::Workload { template: "" }),
    kind("Deployment", &["apps/v1"], Reach::Namespace, POD_TEMPLATE),
    kind("StatefulSet", &["apps/v1"], Reach::Namespace, POD_TEMPLATE),
    kind("DaemonSet", &["apps/v1"], Reach::Namespace, POD_TEMPLATE),
    kind("ReplicaSet", &["apps/v1"], Reach::Namespace, POD_TEMPLATE),
    kind("ReplicationController", &["v1"], Reach::Namespace, POD_TEMPLATE),
    kind(
        "BackendConfig",
        &["cloud.google.com/v1", "cloud.google.com/v1beta1"],
        Reach::Namespace,
        Role::BackendConfig,
    ),
    kind("FrontendConfig", &["networking.gke.io/v1beta1"], Reach::Namespace, Role::FrontendConfig),
    kind(
        "ManagedCertificate",
        &["networking.gke.io/v1", "networking.gke.io/v1beta2", "networking.gke.io/v1beta1"],
        Reach::Namespace,
        Role::ManagedCertificate,
    ),
    kind("ServiceNetworkEndpointGroup", &["networking.gke.io/v1beta1"], Reach::Namespace, Role::Unread),
    kind("Job", &["batch/v1"], Reach::Namespace, Role::Unread),
    kind("CronJob", &["batch/v1"], Reach::Namespace, Role::Unread),
    kind("PodTemplate", &["v1"], Reach::Namespace, Role::Unread),
    kind("ControllerRevision", &["apps/v1"], Reach::Namespace, Role::Unread),
    kind("Namespace", &["v1"], Reach::Cluster, Role::Unread),
    kind("ConfigMap", &["v1"], Reach::Namespace, Role::Unread),
    kind("ServiceAccount", &["v1"], Reach::Namespace, Role::Unread),
    kind("Endpoints", &["v1"], Reach::Namespace, Role::Unread),
    kind("Event", &["v1", "events.k8s.io/v1"], Reach::Namespace, Role::Unread),
    kind("LimitRange", &["v1"], Reach::Namespace, Role::Unread),
    kind("ResourceQuota", &["v1"], Reach::Namespace, Role::Unread),
    kind("PersistentVolume", &["v1"], Reach::Cluster, Role::Unread),
    kind("PersistentVolumeClaim", &["v1"], Reach::Namespace, Role::Unread),
    kind("StorageClass", &["storage.k8s.io/v1"], Reach::Cluster, Role::Unread),
    kind("CSIDriver", &["storage.k8s.io/v1"], Reach::Cluster, Role::Unread),
    kind("HorizontalPodAutoscaler", &["autoscaling/v2", "autoscaling/v1"], Reach::Namespace, Role::Unread),
    kind("PodDisruptionBudget", &["policy/v1"], Reach::Namespace, Role::Unread),
    kind("NetworkPolicy", &["networking.k8s.io/v1"], Reach::Namespace, Role::Unread),
    kind("PriorityClass", &["scheduling.k8s.io/v1"], Reach::Cluster, Role::Unread),
    kind("RuntimeClass", &["node.k8s.io/v1"], Reach::Cluster, Role::Unread),
    kind("Lease", &["coordination.k8s.io/v1"], Reach::Namespace, Role::Unread),
    kind("Role", &["rbac.authorization.k8s.io/v1"], Reach::Namespace, Role::Unread),
    kind("RoleBinding", &["rbac.authorization.k8s.io/v1"], Reach::Namespace, Role::Unread),
    kind("ClusterRole", &["rbac.authorization.k8s.io/v1"], Reach::Cluster, Role::Unread),
    kind("ClusterRoleBinding", &["rbac.authorization.k8s.io/v1"], Reach::Cluster, Role::Unread),
    kind("CustomResourceDefinition", &["apiextensions.k8s.io/v1"], Reach::Cluster, Role::Unread),
    kind("APIService", &["apiregistration.k8s.io/v1"], Reach::Cluster, Role::Unread),
    kind(
        "ValidatingWebhookConfiguration",
        &["admissionregistration.k8s.io/v1"],
        Reach::Cluster,
        Role::Unread,
    ),
    kind("MutatingWebhookConfiguration", &["admissionregistration.k8s.io/v1"], Reach::Cluster, Role::Unread),
    kind("ValidatingAdmissionPolicy", &["admissionregistration.k8s.io/v1"], Reach::Cluster, Role::Unread),
    kind(
        "ValidatingAdmissionPolicyBinding",
        &["admissionregistration.k8s.io/v1"],
        Reach::Cluster,
        Role::Unread,
    ),
    kind("CertificateSigningRequest", &["certificates.k8s.io/v1"], Reach::Cluster, Role::Unread),
    // Not an object of a cluster: kustomize keeps its own settings beside the manifests.
    kind("Kustomization", &["kustomize.config.k8s.io/v1beta1"], Reach::Namespace, Role::Unread),
];

/// What a pair of `apiVersion` and `kind` is.
#[derive(Debug)]
pub(super) enum Lookup {
    Known(KnownKind),
    /// The kind exists, but elsewhere.
    WrongVersion(KnownKind),
    /// An API that an extension of the cluster may serve. Nothing here reads it.
    Foreign,
    /// One of Kubernetes' own APIs, which has no such kind; perhaps this one is meant.
    Unknown {
        meant: Option<&'static str>,
    },
}

pub(super) fn look_up(api_version: &str, kind: &str) -> Lookup {
    let named: Vec<_> = KNOWN.iter().filter(|known| known.kind == kind).collect();
    if let Some(known) = named.iter().find(|known| known.versions.contains(&api_version)) {
        return Lookup::Known(**known);
    }
    if !is_own_group(api_version) {
        if let Some(known) = named.iter().find(|known| group(known.versions[0]) == group(api_version)) {
            return Lookup::WrongVersion(**known);
        }
        return Lookup::Foreign;
    }
    if let Some(known) = named.first() {
        return Lookup::WrongVersion(**known);
    }
    let meant = KNOWN
        .iter()
        .map(|known| (distance(&kind.to_lowercase(), &known.kind.to_lowercase()), known.kind))
        .min()
        .filter(|(distance, _)| *distance <= 2)
        .map(|(_, kind)| kind);
    Lookup::Unknown { meant }
}

/// Whether the API belongs to Kubernetes itself. `extensions` and the like did, once.
fn is_own_group(api_version: &str) -> bool {
    let Some((group, _)) = api_version.split_once('/') else { return true };
    // Others have kinds there that are none of our business.
    if matches!(group, "cloud.google.com" | "networking.gke.io") {
        return false;
    }
    matches!(group, "apps" | "batch" | "autoscaling" | "policy" | "extensions")
        || KNOWN
            .iter()
            .flat_map(|known| known.versions)
            .any(|version| version.split('/').next() == Some(group))
}

fn group(api_version: &str) -> Option<&str> {
    api_version.split_once('/').map(|(group, _)| group)
}

/// How many letters must be put in, taken out or exchanged (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in b.iter().enumerate() {
            let best = (diagonal + usize::from(letter != *other)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart() {
        assert!(
            matches!(look_up("networking.k8s.io/v1", "Ingress"), Lookup::Known(known) if known.role == Role::Ingress)
        );
        assert!(
            matches!(look_up("extensions/v1beta1", "Ingress"), Lookup::WrongVersion(known) if known.versions[0] == "networking.k8s.io/v1")
        );
        assert!(matches!(look_up("v2", "Service"), Lookup::WrongVersion(_)));
        assert!(matches!(look_up("cert-manager.io/v1", "Certificate"), Lookup::Foreign));
        assert!(matches!(look_up("serving.knative.dev/v1", "Service"), Lookup::Foreign));
        assert!(matches!(
            look_up("networking.k8s.io/v1", "Ingres"),
            Lookup::Unknown { meant: Some("Ingress") }
        ));
        assert!(matches!(look_up("v1", "service"), Lookup::Unknown { meant: Some("Service") }));
        assert!(matches!(look_up("cloud.google.com/v1beta1", "BackendConfig"), Lookup::Known(_)));
        assert!(matches!(look_up("cloud.google.com/v2", "BackendConfig"), Lookup::WrongVersion(_)));
        assert!(matches!(look_up("networking.gke.io/v1", "GCPBackendPolicy"), Lookup::Foreign));
        assert!(matches!(look_up("v1", "Banana"), Lookup::Unknown { meant: None }));
    }
}
