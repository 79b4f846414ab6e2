//! What to type to try a load balancer, and what should come back. Pure.

use std::fmt;
use std::net::IpAddr;

use crate::load_balancer::{Backend, Frontend, HostPattern, LoadBalancer, PathMatch, PlainHttp, RouteAction};
use crate::model::RedirectCode;

/// The lines for one host or path are enough to see how it goes; more are counted.
const MOST_ROUTES: usize = 8;

/// A curl command, and what it should show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// What stands behind `curl`.
    pub(super) arguments: Vec<String>,
    /// What should come back.
    pub(super) expected: Expected,
}

/// What should come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    /// A redirect to this.
    Redirect {
        /// Its status code.
        code: u16,
        /// The whole `Location`.
        location: String,
    },
    /// The echo page of a pod of one of these Services.
    Page {
        /// Namespaces and names.
        services: Vec<Backend>,
        /// Whether the connection is encrypted, so that there is a certificate to look at.
        encrypted: bool,
    },
}

impl fmt::Display for Line {
    /// As it is typed: arguments in quotes where a shell wants them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("curl")?;
        for argument in &self.arguments {
            let plain = argument.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:@,%+=".contains(&b));
            if plain { write!(f, " {argument}")? } else { write!(f, " '{argument}'")? }
        }
        Ok(())
    }
}

/// Where a load balancer is reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    /// Its address.
    pub(super) address: IpAddr,
    /// What is added to its ports on this machine.
    pub(super) port_offset: u16,
    /// Whether a certificate is to be had, so that there is a port 443.
    pub(super) has_certificate: bool,
}

/// The lines for one load balancer.
pub(super) fn lines(load_balancer: &LoadBalancer, at: At) -> Vec<Line> {
    let mut lines = Vec::new();
    for (host, path, action) in targets(load_balancer) {
        let RouteAction::Forward(backends) = action else { continue };
        let services: Vec<Backend> = backends.iter().map(|weighted| weighted.backend.clone()).collect();
        lines.extend(request(&load_balancer.frontend, at, host.as_deref(), &path, &services));
    }
    lines
}

/// One request for each route that forwards, and one for what no rule names.
fn targets(load_balancer: &LoadBalancer) -> Vec<(Option<String>, String, &RouteAction)> {
    let mut targets: Vec<(Option<String>, String, &RouteAction)> = Vec::new();
    if let Some(default) = &load_balancer.default {
        targets.push((None, "/".to_owned(), &default.action));
    }
    for host in &load_balancer.hosts {
        let name = match &host.pattern {
            HostPattern::Any => None,
            HostPattern::Exact(name) => Some(name.clone()),
            HostPattern::Wildcard(suffix) => Some(format!("any.{suffix}")),
        };
        for route in &host.routes {
            let path = match &route.path {
                PathMatch::Exact(path) | PathMatch::Prefix(path) => path.clone(),
                PathMatch::Pattern(pattern) => {
                    pattern.strip_suffix('*').map_or_else(|| pattern.clone(), |start| format!("{start}any"))
                }
            };
            if name.is_none() && path == "/" {
                // A rule for every host and path leaves nothing to the default.
                targets.retain(|(host, path, _)| host.is_some() || path != "/");
            }
            targets.push((name.clone(), path, &route.action));
        }
    }
    targets.truncate(MOST_ROUTES);
    targets
}

fn request(frontend: &Frontend, at: At, host: Option<&str>, path: &str, services: &[Backend]) -> Vec<Line> {
    let plain = Try { scheme: "http", port: 80, at, host, path };
    let encrypted = Try { scheme: "https", port: 443, at, host, path };
    let page = |encrypted| Expected::Page { services: services.to_vec(), encrypted };
    let plain_http = match frontend {
        Frontend::Https { certificates: _, plain } if at.has_certificate => *plain,
        // Without a certificate there is no port 443, and port 80 serves.
        Frontend::Https { .. } | Frontend::Http => {
            return vec![Line { arguments: plain.arguments(&[]), expected: page(false) }];
        }
    };
    let secure = Line { arguments: encrypted.arguments(&["-k"]), expected: page(true) };
    match plain_http {
        PlainHttp::Refuse => vec![secure],
        PlainHttp::Serve => vec![Line { arguments: plain.arguments(&[]), expected: page(false) }, secure],
        PlainHttp::Redirect(code) => {
            let location = format!("https://{}{path}", encrypted.authority());
            vec![
                Line {
                    arguments: plain.arguments(&[]),
                    expected: Expected::Redirect { code: status_code(code), location },
                },
                secure,
                Line { arguments: plain.following(&encrypted), expected: page(true) },
            ]
        }
    }
}

