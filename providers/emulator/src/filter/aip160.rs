//! The grammar of AIP-160, as far as Compute takes it: every comparison names a field and an operator.
//!
//! ```text
//! expression = sequence { "AND" sequence }
//! sequence   = factor { factor }              side by side: all are meant
//! factor     = term { "OR" term }             OR binds tighter than AND
//! term       = [ "NOT" | "-" ] ( comparison | "(" expression ")" )
//! comparison = field ( "=" | "!=" | "<" | "<=" | ">" | ">=" | ":" ) value
//! ```

use super::Filter;
use super::compare::{Comparison, Wanted};
use super::lex::Cursor;

/// Parentheses and negations deeper than this are refused.
const MAX_DEPTH: usize = 20;

/// Reads a whole filter.
pub(super) fn parse(text: &str) -> Option<Filter> {
    let mut cursor = Cursor::new(text);
    let filter = expression(&mut cursor, 0)?;
    cursor.is_empty().then_some(filter)
}

fn expression(cursor: &mut Cursor<'_>, depth: usize) -> Option<Filter> {
    let mut all = vec![factor(cursor, depth)?];
    loop {
        cursor.space();
        if cursor.is_empty() || cursor.starts(")") {
            return Some(if all.len() == 1 { all.pop()? } else { Filter::All(all) });
        }
        // Sequences and AND mean the same.
        cursor.word("AND");
        all.push(factor(cursor, depth)?);
    }
}

fn factor(cursor: &mut Cursor<'_>, depth: usize) -> Option<Filter> {
    let mut any = vec![term(cursor, depth)?];
    loop {
        cursor.space();
        if !cursor.word("OR") {
            return Some(if any.len() == 1 { any.pop()? } else { Filter::Any(any) });
        }
        any.push(term(cursor, depth)?);
    }
}

fn term(cursor: &mut Cursor<'_>, depth: usize) -> Option<Filter> {
    if depth > MAX_DEPTH {
        return None;
    }
    cursor.space();
    if cursor.word("NOT") || cursor.symbol("-") {
        return Some(Filter::Not(Box::new(term(cursor, depth + 1)?)));
    }
    if cursor.symbol("(") {
        let inner = expression(cursor, depth + 1)?;
        cursor.space();
        return cursor.symbol(")").then_some(inner);
    }
    comparison(cursor)
}

const OPERATORS: [(&str, Comparison); 7] = [
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("=", Comparison::Equal),
    (":", Comparison::Has),
];

fn comparison(cursor: &mut Cursor<'_>) -> Option<Filter> {
    let field = cursor.field()?;
    cursor.space();
    let (_, comparison) = *OPERATORS.iter().find(|(symbol, _)| cursor.symbol(symbol))?;
    cursor.space();
    let wanted = if cursor.starts("\"") || cursor.starts("'") {
        Wanted::new(&cursor.quoted()?)
    } else {
        let bare = cursor.take(|c| !c.is_whitespace() && !"()\"',<>=!~".contains(c));
        if bare.is_empty() || matches!(bare, "AND" | "OR" | "NOT") {
            return None;
        }
        Wanted::new(bare)
    };
    Some(Filter::Compare { field, comparison, wanted })
}
