//! The learning rate of each step, as transformers' `get_*_schedule_with_warmup` compute it.

use std::f64::consts::PI;

/// How the learning rate falls after warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decay {
    /// Straight down to 0.
    #[default]
    Linear,
    /// Half a cosine down to 0.
    Cosine,
    /// Not at all.
    Constant,
}

/// The learning rate over a run.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// The rate after warm-up.
    pub peak: f64,
    /// How it falls.
    pub decay: Decay,
    /// Steps of linear rise from 0.
    pub warmup: usize,
    /// Steps in all.
    pub total: usize,
}

impl Schedule {
    /// The learning rate of `step`, which counts from 0: the first step of a warm-up has rate 0.
    pub fn at(&self, step: usize) -> f64 {
        if step < self.warmup {
            return self.peak * step as f64 / self.warmup as f64;
        }
        let after = (step - self.warmup) as f64 / self.total.saturating_sub(self.warmup).max(1) as f64;
        let factor = match self.decay {
            Decay::Linear => 1.0 - after,
            Decay::Cosine => 0.5 * (1.0 + (PI * after).cos()),
            Decay::Constant => 1.0,
        };
        self.peak * factor.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rates that transformers 5.23 gives for peak 1e-3, 2 of 8 steps of warm-up.
    fn assert_rates(decay: Decay, expected: [f64; 9]) {
        let schedule = Schedule {
            peak: 1e-3,
            decay,
            warmup: 2,
            total: 8,
        };
        for (step, rate) in expected.into_iter().enumerate() {
            assert!(
                (schedule.at(step) - rate).abs() < 1e-12,
                "step {step}: {} {rate}",
                schedule.at(step)
            );
        }
    }

    #[test]
    fn linear_matches_transformers() {
        let sixth = 1e-3 / 6.0;
        let falls = [
            1e-3,
            5.0 * sixth,
            4.0 * sixth,
            3.0 * sixth,
            2.0 * sixth,
            sixth,
            0.0,
        ];
        assert_rates(
            Decay::Linear,
            [
                0.0, 5e-4, falls[0], falls[1], falls[2], falls[3], falls[4], falls[5], falls[6],
            ],
        );
    }

    #[test]
    fn cosine_matches_transformers() {
        let root = 3f64.sqrt() / 2.0;
        assert_rates(
            Decay::Cosine,
            [
                0.0,
                5e-4,
                1e-3,
                5e-4 * (1.0 + root),
                7.5e-4,
                5e-4,
                2.5e-4,
                5e-4 * (1.0 - root),
                0.0,
            ],
        );
    }

    #[test]
    fn constant_stays_after_warmup() {
        assert_rates(
            Decay::Constant,
            [0.0, 5e-4, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3],
        );
    }

    #[test]
    fn without_warmup_the_first_step_has_the_peak() {
        let schedule = Schedule {
            peak: 0.1,
            decay: Decay::Linear,
            warmup: 0,
            total: 4,
        };
        assert_eq!(schedule.at(0), 0.1);
    }

    #[test]
    fn warmup_longer_than_the_run_never_reaches_the_peak() {
        let schedule = Schedule {
            peak: 1.0,
            decay: Decay::Linear,
            warmup: 10,
            total: 5,
        };
        assert_eq!(schedule.at(4), 0.4);
    }
}