/// One URL, and how curl is told where it is.
#[derive(Clone, Copy)]
struct Try<'a> {
    scheme: &'static str,
    port: u16,
    at: At,
    host: Option<&'a str>,
    path: &'a str,
}

impl Try<'_> {
    fn real_port(&self) -> u16 {
        self.port.saturating_add(self.at.port_offset)
    }

    /// Host and, where it is not the scheme's own, port.
    fn authority(&self) -> String {
        let host = self.host.map_or_else(|| bracketed(self.at.address), str::to_owned);
        if self.at.port_offset == 0 { host } else { format!("{host}:{}", self.real_port()) }
    }

    fn url(&self) -> String {
        let path = if self.path == "/" { "" } else { self.path };
        format!("{}://{}{path}", self.scheme, self.authority())
    }

    /// `--resolve`, since for TLS the name must be in the handshake and not only in a header.
    fn resolve(&self) -> Option<[String; 2]> {
        let host = self.host?;
        Some(["--resolve".to_owned(), format!("{host}:{}:{}", self.real_port(), bracketed(self.at.address))])
    }

    fn arguments(&self, first: &[&str]) -> Vec<String> {
        let mut arguments: Vec<String> = first.iter().map(|argument| (*argument).to_owned()).collect();
        arguments.extend(self.resolve().into_iter().flatten());
        arguments.push(self.url());
        arguments
    }

    /// The same, and on to where the redirect leads.
    fn following(&self, encrypted: &Self) -> Vec<String> {
        let mut arguments = vec!["-Lk".to_owned()];
        arguments.extend(self.resolve().into_iter().flatten());
        arguments.extend(encrypted.resolve().into_iter().flatten());
        arguments.push(self.url());
        arguments
    }
}

const fn status_code(code: RedirectCode) -> u16 {
    match code {
        RedirectCode::MovedPermanently => 301,
        RedirectCode::Found => 302,
        RedirectCode::SeeOther => 303,
        RedirectCode::TemporaryRedirect => 307,
        RedirectCode::PermanentRedirect => 308,
    }
}

fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingress::{Wish, read};
    use crate::model::Held;
    use crate::snapshot::Cluster;
    use crate::snapshot::manifests::{Manifests, cluster_id};

    fn shown(spec: &str, port_offset: u16) -> Vec<String> {
        let text = format!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: web}}\nspec: {spec}\n"
        );
        let cluster = Cluster::of(cluster_id());
        let manifests = Manifests::read([("web.yaml", text.as_str())]);
        let snapshot = manifests.snapshot(cluster, jiff::Timestamp::UNIX_EPOCH, Held::default());
        let readings = read(&snapshot);
        let Some(Wish::Serve(load_balancer)) =
            readings.load_balancers.values().next().map(|reading| &reading.wish)
        else {
            panic!("{readings:?}")
        };
        let at = At { address: "127.0.100.1".parse().unwrap(), port_offset, has_certificate: true };
        lines(load_balancer, at).iter().map(Line::to_string).collect()
    }

    const BACKEND: &str = "{service: {name: web, port: {number: 80}}}";

    #[test]
    fn the_walkthroughs_lines_come_out_word_for_word() {
        let spec = format!("{{tls: [{{secretName: tls}}], defaultBackend: {BACKEND}}}");
        assert_eq!(
            shown(&spec, 0),
            ["curl http://127.0.100.1", "curl -k https://127.0.100.1", "curl -Lk http://127.0.100.1"]
        );
        assert_eq!(
            shown(&spec, 8000),
            [
                "curl http://127.0.100.1:8080",
                "curl -k https://127.0.100.1:8443",
                "curl -Lk http://127.0.100.1:8080",
            ]
        );
    }

    #[test]
    fn hosts_are_given_to_curl_and_paths_are_asked_for() {
        let spec = format!(
            "{{rules: [{{host: a.example.com, http: {{paths: [{{path: /cart, pathType: Prefix, backend: {BACKEND}}}, \
             {{path: '/static/*', pathType: ImplementationSpecific, backend: {BACKEND}}}]}}}}, \
             {{host: '*.example.com', http: {{paths: [{{path: /, pathType: Prefix, backend: {BACKEND}}}]}}}}]}}"
        );
        assert_eq!(
            shown(&spec, 0),
            [
                "curl --resolve a.example.com:80:127.0.100.1 http://a.example.com/static/any",
                "curl --resolve a.example.com:80:127.0.100.1 http://a.example.com/cart",
                "curl --resolve any.example.com:80:127.0.100.1 http://any.example.com",
            ]
        );
    }
}
