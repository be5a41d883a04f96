//! The models of the stage: one, or several that predict together. All are held at once.

use classification::{Combination, Decision, DecisionRule, LabelIds, Task, Temperature, disagreement};
use dataset::{Normalize, ReadOptions};
use model::{Choice, ModelError, Predictor};
use stage::{Context, Failure, InputItem};

use crate::params::{Calibrate, Params};
use crate::scores::Scores;

/// The models, each with the way in which its texts and logits are treated.
pub(crate) struct Models<'a> {
    ctx: &'a Context,
    params: &'a Params,
    members: Vec<Member>,
    choice: Choice,
    normalize: Normalize,
    combination: Combination,
}

/// One model.
pub(crate) struct Member {
    /// As in the pipeline file.
    pub(crate) name: String,
    /// 1 unless it was fitted.
    pub(crate) temperature: Temperature,
    pub(crate) rule: DecisionRule,
    predictor: Predictor,
    normalize: Normalize,
}

/// What the models say about some rows.
#[derive(Default)]
pub(crate) struct Logits {
    /// Model by model, row by row, one per label.
    pub(crate) models: Vec<Vec<Vec<f32>>>,
    /// Of all models together.
    pub(crate) tokens: u64,
    pub(crate) padded_tokens: u64,
    pub(crate) seconds: f64,
}

impl<'a> Models<'a> {
    /// Loads the models of the input `model`; task and labels must be the pipeline's.
    pub(crate) fn load(ctx: &'a Context, params: &'a Params) -> Result<Self, Failure> {
        let runtime = ctx.runtime();
        let precision = &ctx.invocation().precision;
        let choice = Choice::of(&runtime.device, &runtime.backend, precision)?;
        let device = choice.open()?;
        let mut members = Vec::new();
        for item in ctx.inputs("model") {
            let predictor =
                Predictor::load_in(&item.path, Some(ctx.labels()), &device, choice.precision.name())?;
            members.push(Member::new(ctx, item, predictor)?);
        }
        // What all models do to a text is done when it is read, and stands in the table.
        let normalize = members.iter().map(|member| member.normalize).min();
        let normalize = normalize.ok_or_else(|| Failure::stage("input `model` has no model"))?;
        Ok(Self {
            ctx,
            params,
            members,
            choice,
            normalize,
            combination: params.combine.into(),
        })
    }

    /// What they compute with.
    pub(crate) fn choice(&self) -> &Choice {
        &self.choice
    }

