//! How things are shown: to the output stream, with colours where somebody looks at them.

use std::io::{IsTerminal as _, Write as _};

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
