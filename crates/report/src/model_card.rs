//! The model card: README.md of a model directory, with the front matter that the Hugging Face Hub reads.

use classification::{ClassMetrics, Task};
use serde::Serialize;

use crate::ReportError;
use crate::template::render;

/// All that a model card says. Nothing in it depends on the time or the place of its making.
#[derive(Clone, Debug)]
pub struct ModelCard {
    /// What the model is called.
    pub name: String,
    /// What it was made from.
    pub base: CardBase,
    /// An SPDX identifier, where one was given.
    pub license: Option<String>,
    /// Single- or multi-label.
    pub task: Task,
    /// Class names in id order.
    pub labels: Vec<String>,
    /// Multi-label: probability from which a label applies, in id order.
    pub thresholds: Option<Vec<f32>>,
    /// How good it is, where that was measured.
    pub validation: Option<CardValidation>,
    /// What it learnt from.
    pub training: CardTraining,
    /// Param and value.
    pub settings: Vec<(String, String)>,
    /// `none`, `nfc` or `kcelectra`.
    pub normalize: String,
    /// Tokens that a text is truncated to.
    pub max_length: usize,
    /// Version of the program.
    pub version: String,
}

/// What a model was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardBase {
    /// A model of the Hub: `owner/name`, and the revision where it is known.
    Hub(String, Option<String>),
    /// Something else, in words that follow "It was": `trained from scratch (electra, 2 layers)`.
    Other(String),
}

/// Figures on the validation rows.
#[derive(Clone, Debug, Serialize)]
pub struct CardValidation {
    /// Number of rows.
    pub rows: u64,
    /// The figures that count for the whole.
    pub figures: Vec<CardFigure>,
    /// In id order.
    pub per_class: Vec<ClassMetrics>,
}

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub struct CardFigure {
    /// What the Hub calls it: `accuracy`, `f1`.
    pub metric: &'static str,
    /// What people call it: `macro-F1`.
    pub name: &'static str,
    /// In [0, 1].
    pub value: f64,
}

/// Which labels of the training rows another model gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PseudoLabelled {
    /// None of them.
    None,
    /// Those of some rows.
    Some,
    /// Those of all rows.
    All,
}

/// The training rows.
#[derive(Clone, Debug, Serialize)]
pub struct CardTraining {
    /// Number of rows.
    pub rows: u64,
    /// Which of their labels another model gave.
    pub pseudo_labelled: PseudoLabelled,
    /// Rows per class, in id order.
    pub per_class: Vec<u64>,
}

/// Sentences to try a model on; written for this purpose, so that no training text is given away.
const EXAMPLES: [&str; 3] = [
    "오늘 정말 신나는 하루였어요!",
    "약속을 또 어기다니 너무 화가 나요.",
    "내일 발표인데 자꾸 걱정이 돼요.",
];

#[derive(Serialize)]
struct Page<'a> {
    name: &'a str,
    base: Base<'a>,
    license: Option<&'a str>,
    multi_label: bool,
    labels: &'a [String],
    thresholds: Option<&'a [f32]>,
    validation: Option<&'a CardValidation>,
    training: Training<'a>,
    settings: &'a [(String, String)],
    normalize: &'a str,
    max_length: usize,
    version: &'a str,
    examples: [&'a str; 3],
}

#[derive(Serialize)]
struct Base<'a> {
    model: Option<&'a str>,
    revision: Option<&'a str>,
    description: &'a str,
}

#[derive(Serialize)]
struct Training<'a> {
    rows: u64,
    pseudo_labelled: PseudoLabelled,
    per_class: &'a [u64],
    without_rows: Vec<&'a str>,
}

/// The card as Markdown.
pub fn model_card(card: &ModelCard) -> Result<String, ReportError> {
    let base = match &card.base {
        CardBase::Hub(model, revision) => Base {
            model: Some(model),
            revision: revision.as_deref(),
            description: "",
        },
        CardBase::Other(description) => Base {
            model: None,
            revision: None,
            description,
        },
    };
    let CardTraining {
        rows,
        pseudo_labelled,
        per_class,
    } = &card.training;
    let absent = card
        .labels
        .iter()
        .zip(per_class)
        .filter(|(_, count)| **count == 0);
    let training = Training {
        rows: *rows,
        pseudo_labelled: *pseudo_labelled,
        per_class,
        without_rows: absent.map(|(label, _)| label.as_str()).collect(),
    };
    let page = Page {
        name: &card.name,
        base,
        license: card.license.as_deref(),
        multi_label: card.task == Task::MultiLabel,
        labels: &card.labels,
        thresholds: card.thresholds.as_deref(),
        validation: card.validation.as_ref(),
        training,
        settings: &card.settings,
        normalize: &card.normalize,
        max_length: card.max_length,
        version: &card.version,
        examples: EXAMPLES,
    };
    render("model_card.md", page)
}

