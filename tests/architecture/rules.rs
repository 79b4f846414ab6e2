//! The rules, each a function of one file.

use super::code::{code_only, identifiers, names};

/// A file: its path from the root of the repository, with slashes, and its text.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    Purity,
    FrontEndStaysInFront,
    EmulatorOnlyInItsCommands,
    ProvidersAreLeaves,
    FileSize,
    FileNames,
}

/// Modules that decide. They are called from any test, so they may not wait, look at a clock, or roll dice.
const PURE: [&str; 11] = [
    "brake",
    "custom_resource",
    "ingress",
    "load_balancer",
    "model",
    "naming",
    "plan",
    "preflight",
    "snapshot",
    "status",
    "translate",
];

/// Parts of those that do IO, since it is theirs to do: reading folders, and writing what was computed.
const IMPURE: [&str; 2] = ["src/snapshot/folder", "src/status/write"];

/// What waits, looks at the world, or differs from run to run.
const WORLDLY: [&str; 22] = [
    "kube::Client",
    "kube::Api",
    "kube::api",
    "kube::runtime",
    "reqwest",
    "hyper",
    "tokio",
    "futures",
    "async",
    "await",
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "rand",
    "new_v4",
    "std::env",
    "std::fs",
    "std::process",
    "std::thread",
    "TcpStream",
    "UdpSocket",
];

/// Modules behind `load_balancer`, where nobody may know which front end there was.
const BEHIND: [&str; 5] = ["load_balancer", "model", "plan", "apply", "cloud"];

/// Identifiers there that name a front end all the same. `Origin::Ingress` and `LoadBalancerKey::ingress` say whose key a key is.
const ORIGIN: [(&str, &[&str]); 1] = [("src/model/identity.rs", &["Ingress", "ingress"])];

/// Where the emulator may be named.
const EMULATOR: [&str; 3] = ["src/cli/emulator", "src/cli/local", "src/cli.rs"];

/// Each leaf crate and what it may not name.
const LEAVES: [(&str, &[&str]); 3] = [
    ("providers/gce-api", &["gclb", "gce", "emulator", "kube", "k8s_openapi", "controlplane"]),
    ("providers/gce", &["gclb", "emulator", "kube", "k8s_openapi", "controlplane"]),
    ("providers/emulator", &["gclb", "gce", "kube", "k8s_openapi", "controlplane"]),
];

const MOST_LINES: usize = 800;

const NAMES_NOTHING: [&str; 8] = ["utils", "util", "common", "helpers", "helper", "manager", "types", "misc"];

impl Rule {
    pub(crate) const fn why(self) -> &'static str {
        match self {
            Self::Purity => {
                "Deciding is pure: what decides gets a snapshot and returns a value. Move what waits or looks into the controller, apply \
                 or cloud."
            }
            Self::FrontEndStaysInFront => {
                "Nothing behind src/load_balancer.rs may know that it was an Ingress that asked: another front end is to yield the same \
                 description."
            }
            Self::EmulatorOnlyInItsCommands => {
                "The shipped controller holds nothing fake: only the commands `local` and `emulator` name the emulator, behind the feature \
                 of that name."
            }
            Self::ProvidersAreLeaves => {
                "Providers are leaf crates: they know neither the controller nor Kubernetes, and the emulator does not know the client, or \
                 both would agree on the same mistake."
            }
            Self::FileSize => "A file over 800 lines is split; its tests may go to a folder of their own.",
            Self::FileNames => {
                "A file is named for what it holds, and a module's file stands beside its folder (foo.rs and foo/, not foo/mod.rs)."
            }
        }
    }

    /// What breaks the rule in one file, a line each.
    pub(crate) fn check(self, source: &Source) -> Vec<String> {
        match self {
            Self::Purity => purity(source),
            Self::FrontEndStaysInFront => front_end(source),
            Self::EmulatorOnlyInItsCommands => emulator(source),
            Self::ProvidersAreLeaves => leaves(source),
            Self::FileSize => size(source),
            Self::FileNames => file_name(source),
        }
    }
}

/// The top module of `src` that a file belongs to.
fn module(path: &str) -> Option<&str> {
    path.strip_prefix("src/")?.split(['/', '.']).next()
}

/// Whether a file holds nothing but tests.
fn is_test(path: &str) -> bool {
    path.starts_with("tests/")
        || path.split('/').any(|part| matches!(part, "tests" | "tests.rs" | "fixture.rs"))
}

fn is_rust(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extension == "rs")
}

