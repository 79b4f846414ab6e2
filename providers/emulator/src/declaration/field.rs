//! Fields: name, type, who may write them, defaults and limits.

use serde_json::Value;

/// The fields of one JSON object.
pub(crate) type Fields = &'static [Field];

/// One field of a resource or of an object inside it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Type,
    pub(crate) written: Written,
    pub(crate) presence: Presence,
    pub(crate) limit: Limit,
    pub(crate) since: Since,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Type {
    Text,
    /// 32 bits; a JSON number.
    Integer,
    /// 64 bits; a JSON string on the wire.
    Long,
    Number,
    Flag,
    /// One of a closed set of words.
    Choice(&'static [&'static str]),
    /// A reference to a resource in one of these collections. Stored from `projects/` on, shown as a full URL.
    Link(&'static [&'static str]),
    Object(Fields),
    List(&'static Type),
    Map(&'static Type),
    /// Any JSON, kept as it came.
    Opaque,
}

/// Who may write a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// Insert, update and patch.
    ByRequest,
    /// The server alone; in a request it is ignored.
    ByServer,
    /// A verb such as `setLabels` alone; in an insert, update or patch it is ignored.
    ByVerb,
    /// Requests, but never shown again.
    Secret,
    /// Not part of the body: a parameter of a verb's query.
    InQuery,
}

/// What becomes of a field that a request leaves out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Presence {
    Optional,
    Required,
    Default(Literal),
}

/// A default value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Literal {
    Text(&'static str),
    Integer(i64),
    Flag(bool),
}

impl Literal {
    pub(crate) fn value(self) -> Value {
        match self {
            Self::Text(text) => Value::from(text),
            Self::Integer(number) => Value::from(number),
            Self::Flag(flag) => Value::from(flag),
        }
    }
}

/// The values a field may have, beyond its type.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    None,
    /// Integers, both ends included.
    Range(i64, i64),
    /// Numbers, both ends included.
    Fraction(f64, f64),
    /// Characters of a text.
    Length(usize, usize),
    /// Items of a list.
    Count(usize),
    /// A resource name (RFC 1035).
    Name,
}

/// The oldest version of the API that knows a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    V1,
    Beta,
}

const fn field(name: &'static str, shape: Type) -> Field {
    Field {
        name,
        shape,
        written: Written::ByRequest,
        presence: Presence::Optional,
        limit: Limit::None,
        since: Since::V1,
    }
}

/// A string.
pub(crate) const fn text(name: &'static str) -> Field {
    field(name, Type::Text)
}

/// A 32-bit integer.
pub(crate) const fn integer(name: &'static str) -> Field {
    field(name, Type::Integer)
}

/// A 64-bit integer.
pub(crate) const fn long(name: &'static str) -> Field {
    field(name, Type::Long)
}

/// A double.
pub(crate) const fn number(name: &'static str) -> Field {
    field(name, Type::Number)
}

/// A boolean.
pub(crate) const fn flag(name: &'static str) -> Field {
    field(name, Type::Flag)
}

/// An enum.
pub(crate) const fn choice(name: &'static str, words: &'static [&'static str]) -> Field {
    field(name, Type::Choice(words))
}

/// A reference.
pub(crate) const fn link(name: &'static str, targets: &'static [&'static str]) -> Field {
    field(name, Type::Link(targets))
}

/// A nested object.
pub(crate) const fn object(name: &'static str, fields: Fields) -> Field {
    field(name, Type::Object(fields))
}

/// A list.
pub(crate) const fn list(name: &'static str, of: &'static Type) -> Field {
    field(name, Type::List(of))
}

/// A map from strings.
pub(crate) const fn map(name: &'static str, of: &'static Type) -> Field {
    field(name, Type::Map(of))
}

/// Anything.
pub(crate) const fn opaque(name: &'static str) -> Field {
    field(name, Type::Opaque)
}

impl Field {
    /// The server fills it in; requests cannot.
    pub(crate) const fn output(mut self) -> Self {
        self.written = Written::ByServer;
        self
    }

    /// Only a verb of its own changes it.
    pub(crate) const fn by_verb(mut self) -> Self {
        self.written = Written::ByVerb;
        self
    }

    /// It goes in and never comes out.
    pub(crate) const fn secret(mut self) -> Self {
        self.written = Written::Secret;
        self
    }

    /// It stands in the query of a verb, not in its body.
    pub(crate) const fn in_query(mut self) -> Self {
        self.written = Written::InQuery;
        self
    }

    pub(crate) const fn required(mut self) -> Self {
        self.presence = Presence::Required;
        self
    }

    pub(crate) const fn default_text(mut self, value: &'static str) -> Self {
        self.presence = Presence::Default(Literal::Text(value));
        self
    }

    pub(crate) const fn default_integer(mut self, value: i64) -> Self {
        self.presence = Presence::Default(Literal::Integer(value));
        self
    }

    pub(crate) const fn default_flag(mut self, value: bool) -> Self {
        self.presence = Presence::Default(Literal::Flag(value));
        self
    }

    pub(crate) const fn range(mut self, from: i64, to: i64) -> Self {
        self.limit = Limit::Range(from, to);
        self
    }

    pub(crate) const fn fraction(mut self, from: f64, to: f64) -> Self {
        self.limit = Limit::Fraction(from, to);
        self
    }

    pub(crate) const fn length(mut self, from: usize, to: usize) -> Self {
        self.limit = Limit::Length(from, to);
        self
    }

    pub(crate) const fn at_most(mut self, items: usize) -> Self {
        self.limit = Limit::Count(items);
        self
    }

    pub(crate) const fn named(mut self) -> Self {
        self.limit = Limit::Name;
        self
    }

    /// v1 does not know it.
    pub(crate) const fn beta(mut self) -> Self {
        self.since = Since::Beta;
        self
    }
}

/// A span of time, as every message of the API spells it.
pub(crate) const DURATION: Fields = &[integer("nanos"), long("seconds")];

/// Two lists of fields in one. `N` is their length together.
pub(crate) const fn joined<const N: usize>(first: Fields, second: Fields) -> [Field; N] {
    assert!(N == first.len() + second.len(), "N is the length of both");
    let mut all = [first[0]; N];
    let mut index = 0;
    while index < N {
        all[index] = if index < first.len() { first[index] } else { second[index - first.len()] };
        index += 1;
    }
    all
}

/// The largest value of a 64-bit field.
pub(crate) const INT64_MAX: i64 = i64::MAX;

/// The largest value of a 32-bit field.
pub(crate) const INT32_MAX: i64 = i32::MAX as i64;
