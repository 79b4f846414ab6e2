//! One file of manifests: from its text to objects and diagnostics.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use miette::NamedSource;

use super::blot::blot;
use super::decode::content;
use super::diagnostic::{Code, Diagnostic, DiagnosticSeverity, Snippet};
use super::fault::{Fault, Faults};
use super::field::FieldPath;
use super::kinds::{KnownKind, Lookup, Reach, Role, look_up};
use super::object::{Object, ObjectId};
use super::yaml::{self, Node, Value};

/// What a file holds.
#[derive(Debug, Clone)]
pub struct File {
    /// Its name, as it was given to us.
    pub name: Arc<str>,
    /// Its good objects, in order.
    pub objects: Vec<Object>,
    /// What is wrong with it, in order.
    pub diagnostics: Vec<Diagnostic>,
}

impl File {
    /// Reads the text of a file: YAML with any number of documents, or JSON; single objects and Lists. Never fails: what is wrong becomes
    /// a diagnostic, and every object that is good is there.
    #[must_use]
    pub fn read(name: &str, text: &str) -> Self {
        Reader::new(name, text).read()
    }

    /// Whether something in it could not be used, so that what is missing in it is not known to be gone.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

struct Reader<'text> {
    name: Arc<str>,
    text: &'text str,
    line_starts: Vec<usize>,
    /// The text for display; `None` where it could not be told what in it is secret.
    shown: Option<Arc<NamedSource<String>>>,
    objects: Vec<Object>,
    diagnostics: Vec<Diagnostic>,
}

