//! Header actions.

use http::HeaderName;
use serde_json::Value;

use super::Reader;
use crate::dataplane::program::{HeaderAction, HeaderToAdd, Mode, ValuePart};
use crate::program::header_name::{self, Unchangeable};
use crate::program::json::{field, items, text, texts};

impl Reader<'_> {
    /// The `headerAction` of a body.
    pub(super) fn header_action(&mut self, body: &Value, at: &str) -> HeaderAction {
        let Some(action) = field(body, "headerAction") else { return HeaderAction::default() };
        HeaderAction {
            request_remove: self.headers_to_remove(action, "requestHeadersToRemove", at),
            request_add: self.headers_to_add(action, "requestHeadersToAdd", at),
            response_remove: self.headers_to_remove(action, "responseHeadersToRemove", at),
            response_add: self.headers_to_add(action, "responseHeadersToAdd", at),
        }
    }

    fn headers_to_remove(&mut self, action: &Value, list: &str, at: &str) -> Vec<HeaderName> {
        texts(action, list).filter_map(|name| self.header_name(name, at)).collect()
    }

    fn headers_to_add(&mut self, action: &Value, list: &str, at: &str) -> Vec<HeaderToAdd> {
        items(action, list)
            .filter_map(|option| {
                let name = self.header_name(text(option, "headerName").unwrap_or_default(), at)?;
                let value = ValuePart::parse(text(option, "headerValue").unwrap_or_default());
                let varies = value.iter().any(|part| matches!(part, ValuePart::Variable(_)));
                let replace = field(option, "replace").and_then(Value::as_bool).unwrap_or(!varies);
                Some(HeaderToAdd { name, value, mode: if replace { Mode::Replace } else { Mode::Append } })
            })
            .collect()
    }

    fn header_name(&mut self, name: &str, at: &str) -> Option<HeaderName> {
        match header_name::changeable(name) {
            Ok(name) => Some(name),
            Err(Unchangeable::Reserved) => {
                let name = name.to_ascii_lowercase();
                self.problem(format!("{at} changes the header {name}, which belongs to the load balancer"));
                None
            }
            Err(Unchangeable::NoName) => {
                self.problem(format!("{at} changes the header {name:?}, which cannot be a header"));
                None
            }
        }
    }
}
