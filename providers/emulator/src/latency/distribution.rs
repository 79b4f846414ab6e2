//! Spans of time that are drawn.

use crate::dice;
use std::f64::consts::TAU;
use std::time::Duration;

/// Where a span of time is drawn from.
#[derive(Debug, Clone, PartialEq)]
pub enum Distribution {
    /// Always the same.
    Fixed(Duration),
    /// Anything between two, alike.
    Uniform {
        /// The least.
        from: Duration,
        /// Less than this.
        to: Duration,
    },
    /// Log-normal: half are below the median, and a few far above it, as times of a real service are.
    LogNormal {
        /// The middle one.
        median: Duration,
        /// How far they spread: of the logarithm, the standard deviation.
        sigma: f64,
        /// None takes longer.
        most: Option<Duration>,
    },
    /// By percentiles as somebody has measured them, from 0 to 100 and growing; straight in between, and outside of
    /// them the nearest.
    Percentiles(Vec<(f64, Duration)>),
}

impl Default for Distribution {
    /// No time at all.
    fn default() -> Self {
        Self::Fixed(Duration::ZERO)
    }
}

impl From<Duration> for Distribution {
    fn from(span: Duration) -> Self {
        Self::Fixed(span)
    }
}

impl Distribution {
    /// The nth span of a seed.
    pub(crate) fn draw(&self, seed: u64, nth: u64) -> Duration {
        match self {
            Self::Fixed(span) => *span,
            Self::Uniform { from, to } => {
                from.saturating_add(to.saturating_sub(*from).mul_f64(dice::unit(seed, nth)))
            }
            Self::LogNormal { median, sigma, most } => {
                // Two evenly drawn numbers make one of the normal distribution (Box and Muller).
                let radius = (-2.0 * (1.0 - dice::unit(seed, nth)).ln()).sqrt();
                let normal = radius * (TAU * dice::unit(!seed, nth)).cos();
                let seconds = median.as_secs_f64() * (sigma * normal).exp();
                let span = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
                most.map_or(span, |most| span.min(most))
            }
            Self::Percentiles(points) => between(points, 100.0 * dice::unit(seed, nth)),
        }
    }

    /// What is wrong with it.
    pub(super) fn problem(&self) -> Option<String> {
        match self {
            Self::Uniform { from, to } if from > to => Some("`from` must not be above `to`".to_owned()),
            Self::LogNormal { sigma, .. } if !(0.0..=10.0).contains(sigma) => {
                Some(format!("`sigma` is between 0 and 10, not {sigma}"))
            }
            Self::Fixed(_) | Self::Uniform { .. } | Self::LogNormal { .. } => None,
            Self::Percentiles(points) if points.is_empty() => Some("give at least one percentile".to_owned()),
            Self::Percentiles(points) => {
                let grow = points.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
                let in_range = points.iter().all(|(percent, _)| (0.0..=100.0).contains(percent));
                (!grow || !in_range).then(|| {
                    "percentiles go from 0 to 100, and neither they nor their times may fall".to_owned()
                })
            }
        }
    }
}

fn between(points: &[(f64, Duration)], percent: f64) -> Duration {
    let after = points.iter().position(|(at, _)| *at > percent);
    match after {
        Some(0) => points[0].1,
        Some(after) => {
            let ((low, short), (high, long)) = (points[after - 1], points[after]);
            short + long.saturating_sub(short).mul_f64((percent - low) / (high - low))
        }
        None => points.last().map_or(Duration::ZERO, |(_, longest)| *longest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(distribution: &Distribution) -> Vec<u128> {
        let mut drawn: Vec<u128> = (0..2000).map(|nth| distribution.draw(1, nth).as_millis()).collect();
        drawn.sort_unstable();
        drawn
    }

    #[test]
    fn each_distribution_has_its_shape() {
        let millis = Duration::from_millis;
        let uniform = drawn(&Distribution::Uniform { from: millis(100), to: millis(200) });
        assert!(
            uniform[0] >= 100 && uniform[1999] < 200 && (145..155).contains(&uniform[1000]),
            "{uniform:?}"
        );
        let most = Some(millis(2000));
        let skewed = drawn(&Distribution::LogNormal { median: millis(200), sigma: 1.0, most });
        assert!((180..220).contains(&skewed[1000]), "half are below the median: {}", skewed[1000]);
        // A standard deviation above the middle: e times the median.
        assert!((480..620).contains(&skewed[1683]), "{}", skewed[1683]);
        assert_eq!(skewed[1999], 2000);
        let points = vec![(50.0, millis(100)), (90.0, millis(500)), (99.0, millis(3000))];
        let measured = drawn(&Distribution::Percentiles(points));
        assert_eq!((measured[0], measured[1999]), (100, 3000));
        assert!((460..540).contains(&measured[1800]), "{}", measured[1800]);
        assert_eq!(drawn(&Distribution::from(millis(7))), vec![7; 2000]);
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        let spread = Distribution::LogNormal { median: Duration::from_secs(1), sigma: 0.5, most: None };
        assert_eq!(spread.draw(5, 17), spread.draw(5, 17));
        assert_ne!(spread.draw(5, 17), spread.draw(6, 17));
    }
}
