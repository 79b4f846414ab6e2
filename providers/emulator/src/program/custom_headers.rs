//! `customRequestHeaders` and `customResponseHeaders`: lines such as `X-Client: {client_ip_address}`.

use http::{HeaderName, HeaderValue};
use serde_json::Value;

use super::header_name::{self, Unchangeable};
use super::json::texts;
use crate::dataplane::program::{HeaderAction, HeaderToAdd, Mode, Program, ValuePart};

/// The headers of a backend service or bucket.
pub(super) fn compile(path: &str, body: &Value, program: &mut Program) -> HeaderAction {
    let mut lines = |field: &str| -> Vec<HeaderToAdd> {
        let mut headers = Vec::new();
        for line in texts(body, field) {
            match parse(line) {
                Ok((name, value)) => headers.push(HeaderToAdd { name, value, mode: Mode::Replace }),
                Err(why) => program.problem(path, format!("has {line:?} in {field}, which {why}")),
            }
        }
        headers
    };
    HeaderAction {
        request_remove: Vec::new(),
        request_add: lines("customRequestHeaders"),
        response_remove: Vec::new(),
        response_add: lines("customResponseHeaders"),
    }
}

/// Takes a line apart. The error says what is wrong with it, as a verb's phrase.
pub(crate) fn parse(line: &str) -> Result<(HeaderName, Vec<ValuePart>), &'static str> {
    let (name, value) = line.split_once(':').ok_or("has no colon between a name and a value")?;
    let name = header_name::changeable(name.trim()).map_err(|why| match why {
        Unchangeable::Reserved => "changes a header that belongs to the load balancer",
        Unchangeable::NoName => "begins with no name of a header",
    })?;
    let value = value.trim();
    HeaderValue::try_from(value).map_err(|_| "has a value that no header can have")?;
    Ok((name, ValuePart::parse(value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataplane::program::HeaderVariable;

    #[test]
    fn lines_are_taken_apart() {
        let (name, value) = parse("X-Client:  {client_ip_address}:x ").unwrap();
        assert_eq!(name, "x-client");
        assert_eq!(
            value,
            [ValuePart::Variable(HeaderVariable::ClientAddress), ValuePart::Text(":x".to_owned())]
        );
        assert_eq!(parse("X-Empty:").unwrap().1, []);
        for bad in ["x", ": v", "a b: c", "Host: x", "connection: close", "x: a\nb"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
