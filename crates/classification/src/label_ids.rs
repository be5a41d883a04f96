//! The labels of one text, whatever the task.

use serde::{Deserialize, Serialize};

/// The class ids of one text, ascending, each once. Exactly one where the task is single-label; any number, also
/// none, where it is multi-label.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<usize>", into = "Vec<usize>")]
pub struct LabelIds(Vec<usize>);

impl LabelIds {
    /// The ids in ascending order.
    pub fn ids(&self) -> &[usize] {
        &self.0
    }

    /// Whether `id` is among them.
    pub fn contains(&self, id: usize) -> bool {
        self.0.binary_search(&id).is_ok()
    }

    /// The lowest id: the class of a text that has exactly one.
    pub fn first(&self) -> Option<usize> {
        self.0.first().copied()
    }

    /// Number of labels.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the text has no label.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many labels two texts share.
    pub(crate) fn shared(&self, other: &Self) -> usize {
        self.0.iter().filter(|id| other.contains(**id)).count()
    }
}

impl From<usize> for LabelIds {
    fn from(id: usize) -> Self {
        Self(vec![id])
    }
}

impl From<Vec<usize>> for LabelIds {
    fn from(mut ids: Vec<usize>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        Self(ids)
    }
}

impl From<LabelIds> for Vec<usize> {
    fn from(labels: LabelIds) -> Self {
        labels.0
    }
}

impl FromIterator<usize> for LabelIds {
    fn from_iter<I: IntoIterator<Item = usize>>(ids: I) -> Self {
        ids.into_iter().collect::<Vec<_>>().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_repetition_do_not_matter() {
        assert_eq!(LabelIds::from(vec![3, 1, 3]), LabelIds::from(vec![1, 3]));
    }

    #[test]
    fn shared_labels_are_counted() {
        assert_eq!(LabelIds::from(vec![0, 2, 5]).shared(&vec![2, 3, 5].into()), 2);
    }
}
