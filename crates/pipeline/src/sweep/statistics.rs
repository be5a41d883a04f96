//! What several folds say together.

/// Mean and standard deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) mean: f64,
    /// Of the sample (n − 1); none for a single value.
    pub(super) deviation: Option<f64>,
}

impl Spread {
    /// None without values.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let count = values.len() as f64;
        if values.is_empty() {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
        Some(Self { mean, deviation })
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.4}", self.mean)?;
        self.deviation
            .map_or(Ok(()), |deviation| write!(f, " ± {deviation:.4}"))
    }
}

/// The position of the best mean, the first of equal ones.
pub(super) fn best(means: &[Option<f64>], lower_is_better: bool) -> Option<usize> {
    let worth = |mean: f64| if lower_is_better { -mean } else { mean };
    let found = means
        .iter()
        .enumerate()
        .filter_map(|(position, mean)| Some((position, worth((*mean)?))));
    // `max_by` takes the last of equal ones, so they are asked in reverse.
    found
        .rev()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(position, _)| position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        let spread = Spread::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        assert_eq!(
            (spread.mean, spread.deviation),
            (5.0, Some((32.0_f64 / 7.0).sqrt()))
        );
        assert_eq!(spread.to_string(), "5.0000 ± 2.1381");
    }

    #[test]
    fn a_single_value_has_no_deviation() {
        assert_eq!(Spread::of(&[0.5]).unwrap().to_string(), "0.5000");
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn the_first_of_the_best_wins() {
        assert_eq!(best(&[Some(0.1), Some(0.4), None, Some(0.4)], false), Some(1));
        assert_eq!(best(&[Some(0.3), Some(0.1), None], true), Some(1));
        assert_eq!(best(&[None], false), None);
    }
}
