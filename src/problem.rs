//! What can be wrong with the input. Problems are data: many in one pass, each with its place, its cost and its remedy.

/// Something wrong with the input, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How much it costs.
    pub severity: Severity,
    /// A word for it, for Events and metrics; one of a fixed set.
    pub reason: Reason,
    /// Where in the object: `spec.rules[0].http.paths[1].backend.service.port.name`.
    pub field: String,
    /// What is wrong, what it costs, and what to do, in sentences.
    pub message: String,
}

impl Problem {
    /// Nothing wrong: something that the user may want to act on.
    pub fn note(reason: Reason, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Note, reason, field: field.into(), message: message.into() }
    }

    /// One that costs nothing yet.
    pub fn warning(reason: Reason, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, reason, field: field.into(), message: message.into() }
    }

    /// One that costs a part.
    pub fn degraded(reason: Reason, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Degraded, reason, field: field.into(), message: message.into() }
    }

    /// One that costs everything new.
    pub fn rejected(reason: Reason, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Rejected, reason, field: field.into(), message: message.into() }
    }
}

/// What a problem costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing: all is as asked for, and there is something that only the user can do next.
    Note,
    /// Nothing yet.
    Warning,
    /// A part: one rule, one certificate.
    Degraded,
    /// Everything new: the load balancer stays as it was.
    Rejected,
}

/// Why something is a problem. The words are part of what users see and alert on: they do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A Service that is named does not exist.
    ServiceNotFound,
    /// A Service has no such port.
    ServicePortNotFound,
    /// A Service opens no node port and is not container-native.
    ServiceNotReachable,
    /// A Service's NEG annotation cannot be read.
    NegAnnotationInvalid,
    /// A Secret that is named does not exist.
    SecretNotFound,
    /// A Secret yields no certificate.
    SecretInvalid,
    /// A certificate's time is over.
    CertificateExpired,
    /// More certificates than a proxy takes.
    TooManyCertificates,
    /// A rule's host cannot be served.
    HostInvalid,
    /// A rule's path cannot be served.
    PathInvalid,
    /// The same host and path twice; the first wins.
    PathConflict,
    /// A backend that is not a Service.
    BackendUnsupported,
    /// More than a URL map takes.
    UrlMapTooLarge,
    /// An annotation's value cannot be read.
    AnnotationInvalid,
    /// No node can be used.
    NodesUnusable,
    /// A name that we need is taken by a resource that is not ours.
    NameTaken,
    /// The class under which it is served is gone, or it names none any more.
    ClassNotFound,
    /// There is nothing that it could serve.
    NothingToServe,
    /// Another member of the group, which comes first, says otherwise.
    GroupConflict,
    /// The address of a load balancer that is no longer needed is kept until it is released.
    AddressKept,
    /// It would go together with most others, and nobody has consented.
    MassDeletion,
    /// Its load balancer was given up, and nobody has taken that back.
    Released,
    /// Its load balancer is of another kind than its class asks for, and cannot be changed.
    SchemeKept,
    /// An address that is named does not exist.
    StaticAddressNotFound,
    /// An address that is named cannot be used: it is of another sort, or somebody else uses it.
    StaticAddressUnusable,
    /// A certificate that is named by its name in the cloud does not exist.
    PreSharedCertificateNotFound,
    /// Whether something exists that is named by its name in the cloud is not known.
    NotLookedUp,
    /// A BackendConfig that is named does not exist.
    BackendConfigNotFound,
    /// Which BackendConfig a Service has, or what that says, cannot be read.
    BackendConfigInvalid,
    /// A BackendConfig asks for what cannot be done yet.
    BackendConfigUnsupported,
    /// A FrontendConfig that is named does not exist.
    FrontendConfigNotFound,
    /// A FrontendConfig cannot be read.
    FrontendConfigInvalid,
    /// A readiness probe asks what no health check can ask.
    ReadinessProbeNotUsed,
    /// A certificate is wanted that only Google can make, and asking Google for it cannot be done yet.
    ManagedCertificateUnsupported,
}

impl Reason {
    /// Every reason, once.
    pub const ALL: [Self; 34] = [
        Self::ServiceNotFound,
        Self::ServicePortNotFound,
        Self::ServiceNotReachable,
        Self::NegAnnotationInvalid,
        Self::SecretNotFound,
        Self::SecretInvalid,
        Self::CertificateExpired,
        Self::TooManyCertificates,
        Self::HostInvalid,
        Self::PathInvalid,
        Self::PathConflict,
        Self::BackendUnsupported,
        Self::UrlMapTooLarge,
        Self::AnnotationInvalid,
        Self::NodesUnusable,
        Self::NameTaken,
        Self::ClassNotFound,
        Self::NothingToServe,
        Self::GroupConflict,
        Self::AddressKept,
        Self::MassDeletion,
        Self::Released,
        Self::SchemeKept,
        Self::StaticAddressNotFound,
        Self::StaticAddressUnusable,
        Self::PreSharedCertificateNotFound,
        Self::NotLookedUp,
        Self::BackendConfigNotFound,
        Self::BackendConfigInvalid,
        Self::BackendConfigUnsupported,
        Self::FrontendConfigNotFound,
        Self::FrontendConfigInvalid,
        Self::ReadinessProbeNotUsed,
        Self::ManagedCertificateUnsupported,
    ];

    /// The word, in the form of Kubernetes Event reasons.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ServiceNotFound => "ServiceNotFound",
            Self::ServicePortNotFound => "ServicePortNotFound",
            Self::ServiceNotReachable => "ServiceNotReachable",
            Self::NegAnnotationInvalid => "NegAnnotationInvalid",
            Self::SecretNotFound => "SecretNotFound",
            Self::SecretInvalid => "SecretInvalid",
            Self::CertificateExpired => "CertificateExpired",
            Self::TooManyCertificates => "TooManyCertificates",
            Self::HostInvalid => "HostInvalid",
            Self::PathInvalid => "PathInvalid",
            Self::PathConflict => "PathConflict",
            Self::BackendUnsupported => "BackendUnsupported",
            Self::UrlMapTooLarge => "UrlMapTooLarge",
            Self::AnnotationInvalid => "AnnotationInvalid",
            Self::NodesUnusable => "NodesUnusable",
            Self::NameTaken => "NameTaken",
            Self::ClassNotFound => "ClassNotFound",
            Self::NothingToServe => "NothingToServe",
            Self::GroupConflict => "GroupConflict",
            Self::AddressKept => "AddressKept",
            Self::MassDeletion => "MassDeletion",
            Self::Released => "Released",
            Self::SchemeKept => "SchemeKept",
            Self::StaticAddressNotFound => "StaticAddressNotFound",
            Self::StaticAddressUnusable => "StaticAddressUnusable",
            Self::PreSharedCertificateNotFound => "PreSharedCertificateNotFound",
            Self::NotLookedUp => "NotLookedUp",
            Self::BackendConfigNotFound => "BackendConfigNotFound",
            Self::BackendConfigInvalid => "BackendConfigInvalid",
            Self::BackendConfigUnsupported => "BackendConfigUnsupported",
            Self::FrontendConfigNotFound => "FrontendConfigNotFound",
            Self::FrontendConfigInvalid => "FrontendConfigInvalid",
            Self::ReadinessProbeNotUsed => "ReadinessProbeNotUsed",
            Self::ManagedCertificateUnsupported => "ManagedCertificateUnsupported",
        }
    }
}
