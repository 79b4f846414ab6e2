//! Rules as they are written: a list of them, or one alone, in JSON or YAML.

use super::rule::Rule;
use serde::Deserialize;
use std::io;
use std::path::{Path, PathBuf};

/// Why a list of faults cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FaultListError {
    /// The file cannot be read.
    #[error("reading the faults from {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is not a list of rules.
    #[error("reading the faults{}: {why}", place(path.as_deref()))]
    Syntax {
        /// The file; nothing for a request.
        path: Option<PathBuf>,
        /// What is wrong, and where.
        why: String,
    },
    /// A rule makes no sense.
    #[error("reading the faults{}: rule {} ({id}): {why}", place(path.as_deref()), at + 1)]
    Rule {
        /// The file; nothing for a request.
        path: Option<PathBuf>,
        /// Its place in the list.
        at: usize,
        /// Its id, if it has one.
        id: String,
        /// What is wrong.
        why: String,
    },
}

fn place(path: Option<&Path>) -> String {
    path.map(|path| format!(" from {}", path.display())).unwrap_or_default()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    faults: Vec<Rule>,
}

impl Rule {
    /// Reads a file, as `--faults` does: YAML, and so JSON too, with `faults:` and a list below it, or just the list.
    pub fn read_file(path: &Path) -> Result<Vec<Self>, FaultListError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| FaultListError::Read { path: path.to_owned(), source })?;
        Self::read(&text, Some(path))
    }

    /// Reads a list of rules, a rule alone, or `{"faults": […]}`.
    pub(crate) fn read(text: &str, path: Option<&Path>) -> Result<Vec<Self>, FaultListError> {
        let syntax = |error: serde_saphyr::Error| FaultListError::Syntax {
            path: path.map(Path::to_owned),
            why: error.to_string(),
        };
        // What is meant shows at the beginning, and then the error is about what was meant.
        let first = text.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with('#'));
        let rules = match first {
            None => Vec::new(),
            Some(line) if line.starts_with(['-', '[']) => serde_saphyr::from_str(text).map_err(syntax)?,
            Some(_) if is_wrapped(text) => serde_saphyr::from_str::<Wrapped>(text).map_err(syntax)?.faults,
            Some(_) => vec![serde_saphyr::from_str(text).map_err(syntax)?],
        };
        for (at, rule) in rules.iter().enumerate() {
            if let Some(why) = rule.problem() {
                let id = if rule.id.is_empty() { "without an id" } else { &rule.id };
                return Err(FaultListError::Rule {
                    path: path.map(Path::to_owned),
                    at,
                    id: id.to_owned(),
                    why,
                });
            }
        }
        Ok(rules)
    }
}

fn is_wrapped(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("faults:"))
        || text.trim_start().strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with("\"faults\""))
}
