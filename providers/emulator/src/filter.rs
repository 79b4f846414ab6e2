//! The `filter` parameter of lists: the old grammar (`name eq REGEX`) and the part of AIP-160 that clients send.
//!
//! Both are read by one parser, since their operators differ. What neither knows is refused, never ignored: a filter that
//! is dropped in silence lists what nobody asked for.

use crate::error::ApiError;
use regex::Regex;
use serde_json::{Map, Value};
use std::cmp::Ordering;

/// A parsed filter.
#[derive(Debug)]
pub(crate) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    /// `field eq REGEX` and `field ne REGEX`: the whole value must match.
    Pattern {
        field: Vec<String>,
        pattern: Regex,
        wanted: bool,
    },
    /// `field OP value` with one of AIP-160's comparisons.
    Compare {
        field: Vec<String>,
        comparison: Comparison,
        value: String,
    },
}

/// AIP-160's comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Has,
}

/// Parentheses and negations deeper than this are refused.
const MAX_DEPTH: usize = 20;

impl Filter {
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let mut parser = Parser { rest: text, depth: 0 };
        parser
            .expression()
            .filter(|_| parser.rest.trim_start().is_empty())
            .ok_or_else(|| ApiError::invalid("filter", text, "Invalid list filter expression."))
    }

    /// Whether a resource, as it is shown, passes.
    pub(crate) fn admits(&self, body: &Map<String, Value>) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(|filter| filter.admits(body)),
            Self::Any(filters) => filters.iter().any(|filter| filter.admits(body)),
            Self::Not(filter) => !filter.admits(body),
            Self::Pattern { field, pattern, wanted } => {
                let values = values(body, field);
                if values.is_empty() {
                    // A field that is not there equals nothing.
                    return !wanted;
                }
                values.iter().any(|value| pattern.is_match(&text(value))) == *wanted
            }
            Self::Compare { field, comparison, value } => {
                let values = values(body, field);
                match comparison {
                    Comparison::NotEqual => !values.iter().any(|found| text(found) == *value),
                    Comparison::Has if value == "*" => !values.is_empty(),
                    comparison => values.iter().any(|found| comparison.holds(found, value)),
                }
            }
        }
    }
}

impl Comparison {
    fn holds(self, found: &Value, value: &str) -> bool {
        let found = text(found);
        let order = match (found.parse::<f64>(), value.parse::<f64>()) {
            (Ok(left), Ok(right)) => left.partial_cmp(&right),
            _ => Some(found.as_str().cmp(value)),
        };
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            Self::Has => crate::latency::matches(
                &format!("*{}*", value.trim_matches('*').to_lowercase()),
                &found.to_lowercase(),
            ),
        }
    }
}

