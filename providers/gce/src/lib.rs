//! A thin, typed client of the Compute Engine load-balancing API.
//!
//! It knows HTTP, credentials, operations and which failures are worth a second try. It knows no Kubernetes, keeps no
//! copy of anything, sets no pace (quotas are the caller's business, see [`Gate`]) and never re-issues a change whose answer it
//! understood: what the API refused is handed up as an [`Error`] whose predicates say why.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use gce::{Client, Completion, Global, Zone};
//!
//! let client = Client::builder("my-project").build()?;
//! let map = client.url_maps(Global).get("web").await?;
//! let endpoints = client.network_endpoint_groups(Zone::new("us-central1-a"));
//! println!("{:?} {:?}", map.default_service, endpoints.list().await?.len());
//!
//! let change = client.url_maps(Global).delete("web").await?;
//! match client.wait(change).await? {
//!     Completion::Done(_) => println!("deleted"),
//!     Completion::Lost(_) => println!("the operation is no longer known: read the url map again"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Collections
//! [`Client`] has one function per resource type. It takes the scope ([`Global`], [`Region`], [`Zone`], or a
//! [`Scope`](gce_api::Scope) known only at run time) and returns a [`Collection`], whose verbs exist only for types
//! that have them in the API: [`methods`] is that table.
//!
//! # Retries
//! Each call is tried again after connection failures and 500, 502, 503, 504; after `resourceNotReady`; and, unless it is a
//! change, after throttling (429, and 403 with reason `rateLimitExceeded`). A [`Gate`] keeps the pace beforehand. A change carries a random `requestId`, the same for
//! every try whose fate is unknown, so that a change is not made twice. [`RetryPolicy`] has the delays and limits.
//!
//! # Time and transport
//! Every pause and every time limit goes by tokio's clock, and requests leave through a [`Transport`]: with
//! [`Builder::transport`] and `tokio::time::pause` a test runs hours of this client in milliseconds, without a socket.

mod auth;
mod client;
mod collection;
mod error;
mod gate;
pub mod methods;
mod observe;
mod operation;
mod paging;
mod request;
mod retry;
mod scope;
mod transport;
mod verbs;

pub use auth::{AuthError, Credentials, install_crypto_provider};
pub use client::{BuildError, Builder, Client, DEFAULT_ENDPOINT, Timeouts};
pub use collection::{Collection, Query};
pub use error::{Cause, Error, Forbidden, Quota, Reason, Refusal};
pub use gate::{Effect, Entered, Entering, Gate, Knock, Passage};
pub use observe::{Attempt, Observer};
pub use operation::{Completion, Operation};
pub use paging::{Aggregated, Unreachable};
pub use retry::{Backoff, Retry, RetryPolicy};
pub use scope::{Global, Place, Region, ScopeOf, Zone};
pub use transport::{Reached, Sending, Transport, TransportError};
pub use verbs::{HealthStatus, InstanceState, MAX_ENDPOINTS_PER_CALL};