fn lines_naming(source: &Source, words: &[&str]) -> Vec<String> {
    let code = code_only(&source.text);
    let mut broken = Vec::new();
    for (index, line) in code.lines().enumerate() {
        for word in words.iter().filter(|word| names(line, word)) {
            broken.push(format!("{}:{}: names {word}", source.path, index + 1));
        }
    }
    broken
}

fn purity(source: &Source) -> Vec<String> {
    let path = source.path.as_str();
    let decides = module(path).is_some_and(|module| PURE.contains(&module));
    if !decides || is_test(path) || IMPURE.iter().any(|impure| path.starts_with(impure)) {
        return Vec::new();
    }
    lines_naming(source, &WORLDLY)
}

fn front_end(source: &Source) -> Vec<String> {
    let path = source.path.as_str();
    if !module(path).is_some_and(|module| BEHIND.contains(&module)) || is_test(path) {
        return Vec::new();
    }
    let allowed = ORIGIN.iter().find(|(file, _)| *file == path).map_or(&[][..], |(_, words)| words);
    let code = code_only(&source.text);
    identifiers(without_inline_tests(&code))
        .filter(|(_, word)| word.to_ascii_lowercase().contains("ingress") && !allowed.contains(word))
        .map(|(line, word)| format!("{path}:{line}: says {word}"))
        .collect()
}

/// The code before the tests at the end of a file, which may make keys of whichever front end there is.
fn without_inline_tests(code: &str) -> &str {
    code.find("#[cfg(test)]\nmod tests {").map_or(code, |at| &code[..at])
}

fn emulator(source: &Source) -> Vec<String> {
    let path = source.path.as_str();
    if !path.starts_with("src/") || is_test(path) {
        return Vec::new();
    }
    if !EMULATOR.iter().any(|allowed| path.starts_with(allowed)) {
        return lines_naming(source, &["emulator::", "use emulator", "extern crate emulator"]);
    }
    if path != "src/cli.rs" {
        return Vec::new();
    }
    // Where the modules of the two commands are declared, the feature stands before them.
    let lines: Vec<&str> = source.text.lines().map(str::trim).collect();
    let declared = |line: &str| ["mod local;", "mod emulator;"].iter().any(|module| line.ends_with(module));
    lines
        .iter()
        .enumerate()
        .filter(|(index, line)| {
            let gated =
                index.checked_sub(1).is_some_and(|before| lines[before] == "#[cfg(feature = \"emulator\")]");
            declared(line) && !gated
        })
        .map(|(index, line)| format!("{path}:{}: `{line}` is not behind the feature `emulator`", index + 1))
        .collect()
}

fn leaves(source: &Source) -> Vec<String> {
    let path = source.path.as_str();
    // `providers/gce/` and `providers/gce-api/` begin alike but for the slash.
    let Some((_, forbidden)) = LEAVES.iter().find(|(leaf, _)| path.starts_with(&format!("{leaf}/"))) else {
        return Vec::new();
    };
    // What the client does about a fault can be seen only against something that has faults: its tests may use the
    // emulator, it itself may not.
    let allowed_in_tests = |name: &str| path.starts_with("providers/gce/") && name == "emulator";
    if is_rust(path) {
        let forbidden: Vec<&str> = forbidden
            .iter()
            .copied()
            .filter(|name| !(path.starts_with("providers/gce/tests/") && allowed_in_tests(name)))
            .collect();
        let paths: Vec<String> = forbidden.iter().map(|name| format!("{name}::")).collect();
        let uses: Vec<String> = forbidden.iter().map(|name| format!("use {name};")).collect();
        let words: Vec<&str> = paths.iter().chain(&uses).map(String::as_str).collect();
        return lines_naming(source, &words);
    }
    let mut section = "";
    let mut found = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        if line.starts_with('[') {
            section = line.trim();
        }
        let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
        let name = name.trim().trim_matches('"').replace('-', "_");
        let for_tests = section == "[dev-dependencies]" && allowed_in_tests(&name);
        // `name = "gce"` in `[package]` begins with another word.
        if forbidden.contains(&name.as_str()) && !for_tests {
            found.push(format!("{path}:{}: depends on {name}", index + 1));
        }
    }
    found
}

fn size(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    let too_long = is_rust(&source.path) && lines > MOST_LINES;
    too_long.then(|| format!("{}: {lines} lines", source.path)).into_iter().collect()
}

fn file_name(source: &Source) -> Vec<String> {
    let path = source.path.as_str();
    if !is_rust(path) {
        return Vec::new();
    }
    path.split('/')
        .map(|part| part.strip_suffix(".rs").unwrap_or(part))
        .filter(|part| NAMES_NOTHING.contains(part) || *part == "mod")
        .map(|part| format!("{path}: {part} says nothing of what is in it"))
        .collect()
}
