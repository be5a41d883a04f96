//! How far figures would move on another sample of the same kind: the percentile bootstrap (Efron and Tibshirani 1993,
//! chapter 13).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rayon::prelude::*;

use crate::{
    ConfusionMatrix, Interval, LabelIds, MetricIntervals, Metrics, MultiLabelIntervals, MultiLabelMetrics,
    Tally, Task,
};

/// The metrics of one or more models on resamples of the same rows.
///
/// All models see the same rows in each resample, so that a difference of two models is a paired one.
///
/// A resample without a row of a class says nothing about it: there the figures of a class that the table does have
/// rows of are NaN, and its macro averages are over the other classes. Counted as 0 they would pull the lower ends of
/// the intervals down wherever a class is rare. A class that the table itself has no row of counts 0, as in
/// [`Metrics`].
#[derive(Clone, Debug, PartialEq)]
pub struct Bootstrap {
    /// One entry per resample: the metrics of each model, in the models' order.
    resamples: Vec<Vec<Metrics>>,
}

impl Bootstrap {
    /// Draws `resamples` times as many rows as there are, with replacement, and measures each model on them.
    /// Each resample has a random stream of its own: the result does not depend on the number of threads.
    ///
    /// # Panics
    /// If a model has not one prediction per true class, or an id is not below `classes`.
    pub fn new(truth: &[usize], models: &[&[usize]], classes: usize, resamples: usize, seed: u64) -> Self {
        for predicted in models {
            assert_eq!(truth.len(), predicted.len(), "one prediction per true class");
        }
        let tallies = vec![ConfusionMatrix::new(classes); models.len()];
        let mut supports = vec![0; classes];
        truth.iter().for_each(|&class| supports[class] += 1);
        let add = |matrices: &mut [ConfusionMatrix], row: usize| {
            for (matrix, predicted) in matrices.iter_mut().zip(models) {
                matrix.add(truth[row], predicted[row]);
            }
        };
        Self::resampled(truth.len(), resamples, seed, &tallies, add, |matrix| {
            Metrics::from_confusion(matrix).of_resample(&supports)
        })
    }

    /// As [`Bootstrap::new`], for rows with any number of labels, or with one each.
    ///
    /// # Panics
    /// If a model has not one prediction per row, an id is not below `classes`, or a row of a single-label task has
    /// no label.
    pub fn of_task(
        task: Task,
        truth: &[LabelIds],
        models: &[&[&LabelIds]],
        classes: usize,
        resamples: usize,
        seed: u64,
    ) -> Self {
        for predicted in models {
            assert_eq!(truth.len(), predicted.len(), "one prediction per row");
        }
        let tallies = vec![Tally::new(task, classes); models.len()];
        let mut supports = vec![0; classes];
        let labels = truth.iter().flat_map(LabelIds::ids);
        labels.for_each(|&label| supports[label] += 1);
        let add = |tallies: &mut [Tally], row: usize| {
            for (tally, predicted) in tallies.iter_mut().zip(models) {
                tally.add(&truth[row], predicted[row]);
            }
        };
        Self::resampled(truth.len(), resamples, seed, &tallies, add, |tally| {
            tally.metrics().of_resample(&supports)
        })
    }

    fn resampled<T: Clone + Sync>(
        rows: usize,
        resamples: usize,
        seed: u64,
        empty: &[T],
        add: impl Fn(&mut [T], usize) + Sync,
        metrics: impl Fn(&T) -> Metrics + Sync,
    ) -> Self {
        let resample = |stream: usize| -> Vec<Metrics> {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(stream as u64);
            let mut tallies = empty.to_vec();
            for _ in 0..rows {
                add(&mut tallies, draw(&mut rng, rows));
            }
            tallies.iter().map(&metrics).collect()
        };
        Self {
            resamples: (0..resamples).into_par_iter().map(resample).collect(),
        }
    }

