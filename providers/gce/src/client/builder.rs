//! How a client is put together.

use std::sync::Arc;
use std::time::Duration;

use url::{Host, Url};

use super::{Client, Shared};
use crate::auth::Authorizer;
use crate::transport::{Http, Network};
use crate::{Credentials, Gate, Observer, RetryPolicy, Transport, install_crypto_provider};

/// The production API.
pub const DEFAULT_ENDPOINT: &str = "https://compute.googleapis.com/compute/v1/";

/// How long the parts of a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To set up a connection.
    pub connect: Duration,
    /// One try of an ordinary call.
    pub request: Duration,
    /// One try of waiting for an operation. The server answers within two minutes, so this must be longer.
    pub wait: Duration,
    /// The least time between two calls that wait for the same operation: an overloaded server answers at once.
    pub wait_floor: Duration,
    /// Waiting for one operation altogether.
    pub operation: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            request: Duration::from_mins(1),
            wait: Duration::from_secs(150),
            wait_floor: Duration::from_secs(1),
            operation: Duration::from_mins(30),
        }
    }
}

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The endpoint is not the root of an API.
    #[error(
        "`{endpoint}` is no endpoint: give an http or https URL such as http://127.0.0.1:8080/compute/v1/"
    )]
    Endpoint {
        /// What was given.
        endpoint: String,
        /// Why it is no URL; `None` for a URL of an unsuitable kind.
        #[source]
        source: Option<url::ParseError>,
    },
    /// A token would travel readable for everybody.
    #[error("credentials are not sent to `{endpoint}`: use https, or a loopback address")]
    Insecure {
        /// What was given.
        endpoint: String,
    },
    /// No credentials were found.
    #[error(
        "find credentials; set GOOGLE_APPLICATION_CREDENTIALS to a key file, or run where there is a metadata server"
    )]
    Credentials {
        /// What was tried.
        #[source]
        source: google_cloud_auth::build_errors::Error,
    },
    /// The HTTP client could not be set up.
    #[error("set up the HTTP client")]
    Http {
        /// Why.
        #[source]
        source: reqwest::Error,
    },
}

/// A client in the making.
#[must_use = "call `build`"]
pub struct Builder {
    project: String,
    endpoint: Option<String>,
    credentials: Option<Credentials>,
    quota_project: Option<String>,
    timeouts: Timeouts,
    retry: RetryPolicy,
    observer: Option<Arc<dyn Observer>>,
    gate: Option<Arc<dyn Gate>>,
    transport: Option<Arc<dyn Transport>>,
    user_agent: String,
}

impl Builder {
    pub(super) fn new(project: String) -> Self {
        Self {
            project,
            endpoint: None,
            credentials: None,
            quota_project: None,
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            observer: None,
            gate: None,
            transport: None,
            user_agent: concat!("gclb/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    /// Another API than [`DEFAULT_ENDPOINT`], e.g. an emulator at `http://127.0.0.1:8080/compute/v1/`. No credentials
    /// are then looked for, unless [`credentials`](Self::credentials) asks for them.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Where tokens come from. Left out: [`Credentials::ApplicationDefault`] for the production API and
    /// [`Credentials::Anonymous`] for every other endpoint.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// The project whose quota is used, where it is not the credentials' own.
    pub fn quota_project(mut self, project: impl Into<String>) -> Self {
        self.quota_project = Some(project.into());
        self
    }

    /// Other time limits than the default ones.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Other pauses and limits of retries than the default ones.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Who is told about each try.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Who keeps the pace.
    pub fn gate(mut self, gate: Arc<dyn Gate>) -> Self {
        self.gate = Some(gate);
        self
    }

    /// Another way to the API than HTTP over the network: for tests, which answer requests themselves. The endpoint is
    /// then only what requests are addressed to. Time limits are kept by the client all the same, but for the one to
    /// connect.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// What to call ourselves in the `User-Agent` header.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Makes the client. Nothing is sent yet, but credentials are located: call it inside a tokio runtime.
    pub fn build(self) -> Result<Client, BuildError> {
        let Self {
            project,
            endpoint,
            credentials,
            quota_project,
            timeouts,
            retry,
            observer,
            gate,
            transport,
            user_agent,
        } = self;
        install_crypto_provider();
        let production = endpoint.is_none();
        let endpoint = parse(endpoint.as_deref().unwrap_or(DEFAULT_ENDPOINT))?;
        let credentials = credentials.unwrap_or(if production {
            Credentials::ApplicationDefault
        } else {
            Credentials::Anonymous
        });
        let loopback = is_loopback(&endpoint);
        if endpoint.scheme() == "http" && !loopback && !matches!(credentials, Credentials::Anonymous) {
            return Err(BuildError::Insecure { endpoint: endpoint.into() });
        }
        let authorizer = Authorizer::new(credentials, quota_project)
            .map_err(|source| BuildError::Credentials { source })?;
        let transport = match transport {
            Some(transport) => transport,
            None => Arc::new(Network::new(Http { user_agent, connect: timeouts.connect, loopback })?),
        };
        let shared = Shared { project, endpoint, transport, authorizer, timeouts, retry, observer, gate };
        Ok(Client { shared: Arc::new(shared), deadline: None })
    }
}

fn parse(endpoint: &str) -> Result<Url, BuildError> {
    let refuse = |source| BuildError::Endpoint { endpoint: endpoint.to_owned(), source };
    let mut url = Url::parse(endpoint).map_err(|source| refuse(Some(source)))?;
    if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() || url.query().is_some() {
        return Err(refuse(None));
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
