//! What the checks find, in the words of the API server, before it is known where in the text it stands.

use super::diagnostic::{Code, DiagnosticSeverity};
use super::field::FieldPath;

/// One thing that is wrong with an object.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) severity: DiagnosticSeverity,
    pub(super) code: Code,
    pub(super) path: FieldPath,
    /// Whether it is about the field's name, not its value.
    pub(super) about_name: bool,
    pub(super) message: String,
    pub(super) help: String,
}

/// All things that are wrong with an object.
#[derive(Debug, Default)]
pub(super) struct Faults(pub(super) Vec<Fault>);

impl Faults {
    pub(super) fn has_errors(&self) -> bool {
        self.0.iter().any(|fault| fault.severity == DiagnosticSeverity::Error)
    }

    /// A field that must be there is not.
    pub(super) fn required(&mut self, path: FieldPath, detail: &str, help: impl Into<String>) {
        let message =
            if detail.is_empty() { "Required value".to_owned() } else { format!("Required value: {detail}") };
        self.error(Code::Required, path, message, help);
    }

    /// A value that is not allowed. `value` is shown: never hand in anything secret.
    pub(super) fn invalid(&mut self, path: FieldPath, value: &str, detail: &str, help: impl Into<String>) {
        self.error(Code::Invalid, path, format!("Invalid value: {value:?}: {detail}"), help);
    }

    /// A number that is not allowed.
    pub(super) fn invalid_number(
        &mut self,
        path: FieldPath,
        value: i32,
        detail: &str,
        help: impl Into<String>,
    ) {
        self.error(Code::Invalid, path, format!("Invalid value: {value}: {detail}"), help);
    }

    /// A value that is none of a fixed set.
    pub(super) fn unsupported(&mut self, path: FieldPath, value: &str, supported: &[&str]) {
        let list: Vec<_> = supported.iter().map(|value| format!("{value:?}")).collect();
        let message = format!("Unsupported value: {value:?}: supported values: {}", list.join(", "));
        let help = format!("write one of {}", supported.join(", "));
        self.error(Code::Invalid, path, message, help);
    }

    /// A value that may stand only once.
    pub(super) fn repeated(&mut self, path: FieldPath, value: &str, help: impl Into<String>) {
        self.error(Code::Invalid, path, format!("Duplicate value: {value:?}"), help);
    }

    pub(super) fn error(&mut self, code: Code, path: FieldPath, message: String, help: impl Into<String>) {
        self.0.push(Fault {
            severity: DiagnosticSeverity::Error,
            code,
            path,
            about_name: false,
            message,
            help: help.into(),
        });
    }
}
