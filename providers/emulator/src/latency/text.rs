//! Latencies as people write them, in JSON and on a command line.
//!
//! A span that is drawn is a number of milliseconds, `{"from": MS, "to": MS}`, `{"median": MS, "sigma": S, "most": MS}` or
//! `{"percentiles": {"50": MS, "99": MS}}`. A method has one for the whole operation, or `{"operation": …}` or
//! `{"pending": …, "running": …}`, with `"answer": …` beside it.

use super::{Distribution, Latency, MethodLatency, OperationLatency};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Why something is no latency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("reading the latency{}: {why}", place(path))]
pub struct LatencyError {
    /// Where in the JSON it is; nothing for the whole.
    path: String,
    why: String,
}

fn place(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" at '{path}'") }
}

fn error(path: &str, why: impl Into<String>) -> LatencyError {
    LatencyError { path: path.to_owned(), why: why.into() }
}

const A_SPAN: &str = "write a number of milliseconds, {\"from\": MS, \"to\": MS}, {\"median\": MS, \"sigma\": S, \
                      \"most\": MS} or {\"percentiles\": {\"50\": MS, \"99\": MS}}";

impl Latency {
    /// Reads `{"default": …, "methods": {"urlMaps.*": …}, "seed": N}`, or what counts for all methods alone. The order of
    /// patterns is the order they are written in.
    pub fn from_json(text: &[u8]) -> Result<Self, LatencyError> {
        let value: Value = serde_json::from_slice(text).map_err(|json| error("", json.to_string()))?;
        let parts = ["default", "methods", "seed"];
        let by_parts = |body: &&Map<String, Value>| parts.iter().any(|part| body.contains_key(*part));
        let Some(body) = value.as_object().filter(by_parts) else {
            return Ok(Self { default: method(&value, "default")?, methods: Vec::new(), seed: 0 });
        };
        only(body, "", &parts)?;
        let Some(default) = body.get("default") else {
            return Err(error("default", "say how long methods take that are not named, such as 20"));
        };
        let mut methods = Vec::new();
        match body.get("methods") {
            None => {}
            Some(Value::Object(patterns)) => {
                for (pattern, value) in patterns {
                    methods.push((pattern.clone(), method(value, pattern)?));
                }
            }
            Some(_) => return Err(error("methods", "write {\"urlMaps.*\": …}")),
        }
        let seed = match body.get("seed") {
            None => 0,
            Some(seed) => seed.as_u64().ok_or_else(|| error("seed", "write a number"))?,
        };
        Ok(Self { default: method(default, "default")?, methods, seed })
    }

    /// What [`from_json`](Self::from_json) reads.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Self { default, methods, seed } = self;
        let methods: Map<String, Value> =
            methods.iter().map(|(pattern, latency)| (pattern.clone(), show_method(latency))).collect();
        let mut shown = json!({ "default": show_method(default), "methods": methods });
        if *seed != 0 {
            shown["seed"] = json!(seed);
        }
        shown
    }
}

impl std::str::FromStr for Distribution {
    type Err = LatencyError;

    /// `20`, `20..500`, or the JSON of one.
    fn from_str(text: &str) -> Result<Self, LatencyError> {
        let whole = |text: &str| {
            let millis: u64 =
                text.parse().map_err(|_| error("", format!("`{text}`: {A_SPAN}, or FROM..TO")))?;
            Ok(Duration::from_millis(millis))
        };
        let read = match text.split_once("..") {
            Some((from, to)) => Self::Uniform { from: whole(from)?, to: whole(to)? },
            None if text.starts_with('{') => {
                let value: Value = serde_json::from_str(text).map_err(|json| error("", json.to_string()))?;
                return span(&value, "");
            }
            None => Self::Fixed(whole(text)?),
        };
        read.problem().map_or(Ok(read), |why| Err(error("", why)))
    }
}

/// What a method has.
const PARTS: [&str; 4] = ["operation", "pending", "running", "answer"];

fn method(value: &Value, path: &str) -> Result<MethodLatency, LatencyError> {
    let Some(body) = value.as_object() else { return Ok(MethodLatency::of(span(value, path)?)) };
    if !PARTS.iter().any(|part| body.contains_key(*part)) {
        return Ok(MethodLatency::of(span(value, path)?));
    }
    only(body, path, &PARTS)?;
    let part = |name: &str| {
        let path = format!("{path}.{name}");
        body.get(name).map_or(Ok(None), |value| span(value, &path).map(Some))
    };
    let operation = match (part("operation")?, part("pending")?, part("running")?) {
        (whole, None, None) => OperationLatency::Whole(whole.unwrap_or_default()),
        (None, pending, running) => OperationLatency::Stages {
            pending: pending.unwrap_or_default(),
            running: running.unwrap_or_default(),
        },
        (Some(_), _, _) => return Err(error(path, "give `operation`, or `pending` and `running`, not both")),
    };
    Ok(MethodLatency { operation, answer: part("answer")?.unwrap_or_default() })
}

