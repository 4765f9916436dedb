//! How long each step takes, and when its events are caused.
//!
//! The events of a step are a Poisson process of its rate, given how many there are: uniform
//! moments, sorted. So they keep no step with any poll's interval, and short steps are not empty.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// The steps of one comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Events a second, and how long all are followed at once at that rate.
    pub together: Vec<(f64, Duration)>,
    /// The same for each way alone; empty if the server's CPU is not known.
    pub alone: Vec<(f64, Duration)>,
}

impl Plan {
    /// Spreads `whole` over the steps: a slow rate gets more time than a fast one.
    ///
    /// `alone` is how many steps of one way each rate has.
    pub fn new(whole: Duration, rates: &[f64], alone: usize) -> Self {
        let weight = |rate: f64| 1.0 + 1.0 / rate;
        let weights: f64 = rates.iter().map(|rate| weight(*rate)).sum();
        let share = if alone == 0 { 1.0 } else { TOGETHER_SHARE };
        let lengths = |part: f64| {
            let length = move |rate: &f64| {
                let secs = whole.as_secs_f64() * part * weight(*rate) / weights;
                (*rate, Duration::from_secs_f64(secs).max(STEP_MIN))
            };
            rates.iter().map(length).collect::<Vec<_>>()
        };
        let each = if alone == 0 { Vec::new() } else { lengths((1.0 - share) / alone as f64) };
        Self { together: lengths(share), alone: each }
    }
}

/// When events are caused, since the step began: `rate` a second for `length`.
pub fn moments(seed: u64, rate: f64, length: Duration) -> Vec<Duration> {
    let count = (rate * length.as_secs_f64()).round().max(EVENTS_MIN) as usize;
    let mut random = StdRng::seed_from_u64(seed);
    let mut moments: Vec<Duration> =
        (0..count).map(|_| length.mul_f64(random.random::<f64>())).collect();
    moments.sort();
    moments
}

/// The part of the time in which all are followed at once.
const TOGETHER_SHARE: f64 = 0.3;

/// The shortest step.
const STEP_MIN: Duration = Duration::from_millis(300);

/// The fewest events of a step: of one alone there is no median.
const EVENTS_MIN: f64 = 2.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_spread_and_slow_rates_get_more() {
        let whole = Duration::from_secs(50);
        let plan = Plan::new(whole, &[1.0, 10.0, 100.0], 13);
        let secs = |steps: &[(f64, Duration)]| -> f64 {
            steps.iter().map(|(_, length)| length.as_secs_f64()).sum()
        };
        assert!((secs(&plan.together) + 13.0 * secs(&plan.alone) - 50.0).abs() < 0.01, "{plan:?}");
        assert!(plan.together[0].1 > plan.together[2].1);
        assert!(Plan::new(whole, &[1.0], 0).alone.is_empty());
        assert_eq!(Plan::new(Duration::ZERO, &[1.0], 1).alone[0].1, STEP_MIN);
    }

    #[test]
    fn moments_ascend_within_the_step_and_a_seed_repeats_them() {
        let length = Duration::from_secs(4);
        let all = moments(7, 25.0, length);
        assert_eq!(all.len(), 100);
        assert!(all.is_sorted() && all.iter().all(|at| *at < length));
        assert_eq!(all, moments(7, 25.0, length));
        assert_ne!(all, moments(8, 25.0, length));
        assert_eq!(moments(7, 0.1, length).len(), 2);
    }
}
