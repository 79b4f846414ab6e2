//! `/_emulator/certificates`: what becomes of Google-managed certificates.

use super::{Paths, refuse};
use crate::engine::{Engine, Findings, IssueError, Reply, Request};
use http::{Method, StatusCode};

pub(super) const PATHS: Paths = &[(
    "POST /_emulator/certificates/projects/…/sslCertificates/NAME",
    "issue a Google-managed certificate: it is ACTIVE, with a new key. {\"domains\": {\"a.example\": \"FAILED_NOT_VISIBLE\"}} \
     and {\"status\": \"PROVISIONING_FAILED\"} say that something is wrong",
)];

pub(super) async fn answer(engine: &Engine, request: &Request, rest: &[&str]) -> Option<Reply> {
    if request.method != Method::POST || rest.is_empty() {
        return None;
    }
    let nothing = request.body.iter().all(u8::is_ascii_whitespace);
    let findings = if nothing { Ok(Findings::default()) } else { serde_json::from_slice(&request.body) };
    let findings = match findings {
        Ok(findings) => findings,
        Err(error) => {
            let why = format!(
                "reading what was found: {error}; write {{\"domains\": {{\"a.example\": \"FAILED_NOT_VISIBLE\"}}}}, or nothing"
            );
            return Some(refuse(StatusCode::BAD_REQUEST, &why));
        }
    };
    Some(match engine.issue(&rest.join("/"), &findings).await {
        Ok(shown) => Reply::ok(shown),
        Err(error @ IssueError::Missing { .. }) => refuse(StatusCode::NOT_FOUND, &error.to_string()),
        Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    })
}
