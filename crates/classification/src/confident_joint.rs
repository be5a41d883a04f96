//! Which classes rows confidently are of, against those that they are given.

/// How many rows that are given one class are confidently of which: the confident joint, not calibrated.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfidentJoint {
    /// Given class → confident class → rows.
    pub counts: Vec<Vec<u64>>,
    /// Mean probability of each class on the rows that are given it; `None` for a class without rows.
    pub thresholds: Vec<Option<f64>>,
    /// The class that each row confidently is of, if it is of any.
    pub confident: Vec<Option<usize>>,
}

/// Probabilities closer than this are equal, as in cleanlab.
const TOLERANCE: f64 = 1e-6;

impl ConfidentJoint {
    /// Counts the rows, whose classes are `given`; `probability` is that of a row to be of a class.
    ///
    /// # Panics
    /// If a given class is not below `classes`.
    pub fn estimate(given: &[usize], classes: usize, probability: &dyn Fn(usize, usize) -> f64) -> Self {
        let mut sums = vec![(0.0, 0u64); classes];
        for (row, &class) in given.iter().enumerate() {
            let (sum, count) = &mut sums[class];
            *sum += probability(row, class);
            *count += 1;
        }
        let threshold =
            |&(sum, count): &(f64, u64)| (count > 0).then(|| f64::max(sum / count as f64, 2.0 * TOLERANCE));
        let thresholds: Vec<Option<f64>> = sums.iter().map(threshold).collect();
        let confident_class = |row: usize| {
            let reaches = |class: &usize| {
                thresholds[*class].is_some_and(|threshold| probability(row, *class) >= threshold - TOLERANCE)
            };
            // Among equals the given class, else the lowest id.
            let more_probable = |best: usize, class: usize| {
                if probability(row, class) > probability(row, best) {
                    class
                } else {
                    best
                }
            };
            let candidates = std::iter::once(given[row]).chain(0..classes);
            candidates.filter(reaches).reduce(more_probable)
        };
        let confident: Vec<Option<usize>> = (0..given.len()).map(confident_class).collect();
        let mut counts = vec![vec![0; classes]; classes];
        for (given, confident) in given.iter().zip(&confident) {
            if let Some(confident) = confident {
                counts[*given][*confident] += 1;
            }
        }
        Self {
            counts,
            thresholds,
            confident,
        }
    }

    /// The rows off the diagonal with their confident class, but those whose given class is the most probable.
    pub(crate) fn suspects<'a>(
        &'a self,
        given: &'a [usize],
        probability: &'a dyn Fn(usize, usize) -> f64,
    ) -> impl Iterator<Item = (usize, usize)> {
        let rows = given.iter().zip(&self.confident).enumerate();
        rows.filter_map(move |(row, (&given, confident))| {
            let confident = (*confident)?;
            let (own, other) = own_and_other(given, row, self.counts.len(), probability);
            (confident != given && own + TOLERANCE < other).then_some((row, confident))
        })
    }
}

/// Probability of the row's class, and the highest of another one.
pub(crate) fn own_and_other(
    class: usize,
    row: usize,
    classes: usize,
    probability: &dyn Fn(usize, usize) -> f64,
) -> (f64, f64) {
    let others = (0..classes).filter(|other| *other != class);
    let other = others.map(|other| probability(row, other)).fold(0.0, f64::max);
    (probability(row, class), other)
}