impl<'text> Reader<'text> {
    fn new(name: &str, text: &'text str) -> Self {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self {
            name: name.into(),
            text,
            line_starts,
            shown: None,
            objects: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    fn read(mut self) -> File {
        let documents = yaml::documents(self.text);
        self.shown = blot(self.text, &documents).map(|text| Arc::new(NamedSource::new(&*self.name, text)));
        for document in &documents {
            match document {
                Ok(root) => self.document(root),
                Err(broken) => {
                    let help =
                        "correct the YAML; often it is the indentation, or a colon or quote that is missing";
                    self.diagnose(
                        None,
                        Code::NotYaml,
                        &broken.span,
                        format!("not YAML: {}", broken.message),
                        help,
                    );
                }
            }
        }
        File { name: self.name, objects: self.objects, diagnostics: self.diagnostics }
    }

    /// An object, or a List of them.
    fn document(&mut self, root: &Node) {
        let kind = root.get("kind").and_then(Node::text).unwrap_or_default();
        match root.get("items").map(|items| &items.value) {
            Some(Value::List(items)) if kind.ends_with("List") => {
                for item in items {
                    self.document(item);
                }
            }
            Some(Value::Null) | None if kind == "List" => {}
            _ => self.object(root),
        }
    }

    fn object(&mut self, root: &Node) {
        let help = "an object has apiVersion, kind and metadata: apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web}";
        if !matches!(root.value, Value::Map(_)) {
            let message = format!("not a Kubernetes object but {}", root.noun());
            return self.diagnose(None, Code::NotAnObject, &point(root), message, help);
        }
        for field in ["apiVersion", "kind"] {
            if root.get(field).and_then(Node::text).is_none_or(str::is_empty) {
                let message = format!("not a Kubernetes object: {field} is not set");
                let span = FieldPath::of(field).locate(root);
                return self.diagnose(None, Code::NotAnObject, &span, message, help);
            }
        }
        let version = root.get("apiVersion").and_then(Node::text).unwrap_or_default();
        let kind = root.get("kind").and_then(Node::text).unwrap_or_default();
        match look_up(version, kind) {
            Lookup::Known(known) => self.known(root, known),
            Lookup::WrongVersion(known) => {
                let message = format!("no matches for kind {kind:?} in version {version:?}");
                let help = format!("write apiVersion: {}", known.versions[0]);
                self.diagnose(
                    None,
                    Code::WrongVersion,
                    &FieldPath::of("apiVersion").locate(root),
                    message,
                    &help,
                );
            }
            Lookup::Unknown { meant } => {
                let message = format!("no matches for kind {kind:?} in version {version:?}");
                let help = match meant {
                    Some(meant) => format!("did you mean {meant}?"),
                    None => {
                        "no such kind belongs to Kubernetes itself: correct kind or apiVersion".to_owned()
                    }
                };
                self.diagnose(None, Code::UnknownKind, &FieldPath::of("kind").locate(root), message, &help);
            }
            Lookup::Foreign => {
                let message = format!("the kind {kind:?} of {version:?} is not read here");
                let help = "nothing needs to be done if an extension of the cluster owns it; no load balancer depends on it";
                self.push(
                    None,
                    DiagnosticSeverity::Warning,
                    Code::UnknownKind,
                    None,
                    &FieldPath::of("kind").locate(root),
                    message,
                    help,
                );
            }
        }
    }

    fn known(&mut self, root: &Node, known: KnownKind) {
        if known.role == Role::Unread {
            return;
        }
        let metadata = root.get("metadata");
        let text = |field: &str| metadata.and_then(|metadata| metadata.get(field)).and_then(Node::text);
        let id = ObjectId {
            kind: known.kind,
            namespace: match known.reach {
                Reach::Cluster => None,
                Reach::Namespace => {
                    Some(text("namespace").filter(|name| !name.is_empty()).unwrap_or("default").to_owned())
                }
            },
            name: text("name").unwrap_or_default().to_owned(),
        };
        let mut faults = Faults::default();
        let content = content(root, known.role, &id, &mut faults);
        let good = !faults.has_errors();
        let named = if id.name.is_empty() { format!("{} without a name", id.kind) } else { id.to_string() };
        for Fault { severity, code, path, about_name, message, help } in faults.0 {
            let span = if about_name { path.locate_key(root) } else { path.locate(root) };
            self.push(Some(&named), severity, code, Some(&path), &span, message, &help);
        }
        if let Some(content) = content.filter(|_| good) {
            let position = self.position(root.span.start);
            let fields = match known.role {
                Role::Ingress => FieldPath::all(root)
                    .into_iter()
                    .map(|(path, offset)| (path.to_string(), self.position(offset)))
                    .collect(),
                _ => BTreeMap::new(),
            };
            let file = Arc::clone(&self.name);
            self.objects.push(Object { id, file, position, fields: Arc::new(fields), content });
        }
    }

    fn diagnose(
        &mut self,
        object: Option<&str>,
        code: Code,
        span: &Range<usize>,
        message: String,
        help: &str,
    ) {
        self.push(object, DiagnosticSeverity::Error, code, None, span, message, help);
    }

    #[expect(clippy::too_many_arguments, reason = "one per field of a diagnostic")]
    fn push(
        &mut self,
        object: Option<&str>,
        severity: DiagnosticSeverity,
        code: Code,
        field: Option<&FieldPath>,
        span: &Range<usize>,
        message: String,
        help: &str,
    ) {
        self.diagnostics.push(Diagnostic {
            severity,
            code,
            file: self.name.to_string(),
            position: Some(self.position(span.start)),
            object: object.map(str::to_owned),
            field: field.map(FieldPath::to_string).filter(|field| !field.is_empty()),
            message,
            help: help.to_owned(),
            snippet: self.shown.clone().map(|source| Snippet { source, span: span.clone() }),
        });
    }

    /// Line and column, from 1; the column in characters.
    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start =
            line.checked_sub(1).and_then(|line| self.line_starts.get(line)).copied().unwrap_or_default();
        (line, self.text.get(start..offset).unwrap_or_default().chars().count() + 1)
    }
}

fn point(node: &Node) -> Range<usize> {
    match node.value {
        Value::List(_) | Value::Map(_) => node.span.start..node.span.start,
        _ => node.span.clone(),
    }
}