    /// The interval that holds `level` (in (0, 1)) of the resampled values of `figure`, which is given the models'
    /// metrics in their order. Resamples on which it is NaN are left out; `None` if no other is left.
    pub fn interval(&self, level: f64, figure: impl Fn(&[Metrics]) -> f64) -> Option<Interval> {
        let values = self.resamples.iter().map(|metrics| figure(metrics));
        let mut values: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
        values.sort_by(f64::total_cmp);
        let tail = (1.0 - level) / 2.0;
        Some(Interval {
            low: quantile(&values, tail)?,
            high: quantile(&values, 1.0 - tail)?,
        })
    }

    /// The intervals at `level` of the metrics of the model at position `model`. `None` without resamples.
    ///
    /// # Panics
    /// If there is no such model.
    pub fn intervals(&self, model: usize, level: f64) -> Option<MetricIntervals> {
        let classes = self.resamples.first()?[model].per_class.len();
        let has_rows = |class: usize| {
            self.resamples
                .iter()
                .any(|metrics| metrics[model].per_class[class].support > 0)
        };
        let class_f1 = |class: usize| {
            let interval = self.interval(level, |metrics| metrics[model].per_class[class].f1);
            interval.filter(|_| has_rows(class))
        };
        Some(MetricIntervals {
            accuracy: self.interval(level, |metrics| metrics[model].accuracy)?,
            macro_f1: self.interval(level, |metrics| metrics[model].macro_f1)?,
            weighted_f1: self.interval(level, |metrics| metrics[model].weighted_f1)?,
            class_f1: (0..classes).map(class_f1).collect(),
            multi_label: self.multi_label_intervals(model, level),
        })
    }

    fn multi_label_intervals(&self, model: usize, level: f64) -> Option<MultiLabelIntervals> {
        self.resamples.first()?.get(model)?.multi_label?;
        let interval = |value: fn(MultiLabelMetrics) -> f64| {
            self.interval(level, |metrics| {
                metrics[model].multi_label.map(value).unwrap_or_default()
            })
        };
        Some(MultiLabelIntervals {
            micro_f1: interval(|figures| figures.micro_f1)?,
            samples_f1: interval(|figures| figures.samples_f1)?,
            hamming_loss: interval(|figures| figures.hamming_loss)?,
        })
    }
}

/// A row below `rows`. The bias of the widening multiplication is below 2^-40 for any table that fits in memory.
fn draw(rng: &mut ChaCha8Rng, rows: usize) -> usize {
    ((u128::from(rng.next_u64()) * rows as u128) >> 64) as usize
}

