//! Path templates: `pathTemplateMatch` and `pathTemplateRewrite`.
//!
//! A template is a path whose segments may begin with an operator: `*` is one segment or the beginning of one, never
//! empty; `**` is any number of segments, none included, so it must be the last operator; `{name}`, `{name=*}`,
//! `{name=**}` and `{name=a/*/b}` are the same and remember what they matched. Text may follow an operator in its
//! segment (`/{file=**}.mpd`), but not stand before it.
//!
//! What the published reference leaves open and is decided here: text is compared byte by byte; as with path rules
//! `/a/**` does not match `/a`; a variable counts among the five operators as what is inside it does, and a variable of
//! plain text counts once.

use std::collections::BTreeMap;
use std::fmt;

use regex::Regex;

/// How many operators a template may have.
const MOST_OPERATORS: usize = 5;
/// How many characters a template may have.
const LONGEST: usize = 1024;
/// How many characters the name of a variable may have.
const LONGEST_NAME: usize = 16;

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathTemplateError {
    /// Empty or too long.
    #[error("must be between 1 and {LONGEST} characters long")]
    Length,
    /// It does not begin with a slash.
    #[error("must begin with '/'")]
    NoSlash,
    /// A brace is not closed, or is closed without having been opened.
    #[error("'{{' and '}}' must come in pairs and must not be nested")]
    Braces,
    /// A variable's name is none.
    #[error(
        "'{0}' is no name of a variable: letters, digits and '_', at most {LONGEST_NAME}, a letter first"
    )]
    Name(String),
    /// Two variables of one name.
    #[error("the variable '{0}' is there twice")]
    Twice(String),
    /// Too many operators.
    #[error("must not have more than {MOST_OPERATORS} operators")]
    Operators,
    /// `**` is followed by another operator.
    #[error("'**' must be the last operator")]
    NotLast,
    /// An operator does not begin its segment.
    #[error("an operator must begin its segment")]
    InSegment,
    /// A character that no path has.
    #[error("must not contain {0:?}")]
    Character(char),
    /// A rewrite names a variable that the template does not have.
    #[error("the variable '{0}' is not in the pathTemplateMatch")]
    UnknownVariable(String),
    /// A rewrite has an operator, which only a match can have.
    #[error("'*' and '=' are only allowed in a match")]
    OperatorInRewrite,
    /// The expression a template becomes is too large. Not met by any template of a legal length.
    #[error("is too complex")]
    Complex,
}

/// A parsed `pathTemplateMatch`.
#[derive(Clone)]
pub struct PathTemplate {
    source: String,
    regex: Regex,
    /// The variables in the order of the expression's groups.
    variables: Vec<String>,
}

/// What the variables of a template stood for in one path.
pub type Captures<'a> = BTreeMap<&'a str, &'a str>;

impl PathTemplate {
    /// Reads a template.
    pub fn parse(source: &str) -> Result<Self, PathTemplateError> {
        let mut reader = Reader { expression: "^".to_owned(), ..Reader::default() };
        check(source)?;
        let mut rest = source;
        while let Some(next) = rest.chars().next() {
            rest = match next {
                '{' => {
                    let (inside, after) = rest[1..].split_once('}').ok_or(PathTemplateError::Braces)?;
                    reader.variable(inside)?;
                    after
                }
                '}' => return Err(PathTemplateError::Braces),
                _ => {
                    let end = rest.find(['{', '}']).unwrap_or(rest.len());
                    reader.pattern(&rest[..end])?;
                    &rest[end..]
                }
            };
        }
        reader.expression.push('$');
        let regex = Regex::new(&reader.expression).map_err(|_| PathTemplateError::Complex)?;
        Ok(Self { source: source.to_owned(), regex, variables: reader.variables })
    }

    /// What the variables stand for if the whole path matches.
    #[must_use]
    pub fn matches<'a>(&'a self, path: &'a str) -> Option<Captures<'a>> {
        let found = self.regex.captures(path)?;
        let groups = found.iter().skip(1).map(|group| group.map_or("", |group| group.as_str()));
        Some(self.variables.iter().map(String::as_str).zip(groups).collect())
    }

    /// The names of its variables, in their order.
    #[must_use]
    pub fn variables(&self) -> &[String] {
        &self.variables
    }
}

