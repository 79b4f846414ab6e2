//! AIP-160's comparisons of one value.

use jiff::Timestamp;
use serde_json::Value;
use std::cmp::Ordering;

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

/// What a value is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    text: String,
    /// The pieces between the stars, if there are any stars.
    pieces: Option<Vec<String>>,
}

impl Wanted {
    pub(super) fn new(text: &str) -> Self {
        let pieces = text.contains('*').then(|| text.split('*').map(str::to_owned).collect());
        Self { text: text.to_owned(), pieces }
    }

    /// `field:*` asks only whether the field is there.
    pub(super) fn is_anything(&self) -> bool {
        self.text == "*"
    }
}

impl Comparison {
    pub(super) fn holds(self, found: &Value, wanted: &Wanted) -> bool {
        match self {
            Self::Equal => equals(found, wanted),
            Self::NotEqual => !equals(found, wanted),
            Self::Less => order(found, wanted) == Some(Ordering::Less),
            Self::LessOrEqual => matches!(order(found, wanted), Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => order(found, wanted) == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(order(found, wanted), Some(Ordering::Greater | Ordering::Equal)),
            Self::Has => has(found, wanted),
        }
    }
}

/// A value as filters see it: numbers and booleans by their text.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn equals(found: &Value, wanted: &Wanted) -> bool {
    let found = text(found);
    match &wanted.pieces {
        Some(pieces) => matches(pieces, &found),
        None => found == wanted.text || order_of_texts(&found, &wanted.text) == Some(Ordering::Equal),
    }
}

/// Of text: contains, whatever the case. Of an object: has the key.
fn has(found: &Value, wanted: &Wanted) -> bool {
    match found {
        Value::Object(fields) => fields.contains_key(&wanted.text),
        found => {
            let found = text(found).to_lowercase();
            match &wanted.pieces {
                Some(pieces) => {
                    let mut pieces: Vec<String> = pieces.iter().map(|piece| piece.to_lowercase()).collect();
                    // Anywhere in the text.
                    pieces.insert(0, String::new());
                    pieces.push(String::new());
                    matches(&pieces, &found)
                }
                None => found.contains(&wanted.text.to_lowercase()),
            }
        }
    }
}

fn order(found: &Value, wanted: &Wanted) -> Option<Ordering> {
    order_of_texts(&text(found), &wanted.text).or_else(|| Some(text(found).as_str().cmp(&wanted.text)))
}

/// As numbers or as moments, if both are; whole numbers exactly, for ids have more digits than a double.
fn order_of_texts(left: &str, right: &str) -> Option<Ordering> {
    if let (Ok(left), Ok(right)) = (left.parse::<i128>(), right.parse::<i128>()) {
        return Some(left.cmp(&right));
    }
    if let (Ok(left), Ok(right)) = (left.parse::<f64>(), right.parse::<f64>()) {
        return left.partial_cmp(&right);
    }
    match (left.parse::<Timestamp>(), right.parse::<Timestamp>()) {
        (Ok(left), Ok(right)) => Some(left.cmp(&right)),
        _ => None,
    }
}

/// Whether a text is made of pieces with anything in between.
fn matches(pieces: &[String], text: &str) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return text.is_empty() };
    let Some(mut text) = text.strip_prefix(first.as_str()) else { return false };
    let Some((last, middle)) = rest.split_last() else { return text.is_empty() };
    for piece in middle {
        match text.find(piece.as_str()).and_then(|at| text.get(at + piece.len()..)) {
            Some(rest) => text = rest,
            None => return false,
        }
    }
    text.ends_with(last.as_str())
}
