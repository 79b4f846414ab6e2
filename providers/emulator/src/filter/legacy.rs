//! The old grammar: `FIELD eq REGEX`, `FIELD ne REGEX`, or several of these in parentheses, all of which are meant.
//!
//! Without parentheses and quotes the expression goes on to the end of the filter, spaces and all.

use super::Filter;
use super::lex::Cursor;
use regex::{Regex, RegexBuilder};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What a regular expression may take, compiled. RE2 has such a limit too.
const MAX_REGEX: usize = 1 << 20;

/// Parentheses deeper than this are refused.
const MAX_DEPTH: usize = 20;

/// Whether the first comparison of a filter is one of this grammar.
pub(super) fn begins(text: &str) -> bool {
    let mut cursor = Cursor::new(text);
    cursor.take(|c| c == '(' || c.is_whitespace());
    cursor.field().is_some() && {
        cursor.space();
        cursor.word("eq") || cursor.word("ne")
    }
}

/// Reads a whole filter.
pub(super) fn parse(text: &str) -> Option<Filter> {
    let mut cursor = Cursor::new(text);
    cursor.space();
    let filter =
        if cursor.starts("(") { terms(&mut cursor, 0)? } else { comparison(&mut cursor, Literal::ToTheEnd)? };
    cursor.is_empty().then_some(filter)
}

/// Terms in parentheses, side by side; a term may itself be such a row.
fn terms(cursor: &mut Cursor<'_>, depth: usize) -> Option<Filter> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut all = Vec::new();
    while cursor.symbol("(") {
        cursor.space();
        all.push(if cursor.starts("(") {
            terms(cursor, depth + 1)?
        } else {
            comparison(cursor, Literal::ToTheParenthesis)?
        });
        cursor.space();
        if !cursor.symbol(")") {
            return None;
        }
        cursor.space();
    }
    Some(if all.len() == 1 { all.pop()? } else { Filter::All(all) })
}

/// How far a literal without quotes goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Literal {
    ToTheEnd,
    /// Up to the one that it did not open itself.
    ToTheParenthesis,
}

fn comparison(cursor: &mut Cursor<'_>, literal: Literal) -> Option<Filter> {
    let field = cursor.field()?;
    cursor.space();
    let wanted = if cursor.word("eq") {
        true
    } else if cursor.word("ne") {
        false
    } else {
        return None;
    };
    cursor.space();
    let value = if cursor.starts("\"") || cursor.starts("'") {
        cursor.quoted()?
    } else {
        let bare = match literal {
            Literal::ToTheEnd => cursor.all(),
            Literal::ToTheParenthesis => {
                let mut open = 0_usize;
                cursor.take(|c| match c {
                    '(' => {
                        open += 1;
                        true
                    }
                    ')' if open == 0 => false,
                    ')' => {
                        open -= 1;
                        true
                    }
                    _ => true,
                })
            }
        };
        let bare = bare.trim_end();
        // Two constraints without parentheses are refused, not taken for a text that nothing equals.
        if bare.is_empty() || bare.split_whitespace().any(|word| matches!(word, "AND" | "OR")) {
            return None;
        }
        bare.to_owned()
    };
    Some(Filter::Pattern { field, pattern: whole(&value)?, wanted })
}

/// A regular expression that must match the whole value. Controllers ask with the same one all the time, and compiling costs more than
/// most lists, so the last ones are kept.
fn whole(expression: &str) -> Option<Regex> {
    const KEPT: usize = 64;
    static COMPILED: Mutex<BTreeMap<String, Option<Regex>>> = Mutex::new(BTreeMap::new());
    let compiled = || COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = compiled().get(expression) {
        return known.clone();
    }
    // By itself first: `a)(b` must not become `^(?:a)(b)$`.
    let build = |text: &str| RegexBuilder::new(text).size_limit(MAX_REGEX).build().ok();
    let regex = build(expression).and_then(|_| build(&format!("^(?:{expression})$")));
    let mut compiled = compiled();
    if compiled.len() >= KEPT {
        compiled.clear();
    }
    compiled.insert(expression.to_owned(), regex.clone());
    regex
}
