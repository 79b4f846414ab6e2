//! Choosing an endpoint of a backend service.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::affinity::{Wish, fitness};
use super::endpoint::Endpoint;
use super::tables::{ServiceTable, Serving};

impl ServiceTable {
    /// A healthy endpoint for a request, over all groups.
    pub(super) fn pick(&self, wish: Wish) -> Option<&Arc<Endpoint>> {
        let healthy = || self.serving.iter().filter(|serving| serving.endpoint.is_healthy());
        let chosen = match wish {
            Wish::Any => None,
            Wish::Endpoint(identity) => healthy().find(|serving| serving.endpoint.identity == identity),
            Wish::Key(key) => {
                let fit = |it: &&Serving| fitness(key, it.endpoint.identity, it.weight);
                healthy().max_by(|a, b| fit(a).total_cmp(&fit(b)))
            }
        };
        let chosen = chosen.or_else(|| {
            let weights = healthy().map(|serving| serving.weight);
            let place = in_turn(self.turn.fetch_add(1, Ordering::Relaxed), weights)?;
            // Health may change between counting and choosing; the first healthy one then stands in.
            healthy().nth(place).or_else(|| healthy().next())
        });
        chosen.map(|serving| &serving.endpoint)
    }
}

/// Multiples of the golden section, as a fraction of 2^32, fall evenly between 0 and 1.
const GOLDEN: u32 = 0x9e37_79b9;

/// Whose turn it is: round robin among equals, and otherwise in shares by weight that are even over few turns already.
fn in_turn(turn: usize, weights: impl Iterator<Item = u32> + Clone) -> Option<usize> {
    let first = weights.clone().next()?;
    if weights.clone().all(|weight| weight == first) {
        return turn.checked_rem(weights.count());
    }
    let whole: u64 = weights.clone().map(u64::from).sum();
    #[expect(clippy::cast_possible_truncation, reason = "turns wrap")]
    let point = u64::from((turn as u32).wrapping_mul(GOLDEN));
    let mut point = point.saturating_mul(whole) >> 32;
    let mut weights = weights.map(u64::from);
    weights.position(|weight| {
        let inside = point < weight;
        point = point.saturating_sub(weight);
        inside
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_take_turns_and_others_have_their_shares() {
        let turns = |weights: &[u32], count: usize| -> Vec<usize> {
            (0..count).map(|turn| in_turn(turn, weights.iter().copied()).unwrap()).collect()
        };
        assert_eq!(turns(&[500, 500, 500], 5), [0, 1, 2, 0, 1]);
        assert_eq!(in_turn(3, [].into_iter()), None);
        let shares = turns(&[1000, 100, 500], 160);
        let count = |place| shares.iter().filter(|chosen| **chosen == place).count();
        for (place, share) in [(0, 100), (1, 10), (2, 50)] {
            assert!(count(place).abs_diff(share) <= 2, "{place}: {}", count(place));
        }
    }
}
