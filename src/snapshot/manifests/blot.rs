//! Keeps what is secret out of what is shown.

use std::ops::Range;

use super::yaml::{self, Node, Value};

/// The text with every value of every Secret, and of what else is known to be secret, blotted out. `None` where it cannot be told which those are.
pub(super) fn blot(text: &str, documents: &[Result<Node, yaml::Broken>]) -> Option<String> {
    let mut secrets = Vec::new();
    for document in documents {
        match document {
            Ok(root) => secret_values(root, false, &mut secrets),
            Err(_) if text.to_lowercase().contains("secret") || text.contains("PRIVATE KEY") => return None,
            Err(_) => {}
        }
    }
    let mut shown = text.as_bytes().to_vec();
    for at in secrets.into_iter().flatten() {
        if let Some(byte) = shown.get_mut(at).filter(|byte| !byte.is_ascii_whitespace()) {
            *byte = b'*';
        }
    }
    String::from_utf8(shown).ok()
}

fn secret_values(node: &Node, within: bool, found: &mut Vec<Range<usize>>) {
    match &node.value {
        Value::Map(entries) => {
            let kind = node.get("kind").and_then(Node::text).unwrap_or_default();
            let is_secret = kind.to_lowercase().contains("secret") && !kind.ends_with("List");
            for (key, value) in entries {
                let holds = is_secret && matches!(key.text.as_str(), "data" | "stringData");
                let copied = key.text == "kubectl.kubernetes.io/last-applied-configuration";
                // Secrets that stand in a BackendConfig.
                let named = matches!(key.text.as_str(), "clientSecret" | "keyValue");
                secret_values(value, within || holds || copied || named, found);
            }
        }
        Value::List(items) => items.iter().for_each(|item| secret_values(item, within, found)),
        Value::String(text) if within || text.contains("PRIVATE KEY") => found.push(node.span.clone()),
        Value::Number(_) | Value::Bool(_) if within => found.push(node.span.clone()),
        _ => {}
    }
}