impl fmt::Debug for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl PartialEq for PathTemplate {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

fn check(source: &str) -> Result<(), PathTemplateError> {
    if source.is_empty() || source.chars().count() > LONGEST {
        return Err(PathTemplateError::Length);
    }
    if !source.starts_with('/') {
        return Err(PathTemplateError::NoSlash);
    }
    let bad = |c: &char| c.is_control() || c.is_whitespace() || matches!(c, '?' | '#');
    match source.chars().find(bad) {
        Some(bad) => Err(PathTemplateError::Character(bad)),
        None => Ok(()),
    }
}

/// Builds the expression of a template from its beginning to its end.
#[derive(Default)]
struct Reader {
    expression: String,
    variables: Vec<String>,
    operators: usize,
    /// `**` has been met.
    many: bool,
    /// The last thing was a slash, so that an operator may come.
    fresh: bool,
}

impl Reader {
    /// The inside of a pair of braces.
    fn variable(&mut self, inside: &str) -> Result<(), PathTemplateError> {
        let (name, pattern) = inside.split_once('=').unwrap_or((inside, "*"));
        if !is_name(name) || pattern.is_empty() {
            return Err(PathTemplateError::Name(inside.to_owned()));
        }
        if self.variables.iter().any(|known| known == name) {
            return Err(PathTemplateError::Twice(name.to_owned()));
        }
        if pattern.contains('{') {
            return Err(PathTemplateError::Braces);
        }
        if !self.fresh {
            return Err(PathTemplateError::InSegment);
        }
        self.variables.push(name.to_owned());
        let before = self.operators;
        self.expression.push('(');
        self.pattern(pattern)?;
        self.expression.push(')');
        if self.operators == before {
            self.operator()?;
        }
        // A variable of nothing, or one that ends with a slash, opens no new segment.
        self.fresh = false;
        Ok(())
    }

    /// Text and wildcards without variables.
    fn pattern(&mut self, pattern: &str) -> Result<(), PathTemplateError> {
        let mut rest = pattern;
        while let Some(next) = rest.chars().next() {
            if next == '*' {
                if !self.fresh {
                    return Err(PathTemplateError::InSegment);
                }
                self.operator()?;
                rest = if let Some(after) = rest.strip_prefix("**") {
                    self.many = true;
                    self.expression.push_str("(?s:.*)");
                    after
                } else {
                    self.expression.push_str("[^/]+");
                    &rest[1..]
                };
                self.fresh = false;
            } else {
                let end = rest.find('*').unwrap_or(rest.len());
                let text = &rest[..end];
                self.expression.push_str(&regex::escape(text));
                self.fresh = text.ends_with('/');
                rest = &rest[end..];
            }
        }
        Ok(())
    }