/// Linear interpolation between the two nearest of the sorted values, as numpy's default.
fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = q * last as f64;
    let below = (position.floor() as usize).min(last);
    let above = (below + 1).min(last);
    Some(sorted[below] + (sorted[above] - sorted[below]) * (position - below as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> (Vec<usize>, Vec<usize>, Vec<usize>) {
        let truth: Vec<usize> = (0..300).map(|row| row % 3).collect();
        let first = (0..300)
            .map(|row| if row % 4 == 0 { 0 } else { row % 3 })
            .collect();
        let second = (0..300)
            .map(|row| if row % 7 == 0 { 1 } else { row % 3 })
            .collect();
        (truth, first, second)
    }

    #[test]
    fn quantiles_interpolate_as_numpy() {
        // numpy.quantile([1, 2, 4, 8], [0.025, 0.5, 0.975])
        let values = [1.0, 2.0, 4.0, 8.0];
        for (q, expected) in [(0.025, 1.075), (0.5, 3.0), (0.975, 7.7)] {
            assert!((quantile(&values, q).unwrap() - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn thread_count_does_not_matter() {
        let (truth, first, second) = rows();
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| Bootstrap::new(&truth, &[&first, &second], 3, 50, 42))
        };
        assert_eq!(with(1), with(4));
    }

    #[test]
    fn seed_matters() {
        let (truth, first, _) = rows();
        let with = |seed| Bootstrap::new(&truth, &[&first], 3, 50, seed);
        assert_ne!(with(1), with(2));
    }

    #[test]
    fn accuracy_interval_agrees_with_the_normal_approximation() {
        let (truth, first, _) = rows();
        let accuracy = Metrics::from_predictions(&truth, &first, 3).accuracy;
        let half = 1.96 * (accuracy * (1.0 - accuracy) / 300.0).sqrt();
        let bootstrap = Bootstrap::new(&truth, &[&first], 3, 4000, 7);
        let interval = bootstrap.interval(0.95, |models| models[0].accuracy).unwrap();
        assert!((interval.low - (accuracy - half)).abs() < 0.008, "{interval:?}");
        assert!((interval.high - (accuracy + half)).abs() < 0.008, "{interval:?}");
    }

    #[test]
    fn equal_models_differ_by_exactly_nothing() {
        let (truth, first, _) = rows();
        let bootstrap = Bootstrap::new(&truth, &[&first, &first], 3, 100, 7);
        let interval = bootstrap
            .interval(0.95, |models| models[1].macro_f1 - models[0].macro_f1)
            .unwrap();
        assert_eq!(interval, Interval { low: 0.0, high: 0.0 });
    }

    #[test]
    fn sets_of_one_label_are_resampled_as_classes() {
        let (truth, first, _) = rows();
        let sets = |classes: &[usize]| {
            classes
                .iter()
                .map(|class| (*class).into())
                .collect::<Vec<LabelIds>>()
        };
        let (truths, predicted) = (sets(&truth), sets(&first));
        let predicted: Vec<&LabelIds> = predicted.iter().collect();
        let of_task = Bootstrap::of_task(Task::SingleLabel, &truths, &[&predicted], 3, 50, 42);
        assert_eq!(of_task, Bootstrap::new(&truth, &[&first], 3, 50, 42));
    }

    #[test]
    fn sets_of_labels_have_intervals_of_their_own() {
        let truth: Vec<LabelIds> = (0..100).map(|row| (0..row % 3).collect()).collect();
        let predicted: Vec<LabelIds> = (0..100).map(|row| (0..(row + row / 50) % 3).collect()).collect();
        let predicted: Vec<&LabelIds> = predicted.iter().collect();
        let bootstrap = Bootstrap::of_task(Task::MultiLabel, &truth, &[&predicted], 2, 200, 1);
        let intervals = bootstrap.intervals(0, 0.95).unwrap().multi_label.unwrap();
        assert!(intervals.micro_f1.low < intervals.micro_f1.high && intervals.hamming_loss.low > 0.0);
    }

    #[test]
    fn a_resample_without_a_rare_class_says_nothing_about_it() {
        // Perfect answers: whatever the resample, what it says is perfect, too.
        let truth: Vec<usize> = (0..50).map(|row| usize::from(row == 0)).collect();
        let intervals = Bootstrap::new(&truth, &[&truth], 2, 200, 1)
            .intervals(0, 0.95)
            .unwrap();
        let one = Interval { low: 1.0, high: 1.0 };
        assert_eq!(
            (intervals.macro_f1, intervals.class_f1),
            (one, vec![Some(one); 2])
        );
    }

    #[test]
    fn a_class_without_rows_has_no_interval_and_counts_nothing_in_the_macro_average() {
        let bootstrap = Bootstrap::new(&[0, 0, 1, 1], &[&[0, 0, 1, 1]], 3, 100, 1);
        let intervals = bootstrap.intervals(0, 0.95).unwrap();
        assert_eq!(intervals.class_f1[2], None);
        assert!((intervals.macro_f1.high - 2.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn no_resamples_give_no_interval() {
        assert_eq!(
            Bootstrap::new(&[0], &[&[0]], 2, 0, 1).interval(0.95, |models| models[0].accuracy),
            None
        );
    }
}
