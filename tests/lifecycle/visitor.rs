//! A client of a load balancer, as a browser would be one whose name server knows every host.

use std::net::SocketAddr;

use controlplane::command;
use controlplane::wait::eventually;
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Client, StatusCode, redirect};

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// The Deployment whose pod answered with the echo page.
    pub(crate) fn deployment(&self) -> Option<&str> {
        let pod = self.body.lines().next()?.strip_prefix("pod=")?;
        pod.rsplitn(3, '-').nth(2)
    }

    /// A line of the echo page, such as `client_address`.
    pub(crate) fn line(&self, key: &str) -> Option<&str> {
        self.body.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
    }
}

/// Visits one load balancer.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    address: String,
}

impl Visitor {
    pub(crate) fn new(address: &str) -> Self {
        Self { address: address.to_owned() }
    }

    /// Where it visits.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Gets a URL, whatever its host, from this load balancer. Redirects are not followed, certificates not checked.
    pub(crate) async fn get(&self, url: &str) -> Result<Answer, String> {
        self.get_with(url, HeaderMap::new()).await
    }

    /// The same, with these headers.
    pub(crate) async fn get_with(&self, url: &str, headers: HeaderMap) -> Result<Answer, String> {
        let parsed = reqwest::Url::parse(url).unwrap();
        let host = parsed.host_str().unwrap();
        let socket = SocketAddr::new(self.address.parse().unwrap(), 0);
        let client = Client::builder()
            .resolve(host, socket)
            .danger_accept_invalid_certs(true)
            .redirect(redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .timeout(std::time::Duration::from_secs(10))
            .build()
            .unwrap();
        let told = |error: reqwest::Error| controlplane::prerequisite::chain(&error);
        let answer = client.get(parsed).headers(headers).send().await.map_err(told)?;
        let status = answer.status();
        let location = answer.headers().get(LOCATION).map(|value| value.to_str().unwrap().to_owned());
        let headers = answer.headers().clone();
        let body = answer.text().await.map_err(told)?;
        Ok(Answer { status, location, headers, body })
    }

    /// Waits until a URL is answered by a pod of this Deployment, and returns that answer.
    pub(crate) async fn served_by(&self, deployment: &str, url: &str) -> Answer {
        eventually(&format!("{url} to be served by {deployment}"), || async {
            let answer = self.get(url).await?;
            if answer.status == StatusCode::OK && answer.deployment() == Some(deployment) {
                Ok(answer)
            } else {
                Err(format!("{answer:?}"))
            }
        })
        .await
    }

    /// Waits until a URL is answered with this status, and returns that answer.
    pub(crate) async fn answers(&self, status: u16, url: &str) -> Answer {
        eventually(&format!("{url} to be answered {status}"), || async {
            let answer = self.get(url).await?;
            if answer.status == status { Ok(answer) } else { Err(format!("{answer:?}")) }
        })
        .await
    }

    /// Whether a handshake in this version of TLS succeeds, named as openssl names it: `tls1_2`.
    pub(crate) async fn speaks(&self, version: &str) -> bool {
        let script = format!("openssl s_client -connect {}:443 -{version} </dev/null", self.address);
        command::run("sh", &["-c", &script]).await.is_ok()
    }

    /// The common name of the certificate that a host is shown; an empty host sends no server name.
    pub(crate) async fn certificate(&self, host: &str) -> Result<String, String> {
        let name = if host.is_empty() { "-noservername".to_owned() } else { format!("-servername {host}") };
        let script = format!(
            "openssl s_client -connect {}:443 {name} </dev/null 2>/dev/null | openssl x509 -noout -subject -nameopt multiline",
            self.address
        );
        let subject = command::run("sh", &["-c", &script]).await.map_err(|error| error.to_string())?;
        let name = subject.lines().find_map(|line| line.trim().strip_prefix("commonName"));
        Ok(name.ok_or_else(|| subject.clone())?.trim_start_matches([' ', '=']).to_owned())
    }
}
