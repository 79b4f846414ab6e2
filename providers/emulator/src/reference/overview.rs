//! The page that leads to the others.

use super::discovery::Discovery;
use std::collections::BTreeSet;
use std::fmt::Write as _;

const INTRODUCTION: &str = "# What is emulated

Generated from the declarations of the emulator (`providers/emulator/src/api`) and the published discovery document of
Compute Engine v1; do not edit. `make reference` writes it anew, and a test says when it is stale. How the emulator is used
is in [the emulator](../../emulator.md); what Google leaves open and was decided here is in
[choices of the API](../../../providers/emulator/docs/api.md) and
[of the data plane](../../../providers/emulator/docs/choices.md).

## How to read a page

Every resource also has `id`, `kind`, `selfLink` and `creationTimestamp`, its region or zone, and where it has a lock its
`fingerprint`; the server alone writes them. Beta fields are unknown to v1. Methods that are not emulated answer 404.

Who may write a field: the *request* (insert, update, patch), the *server* alone (ignored in a request, as in the real API),
or a *verb of its own*, such as `setLabels`.

What the data plane does with a field was measured, by compiling programs with and without it:

| | |
|---|---|
| served | it changes what is served, probed or admitted |
| reported | it is kept and shown, and `GET /_emulator/state` says under `problems` that it is not served |
| kept | it is checked, kept and shown, and changes nothing in the data plane. Some need nothing there (a description), some are read by the API, which writes what follows elsewhere (`selfManaged.certificate`); the rest are gaps |

## Collections

| collection | methods emulated | of |
|---|---|---|
";

pub(super) fn page(discovery: &Discovery) -> String {
    let mut text = INTRODUCTION.to_owned();
    let mut listed: BTreeSet<&str> = BTreeSet::new();
    for resource in crate::api::RESOURCES {
        let collection = resource.collection;
        listed.insert(collection);
        let (emulated, all) = count(discovery, collection);
        let _ = writeln!(text, "| [{collection}]({collection}.md) | {emulated} | {all} |");
    }
    for collection in ["operations", "projects"] {
        if listed.insert(collection) {
            let (emulated, all) = count(discovery, collection);
            let _ = writeln!(text, "| {collection} | {emulated} | {all} |");
        }
    }
    text.push_str("\nOf operations and projects, which are no declarations:\n\n");
    for collection in ["operations", "projects"] {
        let (there, missing): (Vec<_>, Vec<_>) =
            discovery.methods_of(collection).partition(|method| method.is_emulated());
        let names = |methods: &[&super::discovery::Method]| {
            methods.iter().map(|method| format!("`{}`", method.name)).collect::<Vec<_>>().join(", ")
        };
        let _ = writeln!(text, "* {collection}: {}.", names(&there));
        if !missing.is_empty() {
            let _ = writeln!(text, "  **Not emulated:** {}.", names(&missing));
        }
    }
    let absent: BTreeSet<&str> = discovery
        .methods
        .iter()
        .map(super::discovery::Method::collection)
        .filter(|collection| !listed.contains(collection))
        .collect();
    if !absent.is_empty() {
        let absent: Vec<String> = absent.iter().map(|collection| format!("`{collection}`")).collect();
        let _ = write!(
            text,
            "\n**Not there at all**, of the collections that load balancing uses or refers to: {}. Compute Engine has further ones \
             (disks, routers, VPN and so on) that this emulator is not about.\n",
            absent.join(", ")
        );
    }
    text
}

fn count(discovery: &Discovery, collection: &str) -> (usize, usize) {
    let all = discovery.methods_of(collection).count();
    (discovery.methods_of(collection).filter(|method| method.is_emulated()).count(), all)
}
