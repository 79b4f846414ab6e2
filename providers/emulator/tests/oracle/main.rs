//! The router against an oracle.
//!
//! `oracle` is a second, plain and slow reading of the rules of URL maps: straight from the JSON of a map and a request to
//! what becomes of it, without any code of the router's. `generate` makes maps that the API accepts and requests that come
//! near their rules. Both must say the same of every pair; `planted` shows that they would not if the router had a bug.
//!
//! Where both could share a mistake is what they both took from the same text: the rules themselves. Those that Google does
//! not publish are choices, in `docs/choices.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod acceptance;
mod agreement;
mod generate;
mod oracle;
mod planted;
mod request;
mod router;
