//! Target proxies: where HTTP or TLS ends and the URL map takes over (Compute API `targetHttpProxies`, `targetHttpsProxies`).

use serde::{Deserialize, Serialize};

use super::{Ref, ResourceId, ResourceName, SslCertificate, UrlMap};

/// Answers plain HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetHttpProxy {
    /// Decides what to do with a request. Changed by `setUrlMap`.
    pub url_map: Ref<UrlMap>,
}

impl TargetHttpProxy {
    pub(super) fn points_at(&self) -> Vec<&ResourceId> {
        let Self { url_map } = self;
        vec![url_map.id()]
    }
}

/// Ends TLS, then answers HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetHttpsProxy {
    /// Decides what to do with a request. Changed by `setUrlMap`.
    pub url_map: Ref<UrlMap>,
    /// Chosen by the client's server name. Changed, as a whole, by `setSslCertificates`.
    pub certificates: Certificates,
    /// Which versions and ciphers of TLS clients may use; `None`: what the API allows by itself. Changed by `setSslPolicy`.
    pub ssl_policy: Option<ResourceName>,
}

impl TargetHttpsProxy {
    pub(super) fn points_at(&self) -> Vec<&ResourceId> {
        let Self { url_map, certificates, ssl_policy: _ } = self;
        std::iter::once(url_map.id()).chain(certificates.iter().map(Ref::id)).collect()
    }
}

/// One to fifteen certificates, in order; the first serves every client whose server name fits none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Ref<SslCertificate>>", into = "Vec<Ref<SslCertificate>>")]
pub struct Certificates(Vec<Ref<SslCertificate>>);

impl TryFrom<Vec<Ref<SslCertificate>>> for Certificates {
    type Error = String;

    fn try_from(certificates: Vec<Ref<SslCertificate>>) -> Result<Self, Self::Error> {
        let count = certificates.len();
        Self::new(certificates)
            .ok_or_else(|| format!("{count} certificates, where 1 to {} can be", Self::MAX))
    }
}

impl From<Certificates> for Vec<Ref<SslCertificate>> {
    fn from(certificates: Certificates) -> Self {
        certificates.0
    }
}

impl Certificates {
    /// The most that one proxy takes (Compute API `targetHttpsProxies.sslCertificates`).
    pub const MAX: usize = 15;

    /// `None` where there are none or too many.
    #[must_use]
    pub fn new(certificates: Vec<Ref<SslCertificate>>) -> Option<Self> {
        (1..=Self::MAX).contains(&certificates.len()).then_some(Self(certificates))
    }

    /// In order, the default first.
    pub fn iter(&self) -> impl Iterator<Item = &Ref<SslCertificate>> {
        self.0.iter()
    }
}
