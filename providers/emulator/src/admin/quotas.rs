//! `/_emulator/quotas` and `/_emulator/rates`: how many resources a project may have, and how many requests it may send.

use super::{Paths, refuse};
use crate::engine::{Engine, Reply, Request};
use crate::quota::{QuotaTold, RateGroup, RateLimit, RateLimits, ResourceQuotas};
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

pub(super) const PATHS: Paths = &[
    ("GET /_emulator/quotas", "how many resources a project may have, where that is limited"),
    (
        "PUT /_emulator/quotas",
        "limit it: {\"limits\": {\"URL_MAPS\": 10}, \"preset\"?: \"new-project\", \"told\"?: \"at-once\" or \"in-operation\"}",
    ),
    (
        "GET /_emulator/rates",
        "how many requests of a group a project may send in a minute, where that is limited",
    ),
    ("PUT /_emulator/rates", "limit it, and begin the minute anew: {\"reads\": 1500}"),
];

const NEW_PROJECT: &str = "new-project";

pub(super) fn quotas(engine: &Engine, request: &Request, rest: &[&str]) -> Option<Reply> {
    let reply = match (&request.method, rest) {
        (&Method::GET, []) => Reply::ok(show_quotas(&engine.quotas.resources())),
        (&Method::PUT, []) => match read_quotas(&request.body) {
            Ok(quotas) => {
                engine.quotas.set_resources(quotas);
                Reply::ok(show_quotas(&engine.quotas.resources()))
            }
            Err(why) => refuse(StatusCode::BAD_REQUEST, &why),
        },
        _ => return None,
    };
    Some(reply)
}

pub(super) fn rates(engine: &Engine, request: &Request, rest: &[&str]) -> Option<Reply> {
    let reply = match (&request.method, rest) {
        (&Method::GET, []) => Reply::ok(show_rates(&engine.quotas.rates())),
        (&Method::PUT, []) => match read_rates(&request.body) {
            Ok(limits) => {
                engine.quotas.set_rates(limits);
                Reply::ok(show_rates(&engine.quotas.rates()))
            }
            Err(why) => refuse(StatusCode::BAD_REQUEST, &why),
        },
        _ => return None,
    };
    Some(reply)
}

fn told(told: QuotaTold) -> &'static str {
    match told {
        QuotaTold::AtOnce => "at-once",
        QuotaTold::InOperation => "in-operation",
    }
}

fn show_quotas(quotas: &ResourceQuotas) -> Value {
    let ResourceQuotas { limits, told: when } = quotas;
    json!({ "limits": limits, "told": told(*when) })
}

fn show_rates(limits: &RateLimits) -> Value {
    let limits: Map<String, Value> =
        limits.per_minute.iter().map(|(group, limit)| (group.name().to_owned(), json!(limit))).collect();
    Value::Object(limits)
}

fn object(body: &[u8], what: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_slice(body).map_err(|error| format!("reading the {what}: {error}; write an object"))
}

fn count(name: &str, value: &Value) -> Result<u64, String> {
    value
        .as_u64()
        .ok_or_else(|| format!("reading the limit of '{name}': {value} is no whole number from 0 on"))
}

fn read_quotas(body: &[u8]) -> Result<ResourceQuotas, String> {
    let mut body = object(body, "quotas")?;
    let mut quotas = match body.remove("preset") {
        None | Some(Value::Null) => ResourceQuotas::default(),
        Some(preset) if preset == NEW_PROJECT => ResourceQuotas::of_new_project(),
        Some(preset) => {
            return Err(format!("reading the quotas: there is no preset {preset}, only {NEW_PROJECT}"));
        }
    };
    match body.remove("told") {
        None | Some(Value::Null) => {}
        Some(when) => {
            let known = [QuotaTold::AtOnce, QuotaTold::InOperation];
            quotas.told = known.into_iter().find(|known| when == told(*known)).ok_or_else(|| {
                format!("reading the quotas: 'told' is {when}; write at-once or in-operation")
            })?;
        }
    }
    let limits = body.remove("limits").unwrap_or(Value::Null);
    for (metric, limit) in limits.as_object().into_iter().flatten() {
        quotas.set(metric, count(metric, limit)?).map_err(|error| error.to_string())?;
    }
    match body.keys().next() {
        Some(other) => {
            Err(format!("reading the quotas: there is no '{other}'; write limits, preset or told"))
        }
        None => Ok(quotas),
    }
}

fn read_rates(body: &[u8]) -> Result<RateLimits, String> {
    let mut limits = Vec::new();
    for (name, limit) in object(body, "rate limits")? {
        let group: RateGroup = name.parse().map_err(|error: crate::quota::QuotaError| error.to_string())?;
        limits.push(RateLimit { group, per_minute: count(&name, &limit)? });
    }
    Ok(RateLimits::of(limits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_read_what_they_show() {
        let quotas = read_quotas(br#"{"limits": {"URL_MAPS": 3}, "told": "in-operation"}"#).unwrap();
        assert_eq!(quotas.limits.get("URL_MAPS"), Some(&3));
        assert_eq!(read_quotas(&serde_json::to_vec(&show_quotas(&quotas)).unwrap()), Ok(quotas));
        let preset = read_quotas(br#"{"preset": "new-project", "limits": {"URL_MAPS": 3}}"#).unwrap();
        assert_eq!((preset.limits["URL_MAPS"], preset.limits["FORWARDING_RULES"]), (3, 15));
        let rates = read_rates(br#"{"reads": 10}"#).unwrap();
        assert_eq!(read_rates(&serde_json::to_vec(&show_rates(&rates)).unwrap()), Ok(rates));
        for bad in [
            "",
            "[]",
            r#"{"limits": {"MOONS": 1}}"#,
            r#"{"limits": {"URL_MAPS": -1}}"#,
            r#"{"told": "x"}"#,
            r#"{"preset": "x"}"#,
            r#"{"limit": {}}"#,
        ] {
            assert!(read_quotas(bad.as_bytes()).is_err(), "{bad}");
        }
        for bad in [r#"{"moons": 1}"#, r#"{"reads": "x"}"#] {
            assert!(read_rates(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
