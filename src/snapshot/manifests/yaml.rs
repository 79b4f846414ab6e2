//! YAML (and so JSON) text to a tree that knows where each value stands.
//!
//! Plain scalars are resolved as `kubectl` does, by YAML 1.1: `yes` and `on` are booleans, `0777` is octal. Aliases and merge keys
//! work; a repeated key does not. A document that cannot be read does not hide the next one.
//!
//! It knows nothing of Kubernetes.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::Number;

/// Aliases can multiply a small text without end; no set of manifests is this large.
const MOST_NODES: usize = 200_000;

/// One value and where it stands, in bytes of the text.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) message: String,
    pub(super) span: Range<usize>,
}

impl Node {
    /// The value of a key, where this is a mapping that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(known, _)| known.text == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The text, where this is a string.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// What kind of value it is, in words.
    pub(super) fn noun(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Number(number) if number.is_f64() => "a fraction",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    pub(super) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(number) => serde_json::Value::Number(number.clone()),
            Value::String(text) => text.as_str().into(),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(entries) => {
                let entries = entries.iter().map(|(key, node)| (key.text.clone(), node.to_json()));
                serde_json::Value::Object(entries.collect())
            }
        }
    }
}

/// The documents of a text, in order; those without content are left out.
pub(super) fn documents(text: &str) -> Vec<Result<Node, Broken>> {
    let mut parser = Parser::new_from_str(text);
    let mut found = Vec::new();
    loop {
        let mut document = Builder::default();
        let ended = loop {
            match parser.next_event() {
                None | Some(Ok((Event::StreamEnd, _))) => break Ended::Stream,
                Some(Ok((Event::DocumentEnd, _))) => break Ended::Document,
                Some(Ok((event, span))) => {
                    document.take(event, span.byte_range().unwrap_or_default());
                }
                Some(Err(error)) => {
                    let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
                    document.broken =
                        Some(Broken { message: error.info(), span: at..(at + 1).min(text.len()) });
                    break Ended::Error;
                }
            }
        };
        if let Some(result) = document.finish() {
            found.push(result);
        }
        match ended {
            Ended::Stream => return found,
            Ended::Document => {}
            Ended::Error => match parser.proceed_next_document() {
                Ok(true) => {}
                Ok(false) | Err(_) => return found,
            },
        }
    }
}

enum Ended {
    Document,
    Stream,
    Error,
}

#[derive(Default)]
struct Builder {
    root: Option<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    broken: Option<Broken>,
}

