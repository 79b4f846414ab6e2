//! Which requests are logged.

use super::destination::Share;

/// `logConfig`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Logging {
    /// None.
    #[default]
    Off,
    /// This share of them.
    Sampled(Share),
}
