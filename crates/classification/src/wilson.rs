//! Where a share would lie on more rows.

use crate::Interval;

/// The 97.5 % point of the standard normal distribution: 95 % lie between it and its negative.
const Z: f64 = 1.959_963_984_540_054;

/// The 95 % score interval of a share, `successes` of `trials` (Wilson 1927,
/// <https://doi.org/10.1080/01621459.1927.10502953>); none without trials.
///
/// Unlike `p ± z √(p (1 - p) / n)` it has a width where all trials succeed, and holds on few of them.
///
/// # Panics
/// If there are more successes than trials.
pub fn wilson(successes: u64, trials: u64) -> Option<Interval> {
    assert!(successes <= trials, "{successes} successes of {trials} trials");
    if trials == 0 {
        return None;
    }
    let (n, z2) = (trials as f64, Z * Z);
    let (right, wrong) = (successes as f64, (trials - successes) as f64);
    let width = Z * (z2 + 4.0 * right * wrong / n).sqrt();
    let end = |sign: f64| (2.0 * right + z2 + sign * width) / (2.0 * (n + z2));
    Some(Interval {
        low: if successes == 0 { 0.0 } else { end(-1.0) },
        high: if wrong == 0.0 { 1.0 } else { end(1.0) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_nothing_has_no_interval() {
        assert_eq!(wilson(0, 0), None);
    }

    #[test]
    fn thirty_five_of_thirty_five_are_the_fewest_that_promise_nine_tenths() {
        let low = |trials| wilson(trials, trials).unwrap().low;
        assert!(low(34) < 0.9 && low(35) >= 0.9);
    }

    #[test]
    fn successes_and_failures_mirror_each_other() {
        let (some, others) = (wilson(7, 50).unwrap(), wilson(43, 50).unwrap());
        assert!((some.low - (1.0 - others.high)).abs() < 1e-15);
        assert_eq!(wilson(0, 9).unwrap().low, 0.0);
        assert_eq!(wilson(9, 9).unwrap().high, 1.0);
    }
}