struct Open {
    start: usize,
    anchor: usize,
    /// How many nodes there were before it.
    nodes: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<(Key, Node)>, key: Option<Key> },
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Range<usize>) {
        match event {
            Event::Scalar(text, _, anchor, _) if self.expects_key() => {
                // A key is its text: `on` and `80` are as good as any.
                self.leaf(Node { value: Value::String(text.into_owned()), span }, anchor);
            }
            Event::Scalar(text, style, anchor, tag) => match scalar(&text, style, tag.as_deref()) {
                Ok(value) => self.leaf(Node { value, span }, anchor),
                Err(message) => {
                    self.fail(message, span.clone());
                    self.leaf(Node { value: Value::Null, span }, anchor);
                }
            },
            Event::SequenceStart(_, anchor, tag) => {
                self.collection(tag.as_deref(), "seq", &span);
                self.begin(span.start, anchor, Content::List(Vec::new()));
            }
            Event::MappingStart(_, anchor, tag) => {
                self.collection(tag.as_deref(), "map", &span);
                self.begin(span.start, anchor, Content::Map { entries: Vec::new(), key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span.end),
            Event::Alias(anchor) => {
                if let Some((mut node, size)) = self.anchors.get(&anchor).cloned() {
                    node.span = span;
                    self.nodes += size;
                    self.place(node, 0, size);
                } else {
                    self.fail("an alias stands inside of what it stands for".to_owned(), span.clone());
                    self.leaf(Node { value: Value::Null, span }, 0);
                }
            }
            _ => {}
        }
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Map { key: None, .. }, .. }))
    }

    fn fail(&mut self, message: String, span: Range<usize>) {
        self.broken.get_or_insert(Broken { message, span });
    }

    fn collection(&mut self, tag: Option<&Tag>, fitting: &str, span: &Range<usize>) {
        if let Some(tag) = tag.filter(|tag| tag.core_suffix() != Some(fitting)) {
            self.fail(unknown_tag(tag), span.clone());
        }
    }

    fn begin(&mut self, start: usize, anchor: usize, content: Content) {
        self.nodes += 1;
        self.open.push(Open { start, anchor, nodes: self.nodes - 1, content });
    }

    fn end(&mut self, end: usize) {
        let Some(Open { start, anchor, nodes, content }) = self.open.pop() else { return };
        let value = match content {
            Content::List(items) => Value::List(items),
            Content::Map { entries, key: _ } => Value::Map(self.merged(entries)),
        };
        let size = self.nodes - nodes;
        self.place(Node { value, span: start..end.max(start) }, anchor, size);
    }

    fn leaf(&mut self, node: Node, anchor: usize) {
        self.nodes += 1;
        self.place(node, anchor, 1);
    }

    /// Puts a finished node where it belongs.
    fn place(&mut self, node: Node, anchor: usize, size: usize) {
        if self.nodes > MOST_NODES {
            self.nodes = self.nodes.min(MOST_NODES + 1);
            self.fail(format!("there are more than {MOST_NODES} values in it"), node.span);
            // What is already there is dropped, and nothing more is kept.
            self.anchors.clear();
            self.root = None;
            for open in &mut self.open {
                open.content = match open.content {
                    Content::List(_) => Content::List(Vec::new()),
                    Content::Map { .. } => Content::Map { entries: Vec::new(), key: None },
                };
            }
            return;
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, key }) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => match node.text().map(str::to_owned) {
                    Some(text) if text != "<<" && entries.iter().any(|(known, _)| known.text == text) => {
                        *key = Some(Key { text: text.clone(), span: node.span.clone() });
                        self.fail(format!("the key {text:?} stands here a second time"), node.span);
                    }
                    Some(text) => *key = Some(Key { text, span: node.span }),
                    None => {
                        *key = Some(Key { text: String::new(), span: node.span.clone() });
                        self.fail("a key must be a single word or text".to_owned(), node.span);
                    }
                },
            },
        }
    }

    /// Replaces merge keys (`<<`) by what they merge; keys that stand in the mapping itself win.
    fn merged(&mut self, entries: Vec<(Key, Node)>) -> Vec<(Key, Node)> {
        if entries.iter().all(|(key, _)| key.text != "<<") {
            return entries;
        }
        let (merges, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(key, _)| key.text == "<<");
        for (_, node) in merges {
            let sources = match node.value {
                Value::List(items) => items,
                _ => vec![node],
            };
            for source in sources {
                match source.value {
                    Value::Map(entries) => {
                        for (key, node) in entries {
                            if own.iter().all(|(known, _)| known.text != key.text) {
                                own.push((key, node));
                            }
                        }
                    }
                    _ => self
                        .fail("a merge key (<<) takes a mapping or a list of them".to_owned(), source.span),
                }
            }
        }
        own
    }

    fn finish(self) -> Option<Result<Node, Broken>> {
        match (self.broken, self.root) {
            (Some(broken), _) => Some(Err(broken)),
            (None, Some(Node { value: Value::Null, .. }) | None) => None,
            (None, Some(root)) => Some(Ok(root)),
        }
    }
}

fn unknown_tag(tag: &Tag) -> String {
    format!("the tag {} means nothing in a manifest", tag.original())
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    match tag {
        Some(tag) if tag.core_suffix() == Some("str") || tag.original() == "!" => {
            Ok(Value::String(text.to_owned()))
        }
        Some(tag) if matches!(tag.core_suffix(), Some("null" | "bool" | "int" | "float")) => plain(text),
        Some(tag) => Err(unknown_tag(tag)),
        None if style == ScalarStyle::Plain => plain(text),
        None => Ok(Value::String(text.to_owned())),
    }
}

fn plain(text: &str) -> Result<Value, String> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "-.inf" => {
            return Err(format!("{text} is no number that a manifest can hold"));
        }
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    })
}

