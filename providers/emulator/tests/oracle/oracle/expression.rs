//! Regular expressions, as far as generated maps use them: letters, `\` before a sign, `.`, `[…]`, `(…|…)`, `*`, `+`, `?`.
//! Every way to match is tried in turn.

/// Whether an expression matches the whole of a text.
pub(super) fn whole(expression: &str, text: &str) -> bool {
    let expression: Vec<char> = expression.chars().collect();
    let text: Vec<char> = text.chars().collect();
    ends(&expression, &text, 0).contains(&text.len())
}

/// Where matches of an expression that begin at `from` may end.
fn ends(expression: &[char], text: &[char], from: usize) -> Vec<usize> {
    let mut all = Vec::new();
    for alternative in alternatives(expression) {
        let mut reached = vec![from];
        let mut rest = alternative.as_slice();
        while !rest.is_empty() {
            let (atom, after) = atom(rest);
            let (least, most, after) = match after.first() {
                Some('*') => (0, usize::MAX, &after[1..]),
                Some('+') => (1, usize::MAX, &after[1..]),
                Some('?') => (0, 1, &after[1..]),
                _ => (1, 1, after),
            };
            reached = repeated(atom, least, most, text, reached);
            rest = after;
        }
        all.extend(reached);
    }
    all
}

fn repeated(atom: &[char], least: usize, most: usize, text: &[char], from: Vec<usize>) -> Vec<usize> {
    let mut reached = if least == 0 { from.clone() } else { Vec::new() };
    let mut now = from;
    let mut times = 0;
    while times < most && !now.is_empty() {
        now = now.iter().flat_map(|at| once(atom, text, *at)).collect();
        times += 1;
        now.retain(|at| !reached.contains(at));
        if times >= least {
            reached.extend(&now);
        }
    }
    reached.sort_unstable();
    reached.dedup();
    reached
}

fn once(atom: &[char], text: &[char], at: usize) -> Vec<usize> {
    if atom[0] == '(' {
        return ends(&atom[1..atom.len() - 1], text, at);
    }
    let Some(letter) = text.get(at) else { return Vec::new() };
    let fits = match atom {
        ['.'] => true,
        ['\\', sign] => sign == letter,
        ['[', inside @ .., ']'] => in_class(inside, *letter),
        [plain] => plain == letter,
        other => panic!("{other:?}"),
    };
    if fits { vec![at + 1] } else { Vec::new() }
}

fn in_class(inside: &[char], letter: char) -> bool {
    let mut at = 0;
    while at < inside.len() {
        if at + 2 < inside.len() && inside[at + 1] == '-' {
            if inside[at] <= letter && letter <= inside[at + 2] {
                return true;
            }
            at += 3;
        } else {
            if inside[at] == letter {
                return true;
            }
            at += 1;
        }
    }
    false
}

/// The first atom of an expression, and what follows it.
fn atom(expression: &[char]) -> (&[char], &[char]) {
    let length = match expression[0] {
        '\\' => 2,
        '[' => 1 + expression.iter().position(|c| *c == ']').expect("classes are closed"),
        '(' => {
            let mut depth = 0;
            let mut end = 0;
            for (at, letter) in expression.iter().enumerate() {
                match letter {
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    end = at + 1;
                    break;
                }
            }
            end
        }
        _ => 1,
    };
    expression.split_at(length)
}

fn alternatives(expression: &[char]) -> Vec<Vec<char>> {
    let mut all = vec![Vec::new()];
    let mut depth = 0;
    for letter in expression {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            '|' if depth == 0 => {
                all.push(Vec::new());
                continue;
            }
            _ => {}
        }
        all.last_mut().expect("there is one").push(*letter);
    }
    all
}

#[test]
fn expressions() {
    for (expression, text, expected) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a.c", "abc", true),
        ("a*", "", true),
        ("a*b", "aaab", true),
        ("(ab)+", "abab", true),
        ("(ab)+", "aba", false),
        ("a|bc", "bc", true),
        ("x(a|b)?y", "xy", true),
        ("x(a|b)?y", "xaby", false),
        ("[0-9a]+", "1a2", true),
        ("[0-9]+", "1b", false),
        ("a\\.b", "a.b", true),
        ("a\\.b", "axb", false),
    ] {
        assert_eq!(whole(expression, text), expected, "{expression} {text}");
    }
}
