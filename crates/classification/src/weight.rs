//! Class weights for a loss.

/// Weights that make every class count alike: `rows / (classes present * rows of the class)`, as scikit-learn's
/// `balanced`. A class without rows gets 1.
pub fn class_weights_balanced(counts: &[u64]) -> Vec<f32> {
    let rows: u64 = counts.iter().sum();
    let present = counts.iter().filter(|&&count| count > 0).count() as f64;
    let weight = |&count: &u64| {
        if count == 0 {
            1.0
        } else {
            (rows as f64 / (present * count as f64)) as f32
        }
    };
    counts.iter().map(weight).collect()
}

/// Weights that make a label's positives count as much as its negatives: `negatives / positives`, torch's
/// `pos_weight`. A label that no row or every row has gets 1.
pub fn positive_weights_balanced(counts: &[u64], rows: u64) -> Vec<f32> {
    let weight = |&count: &u64| match rows.saturating_sub(count) {
        0 => 1.0,
        _ if count == 0 => 1.0,
        negatives => (negatives as f64 / count as f64) as f32,
    };
    counts.iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_class_weighs_one_and_does_not_count() {
        assert_eq!(class_weights_balanced(&[3, 0, 1]), [4.0 / 6.0, 1.0, 2.0]);
    }

    #[test]
    fn positives_weigh_as_much_as_negatives() {
        assert_eq!(positive_weights_balanced(&[2, 0, 8, 4], 8), [3.0, 1.0, 1.0, 1.0]);
    }
}