fn number(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let digits = digits.replace('_', "");
    let integer = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => u64::from_str_radix(&digits[2..], 16).ok(),
        [b'0', b'b' | b'B', ..] => u64::from_str_radix(&digits[2..], 2).ok(),
        [b'0', b'o' | b'O', ..] => u64::from_str_radix(&digits[2..], 8).ok(),
        [b'0', _, ..] if digits.bytes().all(|b| b.is_ascii_digit()) => u64::from_str_radix(&digits, 8).ok(),
        _ => digits.parse().ok(),
    };
    match integer {
        Some(value) if negative => i64::try_from(value).ok().map(|value| Number::from(-value)),
        Some(value) => Some(Number::from(value)),
        None => fraction(&digits).and_then(|value| Number::from_f64(if negative { -value } else { value })),
    }
}

/// Only what is written like one: Rust itself would take `infinity` too.
fn fraction(digits: &str) -> Option<f64> {
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let written = all_digits(whole) && all_digits(part) && !(whole.is_empty() && part.is_empty());
    (written && !exponent.is_empty() && all_digits(exponent)).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> serde_json::Value {
        let mut all = documents(text);
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0).unwrap().to_json()
    }

    fn broken(text: &str) -> (String, String) {
        let error = documents(text).into_iter().find_map(Result::err).unwrap();
        (error.message, text[error.span].to_owned())
    }

    #[test]
    fn scalars_are_resolved_as_kubectl_does() {
        let read = one(concat!(
            "a: yes\nb: 0777\nc: 0x1F\nd: 1.5e3\ne: '5'\nf: ~\ng: 1.2.3\nh: -4\ni: !!str 80\nj: 10_000\n",
            "k: 2026-01-01\nl: 0.5\nm: e5\nn: '.'\no: 08\np: -\u{30}\n",
        ));
        let expected = serde_json::json!({
            "a": true, "b": 0o777, "c": 31, "d": 1500.0, "e": "5", "f": null, "g": "1.2.3", "h": -4, "i": "80",
            "j": 10000, "k": "2026-01-01", "l": 0.5, "m": "e5", "n": ".", "o": 8.0, "p": 0,
        });
        assert_eq!(read, expected);
    }

    #[test]
    fn json_is_read_too() {
        assert_eq!(
            one("{\"a\": [1, {\"b\": \"c\\u00e9\"}],\n\t\"d\": null}"),
            serde_json::json!({"a": [1, {"b": "cé"}], "d": null})
        );
    }

    #[test]
    fn a_broken_document_does_not_hide_the_next() {
        let found = documents("a: 1\n---\nb: [1\n---\n# nothing\n---\nc: 3\n");
        let shown: Vec<_> =
            found.iter().map(|found| found.as_ref().map(|node| node.to_json().to_string()).ok()).collect();
        assert_eq!(shown, [Some("{\"a\":1}".to_owned()), None, Some("{\"c\":3}".to_owned())]);
    }

    #[test]
    fn aliases_and_merge_keys_work() {
        let read = one("base: &b {x: 1, y: 2}\nmine: {<<: *b, y: 3}\nagain: *b\n");
        assert_eq!(read["mine"], serde_json::json!({"y": 3, "x": 1}));
        assert_eq!(read["again"], read["base"]);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_where_it_stands() {
        assert_eq!(
            broken("a: 1\nb: 2\na: 3\n"),
            ("the key \"a\" stands here a second time".to_owned(), "a".to_owned())
        );
        assert!(broken("a: !custom 3\n").0.contains("!custom"));
        assert!(broken("? [1, 2]\n: 3\n").0.contains("key must be"));
        assert!(broken("a: *nowhere\n").1.starts_with('*'));
    }

    #[test]
    fn aliases_cannot_multiply_without_end() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let below = format!("*a{}", level - 1);
            let list = [below.as_str(); 10].join(", ");
            text = format!("{text}a{level}: &a{level} [{list}]\n");
        }
        assert!(broken(&text).0.contains("more than"));
    }

    #[test]
    fn spans_point_at_the_values() {
        let text = "metadata:\n  name: web\n  labels: {a: 'b c'}\n";
        let root = documents(text).remove(0).unwrap();
        let labels = root.get("metadata").and_then(|node| node.get("labels")).unwrap();
        assert_eq!(&text[labels.get("a").unwrap().span.clone()], "'b c'");
        assert_eq!(&text[root.get("metadata").unwrap().get("name").unwrap().span.clone()], "web");
    }
}
