//! What no controller can beat: the fewest mutations, begun as early as the chain of operations and the quota's windows admit.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::story::Story;

/// A mutation of one load balancer, and which others of it have to be done before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) after: &'static [usize],
}

const fn step(name: &'static str, after: &'static [usize]) -> Step {
    Step { name, after }
}

/// Global mutations that a new HTTPS Ingress with a Service of its own needs. Members of groups, instance groups and the firewall rule are
/// shared, or counted per region.
const CREATE: [Step; 10] = [
    step("health check", &[]),
    step("backend service", &[0]),
    step("url map", &[1]),
    step("certificate", &[]),
    step("HTTPS proxy", &[2, 3]),
    step("url map of the redirect", &[]),
    step("HTTP proxy", &[5]),
    step("address", &[]),
    step("forwarding rule of :443", &[4, 7]),
    step("forwarding rule of :80", &[6, 7]),
];

const RULE: [Step; 1] = [step("url map patched", &[])];

const ROTATE: [Step; 3] = [
    step("certificate made", &[]),
    step("HTTPS proxy set to it", &[0]),
    step("old certificate deleted", &[1]),
];

const DELETE: [Step; 10] = [
    step("forwarding rule of :443", &[]),
    step("forwarding rule of :80", &[]),
    step("HTTPS proxy", &[0]),
    step("HTTP proxy", &[1]),
    step("address", &[0, 1]),
    step("certificate", &[2]),
    step("url map", &[2]),
    step("url map of the redirect", &[3]),
    step("backend service", &[6]),
    step("health check", &[8]),
];

pub(crate) const fn steps(story: Story) -> &'static [Step] {
    match story {
        Story::Create => &CREATE,
        Story::Rule => &RULE,
        Story::Rotate => &ROTATE,
        Story::Delete => &DELETE,
    }
}

/// For people: what is counted.
pub(crate) fn formulas() -> String {
    let formula = |story| {
        let names: Vec<_> = steps(story).iter().map(|step| step.name).collect();
        format!("* {}: {}·N ({})", story.word(), names.len(), names.join(", "))
    };
    let formulas: Vec<String> = Story::ALL.into_iter().map(formula).collect();
    format!("The least number of global mutations, for N load balancers:\n\n{}\n", formulas.join("\n"))
}

/// How long the last of all steps ends after the start, if the quota is used up until `opens` and each minute after it admits `per_minute`.
///
/// Of what could begin, that goes first which has the longest chain behind it.
pub(crate) fn bound(
    steps: &[Step],
    n: usize,
    latency: Duration,
    per_minute: u32,
    opens: Duration,
) -> Duration {
    let tails = tails(steps);
    let mut waits: Vec<Vec<usize>> = vec![steps.iter().map(|step| step.after.len()).collect(); n];
    let mut ready: BinaryHeap<(usize, Reverse<usize>, usize)> = BinaryHeap::new();
    for balancer in 0..n {
        for (at, step) in steps.iter().enumerate() {
            if step.after.is_empty() {
                ready.push((tails[at], Reverse(balancer), at));
            }
        }
    }
    let mut under_way: BinaryHeap<Reverse<(Duration, usize, usize)>> = BinaryHeap::new();
    let (mut now, mut window, mut left) = (opens, opens, per_minute);
    loop {
        while left > 0
            && let Some((_, Reverse(balancer), at)) = ready.pop()
        {
            left -= 1;
            under_way.push(Reverse((now + latency, balancer, at)));
        }
        let next_window = window + Duration::from_mins(1);
        let ends = under_way.peek().map(|Reverse((ends, _, _))| *ends);
        match ends {
            Some(ends) if ready.is_empty() || ends <= next_window => {
                now = ends;
                while let Some(Reverse((ended, balancer, done))) = under_way.peek().copied() {
                    if ended > now {
                        break;
                    }
                    under_way.pop();
                    for (at, step) in steps.iter().enumerate() {
                        if step.after.contains(&done) {
                            waits[balancer][at] -= 1;
                            if waits[balancer][at] == 0 {
                                ready.push((tails[at], Reverse(balancer), at));
                            }
                        }
                    }
                }
            }
            _ if !ready.is_empty() => now = next_window,
            _ => return now,
        }
        while now >= window + Duration::from_mins(1) {
            window += Duration::from_mins(1);
            left = per_minute;
        }
    }
}

/// The longest chain that begins with each step.
fn tails(steps: &[Step]) -> Vec<usize> {
    let mut tails = vec![1; steps.len()];
    for (at, step) in steps.iter().enumerate().rev() {
        for before in step.after {
            tails[*before] = tails[*before].max(tails[at] + 1);
        }
    }
    tails
}
