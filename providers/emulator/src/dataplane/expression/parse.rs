//! From words to an expression, with a type at every place.

use http::HeaderName;
use ipnet::IpNet;
use regex::RegexBuilder;
use std::net::IpAddr;

use super::lex::{Token, tokens};
use super::{Comparison, Expression, ExpressionError, Number, Text, Truth};

/// How long an expression may be, in characters. Google's limit.
const LONGEST: usize = 2048;
/// How many expressions `&&` and `||` may join. Google's limit.
const MOST_JOINED: usize = 5;
/// How deep brackets may go. Ours: so deep nobody writes, and the stack stays small.
const DEEPEST: usize = 32;
/// What a regular expression may come to, in bytes.
const LARGEST_PATTERN: usize = 1 << 20;

/// Functions that ask lists and rules that are kept elsewhere.
const UNSERVED: &[&str] = &[
    "evaluateAddressGroup",
    "evaluateAdaptiveProtection",
    "evaluateAdaptiveProtectionAutoDeploy",
    "evaluateOrganizationAddressGroup",
    "evaluatePreconfiguredExpr",
    "evaluatePreconfiguredWaf",
    "evaluateThreatIntelligence",
];

pub(super) fn whole(source: &str) -> Result<Expression, ExpressionError> {
    if source.chars().count() > LONGEST {
        let what = format!("the expression is longer than {LONGEST} characters");
        return Err(ExpressionError { what, at: LONGEST });
    }
    let mut parser = Parser { tokens: tokens(source)?, next: 0, depth: 0, joined: 1, unserved: Vec::new() };
    let root = parser.value()?;
    let root = parser.truth(root)?;
    if *parser.peek() != Token::End {
        return Err(parser.error("expected the end, or an operator"));
    }
    if parser.joined > MOST_JOINED {
        return Err(parser.error(&format!("more than {MOST_JOINED} expressions are joined")));
    }
    Ok(Expression { source: source.to_owned(), root, unserved: parser.unserved })
}

/// A part, with its type.
enum Value {
    Truth(Truth),
    Text(Text),
    Number(Number),
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Self::Truth(_) => "true or false",
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
        }
    }
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    next: usize,
    depth: usize,
    joined: usize,
    unserved: Vec<String>,
}

