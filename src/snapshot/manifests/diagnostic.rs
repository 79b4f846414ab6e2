//! What is wrong with a manifest, where exactly, and what to do about it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{LabeledSpan, NamedSource, SourceCode};

/// Something wrong in a file of manifests.
#[derive(Clone)]
pub struct Diagnostic {
    /// How much it costs.
    pub severity: DiagnosticSeverity,
    /// Which rule it is about.
    pub code: Code,
    /// The file, as it was named to us.
    pub file: String,
    /// Line and column of the first character, counted from 1. `None` where it is about the whole file.
    pub position: Option<(usize, usize)>,
    /// The object: `Ingress default/web`. `None` where it is not known which.
    pub object: Option<String>,
    /// The field: `spec.rules[0].host`. `None` where it is about the whole object.
    pub field: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    pub(super) snippet: Option<Snippet>,
}

/// The text around, for display. Everything in it that could be a key has been blotted out.
#[derive(Clone)]
pub(super) struct Snippet {
    pub(super) source: Arc<NamedSource<String>>,
    pub(super) span: Range<usize>,
}

/// What a diagnostic costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiagnosticSeverity {
    /// Nothing: the object is used.
    Warning,
    /// The object is not used (or, where it was good before, it stays as it was).
    Error,
}

/// The rules that a manifest can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// The file cannot be read.
    Unreadable,
    /// The text is not YAML.
    NotYaml,
    /// A document is not a Kubernetes object.
    NotAnObject,
    /// The kind is not known.
    UnknownKind,
    /// The kind is known, but not in this version of its API.
    WrongVersion,
    /// A field has a value of the wrong type.
    WrongType,
    /// There is no such field.
    UnknownField,
    /// A field that must be there is missing.
    Required,
    /// A value that the API server would refuse.
    Invalid,
    /// The same object twice.
    Duplicate,
    /// Something that a cluster would give cannot be supplied.
    NotSupplied,
}

impl Code {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::NotYaml => "not-yaml",
            Self::NotAnObject => "not-an-object",
            Self::UnknownKind => "unknown-kind",
            Self::WrongVersion => "wrong-version",
            Self::WrongType => "wrong-type",
            Self::UnknownField => "unknown-field",
            Self::Required => "required",
            Self::Invalid => "invalid",
            Self::Duplicate => "duplicate",
            Self::NotSupplied => "not-supplied",
        }
    }
}

impl Diagnostic {
    /// Whether the object is not used because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == DiagnosticSeverity::Error
    }

    /// `web.yaml:12:9`, as editors and terminals understand it.
    #[must_use]
    pub fn place(&self) -> String {
        match self.position {
            Some((line, column)) => format!("{}:{line}:{column}", self.file),
            None => self.file.clone(),
        }
    }

    /// All of it in one line, without the text around.
    #[must_use]
    pub fn one_line(&self) -> String {
        let severity = if self.is_error() { "error" } else { "warning" };
        format!("{}: {severity}: {self}; {}", self.place(), self.help)
    }

    /// A diagnostic about a whole file.
    #[must_use]
    pub fn unreadable(file: &str, why: &dyn fmt::Display, help: &str) -> Self {
        Self {
            severity: DiagnosticSeverity::Error,
            code: Code::Unreadable,
            file: file.to_owned(),
            position: None,
            object: None,
            field: None,
            message: format!("cannot be read: {why}"),
            help: help.to_owned(),
            snippet: None,
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(object) = &self.object {
            write!(f, "{object}: ")?;
        }
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.one_line())
    }
}

impl std::error::Error for Diagnostic {}

impl miette::Diagnostic for Diagnostic {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(format!("manifest::{}", self.code.word())))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(if self.is_error() { miette::Severity::Error } else { miette::Severity::Warning })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(match &self.snippet {
            Some(_) => Box::new(&self.help),
            None => Box::new(format!("{} (at {})", self.help, self.place())),
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.snippet.as_ref().map(|snippet| &*snippet.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.snippet.as_ref()?.span.clone();
        let label = self.field.clone().unwrap_or_else(|| "here".to_owned());
        Some(Box::new(std::iter::once(LabeledSpan::new(Some(label), span.start, span.len()))))
    }
}
