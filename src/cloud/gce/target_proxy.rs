//! Target proxies, both kinds.

use gce_api::{TargetHttpProxy as WireHttpProxy, TargetHttpsProxy as WireHttpsProxy};

use super::link::{Links, last_part, reference};
use super::wire::{NotUnderstood, Unspeakable, Wire};
use crate::model::{
    Certificates, Mark, Ref, ResourceId, ResourceName, Scope, TargetHttpProxy, TargetHttpsProxy, UrlMap,
};

impl Wire for WireHttpProxy {
    type Model = TargetHttpProxy;

    fn write(
        model: &TargetHttpProxy,
        id: &ResourceId,
        mark: &Mark,
        links: &Links,
    ) -> Result<Self, Unspeakable> {
        let TargetHttpProxy { url_map } = model;
        Ok(Self {
            name: Some(id.name.to_string()),
            description: Some(mark.render()),
            url_map: Some(links.to(url_map.id())),
            ..Self::default()
        })
    }

    fn read(&self, _: &Scope) -> Result<TargetHttpProxy, NotUnderstood> {
        Ok(TargetHttpProxy { url_map: url_map(self.url_map.as_deref())? })
    }

    fn created(&self) -> Option<&str> {
        self.creation_timestamp.as_deref()
    }
}

impl Wire for WireHttpsProxy {
    type Model = TargetHttpsProxy;

    fn write(
        model: &TargetHttpsProxy,
        id: &ResourceId,
        mark: &Mark,
        links: &Links,
    ) -> Result<Self, Unspeakable> {
        let TargetHttpsProxy { url_map, certificates, ssl_policy } = model;
        Ok(Self {
            name: Some(id.name.to_string()),
            description: Some(mark.render()),
            url_map: Some(links.to(url_map.id())),
            ssl_certificates: Some(certificate_links(certificates, links)),
            ssl_policy: ssl_policy.as_ref().map(|policy| links.ssl_policy(&id.scope, policy)),
            ..Self::default()
        })
    }

    fn read(&self, _: &Scope) -> Result<TargetHttpsProxy, NotUnderstood> {
        let links = self.ssl_certificates.as_deref().unwrap_or_default();
        let certificates: Option<Vec<_>> = links.iter().map(|link| reference(link)).collect();
        Ok(TargetHttpsProxy {
            url_map: url_map(self.url_map.as_deref())?,
            certificates: certificates
                .and_then(Certificates::new)
                .ok_or_else(|| NotUnderstood::new("sslCertificates", Some(&links.join(", "))))?,
            ssl_policy: self.ssl_policy.as_deref().and_then(|link| ResourceName::new(last_part(link)).ok()),
        })
    }

    fn created(&self) -> Option<&str> {
        self.creation_timestamp.as_deref()
    }
}

pub(super) fn certificate_links(certificates: &Certificates, links: &Links) -> Vec<String> {
    certificates.iter().map(|certificate| links.to(certificate.id())).collect()
}

fn url_map(link: Option<&str>) -> Result<Ref<UrlMap>, NotUnderstood> {
    link.and_then(reference).ok_or_else(|| NotUnderstood::new("urlMap", link))
}
