//! Who we are to the API.
//!
//! Finding, caching and refreshing tokens is the work of `google-cloud-auth`. Here it is only decided whether there
//! are credentials at all, and seen to that no token is printed.

use std::sync::Once;
use std::time::Duration;

use google_cloud_auth::credentials::{self, CacheableResource};
use google_cloud_auth::errors::CredentialsError;
use http::{Extensions, HeaderMap};

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Where tokens come from.
#[derive(Clone)]
pub enum Credentials {
    /// As Google's own tools find them: the file named by `GOOGLE_APPLICATION_CREDENTIALS` (a service account key,
    /// workload identity federation, impersonation, a user), the file that `gcloud auth application-default login`
    /// leaves, or else the metadata server (`GCE_METADATA_HOST` names another one; workload identity on GKE is this).
    ApplicationDefault,
    /// None: no `Authorization` header is sent. For an emulator.
    Anonymous,
    /// Made by the caller.
    Custom(credentials::Credentials),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ApplicationDefault => "ApplicationDefault",
            Self::Anonymous => "Anonymous",
            Self::Custom(_) => "Custom(redacted)",
        })
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The source of tokens failed.
    #[error("no access token; see that the credentials are valid and their source can be reached")]
    Token {
        /// What the source said.
        #[source]
        source: CredentialsError,
    },
    /// The source of tokens did not answer.
    #[error("no access token within {after:?}; see that the metadata server or token service can be reached")]
    Slow {
        /// How long it was waited for.
        after: Duration,
    },
}

impl AuthError {
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Token { source } => source.is_transient(),
            Self::Slow { .. } => true,
        }
    }
}

/// Makes `ring` the process's cryptography for TLS and for signing, unless one was chosen already. May be called any
/// number of times; building a client does.
pub fn install_crypto_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if rustls::crypto::ring::default_provider().install_default().is_err() {
            tracing::debug!("another cryptography provider is already installed; it is used");
        }
    });
}

/// The source of `Authorization` headers.
#[derive(Clone)]
pub(crate) enum Authorizer {
    Anonymous,
    Tokens(credentials::Credentials),
}

impl Authorizer {
    /// Must run inside a tokio runtime: the token cache starts a task of its own.
    pub(crate) fn new(
        credentials: Credentials,
        quota_project: Option<String>,
    ) -> Result<Self, google_cloud_auth::build_errors::Error> {
        match credentials {
            Credentials::Anonymous => Ok(Self::Anonymous),
            Credentials::Custom(custom) => Ok(Self::Tokens(custom)),
            Credentials::ApplicationDefault => {
                let mut builder = credentials::Builder::default().with_scopes([SCOPE]);
                if let Some(project) = quota_project {
                    builder = builder.with_quota_project_id(project);
                }
                builder.build().map(Self::Tokens)
            }
        }
    }

    pub(crate) async fn headers(&self, patience: Duration) -> Result<HeaderMap, AuthError> {
        let source = match self {
            Self::Anonymous => return Ok(HeaderMap::new()),
            Self::Tokens(source) => source,
        };
        match tokio::time::timeout(patience, source.headers(Extensions::new())).await {
            Err(_) => Err(AuthError::Slow { after: patience }),
            Ok(Err(source)) => Err(AuthError::Token { source }),
            Ok(Ok(CacheableResource::New { data, .. })) => Ok(sensitive(data)),
            // Only an entity tag, which we do not send, can be answered so.
            Ok(Ok(CacheableResource::NotModified)) => Ok(HeaderMap::new()),
        }
    }
}

/// Marks the token, so that neither `Debug` nor HTTP/2's header tables keep it.
fn sensitive(mut headers: HeaderMap) -> HeaderMap {
    for value in headers.values_mut() {
        value.set_sensitive(true);
    }
    headers
}
