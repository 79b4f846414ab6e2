//! How many files this process may have open.

/// Raises the soft limit to the hard one, as the runtimes of other languages do. Every forwarding rule has a socket of its
/// own, and the usual soft limit of 1024 dates from programs that could not have more.
#[cfg(unix)]
pub(crate) fn raise_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::debug!(%error, "raising the limit of open files");
    }
}

/// There is no such limit.
#[cfg(not(unix))]
pub(crate) fn raise_limit() {}
