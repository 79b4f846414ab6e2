//! Forwarding rules and the target proxies behind them.

use std::net::IpAddr;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;

use super::json::{collection, field, link, text, texts};
use super::{Resources, ssl_policy, url_map};
use crate::dataplane::program::{Certificate, Frontend, FrontendProtocol, Program, Routing, Scheme};
use crate::dataplane::resource_id::{CertificateId, ForwardingRuleId, UrlMapId};

/// Adds the frontend of one forwarding rule, with everything down to its URL map. A rule that is not for an
/// HTTP(S) load balancer adds only a problem.
pub(super) fn compile(resources: &impl Resources, path: &str, body: &Value, program: &mut Program) {
    let Some(target) = link(body, "target") else {
        program.problem(path, "has no target proxy; only HTTP(S) load balancers are served");
        return;
    };
    let Some(address) = text(body, "IPAddress").and_then(|address| address.parse::<IpAddr>().ok()) else {
        program.problem(path, "has no IP address to listen on");
        return;
    };
    let Some(port) = text(body, "portRange").and_then(single_port) else {
        program.problem(path, "has no single port to listen on; a range of ports is not served");
        return;
    };
    let https = match collection(target) {
        "targetHttpProxies" => false,
        "targetHttpsProxies" => true,
        other => {
            program.problem(path, format!("points at one of {other}; only HTTP(S) proxies are served"));
            return;
        }
    };
    let scheme = match text(body, "loadBalancingScheme") {
        None | Some("EXTERNAL") => Scheme::Classic,
        Some(_) => Scheme::Managed,
    };
    let proxy = resources.get(target);
    let routing = routing(resources, path, target, proxy, program);
    let protocol = if https {
        FrontendProtocol::Https {
            certificates: proxy
                .map(|proxy| certificates(resources, target, proxy, program))
                .unwrap_or_default(),
            policy: proxy
                .map(|proxy| ssl_policy::compile(resources, target, proxy, program))
                .unwrap_or_default(),
        }
    } else {
        FrontendProtocol::Http
    };
    program.frontends.push(Frontend {
        id: ForwardingRuleId::new(path),
        address,
        port,
        scheme,
        protocol,
        routing,
    });
}

fn routing(
    resources: &impl Resources,
    path: &str,
    target: &str,
    proxy: Option<&Value>,
    program: &mut Program,
) -> Routing {
    let Some(proxy) = proxy else {
        let why = format!("the target proxy {target} does not exist");
        program.problem(path, why.clone());
        return Routing::Unprogrammed(why);
    };
    for name in ["serverTlsPolicy", "httpKeepAliveTimeoutSec"] {
        if field(proxy, name).is_some() {
            program.problem(target, format!("has {name}, which is not served"));
        }
    }
    if text(proxy, "quicOverride") == Some("ENABLE") {
        program.problem(target, "asks for QUIC, which is not served");
    }
    let Some(map_path) = link(proxy, "urlMap") else {
        let why = "the target proxy names no URL map".to_owned();
        program.problem(target, why.clone());
        return Routing::Unprogrammed(why);
    };
    let id = UrlMapId::new(map_path);
    if program.url_maps.contains_key(&id) {
        return Routing::UrlMap(id);
    }
    let Some(body) = resources.get(map_path) else {
        let why = format!("the URL map {map_path} does not exist");
        program.problem(target, why.clone());
        return Routing::Unprogrammed(why);
    };
    let url_map = url_map::compile(&id, body, program);
    program.url_maps.insert(id.clone(), Arc::new(url_map));
    Routing::UrlMap(id)
}

fn certificates(
    resources: &impl Resources,
    target: &str,
    proxy: &Value,
    program: &mut Program,
) -> Vec<Arc<Certificate>> {
    if text(proxy, "certificateMap").is_some() {
        program.problem(target, "names a certificate map, which is not served; sslCertificates are used");
    }
    let paths: Vec<&str> = texts(proxy, "sslCertificates").map(super::json::canonical).collect();
    let mut certificates = Vec::with_capacity(paths.len());
    for path in paths {
        match certificate(resources, path) {
            Ok(certificate) => certificates.push(Arc::new(certificate)),
            Err(message) => program.problem(path, message),
        }
    }
    if certificates.is_empty() {
        program.problem(target, "has no usable certificate: TLS handshakes are refused");
    }
    certificates
}

/// The message says what is wrong and never quotes the key.
fn certificate(resources: &impl Resources, path: &str) -> Result<Certificate, String> {
    let body = resources.get(path).ok_or("the SSL certificate does not exist")?;
    let pem = text(body, "certificate")
        .or_else(|| body.get("selfManaged").and_then(|own| text(own, "certificate")))
        .ok_or("the SSL certificate holds no certificate yet")?;
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("the certificate is not PEM: {error}"))?;
    if chain.is_empty() {
        return Err("the certificate holds no PEM block of type CERTIFICATE".to_owned());
    }
    let key = resources.private_key(path).ok_or("no private key is held for the SSL certificate")?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|_| "the private key is not PEM of a type that is understood".to_owned())?;
    Ok(Certificate { id: CertificateId::new(path), chain, key })
}

/// `80` and `80-80` are one port; a wider range is none.
fn single_port(range: &str) -> Option<u16> {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let first: u16 = first.trim().parse().ok()?;
    let last: u16 = last.trim().parse().ok()?;
    (first == last && first != 0).then_some(first)
}
