//! The classes of a task, in the order of their ids.

use serde::{Deserialize, Serialize};

/// Whether a text has exactly one label or any number of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Exactly one label per text; softmax.
    #[default]
    SingleLabel,
    /// Any number of labels per text; one sigmoid per label.
    MultiLabel,
}

impl Task {
    /// The name in pipeline files.
    pub fn name(self) -> &'static str {
        match self {
            Self::SingleLabel => "single_label",
            Self::MultiLabel => "multi_label",
        }
    }
}

/// One class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The name in every file and report.
    pub name: String,
    /// An ASCII name for places that need one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// Other names under which the class stands in data files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
}

/// Why a list of labels is not a label set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelSetError {
    /// Fewer than two classes (single-label) or none.
    TooFew(usize),
    /// The label at this position has no name.
    Empty(usize),
    /// A name, slug or alias stands for two classes: (the name, first position, second position).
    Repeated(String, usize, usize),
}

impl std::fmt::Display for LabelSetError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooFew(count) => write!(f, "a task needs at least two labels, not {count}"),
            Self::Empty(position) => write!(f, "label {} has no name", position + 1),
            Self::Repeated(name, first, second) => {
                write!(
                    f,
                    "`{name}` stands for label {} and label {}",
                    first + 1,
                    second + 1
                )
            }
        }
    }
}

impl std::error::Error for LabelSetError {}

/// The classes; a class's id is its position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Label>", into = "Vec<Label>")]
pub struct LabelSet {
    labels: Vec<Label>,
}

impl LabelSet {
    /// Checks that there are at least two classes and that no name stands for two of them.
    pub fn new(labels: Vec<Label>) -> Result<Self, LabelSetError> {
        if labels.len() < 2 {
            return Err(LabelSetError::TooFew(labels.len()));
        }
        let mut seen: Vec<(&str, usize)> = Vec::new();
        for (position, label) in labels.iter().enumerate() {
            if label.name.trim().is_empty() {
                return Err(LabelSetError::Empty(position));
            }
            for name in label.all_names() {
                if let Some((_, first)) = seen.iter().find(|(other, at)| *other == name && *at != position) {
                    return Err(LabelSetError::Repeated(name.to_owned(), *first, position));
                }
                seen.push((name, position));
            }
        }
        Ok(Self { labels })
    }

    /// A set of classes that have only names.
    pub fn from_names<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Result<Self, LabelSetError> {
        let label = |name: S| Label {
            name: name.into(),
            slug: None,
            aliases: Vec::new(),
        };
        Self::new(names.into_iter().map(label).collect())
    }

    /// Number of classes.
    #[expect(clippy::len_without_is_empty, reason = "a label set is never empty")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// The class with this id.
    pub fn get(&self, id: usize) -> Option<&Label> {
        self.labels.get(id)
    }

    /// Names in id order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.labels.iter().map(|label| label.name.as_str())
    }

    /// The name of class `id`.
    ///
    /// # Panics
    /// If `id` is not an id of this set.
    pub fn name(&self, id: usize) -> &str {
        &self.labels[id].name
    }

    /// The id of the class that `text` names: by name, slug or alias, without surrounding spaces.
    pub fn resolve(&self, text: &str) -> Option<usize> {
        let text = text.trim();
        self.labels
            .iter()
            .position(|label| label.all_names().any(|name| name == text))
    }

    /// Every name, slug and alias, for suggestions.
    pub fn all_names(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().flat_map(Label::all_names)
    }
}

impl Label {
    fn all_names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str())
            .chain(self.slug.as_deref())
            .chain(self.aliases.iter().map(String::as_str))
    }
}

impl TryFrom<Vec<Label>> for LabelSet {
    type Error = LabelSetError;

    fn try_from(labels: Vec<Label>) -> Result<Self, LabelSetError> {
        Self::new(labels)
    }
}

impl From<LabelSet> for Vec<Label> {
    fn from(set: LabelSet) -> Self {
        set.labels
    }
}
