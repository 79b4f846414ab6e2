//! How things are shown: to the output stream, with colours where somebody looks at them.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use crate::plan::Colours;

/// Writes to the output stream. A reader that went away (`gclb plan … | head`) is no error.
pub(super) fn out(text: &str) {
    let mut stream = std::io::stdout().lock();
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// Colours on a terminal, unless `NO_COLOR` is set (no-color.org) or the terminal is dumb.
pub(super) fn colours() -> Colours {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    if std::io::stdout().is_terminal() && !refused { Colours::Ansi } else { Colours::None }
}

/// A file cannot be written.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("writing {}", path.display())]
pub(super) struct WriteError {
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

/// Writes a file whole: a reader sees either what was there before, or all of this.
pub(super) fn write(path: &Path, text: &str) -> Result<(), WriteError> {
    let failed = |source| WriteError { path: path.to_owned(), source };
    // Something that is no regular file, such as /dev/stdout, cannot be replaced.
    if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return std::fs::write(path, text).map_err(failed);
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path)).map_err(|source| {
        // Best effort: the error that matters is the first one.
        let _ = std::fs::remove_file(&beside);
        failed(source)
    })
}

/// Asks on the terminal, and takes nothing but `yes` for a yes. Where nobody sits at a terminal the answer is no.
pub(super) fn confirm(question: &str) -> bool {
    let mut answer = String::new();
    if !std::io::stdin().is_terminal() {
        return false;
    }
    eprint!("{question} Only `yes` is taken for a yes: ");
    let _ = std::io::stderr().flush();
    std::io::stdin().read_line(&mut answer).is_ok() && answer.trim() == "yes"
}
