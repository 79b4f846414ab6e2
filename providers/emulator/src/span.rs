//! A span of time as people write it in JSON and YAML: a number of milliseconds, or text such as `500ms`, `5s`, `1m 30s`.

use jiff::SignedDuration;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::time::Duration;

/// A span of time that is not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span(pub Duration);

impl From<Duration> for Span {
    fn from(span: Duration) -> Self {
        Self(span)
    }
}

impl Serialize for Span {
    /// Whole milliseconds as a number, as they are read.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl Visitor<'_> for Reader {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of milliseconds, or a time such as 500ms, 5s or 1m")
    }

    fn visit_u64<E: Error>(self, millis: u64) -> Result<Span, E> {
        Ok(Span(Duration::from_millis(millis)))
    }

    fn visit_i64<E: Error>(self, millis: i64) -> Result<Span, E> {
        u64::try_from(millis)
            .map_err(|_| E::custom("a time must not be negative"))
            .and_then(|it| self.visit_u64(it))
    }

    fn visit_f64<E: Error>(self, millis: f64) -> Result<Span, E> {
        Duration::try_from_secs_f64(millis / 1000.0)
            .map(Span)
            .map_err(|error| E::custom(format!("{millis}: {error}")))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
        text.parse::<SignedDuration>()
            .map_err(|error| error.to_string())
            .and_then(|span| Duration::try_from(span).map_err(|_| "it must not be negative".to_owned()))
            .map(Span)
            .map_err(|why| E::custom(format!("write a time like 500ms, 5s or 1m: {why}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn spans_are_numbers_of_milliseconds_or_words() {
        let read = |value| serde_json::from_value::<Span>(value).map(|span| span.0).ok();
        assert_eq!(read(json!(1500)), Some(Duration::from_millis(1500)));
        assert_eq!(read(json!(0.5)), Some(Duration::from_micros(500)));
        assert_eq!(read(json!("1m 30s")), Some(Duration::from_secs(90)));
        assert_eq!((read(json!(-1)), read(json!("-1s")), read(json!("soon"))), (None, None, None));
        assert_eq!(json!(Span(Duration::from_secs(2))), json!(2000));
    }
}