fn span(value: &Value, path: &str) -> Result<Distribution, LatencyError> {
    let millis = |value: &Value| {
        value
            .as_f64()
            .and_then(|millis| Duration::try_from_secs_f64(millis / 1000.0).ok())
            .ok_or_else(|| error(path, A_SPAN))
    };
    let field = |name: &str| millis(value.get(name).unwrap_or(&Value::Null));
    let has = |name: &str| value.get(name).is_some();
    let read = match value {
        Value::Number(_) => Distribution::Fixed(millis(value)?),
        Value::Object(body) if has("median") => {
            only(body, path, &["median", "sigma", "most"])?;
            let sigma = value.get("sigma").and_then(Value::as_f64).ok_or_else(|| error(path, A_SPAN))?;
            let most = value.get("most").map(millis).transpose()?;
            Distribution::LogNormal { median: field("median")?, sigma, most }
        }
        Value::Object(body) if has("percentiles") => {
            only(body, path, &["percentiles"])?;
            let points = body.get("percentiles").and_then(Value::as_object);
            let mut read = Vec::new();
            for (percent, value) in points.ok_or_else(|| error(path, A_SPAN))? {
                read.push((percent.parse().map_err(|_| error(path, A_SPAN))?, millis(value)?));
            }
            Distribution::Percentiles(read)
        }
        Value::Object(body) if has("from") || has("to") => {
            only(body, path, &["from", "to"])?;
            Distribution::Uniform { from: field("from")?, to: field("to")? }
        }
        _ => return Err(error(path, A_SPAN)),
    };
    read.problem().map_or(Ok(read), |why| Err(error(path, why)))
}

fn only(body: &Map<String, Value>, path: &str, known: &[&str]) -> Result<(), LatencyError> {
    match body.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(error(path, format!("`{key}` is unknown; known are {}", known.join(", ")))),
    }
}

fn show_method(latency: &MethodLatency) -> Value {
    let MethodLatency { operation, answer } = latency;
    let mut shown = match operation {
        OperationLatency::Whole(whole) if *answer == Distribution::default() => return show(whole),
        OperationLatency::Whole(whole) => json!({ "operation": show(whole) }),
        OperationLatency::Stages { pending, running } => {
            json!({ "pending": show(pending), "running": show(running) })
        }
    };
    shown["answer"] = show(answer);
    shown
}

fn show(distribution: &Distribution) -> Value {
    match distribution {
        Distribution::Fixed(span) => millis(*span),
        Distribution::Uniform { from, to } => json!({ "from": millis(*from), "to": millis(*to) }),
        Distribution::LogNormal { median, sigma, most } => {
            let mut shown = json!({ "median": millis(*median), "sigma": sigma });
            if let Some(most) = most {
                shown["most"] = millis(*most);
            }
            shown
        }
        Distribution::Percentiles(points) => {
            let points: Map<String, Value> =
                points.iter().map(|(percent, span)| (percent.to_string(), millis(*span))).collect();
            json!({ "percentiles": points })
        }
    }
}

/// Whole milliseconds without a point.
fn millis(span: Duration) -> Value {
    let whole = span.subsec_nanos().is_multiple_of(1_000_000);
    if whole {
        json!(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
    } else {
        json!(span.as_secs_f64() * 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_reads_what_it_shows() {
        let written = json!({
            "default": 5,
            "methods": {
                "urlMaps.*": { "from": 7, "to": 9 },
                "*.delete": { "pending": { "median": 100, "sigma": 0.5, "most": 900 }, "running": 0, "answer": 3 },
                "*.get": { "operation": 0, "answer": { "percentiles": { "50": 10, "99.5": 400 } } },
            },
            "seed": 7,
        });
        let latency = Latency::from_json(written.to_string().as_bytes()).unwrap();
        assert_eq!(latency.to_json(), written);
        let alone = Latency::from_json(b"12").unwrap();
        assert_eq!(alone, Latency::of(Duration::from_millis(12)));
        assert_eq!(alone.to_json(), json!({ "default": 12, "methods": {} }));
    }

    #[test]
    fn what_is_no_latency_is_said_with_its_place() {
        for (bad, part) in [
            ("", "EOF"),
            ("{}", "number of milliseconds"),
            ("{\"default\":-1}", "at 'default'"),
            ("{\"default\":1,\"methods\":{\"a\":\"b\"}}", "at 'a'"),
            ("{\"default\":1,\"method\":{}}", "`method` is unknown"),
            ("{\"from\":9,\"to\":7}", "`from` must not be above"),
            ("{\"operation\":1,\"pending\":1}", "not both"),
            ("{\"percentiles\":{\"99\":1,\"50\":2}}", "percentiles go"),
            ("{\"median\":1,\"sigma\":-2}", "`sigma`"),
        ] {
            let error = Latency::from_json(bad.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(part), "{bad}: {error}");
        }
        assert_eq!("20".parse(), Ok(Distribution::Fixed(Duration::from_millis(20))));
        assert!(
            "20..500".parse::<Distribution>().is_ok()
                && "{\"from\":1,\"to\":2}".parse::<Distribution>().is_ok()
        );
        assert!("9..2".parse::<Distribution>().is_err() && "soon".parse::<Distribution>().is_err());
    }
}