    /// How an input is read for these models.
    pub(crate) fn read_options(&self, input_name: &'a str) -> ReadOptions<'a> {
        ReadOptions {
            task: self.ctx.task(),
            labels: self.ctx.labels(),
            normalize: self.normalize,
            input_name,
        }
    }

    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(crate) fn are_several(&self) -> bool {
        self.members.len() > 1
    }

    /// Whether the models are used at temperatures.
    pub(crate) fn are_calibrated(&self) -> bool {
        self.method() == Calibrate::Temperature
    }

    pub(crate) fn method(&self) -> Calibrate {
        self.params.calibrate.unwrap_or(Calibrate::None)
    }

    /// That of the only model, if it is calibrated.
    pub(crate) fn temperature(&self) -> Option<f64> {
        match self.members.as_slice() {
            [only] if self.are_calibrated() => Some(only.temperature.get()),
            _ => None,
        }
    }

    /// Of every model.
    pub(crate) fn temperatures(&self) -> Vec<f64> {
        self.members
            .iter()
            .map(|member| member.temperature.get())
            .collect()
    }

    /// Asks every model about every text. `progress` is told how many texts are done: of several models, each text is
    /// worth a share of one.
    pub(crate) fn logits(
        &self,
        texts: &[String],
        ids: &[String],
        progress: &mut dyn FnMut(usize),
    ) -> Result<Logits, Failure> {
        let mut logits = Logits::default();
        for (before, member) in self.members.iter().enumerate() {
            let own: Vec<String>;
            let texts = if member.normalize == self.normalize {
                texts
            } else {
                own = texts
                    .iter()
                    .map(|text| member.normalize.apply(text).into_owned())
                    .collect();
                &own
            };
            let mut done = |rows: usize, all: usize| progress((before * all + rows) / self.members.len());
            let (max_length, batch_tokens) = (self.params.max_length, self.params.batch_tokens);
            let inference = member
                .predictor
                .predict(texts, max_length, batch_tokens, &mut done)
                .map_err(|error| self.failure(member, error, ids))?;
            logits.tokens += inference.tokens;
            logits.padded_tokens += inference.padded_tokens;
            logits.seconds += inference.seconds;
            logits.models.push(inference.logits);
        }
        Ok(logits)
    }

    fn failure(&self, member: &Member, error: ModelError, ids: &[String]) -> Failure {
        match error {
            ModelError::NotFinite { row } if self.are_several() => {
                Failure::stage(format!("model `{}`: row `{}`: {error}", member.name, ids[row]))
            }
            ModelError::NotFinite { row } => Failure::stage(format!("row `{}`: {error}", ids[row])),
            error => error.into(),
        }
    }

    /// Fits each model's temperature on rows whose labels are known.
    pub(crate) fn fit(&mut self, logits: &Logits, truth: &[LabelIds]) {
        let task = self.ctx.task();
        for (member, logits) in self.members.iter_mut().zip(&logits.models) {
            member.temperature = Temperature::fit(task, logits, truth);
        }
    }

    /// What the models decide, and what they would without their temperatures.
    pub(crate) fn decide(&self, logits: &Logits) -> Scores {
        let plain: Vec<Decision> = self
            .decide_at(logits, |_| Temperature::ONE)
            .map(|verdict| verdict.decision)
            .collect();
        let rows = plain.len();
        let mut scores = Scores {
            decisions: Vec::with_capacity(rows),
            raw_confidence: self
                .are_calibrated()
                .then(|| plain.iter().map(|decision| decision.confidence).collect()),
            plain,
            disagreement: self.are_several().then(|| Vec::with_capacity(rows)),
            votes: self.are_several().then(|| Vec::with_capacity(rows)),
        };
        for verdict in self.decide_at(logits, |member| member.temperature) {
            scores.decisions.push(verdict.decision);
            if let Some(disagreement) = &mut scores.disagreement {
                disagreement.push(verdict.disagreement);
            }
            if let Some(votes) = &mut scores.votes {
                votes.push(verdict.votes);
            }
        }
        scores
    }

    fn decide_at(
        &self,
        logits: &Logits,
        temperature: impl Fn(&Member) -> Temperature,
    ) -> impl Iterator<Item = Verdict> {
        let thresholds = self.thresholds_at(&temperature);
        let rows = logits.models.first().map_or(0, Vec::len);
        (0..rows).map(move |row| {
            let of = |(member, logits): (&Member, &Vec<Vec<f32>>)| {
                member.rule.decide_at(&logits[row], temperature(member))
            };
            let members: Vec<Decision> = self.members.iter().zip(&logits.models).map(of).collect();
            let members: Vec<&Decision> = members.iter().collect();
            let decision = self.combination.decide(self.ctx.task(), &members, &thresholds);
            Verdict {
                disagreement: disagreement(&members, &decision),
                votes: members.iter().map(|member| member.labels.clone()).collect(),
                decision,
            }
        })
    }

    /// Multi-label: the probabilities from which a label is given, the mean of the models' own, on the calibrated
    /// scale; empty where the task is single-label.
    pub(crate) fn thresholds(&self) -> Vec<f32> {
        self.thresholds_at(|member| member.temperature)
    }

    fn thresholds_at(&self, temperature: impl Fn(&Member) -> Temperature) -> Vec<f32> {
        if self.ctx.task() == Task::SingleLabel {
            return Vec::new();
        }
        let of = |member: &Member| member.rule.thresholds_at(temperature(member));
        let members: Vec<Vec<f32>> = self.members.iter().map(of).collect();
        let mean = |class: usize| {
            let sum: f64 = members.iter().map(|member| f64::from(member[class])).sum();
            (sum / members.len() as f64) as f32
        };
        (0..self.ctx.labels().len()).map(mean).collect()
    }
}

/// The decision on one row, and who shares it.
struct Verdict {
    decision: Decision,
    disagreement: f32,
    votes: Vec<LabelIds>,
}

impl Member {
    fn new(ctx: &Context, item: &InputItem, predictor: Predictor) -> Result<Self, Failure> {
        let settings = predictor.settings();
        let normalize = Normalize::parse(&settings.normalize).ok_or_else(|| {
            let (name, normalize) = (&item.name, &settings.normalize);
            Failure::stage(format!(
                "`{name}`: unknown `normalize: {normalize}` in pipeline.json"
            ))
        })?;
        if settings.task != ctx.task() {
            let (model, pipeline) = (settings.task.name(), ctx.task().name());
            return Err(Failure::stage(format!(
                "`{}` is a model for `task: {model}`, the pipeline's task is `{pipeline}`",
                item.name
            )));
        }
        Ok(Self {
            name: item.name.clone(),
            temperature: Temperature::ONE,
            rule: DecisionRule::new(ctx.task(), ctx.labels().len(), settings.thresholds.as_deref()),
            predictor,
            normalize,
        })
    }
}
