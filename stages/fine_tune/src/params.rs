//! The params of `fine_tune`.

use std::collections::BTreeMap;

use dataset::Normalize;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stage::{CheckContext, Problem, nearest};

use crate::base_model::BaseModel;
use crate::choices::{
    CheckpointEvery, ClassWeights, EarlyStopping, EvalEvery, OptimizerName, Precision, Scheduler,
};
use crate::fold::Fold;
use crate::thresholds::Thresholds;

/// Params that do not change the result: no part of its identity, and of nothing that it holds.
pub(crate) const EXECUTION_PARAMS: &[&str] = &["checkpoint_every"];

/// The params of `fine_tune`. Names and defaults are those of transformers' `TrainingArguments` or close to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// A directory (`./…`, `../…`, `/…`), or a map that describes an encoder to train from scratch. The input
    /// `base` takes its place.
    pub base_model: Option<BaseModel>,
    /// Tokens that a text is truncated to, `[CLS]` and `[SEP]` included.
    pub max_length: usize,
    /// Texts per batch.
    pub batch_size: usize,
    /// Batches per optimizer step.
    pub gradient_accumulation_steps: usize,
    /// Passes over the texts.
    pub epochs: usize,
    /// The schedule's peak.
    pub learning_rate: f64,
    /// Share of the steps over which the learning rate rises.
    pub warmup_ratio: f64,
    /// Steps over which the learning rate rises; takes the place of `warmup_ratio`.
    pub warmup_steps: Option<usize>,
    /// How the learning rate falls afterwards.
    pub lr_scheduler: Scheduler,
    /// How a gradient becomes an update.
    pub optimizer: OptimizerName,
    /// Pull of the weights towards 0; biases and layer norms are spared.
    pub weight_decay: f64,
    /// Gradients are scaled down to this norm; 0 leaves them as they are.
    pub max_grad_norm: f64,
    /// Share of the target that is spread over all classes; where the task is multi-label, over yes and no of each
    /// label: the targets are `smoothing / 2` and `1 - smoothing / 2`.
    pub label_smoothing: f64,
    /// How much each class counts: `none`, `balanced`, or a map from label to weight. Where the task is multi-label,
    /// how much a label's positives count beside its negatives; `balanced` is negatives divided by positives.
    pub class_weights: ClassWeights,
    /// Dropout in the encoder; absent: the base model's.
    pub dropout: Option<f64>,
    /// Dropout in the head; absent: the base model's.
    pub classifier_dropout: Option<f64>,
    /// Where the task is multi-label, from which probability a label is given: a number, a map from label to number,
    /// or `tuned`: where the validation texts give each label its highest F1. Absent: 0.5. The model keeps them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
    /// When to evaluate: `epoch`, or a number of steps.
    pub eval_every: EvalEvery,
    /// When to give up: a map, or `none`.
    #[serde(deserialize_with = "EarlyStopping::optional")]
    pub early_stopping: Option<EarlyStopping>,
    /// Steps between two records of the training loss.
    pub logging_steps: usize,
    /// How often the training leaves a checkpoint, from which the next run goes on should this one not come to its end:
    /// `{minutes: 5}`, or a number of steps. The result does not depend on it.
    pub checkpoint_every: CheckpointEvery,
    /// How texts are normalised: `none`, `nfc`, `kcelectra`; absent: as those of `train` were by `prepare`, or as the
    /// base model wants it, whichever does more; `nfc` if neither says anything. The model remembers it for the texts
    /// that it will be given.
    pub normalize: Option<Normalize>,
    /// `f32`, `bf16`, `auto`; absent: the pipeline's.
    pub precision: Option<Precision>,
    /// Absent: the pipeline's.
    pub seed: Option<u64>,
    /// Cross-validation: `2/5` makes five parts of the `train` rows, alike in classes and the same for the same seed;
    /// the second validates in place of the input `validation`, which is not read, and the others train.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            base_model: None,
            max_length: 128,
            batch_size: 32,
            gradient_accumulation_steps: 1,
            epochs: 3,
            learning_rate: 2e-5,
            warmup_ratio: 0.1,
            warmup_steps: None,
            lr_scheduler: Scheduler::default(),
            optimizer: OptimizerName::default(),
            weight_decay: 0.01,
            max_grad_norm: 1.0,
            label_smoothing: 0.05,
            class_weights: ClassWeights::default(),
            dropout: None,
            classifier_dropout: None,
            thresholds: None,
            eval_every: EvalEvery::default(),
            early_stopping: Some(EarlyStopping::default()),
            logging_steps: 10,
            checkpoint_every: CheckpointEvery::default(),
            normalize: None,
            precision: None,
            seed: None,
            fold: None,
        }
    }
}

