//! By which protocol the load balancer speaks to a Service's port.
//!
//! Two places say it: the annotation of ingress-gce, a JSON object of port names with `HTTP`, `HTTPS`, `HTTP2` or `H2C`, and the port's
//! `appProtocol` (KEP-1422, KEP-3726), which counts where the annotation does not name the port. What neither says is HTTP.

use std::collections::BTreeMap;

use crate::model::{BackendProtocol, ObjectKey};
use crate::problem::{Problem, Reason};
use crate::snapshot::{Annotated, Service, ServicePort};

/// The protocol of one port, and what is wrong with what the annotation says of it.
pub(super) fn of(
    key: &ObjectKey,
    service: &Service,
    port: &ServicePort,
) -> (BackendProtocol, Option<Problem>) {
    let by_field = by_field(port.app_protocol.as_deref());
    let Some(Annotated { key: annotation, value }) = &service.app_protocols else { return (by_field, None) };
    let problem = |what: String| {
        Problem::degraded(
            Reason::AnnotationInvalid,
            format!("Service {key}: metadata.annotations[{annotation}]"),
            format!(
                "{what}, so port {} of Service {key} is spoken to by what its appProtocol says, else by HTTP. Write a JSON object of port names \
                 with HTTP, HTTPS, HTTP2 or H2C, as in '{{\"web\":\"HTTPS\"}}'.",
                port.port
            ),
        )
    };
    let words: BTreeMap<String, String> = match serde_json::from_str(value) {
        Ok(words) => words,
        Err(error) => return (by_field, Some(problem(format!("{value:?} cannot be read ({error})")))),
    };
    match words.get(&port.name).map(String::as_str) {
        None => (by_field, None),
        Some("HTTP") => (BackendProtocol::Http, None),
        Some("HTTPS") => (BackendProtocol::Https, None),
        Some("HTTP2") => (BackendProtocol::Http2, None),
        Some("H2C") => (BackendProtocol::H2c, None),
        Some(other) => (by_field, Some(problem(format!("{other:?} is no protocol that is known here")))),
    }
}

/// A word that is not known here says nothing.
fn by_field(app_protocol: Option<&str>) -> BackendProtocol {
    match app_protocol.map(str::to_ascii_lowercase).as_deref() {
        Some("https" | "kubernetes.io/wss") => BackendProtocol::Https,
        Some("http2") => BackendProtocol::Http2,
        Some("kubernetes.io/h2c" | "grpc") => BackendProtocol::H2c,
        _ => BackendProtocol::Http,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protocol(annotation: Option<&str>, app_protocol: Option<&str>) -> (BackendProtocol, bool) {
        let port = ServicePort {
            name: "web".to_owned(),
            app_protocol: app_protocol.map(str::to_owned),
            ..ServicePort::tcp(80)
        };
        let service = Service {
            app_protocols: annotation.map(|value| Annotated { key: "a", value: value.to_owned() }),
            ..Service::of_type("ClusterIP", vec![port.clone()])
        };
        let (protocol, problem) = of(&ObjectKey::new("default", "web"), &service, &port);
        (protocol, problem.is_some())
    }

    #[test]
    fn the_annotation_goes_before_the_field() {
        use BackendProtocol::{H2c, Http, Http2, Https};
        for (word, wanted) in [("HTTP", Http), ("HTTPS", Https), ("HTTP2", Http2), ("H2C", H2c)] {
            let annotation = format!("{{\"web\":\"{word}\"}}");
            assert_eq!(protocol(Some(&annotation), Some("https")), (wanted, false), "{word}");
        }
        assert_eq!(protocol(Some("{\"other\":\"HTTP2\"}"), Some("https")), (Https, false));
        // By name alone, as ingress-gce reads it.
        assert_eq!(protocol(Some("{\"80\":\"HTTP2\"}"), None), (Http, false));
    }

    #[test]
    fn what_cannot_be_read_is_said_and_the_field_counts() {
        for wrong in ["", "HTTPS", "[]", "{\"web\":1}", "{\"web\":\"https\"}", "{\"web\":\"SPDY\"}"] {
            assert_eq!(protocol(Some(wrong), Some("HTTPS")), (BackendProtocol::Https, true), "{wrong}");
        }
    }

    #[test]
    fn the_field_in_all_its_words() {
        use BackendProtocol::{H2c, Http, Http2, Https};
        for (word, wanted) in [
            ("http", Http),
            ("HTTPS", Https),
            ("kubernetes.io/wss", Https),
            ("kubernetes.io/ws", Http),
            ("kubernetes.io/h2c", H2c),
            ("grpc", H2c),
            ("HTTP2", Http2),
            ("mine.example.com/x", Http),
        ] {
            assert_eq!(protocol(None, Some(word)), (wanted, false), "{word}");
        }
    }
}
