//! Reports as YAML. Texts are written as JSON strings, which YAML reads as they are.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use gclb::model::ObjectKey;
use gclb::status::{Event, Report, Summary};

pub(crate) fn status(reports: &BTreeMap<ObjectKey, Report>) -> String {
    if reports.is_empty() {
        return "# No Ingress is ours, so nothing is written to any.\n".to_owned();
    }
    let mut text = String::new();
    for (key, Report { address, summary, resources: _, events }) in reports {
        writeln!(text, "ingress/{key}:").unwrap();
        match address {
            Some(address) => writeln!(text, "  address: {address}").unwrap(),
            None => writeln!(text, "  address: null  # what is there stays").unwrap(),
        }
        let Summary { phase, reason, message, healthy } = summary;
        writeln!(text, "  phase: {phase:?}").unwrap();
        for (name, value) in [("reason", reason), ("message", message), ("healthy", healthy)] {
            if let Some(value) = value {
                writeln!(text, "  {name}: {}", quoted(value)).unwrap();
            }
        }
        if events.is_empty() {
            continue;
        }
        writeln!(text, "  events:").unwrap();
        for Event { warning, reason, message } in events {
            let kind = if *warning { "Warning" } else { "Normal" };
            writeln!(text, "    - {kind} {reason}:").unwrap();
            writeln!(text, "        {}", quoted(message)).unwrap();
        }
    }
    text
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}