    fn operator(&mut self) -> Result<(), PathTemplateError> {
        if self.many {
            return Err(PathTemplateError::NotLast);
        }
        self.operators += 1;
        if self.operators > MOST_OPERATORS { Err(PathTemplateError::Operators) } else { Ok(()) }
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A parsed `pathTemplateRewrite`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTemplateRewrite {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
}

impl PathTemplateRewrite {
    /// Reads a rewrite.
    pub fn parse(source: &str) -> Result<Self, PathTemplateError> {
        check(source)?;
        let mut parts = Vec::new();
        let mut rest = source;
        while !rest.is_empty() {
            if let Some(inside) = rest.strip_prefix('{') {
                let (name, after) = inside.split_once('}').ok_or(PathTemplateError::Braces)?;
                if name.contains(['*', '=']) {
                    return Err(PathTemplateError::OperatorInRewrite);
                }
                if !is_name(name) {
                    return Err(PathTemplateError::Name(name.to_owned()));
                }
                parts.push(Part::Variable(name.to_owned()));
                rest = after;
                continue;
            }
            let end = rest.find('{').unwrap_or(rest.len());
            let text = &rest[..end];
            if text.contains('}') {
                return Err(PathTemplateError::Braces);
            }
            if text.contains('*') {
                return Err(PathTemplateError::OperatorInRewrite);
            }
            parts.push(Part::Text(text.to_owned()));
            rest = &rest[end..];
        }
        Ok(Self { parts })
    }

    /// Whether every variable is one of the template's.
    pub fn check(&self, template: &PathTemplate) -> Result<(), PathTemplateError> {
        let missing = self.parts.iter().find_map(|part| match part {
            Part::Variable(name) if !template.variables.contains(name) => Some(name),
            Part::Variable(_) | Part::Text(_) => None,
        });
        match missing {
            Some(name) => Err(PathTemplateError::UnknownVariable(name.clone())),
            None => Ok(()),
        }
    }

    /// The path with the variables put in; a variable that was not captured is empty.
    #[must_use]
    pub fn apply(&self, captures: &Captures<'_>) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.as_str(),
                Part::Variable(name) => captures.get(name.as_str()).copied().unwrap_or_default(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::PathTemplateError as Wrong;
    use super::*;

    #[test]
    fn what_matches_and_what_is_captured() {
        for (template, path, expected) in [
            ("/a", "/a", Some(&[][..])),
            ("/a", "/a/", None),
            ("/a.b", "/axb", None),
            ("/*", "/x", Some(&[])),
            ("/*", "/", None),
            ("/*", "/x/y", None),
            ("/**", "/", Some(&[])),
            ("/**", "/x/y/", Some(&[])),
            ("/a/**", "/a", None),
            ("/a/**", "/a/", Some(&[])),
            ("/{v}", "/x", Some(&[("v", "x")])),
            ("/{v=*}/z", "/x/z", Some(&[("v", "x")])),
            ("/{v=**}", "/x/y", Some(&[("v", "x/y")])),
            ("/{v=**}", "/", Some(&[("v", "")])),
            ("/{v=a/*/b}/c", "/a/x/b/c", Some(&[("v", "a/x/b")])),
            ("/{v=a/*/b}/c", "/a/b/c", None),
            ("/{v=a/**}", "/a/x/y", Some(&[("v", "a/x/y")])),
            ("/{v=abc}", "/abc", Some(&[("v", "abc")])),
            ("/*/{b}/x", "/1/2/x", Some(&[("b", "2")])),
            ("/{file=**}.mpd", "/a/b.mpd.mpd", Some(&[("file", "a/b.mpd")])),
            ("/*.m4s", "/.m4s", None),
            ("/*.m4s", "/1.m4s", Some(&[])),
            ("/{a}/{b}/{c=**}", "/1/2/3/4", Some(&[("a", "1"), ("b", "2"), ("c", "3/4")])),
            ("/*/*/*/{a}/{b=**}/x", "/1/2/3/4/5/6/x", Some(&[("a", "4"), ("b", "5/6")])),
            ("/A", "/a", None),
        ] {
            let parsed = PathTemplate::parse(template).unwrap();
            let found = parsed.matches(path).map(|found| found.into_iter().collect::<Vec<_>>());
            assert_eq!(found.as_deref(), expected, "{template} {path}");
        }
    }

    #[test]
    fn what_is_no_template() {
        for (template, wrong) in [
            ("", Wrong::Length),
            (&*format!("/{}", "a".repeat(1024)), Wrong::Length),
            ("a", Wrong::NoSlash),
            ("{v}", Wrong::NoSlash),
            ("/{v", Wrong::Braces),
            ("/v}", Wrong::Braces),
            ("/{v={w}}", Wrong::Braces),
            ("/{}", Wrong::Name(String::new())),
            ("/{1}", Wrong::Name("1".to_owned())),
            ("/{a-b}", Wrong::Name("a-b".to_owned())),
            ("/{abcdefghijklmnopq}", Wrong::Name("abcdefghijklmnopq".to_owned())),
            ("/{a}/{a}", Wrong::Twice("a".to_owned())),
            ("/{a=}", Wrong::Name("a=".to_owned())),
            ("/*/*/*/*/*/*", Wrong::Operators),
            ("/{a}/{b}/{c}/{d}/{e}/{f}", Wrong::Operators),
            ("/{a=*/*/*}/{b=*/*/*}", Wrong::Operators),
            ("/**/*", Wrong::NotLast),
            ("/{a=**}/{b}", Wrong::NotLast),
            ("/a*", Wrong::InSegment),
            ("/a{v}", Wrong::InSegment),
            ("/***", Wrong::InSegment),
            ("/*{v}", Wrong::InSegment),
            ("/a?b", Wrong::Character('?')),
            ("/a b", Wrong::Character(' ')),
        ] {
            assert_eq!(PathTemplate::parse(template).unwrap_err(), wrong, "{template}");
        }
    }

    #[test]
    fn rewrites() {
        let template = PathTemplate::parse("/{country}/{format}/{suffix=**}").unwrap();
        let captures = template.matches("/fr/hls/a/b").unwrap();
        for (rewrite, expected) in [
            ("/content/{format}/{country}/{suffix}", "/content/hls/fr/a/b"),
            ("/x", "/x"),
            ("/{country}-{country}", "/fr-fr"),
        ] {
            let rewrite = PathTemplateRewrite::parse(rewrite).unwrap();
            assert_eq!(rewrite.check(&template), Ok(()));
            assert_eq!(rewrite.apply(&captures), expected);
        }
        let other = PathTemplateRewrite::parse("/{other}").unwrap();
        assert_eq!(other.check(&template), Err(Wrong::UnknownVariable("other".to_owned())));
        assert_eq!(other.apply(&captures), "/");
        for (rewrite, wrong) in [
            ("x", Wrong::NoSlash),
            ("/*", Wrong::OperatorInRewrite),
            ("/{a=*}", Wrong::OperatorInRewrite),
            ("/{a", Wrong::Braces),
            ("/a}", Wrong::Braces),
            ("/{a b}", Wrong::Character(' ')),
            ("/{}", Wrong::Name(String::new())),
        ] {
            assert_eq!(PathTemplateRewrite::parse(rewrite), Err(wrong), "{rewrite}");
        }
    }
}
