//! Target proxies: what they route by and which certificates they show.
//!
//! For global proxies the paths of these verbs, but for `setSslPolicy`, lack the `global/` that all other paths have. Their operations are
//! global all the same.

use gce_api::{
    Scope, SslPolicyReference, TargetHttpProxy, TargetHttpsProxiesSetSslCertificatesRequest,
    TargetHttpsProxy, UrlMapReference,
};
use http::Method;

use crate::methods::Placed;
use crate::{Collection, Error, Operation};

impl<R: Placed> Collection<R> {
    fn proxy_verb_path(&self, verb: &'static str, name: &str) -> Result<Vec<String>, Error> {
        /// In `projects/PROJECT/global/…`.
        const SCOPE: usize = 2;
        let mut path = self.verb_path(verb, name)?;
        if self.scope == Scope::Global {
            path.remove(SCOPE);
        }
        Ok(path)
    }
}

impl Collection<TargetHttpProxy> {
    /// Makes the proxy route by another URL map.
    pub async fn set_url_map(&self, name: &str, url_map: &str) -> Result<Operation, Error> {
        let path = self.proxy_verb_path("setUrlMap", name)?;
        self.change(Method::POST, "setUrlMap", name, path, Some(&reference(url_map))).await
    }
}

impl Collection<TargetHttpsProxy> {
    /// Makes the proxy route by another URL map.
    pub async fn set_url_map(&self, name: &str, url_map: &str) -> Result<Operation, Error> {
        let path = self.proxy_verb_path("setUrlMap", name)?;
        self.change(Method::POST, "setUrlMap", name, path, Some(&reference(url_map))).await
    }

    /// Has clients speak what an SSL policy (its URL) allows; `None`: what the API allows by itself. Only global proxies have this call.
    pub async fn set_ssl_policy(&self, name: &str, policy: Option<&str>) -> Result<Operation, Error> {
        let body =
            SslPolicyReference { ssl_policy: policy.map(str::to_owned), ..SslPolicyReference::default() };
        let path = self.verb_path("setSslPolicy", name)?;
        self.change(Method::POST, "setSslPolicy", name, path, Some(&body)).await
    }

    /// Replaces the whole list of certificates. Their order matters: the first is shown to clients that ask for none of
    /// them.
    pub async fn set_ssl_certificates(
        &self,
        name: &str,
        certificates: &[String],
    ) -> Result<Operation, Error> {
        let path = self.proxy_verb_path("setSslCertificates", name)?;
        let body = TargetHttpsProxiesSetSslCertificatesRequest {
            ssl_certificates: Some(certificates.to_vec()),
            ..TargetHttpsProxiesSetSslCertificatesRequest::default()
        };
        self.change(Method::POST, "setSslCertificates", name, path, Some(&body)).await
    }
}

fn reference(url_map: &str) -> UrlMapReference {
    UrlMapReference { url_map: Some(url_map.to_owned()), ..UrlMapReference::default() }
}
