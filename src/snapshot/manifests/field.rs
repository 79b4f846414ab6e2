//! Paths to the fields of an object, written as the API server writes them.

use std::fmt;

use super::yaml::{Node, Value};
use std::ops::Range;

/// A path such as `spec.rules[0].http.paths[1].path`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FieldPath(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Field(String),
    /// A key of a mapping whose keys are data: a label, a file of a Secret.
    Entry(String),
    Index(usize),
}

impl FieldPath {
    /// From names with dots between.
    pub(super) fn of(path: &str) -> Self {
        Self(
            path.split('.')
                .filter(|part| !part.is_empty())
                .map(|part| Segment::Field(part.to_owned()))
                .collect(),
        )
    }

    /// A field below this one; `name` may have dots for several steps.
    pub(super) fn child(&self, name: &str) -> Self {
        let mut path = self.clone();
        path.0.extend(Self::of(name).0);
        path
    }

    /// One item of this list.
    pub(super) fn index(&self, index: usize) -> Self {
        let mut path = self.clone();
        path.0.push(Segment::Index(index));
        path
    }

    /// One entry of this mapping.
    pub(super) fn entry(&self, key: &str) -> Self {
        let mut path = self.clone();
        path.0.push(Segment::Entry(key.to_owned()));
        path
    }

    /// One step that a deserializer made: names that are not plain words are entries.
    pub(super) fn step(&self, key: &str) -> Self {
        if !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric()) {
            self.child(key)
        } else {
            self.entry(key)
        }
    }

    /// Where in the text the field stands. Where it is missing, the nearest thing around it that is there.
    pub(super) fn locate(&self, root: &Node) -> Range<usize> {
        let (mut node, mut span) = (root, root.span.start..root.span.start);
        for segment in &self.0 {
            let next = match (segment, &node.value) {
                (Segment::Field(name) | Segment::Entry(name), Value::Map(entries)) => {
                    entries.iter().find(|(key, _)| key.text == *name)
                }
                (Segment::Index(index), Value::List(items)) => match items.get(*index) {
                    Some(item) => {
                        (node, span) = (item, point(item));
                        continue;
                    }
                    None => None,
                },
                _ => None,
            };
            let Some((key, value)) = next else { return span };
            node = value;
            // A collection is pointed at by its key: its own span may run over many lines.
            span = match value.value {
                Value::List(_) | Value::Map(_) | Value::Null => key.span.clone(),
                _ => value.span.clone(),
            };
        }
        span
    }

    /// Where the name of the field stands, for messages about the name itself.
    pub(super) fn locate_key(&self, root: &Node) -> Range<usize> {
        let Some((last, parents)) = self.0.split_last() else { return self.locate(root) };
        let parent = Self(parents.to_vec());
        match (parent.node(root).map(|node| &node.value), last) {
            (Some(Value::Map(entries)), Segment::Field(name) | Segment::Entry(name)) => entries
                .iter()
                .find(|(key, _)| key.text == *name)
                .map_or_else(|| parent.locate(root), |(key, _)| key.span.clone()),
            _ => self.locate(root),
        }
    }

    /// Every field of a tree, with the offset at which it stands.
    pub(super) fn all(root: &Node) -> Vec<(Self, usize)> {
        let mut found = Vec::new();
        let mut open = vec![(Self::default(), root)];
        while let Some((path, node)) = open.pop() {
            let children: Vec<(Self, &Node)> = match &node.value {
                Value::Map(entries) => {
                    entries.iter().map(|(key, node)| (path.step(&key.text), node)).collect()
                }
                Value::List(items) => {
                    items.iter().enumerate().map(|(at, node)| (path.index(at), node)).collect()
                }
                _ => Vec::new(),
            };
            found.push((path.clone(), path.locate(root).start));
            open.extend(children);
        }
        found
    }

    /// The value there.
    pub(super) fn node<'root>(&self, root: &'root Node) -> Option<&'root Node> {
        self.0.iter().try_fold(root, |node, segment| match (segment, &node.value) {
            (Segment::Field(name) | Segment::Entry(name), _) => node.get(name),
            (Segment::Index(index), Value::List(items)) => items.get(*index),
            (Segment::Index(_), _) => None,
        })
    }
}

fn point(node: &Node) -> Range<usize> {
    match node.value {
        Value::List(_) | Value::Map(_) => node.span.start..node.span.start,
        _ => node.span.clone(),
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Field(name) if at == 0 => f.write_str(name)?,
                Segment::Field(name) => write!(f, ".{name}")?,
                Segment::Entry(key) => write!(f, "[{key}]")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
