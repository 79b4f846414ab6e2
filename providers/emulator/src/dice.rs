//! Chance that can be repeated: what is drawn follows from a seed and from how often was drawn before.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// A number from 0 to below 1.
pub(crate) fn unit(seed: u64, nth: u64) -> f64 {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&nth.to_le_bytes());
    StdRng::from_seed(bytes).random()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_drawn_again_and_evenly() {
        assert!((unit(7, 3) - unit(7, 3)).abs() < f64::EPSILON);
        assert!((unit(7, 3) - unit(8, 3)).abs() > f64::EPSILON);
        let below: u32 = (0..10_000).map(|nth| u32::from(unit(1, nth) < 0.25)).sum();
        assert!((2300..2700).contains(&below), "{below} of 10,000 are in the first quarter");
    }
}
