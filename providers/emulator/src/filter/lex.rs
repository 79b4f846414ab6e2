//! What both grammars of filters are made of: field names, words, symbols, quoted text.

/// The part of a filter that has not been read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a str,
}

/// Field names are no deeper than any body.
const MAX_STEPS: usize = 32;

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    pub(super) fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Whether nothing but space is left.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.trim_start().is_empty()
    }

    pub(super) fn starts(&self, symbol: &str) -> bool {
        self.rest.starts_with(symbol)
    }

    /// Takes a symbol, if it comes next.
    pub(super) fn symbol(&mut self, symbol: &str) -> bool {
        match self.rest.strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes a keyword, if it comes next and ends there.
    pub(super) fn word(&mut self, word: &str) -> bool {
        match self.rest.strip_prefix(word) {
            Some(rest)
                if rest.is_empty()
                    || rest.starts_with(|c: char| c.is_whitespace() || "()\"'".contains(c)) =>
            {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Takes as much as `belongs` says.
    pub(super) fn take(&mut self, mut belongs: impl FnMut(char) -> bool) -> &'a str {
        let end = self.rest.find(|c: char| !belongs(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Takes the rest.
    pub(super) fn all(&mut self) -> &'a str {
        std::mem::take(&mut self.rest)
    }

    /// A dotted field name; a step may be quoted: `labels."my key"`.
    pub(super) fn field(&mut self) -> Option<Vec<String>> {
        let mut steps = Vec::new();
        loop {
            let step = if self.starts("\"") || self.starts("'") {
                self.quoted()?
            } else {
                let name = self.take(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
                if name.is_empty() || name.starts_with('-') {
                    return None;
                }
                name.to_owned()
            };
            steps.push(step);
            if steps.len() > MAX_STEPS {
                return None;
            }
            if !self.symbol(".") {
                return Some(steps);
            }
        }
    }

    /// Quoted text, if a quote comes next: what stands between, where a backslash before the quote is taken away. Any other
    /// backslash stays: it may belong to a regular expression.
    pub(super) fn quoted(&mut self) -> Option<String> {
        let quote = self.rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let inner = self.rest.get(1..)?;
        let mut value = String::new();
        let mut chars = inner.char_indices();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.rest = inner.get(at + 1..)?;
                return Some(value);
            }
            if c == '\\' {
                let (_, escaped) = chars.next()?;
                if escaped != quote {
                    value.push('\\');
                }
                value.push(escaped);
            } else {
                value.push(c);
            }
        }
        None
    }
}