impl stage::Params for Params {
    const ALIASES: &'static [(&'static str, &'static str)] = &[
        ("model_name_or_path", "base_model"),
        ("max_seq_length", "max_length"),
        ("per_device_train_batch_size", "batch_size"),
        ("train_batch_size", "batch_size"),
        ("num_train_epochs", "epochs"),
        ("lr_scheduler_type", "lr_scheduler"),
        ("optim", "optimizer"),
        ("label_smoothing_factor", "label_smoothing"),
        ("hidden_dropout_prob", "dropout"),
        ("eval_steps", "eval_every"),
        ("eval_strategy", "eval_every"),
        ("evaluation_strategy", "eval_every"),
        ("save_steps", "checkpoint_every"),
    ];

    fn check(&self, ctx: &CheckContext<'_>) -> Vec<Problem> {
        let mut problems = self.check_ranges();
        problems.extend(self.check_base(ctx));
        problems.extend(self.check_class_weights(ctx));
        if let Some(thresholds) = &self.thresholds {
            let validated = self.fold.is_some() || ctx.inputs.contains("validation");
            problems.extend(thresholds.check(ctx, validated));
        }
        let refused = match (self.precision, ctx.precision) {
            (Some(Precision::Int8), _) => Some(Problem::new("precision", "`int8` is not for training")),
            (None, "int8") => Some(Problem::new("", "`runtime.precision: int8` is not for training")),
            _ => None,
        };
        let hint = "give this stage `precision: f32`, `bf16` or `auto`";
        problems.extend(refused.map(|problem| problem.hint(hint)));
        problems
    }
}

impl Params {
    fn check_ranges(&self) -> Vec<Problem> {
        let fraction = 0.0..1.0;
        let rules = [
            (
                "max_length",
                self.max_length >= 3,
                "must be at least 3: one token between [CLS] and [SEP]",
            ),
            ("batch_size", self.batch_size >= 1, "must be at least 1"),
            (
                "gradient_accumulation_steps",
                self.gradient_accumulation_steps >= 1,
                "must be at least 1",
            ),
            ("epochs", self.epochs >= 1, "must be at least 1"),
            (
                "learning_rate",
                self.learning_rate > 0.0 && self.learning_rate <= 1.0,
                "must be above 0 and at most 1",
            ),
            (
                "warmup_ratio",
                (0.0..=1.0).contains(&self.warmup_ratio),
                "must be from 0 to 1",
            ),
            (
                "weight_decay",
                (0.0..=1.0).contains(&self.weight_decay),
                "must be from 0 to 1",
            ),
            (
                "max_grad_norm",
                self.max_grad_norm >= 0.0 && self.max_grad_norm.is_finite(),
                "must be at least 0; 0 is no limit",
            ),
            (
                "label_smoothing",
                fraction.contains(&self.label_smoothing),
                "must be at least 0 and below 1",
            ),
            (
                "dropout",
                self.dropout.is_none_or(|share| fraction.contains(&share)),
                "must be at least 0 and below 1",
            ),
            (
                "classifier_dropout",
                self.classifier_dropout
                    .is_none_or(|share| fraction.contains(&share)),
                "must be at least 0 and below 1",
            ),
            (
                "early_stopping.patience",
                self.early_stopping.is_none_or(|stopping| stopping.patience >= 1),
                "must be at least 1",
            ),
            (
                "early_stopping.min_delta",
                self.early_stopping
                    .is_none_or(|stopping| stopping.min_delta >= 0.0 && stopping.min_delta.is_finite()),
                "must be at least 0",
            ),
            ("logging_steps", self.logging_steps >= 1, "must be at least 1"),
        ];
        let broken = rules.into_iter().filter(|(_, holds, _)| !holds);
        broken
            .map(|(param, _, message)| Problem::new(param, message))
            .collect()
    }

    fn check_base(&self, ctx: &CheckContext<'_>) -> Vec<Problem> {
        let from_stage = ctx.inputs.contains("base");
        match (&self.base_model, from_stage) {
            (Some(base), false) => base.check(self.max_length),
            (Some(_), true) => {
                vec![Problem::new(
                    "base_model",
                    "the input `base` takes the place of `base_model`; give one",
                )]
            }
            (None, _) => Vec::new(),
        }
    }

    /// Says that neither a param nor an input names an encoder. Apart from the other checks, because those do not
    /// see a `base_model` that was given but is malformed.
    pub(crate) fn check_given(given: &Value, ctx: &CheckContext<'_>) -> Option<Problem> {
        let named = ["base_model", "model_name_or_path"]
            .iter()
            .any(|name| given.get(name).is_some_and(|value| !value.is_null()));
        if named || ctx.inputs.contains("base") {
            return None;
        }
        let hint = "give a directory (`base_model: ./…`), a model of the Hub (`base_model: owner/name`), a map (`base_model: {architecture: electra}`) or the input `base`";
        Some(Problem::new("", "there is no encoder to start from: `base_model` is missing").hint(hint))
    }

    fn check_class_weights(&self, ctx: &CheckContext<'_>) -> Vec<Problem> {
        let ClassWeights::Given(weights) = &self.class_weights else {
            return Vec::new();
        };
        let mut seen: BTreeMap<usize, &str> = BTreeMap::new();
        let mut problems = Vec::new();
        for (name, weight) in weights {
            match ctx.labels.resolve(name) {
                None => {
                    let problem = Problem::new("class_weights", format!("unknown label `{name}`"));
                    let close = nearest(name, ctx.labels.all_names());
                    let names: Vec<&str> = ctx.labels.names().collect();
                    problems.push(problem.hint(match close {
                        Some(close) => format!("did you mean `{close}`?"),
                        None => format!("labels are: {}", names.join(", ")),
                    }));
                }
                Some(class) => {
                    if let Some(other) = seen.insert(class, name) {
                        let message = format!("`{other}` and `{name}` are the same label; give one");
                        problems.push(Problem::new("class_weights", message));
                    }
                }
            }
            if !(*weight > 0.0 && weight.is_finite()) {
                problems.push(Problem::new(
                    "class_weights",
                    format!("the weight of `{name}` must be above 0"),
                ));
            }
        }
        problems
    }
}
