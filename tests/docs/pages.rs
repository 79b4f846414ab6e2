//! Pages and sources, and what can be found in them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use regex::Regex;

/// A file: its path from the root of the repository, and its text.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Every page of documentation.
pub(crate) fn pages() -> Vec<Page> {
    let found = files("", "md");
    assert!(found.len() > 15, "only {} pages were found: is this the repository?", found.len());
    found
}

/// Every Rust source below a folder, without those of tests.
pub(crate) fn sources(folder: &str) -> Vec<Page> {
    let all = files(folder, "rs").into_iter();
    all.filter(|file| !file.name.contains("/tests")).map(Page::without_tests).collect()
}

pub(crate) fn page(name: &str) -> Page {
    let text = std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    Page { name: name.to_owned(), text }
}

pub(crate) fn source(name: &str) -> Page {
    page(name).without_tests()
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files with that extension below a folder, in the order of their names. What git ignores and what is hidden is not looked at.
pub(crate) fn files(folder: &str, extension: &str) -> Vec<Page> {
    let mut todo = vec![root().join(folder)];
    let mut found: Vec<PathBuf> = Vec::new();
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                todo.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found.iter().map(|path| page(&path.strip_prefix(root()).unwrap().to_string_lossy())).collect()
}

impl Page {
    /// The part under a heading, up to the next one of the same or a higher level.
    pub(crate) fn section(&self, heading: &str) -> Self {
        let level = heading.bytes().take_while(|byte| *byte == b'#').count();
        let mut lines = self.text.lines().skip_while(|line| *line != heading);
        assert!(lines.next().is_some(), "{} has no heading {heading:?}", self.name);
        let ends = |line: &str| {
            let hashes = line.bytes().take_while(|byte| *byte == b'#').count();
            (1..=level).contains(&hashes) && line[hashes..].starts_with(' ')
        };
        let mut fenced = false;
        let part: Vec<&str> = lines
            .take_while(|line| {
                fenced ^= line.starts_with("```");
                fenced || !ends(line)
            })
            .collect();
        Self { name: self.name.clone(), text: part.join("\n") }
    }

    /// What stands in code style in the first cells of tables.
    pub(crate) fn first_cells(&self) -> BTreeSet<String> {
        self.captured(r"(?m)^\| `([^`]+)` \|")
    }

    /// Those of them that have the form of a reason: `ChangeFailed`.
    pub(crate) fn reasons(&self) -> BTreeSet<String> {
        self.captured(r"(?m)^\| `((?:[A-Z][a-z]+)+)` \|")
    }

    pub(crate) fn captured(&self, pattern: &str) -> BTreeSet<String> {
        let pattern = Regex::new(pattern).unwrap();
        pattern.captures_iter(&self.text).map(|found| found[1].to_owned()).collect()
    }

    pub(crate) fn matches(&self, pattern: &str) -> Vec<String> {
        Regex::new(pattern).unwrap().find_iter(&self.text).map(|found| found.as_str().to_owned()).collect()
    }

    /// The lines of every fenced block in that language.
    pub(crate) fn fenced(&self, language: &str) -> Vec<String> {
        let opening = format!("```{language}");
        let mut within = false;
        let mut found = Vec::new();
        for line in self.text.lines() {
            match (within, line) {
                (false, line) if line == opening => within = true,
                (true, "```") => within = false,
                (true, line) => found.push(line.to_owned()),
                (false, _) => {}
            }
        }
        found
    }

    /// Relative links that lead to no file, or to no heading of it.
    pub(crate) fn broken_links(&self) -> Vec<String> {
        let folder = root().join(&self.name).parent().unwrap().to_owned();
        let mut broken = Vec::new();
        for link in self.without_code().captured(r"\]\(([^)\s]+)\)") {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) =
                link.split_once('#').map_or((link.as_str(), None), |(path, at)| (path, Some(at)));
            let target = if path.is_empty() { root().join(&self.name) } else { folder.join(path) };
            let found = target.exists()
                && anchor.is_none_or(|anchor| {
                    std::fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(anchor))
                });
            if !found {
                broken.push(format!("{}: {link} leads nowhere", self.name));
            }
        }
        broken
    }

    fn without_code(&self) -> Self {
        let text = Regex::new(r"(?ms)^```.*?^```|`[^`\n]*`").unwrap().replace_all(&self.text, "`");
        Self { name: self.name.clone(), text: text.into_owned() }
    }

    fn without_tests(self) -> Self {
        let text = self.text.split("\n#[cfg(test)]\nmod ").next().unwrap().to_owned();
        Self { text, ..self }
    }
}

/// What a `#` can lead to in a page: its headings, as forges write them in addresses.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut fenced = false;
    text.lines()
        .filter(|line| {
            fenced ^= line.starts_with("```");
            !fenced && line.starts_with('#')
        })
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}
