//! Credentials: when they are sent, and to whom.

use std::sync::{Arc, Mutex};

use gce::{BuildError, Client, Credentials, Error, Global};
use google_cloud_auth::credentials::{CacheableResource, CredentialsProvider, EntityTag};
use google_cloud_auth::errors::CredentialsError;
use http::{Extensions, HeaderMap, HeaderValue};
use serde_json::json;

use crate::builder;
use crate::server::{Server, ok};

const TOKEN: &str = "a-token";

/// Gives out one token.
#[derive(Debug)]
struct Fixed;

impl CredentialsProvider for Fixed {
    async fn headers(&self, _: Extensions) -> Result<CacheableResource<HeaderMap>, CredentialsError> {
        let mut data = HeaderMap::new();
        data.insert("authorization", HeaderValue::from_str(&format!("Bearer {TOKEN}")).unwrap());
        Ok(CacheableResource::New { entity_tag: EntityTag::new(), data })
    }

    async fn universe_domain(&self) -> Option<String> {
        None
    }
}

/// Gives out none.
#[derive(Debug)]
struct Failing {
    transient: bool,
}

impl CredentialsProvider for Failing {
    async fn headers(&self, _: Extensions) -> Result<CacheableResource<HeaderMap>, CredentialsError> {
        Err(CredentialsError::from_msg(self.transient, "no luck"))
    }

    async fn universe_domain(&self) -> Option<String> {
        None
    }
}

fn fixed() -> Credentials {
    Credentials::Custom(Fixed.into())
}

#[tokio::test]
async fn another_endpoint_gets_no_credentials_unless_asked() {
    let server = Server::start(vec![ok(&json!({})); 2]).await;
    builder(&server).build().unwrap().url_maps(Global).get("web").await.unwrap();
    builder(&server).credentials(fixed()).build().unwrap().url_maps(Global).get("web").await.unwrap();
    let asked = server.asked();
    assert!(!asked[0].headers.contains_key("authorization"));
    assert_eq!(asked[1].headers["authorization"], format!("Bearer {TOKEN}"));
    assert!(asked[0].headers["user-agent"].to_str().unwrap().starts_with("gclb/"));
}

#[tokio::test]
async fn a_token_is_not_sent_readable_over_a_network() {
    let refused = Client::builder("p").endpoint("http://192.0.2.1/compute/v1/").credentials(fixed()).build();
    assert!(matches!(refused, Err(BuildError::Insecure { .. })));
    for endpoint in ["compute.example.com", "ftp://example.com/", "http://example.com/?a=b"] {
        let refused = Client::builder("p").endpoint(endpoint).build();
        assert!(matches!(refused, Err(BuildError::Endpoint { .. })), "{endpoint}");
    }
    let slash = Client::builder("p").endpoint("http://127.0.0.1:1/compute/v1").build().unwrap();
    assert_eq!(slash.endpoint(), "http://127.0.0.1:1/compute/v1/");
}

#[tokio::test]
async fn only_a_passing_lack_of_tokens_is_waited_out() {
    for (transient, tries) in [(true, 4), (false, 1)] {
        let server = Server::start([]).await;
        let counted = Arc::new(Counted::default());
        let client = builder(&server)
            .credentials(Credentials::Custom(Failing { transient }.into()))
            .observer(counted.clone())
            .build()
            .unwrap();
        let error = client.url_maps(Global).delete("web").await.unwrap_err();
        assert!(matches!(error, Error::Authenticate { .. }) && !error.is_outcome_unknown(), "{error}");
        assert_eq!(error.is_transient(), transient);
        assert_eq!(*counted.0.lock().unwrap(), tries);
        assert!(server.asked().is_empty());
    }
}

#[derive(Default)]
struct Counted(Mutex<usize>);

impl gce::Observer for Counted {
    fn attempt(&self, _: &gce::Attempt<'_>) {
        *self.0.lock().unwrap() += 1;
    }
}
