//! An expression's words.

use super::ExpressionError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    Text(String),
    Number(i64),
    /// An operator or a bracket.
    Sign(&'static str),
    End,
}

/// The longer ones first.
const SIGNS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", "{", "}", ".", ",", ":", "+", "-",
];

/// The words with the characters at which they begin, counted from 1; the last is the end.
pub(super) fn tokens(source: &str) -> Result<Vec<(Token, usize)>, ExpressionError> {
    let mut tokens = Vec::new();
    let mut rest = source;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let at = source[..source.len() - rest.len()].chars().count() + 1;
        let error = |what: &str| ExpressionError { what: what.to_owned(), at };
        let Some(first) = rest.chars().next() else {
            tokens.push((Token::End, at));
            return Ok(tokens);
        };
        let raw = first == 'r' && rest[1..].starts_with(['\'', '"']);
        let (token, after) = if raw || first == '\'' || first == '"' {
            let quoted = if raw { &rest[1..] } else { rest };
            let (text, after) = quoted_text(quoted, raw).ok_or_else(|| error("a text has no end"))?;
            (Token::Text(text.map_err(|what| error(&what))?), after)
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            (Token::Word(rest[..end].to_owned()), &rest[end..])
        } else if first.is_ascii_digit() {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let number = rest[..end].parse().map_err(|_| error("a number is too large"))?;
            (Token::Number(number), &rest[end..])
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            let sign = sign.ok_or_else(|| error(&format!("unexpected {first:?}")))?;
            (Token::Sign(sign), &rest[sign.len()..])
        };
        tokens.push((token, at));
        rest = after;
    }
}

/// A text between quotes, and what comes after it; none if it does not end. A raw text knows no escapes.
fn quoted_text(quoted: &str, raw: bool) -> Option<(Result<String, String>, &str)> {
    let mut characters = quoted.char_indices();
    let (_, quote) = characters.next()?;
    let mut text = String::new();
    let mut wrong = None;
    while let Some((at, character)) = characters.next() {
        if character == quote {
            let after = &quoted[at + quote.len_utf8()..];
            return Some((wrong.map_or(Ok(text), Err), after));
        }
        if character != '\\' || raw {
            text.push(character);
            continue;
        }
        let (_, escaped) = characters.next()?;
        match escaped {
            '\\' | '\'' | '"' | '`' | '?' => text.push(escaped),
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            other => wrong = wrong.or_else(|| Some(format!("the escape \\{other} is not known"))),
        }
    }
    None
}
