//! Mirrored requests: a copy goes to another backend service, and nobody waits for what it says.

use std::sync::Arc;

use http_body_util::BodyExt;

use super::body::RequestBody;
use super::exchange;
use super::outgoing::Head;
use crate::dataplane::affinity::Wish;
use crate::dataplane::connection::Client;
use crate::dataplane::tables::ServiceTable;

/// The host a mirrored request names: that of the original with `-shadow` before the port.
pub(super) fn shadow(host: &str) -> String {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{name}-shadow:{port}")
        }
        _ => format!("{host}-shadow"),
    }
}

/// Sends a copy, and reads the answer so that the connection can be kept. What goes wrong is nobody's business.
pub(super) fn start(client: &Client, service: Arc<ServiceTable>, head: Head, body: RequestBody) {
    let shared = client.place.shared.clone();
    let timeout = service.timeout;
    let exchanged = {
        let shared = shared.clone();
        async move {
            let (response, lease) = exchange::attempt(&shared, &service, Wish::Any, head.with(body)).await?;
            if response.into_body().collect().await.is_ok() {
                lease.give_back();
            }
            Ok::<_, super::forward::ForwardError>(())
        }
    };
    shared.tasks.spawn(async move {
        match tokio::time::timeout(timeout, exchanged).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "a mirrored request failed");
            }
            Err(_) => tracing::debug!("a mirrored request took too long"),
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shadow_of_a_host() {
        for (host, expected) in [
            ("shop.example", "shop.example-shadow"),
            ("shop.example:8080", "shop.example-shadow:8080"),
            ("[::1]:80", "[::1]-shadow:80"),
            ("", "-shadow"),
        ] {
            assert_eq!(shadow(host), expected);
        }
    }
}
