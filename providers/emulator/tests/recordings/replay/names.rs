//! What the placeholders of a recording stand for while it is replayed.

use super::Exchange;
use regex::Regex;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::LazyLock;

static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\$\{(\w+)\}").unwrap());

/// A placeholder may stand for several resources in turn: the recorder gave all of a kind one name.
#[derive(Default)]
struct Turn {
    /// Names of resources that were inserted and not deleted.
    live: Vec<String>,
    /// How many names were given out.
    given: usize,
    /// What the last path with this placeholder meant, where the recording tells (its own name, not the placeholder).
    known: Option<String>,
}

pub(crate) struct Names {
    fixed: HashMap<&'static str, String>,
    turns: HashMap<String, Turn>,
    operation: String,
    addresses: Vec<String>,
}

impl Names {
    pub(crate) fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "replay");
        let certificate = parameters.self_signed(&key).unwrap();
        let fixed = HashMap::from([
            ("projectId", "replay-project".to_owned()),
            ("projectNumber", "123456789012".to_owned()),
            ("uniqueId", "u1b2c3".to_owned()),
            ("networkID", "default".to_owned()),
            ("certificate", certificate.pem()),
            ("privateKey", key.serialize_pem()),
        ]);
        Self { fixed, turns: HashMap::new(), operation: String::new(), addresses: Vec::new() }
    }

    fn next(turn: &Turn, placeholder: &str) -> String {
        format!("{}-{}", placeholder.to_lowercase(), turn.given + 1)
    }

    /// The path to call.
    pub(crate) fn path(&mut self, exchange: &Exchange) -> String {
        let parts = exchange.parts();
        // The recording may tell the real name of what a path's placeholder stands for.
        if parts.len() >= 2
            && let Some(placeholder) = whole_placeholder(parts[1])
            && placeholder != "operationID"
        {
            let told = name_in(exchange)
                .filter(|name| whole_placeholder(name).is_none())
                .map(|name| self.text(&name));
            let turn = self.turns.entry(placeholder.to_owned()).or_default();
            if told.is_some() {
                turn.known = told;
            }
        }
        let missing = exchange.method == "GET" && exchange.status == 404;
        let text = PLACEHOLDER.replace_all(&exchange.path, |captures: &regex::Captures<'_>| {
            let placeholder = &captures[1];
            if let Some(fixed) = self.fixed.get(placeholder) {
                return fixed.clone();
            }
            if placeholder == "operationID" {
                return self.operation.clone();
            }
            let turn = self.turns.entry(placeholder.to_owned()).or_default();
            if let Some(known) = &turn.known {
                return known.clone();
            }
            match turn.live.last() {
                Some(name) if !missing => name.clone(),
                _ => Self::next(turn, placeholder),
            }
        });
        text.into_owned()
    }

    /// The body to send.
    pub(crate) fn request(&mut self, exchange: &Exchange, body: &Value) -> Value {
        let mut sent = self.body(body);
        if exchange.is_insert()
            && let Some(name) = body["name"].as_str()
        {
            sent["name"] = Value::from(self.new_name(name));
        }
        sent
    }

    fn body(&mut self, body: &Value) -> Value {
        match body {
            Value::String(text) if text == "8.8.8.8" => {
                Value::from(self.addresses.last().cloned().unwrap_or_else(|| text.clone()))
            }
            Value::String(text) => Value::from(self.text(text)),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), self.body(value))).collect()
            }
            // The same placeholder twice in a list stands for two resources.
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    let same = items.iter().filter(|other| *other == item).count();
                    if same < 2 {
                        return self.body(item);
                    }
                    let text = PLACEHOLDER
                        .replace_all(&item.to_string(), |captures: &regex::Captures<'_>| {
                            match self.turns.get(&captures[1]).and_then(|turn| turn.live.get(index)) {
                                Some(name) => name.clone(),
                                None => captures[0].to_owned(),
                            }
                        })
                        .into_owned();
                    self.body(&serde_json::from_str(&text).unwrap())
                })
                .collect(),
            other => other.clone(),
        }
    }

    /// The name of something that is inserted.
    fn new_name(&mut self, text: &str) -> String {
        let Some(placeholder) = whole_placeholder(text) else { return self.text(text) };
        if let Some(fixed) = self.fixed.get(placeholder) {
            return fixed.clone();
        }
        let turn = self.turns.entry(placeholder.to_owned()).or_default();
        Self::next(turn, placeholder)
    }

    fn text(&self, text: &str) -> String {
        PLACEHOLDER
            .replace_all(text, |captures: &regex::Captures<'_>| {
                if let Some(fixed) = self.fixed.get(&captures[1]) {
                    return fixed.clone();
                }
                match self.turns.get(&captures[1]).and_then(|turn| turn.live.last()) {
                    Some(name) => name.clone(),
                    None => captures[0].to_owned(),
                }
            })
            .into_owned()
    }

    /// Learns from an answer what the next steps will refer to.
    pub(crate) fn answered(&mut self, exchange: &Exchange, answer: &Value) {
        if exchange.is_mutation()
            && let Some(name) = answer["name"].as_str()
        {
            name.clone_into(&mut self.operation);
        }
        if let Some(address) = answer["address"].as_str() {
            self.addresses.push(address.to_owned());
        }
        let inserted = exchange
            .request
            .as_ref()
            .and_then(|request| request["name"].as_str())
            .and_then(whole_placeholder);
        if exchange.is_insert()
            && let Some(placeholder) = inserted
        {
            let turn = self.turns.entry(placeholder.to_owned()).or_default();
            let name = Self::next(turn, placeholder);
            turn.given += 1;
            turn.live.push(name);
        }
        if exchange.method == "DELETE"
            && let Some(placeholder) = exchange.parts().get(1).and_then(|part| whole_placeholder(part))
        {
            let turn = self.turns.entry(placeholder.to_owned()).or_default();
            if turn.known.is_none() {
                turn.live.pop();
            }
        }
    }

    /// Puts placeholders where a text has what they stood for.
    pub(crate) fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (placeholder, value) in &self.fixed {
            // `default` is a word of its own in many places; only the network of that name is meant.
            let value = if *placeholder == "networkID" { "networks/default" } else { value };
            let shown = if *placeholder == "networkID" {
                "networks/${networkID}".to_owned()
            } else {
                format!("${{{placeholder}}}")
            };
            text = text.replace(value, &shown);
        }
        for (placeholder, turn) in &self.turns {
            for number in 1..=turn.given + 1 {
                let name = format!("{}-{number}", placeholder.to_lowercase());
                text = text.replace(&name, &format!("${{{placeholder}}}"));
            }
        }
        text
    }
}

/// The placeholder that a text is, if it is nothing else.
fn whole_placeholder(text: &str) -> Option<&str> {
    text.strip_prefix("${")?.strip_suffix('}')
}

/// The name of the resource as the recorded answer has it.
fn name_in(exchange: &Exchange) -> Option<String> {
    let response = exchange.response.as_ref()?;
    if response["kind"] == "compute#operation" {
        let link = response["targetLink"].as_str()?;
        return link.rsplit('/').next().map(str::to_owned);
    }
    if let Some(name) = response["name"].as_str() {
        return Some(name.to_owned());
    }
    let message = response["error"]["message"].as_str()?;
    let quoted = message.split(['\'', '"']).nth(1)?;
    quoted.rsplit('/').next().map(str::to_owned)
}
