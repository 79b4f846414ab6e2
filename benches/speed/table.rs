//! Rows in Markdown.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::rest::Hour;
use crate::story::Story;

pub(crate) const HEAD: &str = "\
| story | N | took | bound | ratio | mutations (least) | throttled | failures | waits | other reads | CPU | peak |
|---|--:|--:|--:|--:|--:|--:|--:|--:|---|--:|--:|";

pub(crate) const REST_HEAD: &str = "\
| N | restart: settled after | lists | pages there are | other reads | writes | CPU | peak | an hour of rest: lists | getHealth | other reads | writes | CPU |
|--:|--:|--:|--:|---|--:|--:|--:|--:|--:|---|--:|--:|";

/// One story.
pub(crate) struct Row {
    pub(crate) story: Story,
    pub(crate) n: usize,
    pub(crate) took: Duration,
    pub(crate) bound: Duration,
    pub(crate) least: usize,
    pub(crate) calls: BTreeMap<String, u64>,
    pub(crate) failures: usize,
    pub(crate) cpu: Duration,
    pub(crate) peak: u64,
}

/// A restart, and the rest after it.
pub(crate) struct Rest {
    pub(crate) n: usize,
    pub(crate) settled: Duration,
    pub(crate) cpu: Duration,
    pub(crate) peak: u64,
    pub(crate) start: BTreeMap<String, u64>,
    pub(crate) resting: Hour,
}

const READS: [&str; 9] = [
    "get",
    "list",
    "aggregatedList",
    "getHealth",
    "listInstances",
    "listNetworkEndpoints",
    "wait",
    "validate",
    "testIamPermissions",
];

/// Whether a call, `COLLECTION VERB`, changes something.
pub(crate) fn is_write(call: &str) -> bool {
    !READS.contains(&verb(call))
}

fn verb(call: &str) -> &str {
    call.split(' ').nth(1).unwrap_or_default()
}

/// Global mutations that were let through; those of groups are counted per region.
fn is_global_write(call: &str) -> bool {
    is_write(call)
        && !call.contains("Groups ")
        && !call.starts_with("firewalls ")
        && !call.ends_with(" throttled")
}

fn sum(calls: &BTreeMap<String, u64>, of: impl Fn(&str) -> bool) -> u64 {
    calls.iter().filter(|(call, _)| of(call)).map(|(_, count)| count).sum()
}

fn is_list(call: &str) -> bool {
    matches!(verb(call), "list" | "aggregatedList")
}

/// By verb, without those named.
fn other_reads(calls: &BTreeMap<String, u64>, not: &[&str]) -> String {
    let mut by_verb: BTreeMap<&str, u64> = BTreeMap::new();
    for (call, count) in calls {
        if !is_write(call) && !not.contains(&verb(call)) {
            *by_verb.entry(verb(call)).or_default() += count;
        }
    }
    let words: Vec<_> = by_verb.iter().map(|(verb, count)| format!("{count} {verb}")).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { story, n, took, bound, least, calls, failures, cpu, peak } = self;
        write!(
            f,
            "| {} | {n} | {:.1} s | {:.1} s | {:.2} | {} ({least}) | {} | {failures} | {} | {} | {:.1} s | {peak} MiB |",
            story.word(),
            took.as_secs_f64(),
            bound.as_secs_f64(),
            took.as_secs_f64() / bound.as_secs_f64(),
            sum(calls, is_global_write),
            sum(calls, |call| call.ends_with(" throttled")),
            sum(calls, |call| verb(call) == "wait"),
            other_reads(calls, &["wait"]),
            cpu.as_secs_f64(),
        )
    }
}

impl fmt::Display for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n, settled, cpu, peak, start, resting: Hour { calls: resting, cpu: of_hour } } = self;
        let not = ["list", "aggregatedList", "getHealth"];
        write!(
            f,
            "| {n} | {:.1} s | {} | {} | {} | {} | {:.1} s | {peak} MiB | {} | {} | {} | {} | {:.2} % of a core |",
            settled.as_secs_f64(),
            sum(start, is_list),
            pages(*n),
            other_reads(start, &not),
            sum(start, is_write),
            cpu.as_secs_f64(),
            sum(resting, is_list),
            sum(resting, |call| verb(call) == "getHealth"),
            other_reads(resting, &not),
            sum(resting, is_write),
            of_hour.as_secs_f64() / 36.0,
        )
    }
}

/// Pages of 500: of the six kinds of which each load balancer has one, of its two url maps and two forwarding rules, and of the four that
/// are shared or empty, with the operations.
fn pages(n: usize) -> usize {
    let pages = |n: usize| n.div_ceil(500).max(1);
    pages(n) * 6 + pages(2 * n) * 2 + 4
}
