//! The expressions of security policy rules: a part of the Common Expression Language, as Google documents it for them.
//!
//! What can be parsed has a type at every place, so nothing but a header that is missing can go wrong later. That is an
//! error of the expression, as in the language itself: `&&` and `||` pass over it where the other side decides, and a rule
//! whose expression ends in an error does not match.

pub(super) use self::evaluate::url_decoded;

mod evaluate;
mod lex;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::IpAddr;

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use regex::Regex;

/// An expression that is true or false of a request.
#[derive(Debug, Clone)]
pub struct Expression {
    source: String,
    root: Truth,
    /// Functions that ask what one machine does not know.
    unserved: Vec<String>,
}

/// Equal texts mean the same.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

/// Why a text is no expression, as a sentence's end: "… at character 7".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at character {at}")]
pub struct ExpressionError {
    what: String,
    /// Counted from 1.
    at: usize,
}

/// What an expression may ask of a request.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Where the client is.
    pub client: IpAddr,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// The host the client named.
    pub authority: &'a str,
    /// The method.
    pub method: &'a str,
    /// The path as it was sent.
    pub path: &'a str,
    /// The query without its question mark; empty if there is none.
    pub query: &'a str,
    /// The headers as they were sent.
    pub headers: &'a HeaderMap,
}

impl Expression {
    /// Parses an expression.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(source: &str) -> Result<Self, ExpressionError> {
        parse::whole(source)
    }

    /// Functions it calls that cannot be told here and are false: lists of addresses, preconfigured rules of a web
    /// application firewall.
    #[must_use]
    pub fn unserved(&self) -> &[String] {
        &self.unserved
    }

    /// Whether it is true of a request. An error is not.
    #[must_use]
    pub fn matches(&self, facts: &Facts<'_>) -> bool {
        self.root.evaluate(facts) == Some(true)
    }
}

/// What is true or false.
#[derive(Debug, Clone)]
enum Truth {
    Constant(bool),
    Not(Box<Truth>),
    And(Box<Truth>, Box<Truth>),
    Or(Box<Truth>, Box<Truth>),
    Same(Box<Truth>, Box<Truth>),
    OfTexts(Text, Comparison, Text),
    OfNumbers(Number, Comparison, Number),
    Contains(Text, Text),
    StartsWith(Text, Text),
    EndsWith(Text, Text),
    /// A part of the text matches.
    Matches(Text, Regex),
    InRange(Text, IpNet),
    HasHeader(HeaderName),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone)]
enum Text {
    Literal(String),
    ClientAddress,
    Scheme,
    Method,
    Path,
    Query,
    Header(HeaderName),
    /// What one machine does not know: always empty.
    Unknowable,
    Lower(Box<Text>),
    Upper(Box<Text>),
    UrlDecoded(Box<Text>),
    Base64Decoded(Box<Text>),
    Joined(Box<Text>, Box<Text>),
}

#[derive(Debug, Clone)]
enum Number {
    Literal(i64),
    /// In characters.
    Length(Text),
    /// A text that is a number.
    Read(Text),
}
