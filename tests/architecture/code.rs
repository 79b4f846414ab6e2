//! Rust source with everything taken out that is not code.

/// The text without comments and without the contents of string and character literals. Lines stay where they are.
pub(crate) fn code_only(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = comment(rest).or_else(|| literal(rest, &code)).unwrap_or(0);
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            // So that what stands before and after does not become one word.
            code.push(' ');
            code.extend(rest[..length].chars().filter(|c| *c == '\n'));
            rest = &rest[length..];
        }
    }
    code
}

/// The length of the comment that begins here.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if !text.starts_with("/*") {
        return None;
    }
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    Some(text.len())
}

/// The length of the literal that begins here. `before` is the code so far: an `r` at the end of a word begins no raw string.
fn literal(text: &str, before: &str) -> Option<usize> {
    let in_word = before.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| text.starts_with(prefix))?;
    let raw = !in_word && prefix.ends_with('r');
    let opening = &text[if in_word { 0 } else { prefix.len() }..];
    let offset = text.len() - opening.len();
    if raw {
        let hashes = opening.bytes().take_while(|byte| *byte == b'#').count();
        let body = opening[hashes..].strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        let end = body.find(&close).map_or(body.len(), |end| end + close.len());
        return Some(offset + hashes + 1 + end);
    }
    if let Some(body) = opening.strip_prefix('"') {
        return Some(offset + 1 + closing(body, '"'));
    }
    let body = opening.strip_prefix('\'')?;
    // A lifetime has no closing quote right after its first character.
    let mut characters = body.char_indices();
    let (_, first) = characters.next()?;
    let quoted = first == '\\' || characters.next().is_some_and(|(_, second)| second == '\'');
    quoted.then(|| offset + 1 + closing(body, '\''))
}

/// The length up to and with the closing quote that no backslash stands before.
fn closing(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    body.len()
}

/// Whether `code` holds `word` standing by itself: not as a part of a longer identifier.
pub(crate) fn names(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        let starts = !word.starts_with(part) || !before.is_some_and(part);
        let ends = !word.ends_with(part) || !after.is_some_and(part);
        starts && ends
    })
}

/// Every identifier in `code`, with the number of its line.
pub(crate) fn identifiers(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.lines().enumerate().flat_map(|(index, line)| {
        line.split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter(|word| !word.is_empty())
            .map(move |word| (index + 1, word))
    })
}
