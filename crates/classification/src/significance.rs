//! Whether two models differ by more than chance.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// McNemar's test of two models on the same rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// Rows that only the candidate has right.
    pub fixed: u64,
    /// Rows that only the baseline has right.
    pub broken: u64,
    /// Two-sided.
    pub p_value: f64,
}

/// Below this number of rows on which exactly one model is right, the exact binomial test is used.
const EXACT_BELOW: u64 = 25;

impl McNemar {
    /// Compares `candidate` with `baseline`.
    ///
    /// # Panics
    /// If there is not one prediction of each per true class.
    pub fn from_predictions(truth: &[usize], baseline: &[usize], candidate: &[usize]) -> Self {
        assert!(
            truth.len() == baseline.len() && truth.len() == candidate.len(),
            "one prediction per true class"
        );
        let right = |predicted: &[usize]| -> Vec<bool> {
            let pairs = truth.iter().zip(predicted);
            pairs.map(|(truth, predicted)| truth == predicted).collect()
        };
        Self::from_right(&right(baseline), &right(candidate))
    }

    /// Compares `candidate` with `baseline`, of which it is known for each row whether they have it right.
    ///
    /// # Panics
    /// If they differ in length.
    pub fn from_right(baseline: &[bool], candidate: &[bool]) -> Self {
        assert_eq!(baseline.len(), candidate.len(), "the same rows for both");
        let only = |one: &[bool], other: &[bool]| {
            let pairs = one.iter().zip(other);
            pairs.filter(|(one, other)| **one && !**other).count() as u64
        };
        Self::from_counts(only(candidate, baseline), only(baseline, candidate))
    }

    /// The exact binomial test on few rows, else chi squared with continuity correction.
    pub fn from_counts(fixed: u64, broken: u64) -> Self {
        let p_value = if fixed + broken < EXACT_BELOW {
            exact(fixed, broken)
        } else {
            chi_squared(fixed, broken)
        };
        Self {
            fixed,
            broken,
            p_value,
        }
    }
}

/// Twice the lower tail of the binomial distribution of `fixed + broken` fair coins. On so few rows every number
/// involved is a small integer, so that the result is exact.
fn exact(fixed: u64, broken: u64) -> f64 {
    let (coins, least) = (fixed + broken, fixed.min(broken));
    let mut ways = 1u64;
    let mut tail = 1u64;
    for heads in 1..=least {
        ways = ways * (coins - heads + 1) / heads;
        tail += ways;
    }
    (2.0 * tail as f64 / (1u64 << coins) as f64).min(1.0)
}

fn chi_squared(fixed: u64, broken: u64) -> f64 {
    let statistic = (fixed.abs_diff(broken) as f64 - 1.0).powi(2) / (fixed + broken) as f64;
    ChiSquared::new(1.0).map_or(f64::NAN, |distribution| distribution.sf(statistic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_models_have_p_one() {
        let test = McNemar::from_predictions(&[0, 1, 1], &[0, 0, 1], &[0, 0, 1]);
        assert_eq!(
            test,
            McNemar {
                fixed: 0,
                broken: 0,
                p_value: 1.0
            }
        );
    }

    #[test]
    fn fixed_is_what_only_the_candidate_has_right() {
        let test = McNemar::from_predictions(&[0, 1, 1, 1], &[1, 0, 1, 0], &[0, 1, 0, 0]);
        assert_eq!((test.fixed, test.broken), (2, 1));
    }
}
