//! The versions of the API. All three are views of one state.

/// The version a request was made to. Links in the answer are of the same version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    Beta,
    /// Plain alias: knows what beta knows.
    Alpha,
}

impl Version {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "v1" => Some(Self::V1),
            "beta" => Some(Self::Beta),
            "alpha" => Some(Self::Alpha),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::Beta => "beta",
            Self::Alpha => "alpha",
        }
    }
}