#[cfg(test)]
mod tests {
    use classification::Metrics;

    use super::*;

    fn card() -> ModelCard {
        let metrics = Metrics::from_predictions(&[0, 1, 1, 0], &[0, 1, 0, 0], 2);
        let figure = |metric, name, value| CardFigure { metric, name, value };
        ModelCard {
            name: "KcELECTRA-base-v2022-finetuned".into(),
            base: CardBase::Hub("beomi/KcELECTRA-base-v2022".into(), None),
            license: None,
            task: Task::SingleLabel,
            labels: vec!["분노".into(), "기쁨|행복".into()],
            thresholds: None,
            validation: Some(CardValidation {
                rows: metrics.rows,
                figures: vec![
                    figure("accuracy", "accuracy", metrics.accuracy),
                    figure("f1", "macro-F1", metrics.macro_f1),
                ],
                per_class: metrics.per_class,
            }),
            training: CardTraining {
                rows: 1200,
                pseudo_labelled: PseudoLabelled::Some,
                per_class: vec![1200, 0],
            },
            settings: vec![("epochs".into(), "5".into())],
            normalize: "nfc".into(),
            max_length: 128,
            version: "0.1.0".into(),
        }
    }

    fn rendered(change: impl Fn(&mut ModelCard)) -> String {
        let mut card = card();
        change(&mut card);
        model_card(&card).unwrap()
    }

    fn front_matter(card: &str) -> &str {
        card.strip_prefix("---\n").unwrap().split_once("---\n").unwrap().0
    }

    #[test]
    fn front_matter_is_what_the_hub_reads() {
        let card = rendered(|_| {});
        let matter = front_matter(&card);
        for line in [
            "language:\n- ko\n",
            "library_name: transformers\npipeline_tag: text-classification\n",
            "base_model: \"beomi/KcELECTRA-base-v2022\"\nbase_model_relation: finetune\n",
            "    - type: \"accuracy\"\n      name: \"accuracy\"\n      value: 0.7500\n",
        ] {
            assert!(matter.contains(line), "no `{line}` in:\n{matter}");
        }
        assert!(!matter.contains("license"), "{matter}");
        assert!(!matter.contains("\n\n"), "{matter}");
    }

    #[test]
    fn a_license_stands_there_if_it_was_given() {
        let card = rendered(|card| card.license = Some("apache-2.0".into()));
        assert!(
            front_matter(&card).contains("license: \"apache-2.0\"\n"),
            "{card}"
        );
    }

    #[test]
    fn a_model_without_a_base_on_the_hub_names_none() {
        let card = rendered(|card| card.base = CardBase::Other("trained from scratch (electra)".into()));
        assert!(!card.contains("base_model:"), "{card}");
        assert!(
            card.contains("It was trained from scratch (electra).\n"),
            "{card}"
        );
    }

    #[test]
    fn tables_have_a_row_per_class() {
        let card = rendered(|_| {});
        assert!(
            card.contains("| 분노 | 0.6667 | 1.0000 | 0.8000 | 2 |\n"),
            "{card}"
        );
        assert!(card.contains("| 1 | 기쁨\\|행복 |\n"), "{card}");
        assert!(card.contains("| 분노 | 1,200 |\n"), "{card}");
    }

    #[test]
    fn pseudo_labels_and_classes_without_rows_are_said() {
        let card = rendered(|_| {});
        assert!(
            card.contains("labels of some of them were given by another model"),
            "{card}"
        );
        assert!(card.contains("no example of 기쁨|행복"), "{card}");
    }

    #[test]
    fn without_validation_nothing_is_claimed() {
        let card = rendered(|card| card.validation = None);
        assert!(!card.contains("model-index"), "{card}");
        assert!(card.contains("Not measured"), "{card}");
    }

    #[test]
    fn thresholds_of_a_multi_label_model_have_a_column() {
        let card = rendered(|card| {
            card.task = Task::MultiLabel;
            card.thresholds = Some(vec![0.5, 0.25]);
        });
        assert!(
            card.contains("| id | label | threshold |\n|---:|---|---:|\n| 0 | 분노 | 0.50 |\n"),
            "{card}"
        );
    }

    #[test]
    fn usage_truncates_and_gives_all_scores() {
        assert!(rendered(|_| {}).contains("top_k=None, truncation=True"));
    }
}
