//! Path templates, matched character by character with every way to split the path tried in turn, the longest first.

/// One step of a template.
#[derive(Debug, Clone)]
enum Step {
    Letter(char),
    /// `*`: at least one character, none of them a slash.
    Star,
    /// `**`: any characters.
    Stars,
    Begin(String),
    End,
}

/// The variables, if the whole path matches.
pub(super) fn captures(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    let steps = steps(template);
    let path: Vec<char> = path.chars().collect();
    let mut found = Vec::new();
    walk(&steps, &path, 0, None, &mut found).then_some(found)
}

fn steps(template: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = template.to_owned();
    while !rest.is_empty() {
        if rest.starts_with('{') {
            let close = rest.find('}').expect("generated templates are sound");
            let inside = rest[1..close].to_owned();
            rest = rest[close + 1..].to_owned();
            let (name, pattern) = match inside.find('=') {
                Some(at) => (inside[..at].to_owned(), inside[at + 1..].to_owned()),
                None => (inside.clone(), "*".to_owned()),
            };
            steps.push(Step::Begin(name));
            steps.extend(self::steps(&pattern));
            steps.push(Step::End);
        } else if rest.starts_with("**") {
            steps.push(Step::Stars);
            rest = rest[2..].to_owned();
        } else if rest.starts_with('*') {
            steps.push(Step::Star);
            rest = rest[1..].to_owned();
        } else {
            let letter = rest.chars().next().expect("it is not empty");
            steps.push(Step::Letter(letter));
            rest = rest[letter.len_utf8()..].to_owned();
        }
    }
    steps
}

fn walk(
    steps: &[Step],
    path: &[char],
    at: usize,
    open: Option<(String, usize)>,
    found: &mut Vec<(String, String)>,
) -> bool {
    let Some((step, later)) = steps.split_first() else { return at == path.len() };
    match step {
        Step::Letter(letter) => path.get(at) == Some(letter) && walk(later, path, at + 1, open, found),
        Step::Begin(name) => walk(later, path, at, Some((name.clone(), at)), found),
        Step::End => {
            let (name, begun) = open.expect("it was begun");
            found.push((name, path[begun..at].iter().collect()));
            let good = walk(later, path, at, None, found);
            if !good {
                found.pop();
            }
            good
        }
        Step::Star | Step::Stars => {
            let least = usize::from(matches!(step, Step::Star));
            for end in (at + least..=path.len()).rev() {
                let passable = matches!(step, Step::Stars) || !path[at..end].contains(&'/');
                if passable && walk(later, path, end, open.clone(), found) {
                    return true;
                }
            }
            false
        }
    }
}
