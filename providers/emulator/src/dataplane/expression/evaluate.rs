//! What an expression says of a request. Nothing: an error.

use std::borrow::Cow;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, header};

use super::{Comparison, Facts, Number, Text, Truth};

impl Truth {
    pub(super) fn evaluate(&self, facts: &Facts<'_>) -> Option<bool> {
        match self {
            Self::Constant(truth) => Some(*truth),
            Self::Not(truth) => truth.evaluate(facts).map(|truth| !truth),
            // Whichever side decides does so, also beside an error.
            Self::And(left, right) => match left.evaluate(facts) {
                Some(false) => Some(false),
                left => match right.evaluate(facts) {
                    Some(false) => Some(false),
                    right => left.and(right),
                },
            },
            Self::Or(left, right) => match left.evaluate(facts) {
                Some(true) => Some(true),
                left => match right.evaluate(facts) {
                    Some(true) => Some(true),
                    right => left.and(right),
                },
            },
            Self::Same(left, right) => Some(left.evaluate(facts)? == right.evaluate(facts)?),
            Self::OfTexts(left, comparison, right) => {
                Some(comparison.of(&left.evaluate(facts)?, &right.evaluate(facts)?))
            }
            Self::OfNumbers(left, comparison, right) => {
                Some(comparison.of(&left.evaluate(facts)?, &right.evaluate(facts)?))
            }
            Self::Contains(text, part) => {
                Some(text.evaluate(facts)?.contains(part.evaluate(facts)?.as_ref()))
            }
            Self::StartsWith(text, part) => {
                Some(text.evaluate(facts)?.starts_with(part.evaluate(facts)?.as_ref()))
            }
            Self::EndsWith(text, part) => {
                Some(text.evaluate(facts)?.ends_with(part.evaluate(facts)?.as_ref()))
            }
            Self::Matches(text, pattern) => Some(pattern.is_match(&text.evaluate(facts)?)),
            Self::InRange(address, range) => {
                Some(range.contains(&address.evaluate(facts)?.parse::<IpAddr>().ok()?))
            }
            Self::HasHeader(name) => Some(facts.header(name).is_some()),
        }
    }
}

impl Comparison {
    fn of<T: PartialOrd + ?Sized>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

impl Text {
    fn evaluate<'a>(&'a self, facts: &Facts<'a>) -> Option<Cow<'a, str>> {
        Some(match self {
            Self::Literal(text) => text.into(),
            Self::ClientAddress => facts.client.to_string().into(),
            Self::Scheme => facts.scheme.into(),
            Self::Method => facts.method.into(),
            Self::Path => facts.path.into(),
            Self::Query => facts.query.into(),
            Self::Header(name) => facts.header(name)?.into(),
            Self::Unknowable => "".into(),
            Self::Lower(text) => text.evaluate(facts)?.to_ascii_lowercase().into(),
            Self::Upper(text) => text.evaluate(facts)?.to_ascii_uppercase().into(),
            Self::UrlDecoded(text) => url_decoded(&text.evaluate(facts)?).into(),
            Self::Base64Decoded(text) => {
                let bytes = STANDARD.decode(text.evaluate(facts)?.as_bytes()).ok()?;
                String::from_utf8(bytes).ok()?.into()
            }
            Self::Joined(left, right) => {
                format!("{}{}", left.evaluate(facts)?, right.evaluate(facts)?).into()
            }
        })
    }
}

impl Number {
    fn evaluate(&self, facts: &Facts<'_>) -> Option<i64> {
        match self {
            Self::Literal(number) => Some(*number),
            Self::Length(text) => i64::try_from(text.evaluate(facts)?.chars().count()).ok(),
            Self::Read(text) => text.evaluate(facts)?.parse().ok(),
        }
    }
}

impl Facts<'_> {
    /// The lines of a header, joined by commas. HTTP/2 has no `Host` but says it all the same.
    fn header(&self, name: &HeaderName) -> Option<String> {
        if *name == header::HOST && !self.authority.is_empty() {
            return Some(self.authority.to_owned());
        }
        let lines: Vec<_> = self
            .headers
            .get_all(name)
            .iter()
            .map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned())
            .collect();
        (!lines.is_empty()).then(|| lines.join(","))
    }
}

/// Percent signs with two digits stand for bytes, a plus for a space; what is no UTF-8 then is replaced.
pub(in crate::dataplane) fn url_decoded(text: &str) -> String {
    let pair = format!("={}", text.replace('&', "%26"));
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
