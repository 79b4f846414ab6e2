//! What kubectl says of an Ingress.

use controlplane::Kubectl;
use controlplane::wait::eventually;

use crate::visitor::Visitor;

/// Waits for the Ingress's address.
pub(crate) async fn address(kubectl: &Kubectl, name: &str) -> Visitor {
    let what = format!("the Ingress {name} to have an address");
    eventually(&what, || async {
        let address = field(kubectl, name, "{.status.loadBalancer.ingress[0].ip}").await?;
        if address.is_empty() { Err(described(kubectl, name).await?) } else { Ok(Visitor::new(&address)) }
    })
    .await
}

/// A field of the Ingress, as a JSON path.
pub(crate) async fn field(kubectl: &Kubectl, name: &str, path: &str) -> Result<String, String> {
    let path = format!("-o=jsonpath={path}");
    kubectl.run(&["get", "ing", name, &path]).await.map_err(|error| error.to_string())
}

/// `kubectl describe ing`.
pub(crate) async fn described(kubectl: &Kubectl, name: &str) -> Result<String, String> {
    kubectl.run(&["describe", "ing", name]).await.map_err(|error| error.to_string())
}

/// The Events of an Ingress, a line each: type, reason, text. Unlike `describe` it does not look up every backend.
pub(crate) async fn events(kubectl: &Kubectl, name: &str) -> Result<String, String> {
    let selector = format!("--field-selector=involvedObject.kind=Ingress,involvedObject.name={name}");
    let lines = r#"-o=jsonpath={range .items[*]}{.type} {.reason} {.message}{"\n"}{end}"#;
    kubectl.run(&["get", "events", &selector, lines]).await.map_err(|error| error.to_string())
}

/// Waits until a Warning of this reason is among the Ingress's Events, and its text names all of `parts`: the object, the
/// field, what to do.
pub(crate) async fn warns(kubectl: &Kubectl, name: &str, reason: &str, parts: &[&str]) {
    let what = format!("a Warning {reason} on the Ingress {name} that names {parts:?}");
    eventually(&what, || async {
        let events = events(kubectl, name).await?;
        let start = format!("Warning {reason} ");
        let told = |line: &str| line.starts_with(&start) && parts.iter().all(|part| line.contains(part));
        if events.lines().any(told) { Ok(()) } else { Err(events) }
    })
    .await;
}
