//! Numbers as the API writes them.
//!
//! 64-bit integers travel as JSON strings, because a JSON number may lose digits on the way. They are kept here as
//! the text that came, so that whatever was received is sent back unchanged, and are read with `get`.

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

macro_rules! integer_string {
    ($(#[$doc:meta])* $name:ident, $integer:ty) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The number, or `None` where the text is not one.
            #[must_use]
            pub fn get(&self) -> Option<$integer> {
                self.0.parse().ok()
            }

            /// The text as it stands in JSON.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<$integer> for $name {
            fn from(value: $integer) -> Self {
                Self(value.to_string())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            // Servers also take a plain number, and some clients send one.
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match Value::deserialize(deserializer)? {
                    Value::String(text) => Ok(Self(text)),
                    Value::Number(number) => Ok(Self(number.to_string())),
                    other => Err(D::Error::custom(format!("expected a 64-bit integer as a string, got {other}"))),
                }
            }
        }
    };
}

integer_string!(
    /// A signed 64-bit integer, a string in JSON.
    Int64,
    i64
);
integer_string!(
    /// An unsigned 64-bit integer, a string in JSON. Numeric ids of resources are such.
    Uint64,
    u64
);

/// Writes `1` rather than `1.0`, as the API does.
#[allow(clippy::ref_option, reason = "the signature that serde's `serialize_with` asks for")]
pub(crate) fn shortest<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    /// From here on a double no longer holds every integer.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        None => serializer.serialize_none(),
        #[allow(
            clippy::cast_possible_truncation,
            reason = "integral and within the range that a double holds exactly"
        )]
        Some(value) if value.fract() == 0.0 && value.abs() < EXACT => serializer.serialize_i64(*value as i64),
        Some(value) => serializer.serialize_f64(*value),
    }
}