type Parsed<T> = Result<T, ExpressionError>;

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(token, _)| token)
    }

    fn error(&self, what: &str) -> ExpressionError {
        let at = self.tokens.get(self.next).or(self.tokens.last()).map_or(1, |(_, at)| *at);
        ExpressionError { what: what.to_owned(), at }
    }

    /// Whether the next word is a sign; it is taken if so.
    fn took(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(found) if *found == sign);
        self.next += usize::from(found);
        found
    }

    fn take(&mut self, sign: &str) -> Parsed<()> {
        if self.took(sign) { Ok(()) } else { Err(self.error(&format!("expected `{sign}`"))) }
    }

    fn word(&mut self) -> Parsed<String> {
        let Token::Word(word) = self.peek().clone() else { return Err(self.error("expected a name")) };
        self.next += 1;
        Ok(word)
    }

    fn literal(&mut self) -> Parsed<String> {
        let Token::Text(text) = self.peek().clone() else {
            return Err(self.error("expected a text between quotes"));
        };
        self.next += 1;
        Ok(text)
    }

    fn truth(&self, value: Value) -> Parsed<Truth> {
        match value {
            Value::Truth(truth) => Ok(truth),
            other => {
                Err(self.error(&format!("expected what is true or false before here, not {}", other.kind())))
            }
        }
    }

    fn text(&self, value: Value) -> Parsed<Text> {
        match value {
            Value::Text(text) => Ok(text),
            other => Err(self.error(&format!("expected a text before here, not {}", other.kind()))),
        }
    }

    /// `||` binds loosest.
    fn value(&mut self) -> Parsed<Value> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error("brackets go too deep"));
        }
        let mut left = self.conjunction()?;
        while self.took("||") {
            self.joined += 1;
            let right = self.conjunction()?;
            left = Value::Truth(Truth::Or(Box::new(self.truth(left)?), Box::new(self.truth(right)?)));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn conjunction(&mut self) -> Parsed<Value> {
        let mut left = self.relation()?;
        while self.took("&&") {
            self.joined += 1;
            let right = self.relation()?;
            left = Value::Truth(Truth::And(Box::new(self.truth(left)?), Box::new(self.truth(right)?)));
        }
        Ok(left)
    }

    fn relation(&mut self) -> Parsed<Value> {
        let left = self.sum()?;
        let comparison = match self.peek() {
            Token::Sign("==") => Comparison::Equal,
            Token::Sign("!=") => Comparison::NotEqual,
            Token::Sign("<") => Comparison::Less,
            Token::Sign("<=") => Comparison::LessOrEqual,
            Token::Sign(">") => Comparison::Greater,
            Token::Sign(">=") => Comparison::GreaterOrEqual,
            _ => return Ok(left),
        };
        self.next += 1;
        let right = self.sum()?;
        let truth = match (left, right, comparison) {
            (Value::Text(left), Value::Text(right), comparison) => Truth::OfTexts(left, comparison, right),
            (Value::Number(left), Value::Number(right), comparison) => {
                Truth::OfNumbers(left, comparison, right)
            }
            (Value::Truth(left), Value::Truth(right), Comparison::Equal) => {
                Truth::Same(Box::new(left), Box::new(right))
            }
            (Value::Truth(left), Value::Truth(right), Comparison::NotEqual) => {
                Truth::Not(Box::new(Truth::Same(Box::new(left), Box::new(right))))
            }
            (left, right, _) => {
                let what = format!("{} cannot be compared so with {} before here", left.kind(), right.kind());
                return Err(self.error(&what));
            }
        };
        Ok(Value::Truth(truth))
    }

    fn sum(&mut self) -> Parsed<Value> {
        let mut left = self.unary()?;
        while self.took("+") {
            let right = self.unary()?;
            left = Value::Text(Text::Joined(Box::new(self.text(left)?), Box::new(self.text(right)?)));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<Value> {
        let mut turned = false;
        let mut turns = 0;
        while self.took("!") {
            turned = !turned;
            turns += 1;
        }
        if turns == 0 {
            return self.member();
        }
        let value = self.member()?;
        let truth = self.truth(value)?;
        Ok(Value::Truth(if turned { Truth::Not(Box::new(truth)) } else { truth }))
    }

    /// Something, and the functions that are asked of it.
    fn member(&mut self) -> Parsed<Value> {
        let mut value = self.primary()?;
        while self.took(".") {
            value = self.method(value)?;
        }
        Ok(value)
    }

    fn method(&mut self, of: Value) -> Parsed<Value> {
        let text = self.text(of)?;
        let name = self.word()?;
        self.take("(")?;
        let value = match name.as_str() {
            "contains" | "startsWith" | "endsWith" => {
                let argument = self.value()?;
                let argument = self.text(argument)?;
                Value::Truth(match name.as_str() {
                    "contains" => Truth::Contains(text, argument),
                    "startsWith" => Truth::StartsWith(text, argument),
                    _ => Truth::EndsWith(text, argument),
                })
            }
            "matches" => {
                let source = self.literal()?;
                let pattern = RegexBuilder::new(&source).size_limit(LARGEST_PATTERN).build();
                let pattern =
                    pattern.map_err(|_| self.error("the regular expression before here is none"))?;
                Value::Truth(Truth::Matches(text, pattern))
            }
            "lower" => Value::Text(Text::Lower(Box::new(text))),
            "upper" => Value::Text(Text::Upper(Box::new(text))),
            "urlDecode" | "urlDecodeUni" => Value::Text(Text::UrlDecoded(Box::new(text))),
            "base64Decode" => Value::Text(Text::Base64Decoded(Box::new(text))),
            "size" => Value::Number(Number::Length(text)),
            _ => return Err(self.error(&format!("there is no function `{name}` of a text before here"))),
        };
        self.take(")")?;
        Ok(value)
    }

    fn primary(&mut self) -> Parsed<Value> {
        if self.took("(") {
            let value = self.value()?;
            self.take(")")?;
            return Ok(value);
        }
        if self.took("-") {
            let Token::Number(number) = *self.peek() else { return Err(self.error("expected a number")) };
            self.next += 1;
            return Ok(Value::Number(Number::Literal(-number)));
        }
        match self.peek().clone() {
            Token::Text(text) => {
                self.next += 1;
                Ok(Value::Text(Text::Literal(text)))
            }
            Token::Number(number) => {
                self.next += 1;
                Ok(Value::Number(Number::Literal(number)))
            }
            Token::Word(word) => {
                self.next += 1;
                self.named(&word)
            }
            Token::Sign(_) | Token::End => Err(self.error("expected a value")),
        }
    }

    fn named(&mut self, word: &str) -> Parsed<Value> {
        match word {
            "true" => Ok(Value::Truth(Truth::Constant(true))),
            "false" => Ok(Value::Truth(Truth::Constant(false))),
            "request" | "origin" | "token" => self.attribute(word),
            function => {
                self.take("(")?;
                let value = self.function(function)?;
                self.take(")")?;
                Ok(value)
            }
        }
    }

    fn attribute(&mut self, of: &str) -> Parsed<Value> {
        self.take(".")?;
        let name = self.word()?;
        let text = match (of, name.as_str()) {
            ("request", "method") => Text::Method,
            ("request", "path") => Text::Path,
            ("request", "query") => Text::Query,
            ("request", "scheme") => Text::Scheme,
            ("request", "headers") => Text::Header(self.header()?),
            // Nothing says who a proxy before the client stands for, so the client is the user.
            ("origin", "ip" | "user_ip") => Text::ClientAddress,
            ("origin", "region_code" | "tls_ja3_fingerprint" | "tls_ja4_fingerprint") => Text::Unknowable,
            ("origin", "asn") => return Ok(Value::Number(Number::Literal(0))),
            _ => return Err(self.error(&format!("there is no attribute `{of}.{name}` before here"))),
        };
        Ok(Value::Text(text))
    }

    /// `['name']`.
    fn header(&mut self) -> Parsed<HeaderName> {
        self.take("[")?;
        let name = self.literal()?;
        self.take("]")?;
        HeaderName::try_from(name).map_err(|_| self.error("what stands before here is no header's name"))
    }

    fn function(&mut self, name: &str) -> Parsed<Value> {
        match name {
            "inIpRange" => {
                let address = self.value()?;
                let address = self.text(address)?;
                self.take(",")?;
                let range = self.literal()?;
                let range = range
                    .parse::<IpNet>()
                    .ok()
                    .or_else(|| range.parse::<IpAddr>().ok().map(IpNet::from))
                    .ok_or_else(|| self.error("what stands before here is no range of addresses"))?;
                Ok(Value::Truth(Truth::InRange(address, range)))
            }
            "has" => {
                let value = self.value()?;
                match value {
                    Value::Text(Text::Header(name)) => Ok(Value::Truth(Truth::HasHeader(name))),
                    _ => Err(self.error("`has` asks for a header: has(request.headers['name'])")),
                }
            }
            "int" => {
                let value = self.value()?;
                Ok(Value::Number(Number::Read(self.text(value)?)))
            }
            "size" => {
                let value = self.value()?;
                Ok(Value::Number(Number::Length(self.text(value)?)))
            }
            name if UNSERVED.contains(&name) => {
                self.unserved.push(name.to_owned());
                self.arguments(")")?;
                Ok(Value::Truth(Truth::Constant(false)))
            }
            _ => Err(self.error(&format!("there is no function `{name}` before here"))),
        }
    }

    /// Values of any kind, lists and maps of them, up to a sign, which stays.
    fn arguments(&mut self, end: &'static str) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error("brackets go too deep"));
        }
        while *self.peek() != Token::Sign(end) {
            if self.took("[") {
                self.arguments("]")?;
                self.take("]")?;
            } else if self.took("{") {
                self.arguments("}")?;
                self.take("}")?;
            } else {
                self.value()?;
            }
            if !self.took(",") && !self.took(":") && *self.peek() != Token::Sign(end) {
                return Err(self.error(&format!("expected `,` or `{end}`")));
            }
        }
        self.depth -= 1;
        Ok(())
    }
}