/// The values at a dotted path; through lists, the values of every item.
fn values<'a>(body: &'a Map<String, Value>, field: &[String]) -> Vec<&'a Value> {
    let Some((first, rest)) = field.split_first() else { return Vec::new() };
    let mut found: Vec<&Value> = body.get(first).into_iter().collect();
    for name in rest {
        found = found
            .into_iter()
            .flat_map(|value| match value {
                Value::Array(items) => items.iter().filter_map(|item| item.get(name)).collect::<Vec<_>>(),
                value => value.get(name).into_iter().collect(),
            })
            .collect();
    }
    found
        .into_iter()
        .flat_map(|value| match value {
            Value::Array(items) => items.iter().collect::<Vec<_>>(),
            value => vec![value],
        })
        .collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// Terms side by side are all meant, with or without `AND` between them.
    fn expression(&mut self) -> Option<Filter> {
        let mut all = vec![self.alternatives()?];
        loop {
            self.space();
            if self.rest.is_empty() || self.rest.starts_with(')') {
                return if all.len() == 1 { all.pop() } else { Some(Filter::All(all)) };
            }
            self.word("AND");
            all.push(self.alternatives()?);
        }
    }

    /// `OR` binds tighter than `AND`.
    fn alternatives(&mut self) -> Option<Filter> {
        let mut any = vec![self.term()?];
        while {
            self.space();
            self.word("OR")
        } {
            any.push(self.term()?);
        }
        if any.len() == 1 { any.pop() } else { Some(Filter::Any(any)) }
    }

    fn term(&mut self) -> Option<Filter> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        self.space();
        let term = if self.word("NOT") || self.symbol("-") {
            Filter::Not(Box::new(self.term()?))
        } else if self.symbol("(") {
            let inner = self.expression()?;
            self.space();
            self.symbol(")").then_some(inner)?
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Some(term)
    }

    fn comparison(&mut self) -> Option<Filter> {
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)))
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at_checked(end)?;
        if name.is_empty() {
            return None;
        }
        self.rest = rest;
        let field: Vec<String> = name.split('.').map(str::to_owned).collect();
        self.space();
        for (word, wanted) in [("eq", true), ("ne", false)] {
            if self.word(word) {
                let pattern = Regex::new(&format!("^(?:{})$", self.value()?)).ok()?;
                return Some(Filter::Pattern { field, pattern, wanted });
            }
        }
        let comparison = [
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
            ("=", Comparison::Equal),
            (":", Comparison::Has),
        ]
        .into_iter()
        .find_map(|(symbol, comparison)| self.symbol(symbol).then_some(comparison))?;
        Some(Filter::Compare { field, comparison, value: self.value()? })
    }

    /// A literal: quoted either way, or bare up to a space or to a parenthesis that it did not open itself.
    fn value(&mut self) -> Option<String> {
        self.space();
        for quote in ['"', '\''] {
            if let Some(quoted) = self.rest.strip_prefix(quote) {
                let mut value = String::new();
                let mut chars = quoted.char_indices();
                while let Some((at, c)) = chars.next() {
                    if c == quote {
                        self.rest = quoted.get(at + 1..)?;
                        return Some(value);
                    }
                    if c == '\\' {
                        let (_, escaped) = chars.next()?;
                        // A backslash before anything but the quote belongs to the regular expression.
                        if escaped != quote {
                            value.push('\\');
                        }
                        value.push(escaped);
                    } else {
                        value.push(c);
                    }
                }
                return None;
            }
        }
        let mut open = 0_usize;
        let end = self.rest.find(|c: char| match c {
            '(' => {
                open += 1;
                false
            }
            ')' if open == 0 => true,
            ')' => {
                open -= 1;
                false
            }
            c => c.is_whitespace(),
        });
        let (value, rest) = self.rest.split_at_checked(end.unwrap_or(self.rest.len()))?;
        self.rest = rest;
        (!value.is_empty()).then(|| value.to_owned())
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// A keyword, if it comes next and a space or an opening follows.
    fn word(&mut self, word: &str) -> bool {
        match self.rest.strip_prefix(word) {
            Some(rest) if rest.starts_with([' ', '(', '"', '\'', '\t']) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let rest: Option<&'a str> = self.rest.strip_prefix(symbol);
        if let Some(rest) = rest {
            self.rest = rest;
        }
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn admits(filter: &str) -> bool {
        let Value::Object(body) = json!({
            "name": "web-1", "port": 80, "enabled": true, "network": "https://x/projects/p/global/networks/default",
            "labels": {"team": "edge"}, "tags": ["a", "b"], "backends": [{"group": "g1"}, {"group": "g2"}],
        }) else {
            panic!("an object")
        };
        Filter::parse(filter).unwrap().admits(&body)
    }

    #[test]
    fn what_clients_send() {
        for filter in [
            "name eq web-1",
            "name eq web-.*",
            "name eq \"web-1\"",
            "name eq 'web-1'",
            r#"name eq ".*\bweb\b.*""#,
            "name eq \".*(web.*).*\"",
            "(name eq (web|db)-1)",
            "(name eq web-1) (port eq 80)",
            "(name ne other) (enabled eq true)",
            "network eq .*/default$",
            "name = web-1",
            "name=\"web-1\"",
            "name != other",
            "name:web",
            "labels.team:*",
            "labels.team=edge AND port>=80",
            "name=x OR name=web-1",
            "NOT name=x",
            "-name=x",
            "tags:a",
            "backends.group=g2",
            "missing ne x",
            "missing != x",
        ] {
            assert!(admits(filter), "{filter}");
        }
        for filter in [
            "name eq web",
            "name eq eb-1",
            "name ne web-.*",
            "(name eq web-1) (port eq 81)",
            "name = web",
            "port < 80",
            "labels.other:*",
            "missing eq .*",
            "missing = x",
        ] {
            assert!(!admits(filter), "{filter}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let deep = "(".repeat(100) + "name eq a" + &")".repeat(100);
        for filter in [
            "",
            "name",
            "name eq",
            "name eq \"x",
            "name eq (",
            "name eq [",
            "name eq a)",
            "= x",
            deep.as_str(),
        ] {
            assert!(Filter::parse(filter).is_err(), "{filter}");
        }
    }
}
