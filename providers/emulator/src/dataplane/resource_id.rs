//! Names of resources inside the data plane: canonical paths, one type per kind.
//!
//! A canonical path begins at `projects/` (`projects/p/global/urlMaps/x`), whatever host or API version a link
//! was written with. The data plane never takes a path apart to learn something; it only compares and shows it.

use std::fmt;
use std::sync::Arc;

macro_rules! resource_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps a canonical path (`projects/…`).
            pub fn new(path: impl Into<Arc<str>>) -> Self {
                Self(path.into())
            }

            /// The canonical path.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The resource's own name: the last part of the path.
            #[must_use]
            pub fn name(&self) -> &str {
                self.0.rsplit('/').next().unwrap_or(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

resource_id! {
    /// The path of a forwarding rule.
    ForwardingRuleId;
    /// The path of a URL map.
    UrlMapId;
    /// The path of a backend service, or of a backend bucket where a URL map may name either.
    BackendServiceId;
    /// The path of a backend's group: a network endpoint group or an instance group.
    GroupId;
    /// The path of a health check.
    HealthCheckId;
    /// The path of an SSL certificate.
    CertificateId;
    /// The path of a security policy.
    SecurityPolicyId;
    /// The path of a firewall rule.
    FirewallId;
    /// The path of an instance.
    InstanceId;
    /// The path of a network.
    NetworkId;
}
