//! Where an object stands inside a body.

use crate::declaration::{Fields, Type};

/// The way from a body to an object inside it; empty for the body itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    pub(super) steps: Vec<Step>,
}

/// Into a field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) field: &'static str,
    /// Whether the field holds the object, a list of such, or a map of such.
    pub(super) wrapping: Wrapping,
    /// The fields of the object that is reached.
    pub(super) fields: Fields,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrapping {
    None,
    List,
    Map,
}

impl Place {
    pub(super) fn inside(&self, step: Step) -> Self {
        let mut steps = self.steps.clone();
        steps.push(step);
        Self { steps }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.steps.iter().try_for_each(|step| write!(f, "{}.", step.field))
    }
}

/// The object that a type holds, if it holds one.
pub(super) fn object_in(shape: &Type) -> Option<(Wrapping, Fields)> {
    match shape {
        Type::Object(fields) | Type::List(Type::Object(fields)) | Type::Map(Type::Object(fields)) => {
            let wrapping = match shape {
                Type::List(_) => Wrapping::List,
                Type::Map(_) => Wrapping::Map,
                _ => Wrapping::None,
            };
            Some((wrapping, fields))
        }
        _ => None,
    }
}
