//! Learning on the CPU: the forward and backward pass of the crate `native`, without padding and without a graph.

use std::borrow::Cow;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use model::{BATCH_TOKENS, SequenceClassifier};
use native::training::{Accumulate, Network, Tape};
use tokenizer::Encoding;

use super::{Figures, Learner, State};
use crate::examples::Targets;
use crate::norm::{clipping, norm};
use crate::objective::Objective;
use crate::{Optimizer, TrainingError};

/// A model whose parameters, gradients and averages are vectors, updated in place.
pub struct NativeLearner {
    network: Network,
    parameters: Vec<Vec<f32>>,
    gradients: Vec<Vec<f32>>,
    /// Losses of this step's batches, whose gradients are in `gradients`.
    losses: Vec<f64>,
    untold: Vec<Figures>,
    /// Whether weight decay applies to each parameter.
    decays: Vec<bool>,
    optimizer: Optimizer,
    objective: Objective,
    tape: Tape,
    /// For the loss, which is the only thing that burn computes here.
    device: Device,
    /// The best so far if `has_best`, else the model as it came. None only after a failure.
    model: Option<SequenceClassifier>,
    has_best: bool,
}

impl NativeLearner {
    /// A learner of `model`.
    pub fn new(
        model: &SequenceClassifier,
        objective: Objective,
        optimizer: Optimizer,
    ) -> Result<Self, TrainingError> {
        let network = model.network().clone();
        let parameters = model.parameters()?;
        let described = network.parameters();
        Ok(Self {
            gradients: described.iter().map(|one| vec![0.0; one.values]).collect(),
            losses: Vec::new(),
            untold: Vec::new(),
            decays: described.iter().map(|one| one.decays).collect(),
            network,
            parameters,
            optimizer,
            objective,
            tape: Tape::default(),
            device: Device::flex().autodiff(),
            model: Some(model.valid()),
            has_best: false,
        })
    }

    /// The loss of logits divided by `weight`, and its gradient with respect to them.
    fn loss(
        &self,
        logits: Vec<f32>,
        targets: &Targets<'_>,
        weight: f64,
    ) -> Result<(f64, Vec<f32>), TrainingError> {
        let labels = self.network.labels;
        let shape = [logits.len() / labels, labels];
        let logits = Tensor::<2>::from_data(TensorData::new(logits, shape), &self.device).require_grad();
        let loss = self.objective.sum(logits.clone(), targets, &self.device);
        let loss = loss.div_scalar(weight);
        let value: f32 = loss.clone().try_into_scalar().map_err(TrainingError::tensor)?;
        let gradient = logits.grad(&loss.backward());
        let gradient = gradient.ok_or_else(|| TrainingError::tensor("the loss has no gradient"))?;
        let gradient = gradient.into_data().try_into_vec_as::<f32>();
        Ok((f64::from(value), gradient.map_err(TrainingError::tensor)?))
    }

    fn take_model(&mut self) -> Result<SequenceClassifier, TrainingError> {
        let lost = || TrainingError::tensor("the model was lost in a failure before");
        self.model.take().ok_or_else(lost)
    }
}

impl Learner for NativeLearner {
    fn backward(
        &mut self,
        texts: &[&[u32]],
        targets: &Targets<'_>,
        weight: f64,
        seed: u64,
    ) -> Result<(), TrainingError> {
        let logits = self
            .network
            .forward(&self.parameters, texts, Some(seed), &mut self.tape);
        let (loss, gradient) = self.loss(logits, targets, weight)?;
        let accumulate = if self.losses.is_empty() {
            Accumulate::Replace
        } else {
            Accumulate::Add
        };
        self.losses.push(loss);
        self.network.backward(
            &self.parameters,
            &gradient,
            &mut self.tape,
            &mut self.gradients,
            accumulate,
        );
        Ok(())
    }

    fn update(&mut self, learning_rate: f64, max_norm: Option<f64>) -> Result<(), TrainingError> {
        let norm = norm(&self.gradients);
        let scale = clipping(norm, max_norm);
        self.untold.push(Figures {
            losses: std::mem::take(&mut self.losses),
            norm,
        });
        let (parameters, gradients) = (&mut self.parameters, &self.gradients);
        self.optimizer
            .update(parameters, gradients, &self.decays, learning_rate, scale);
        Ok(())
    }

    fn figures(&mut self, _all: bool) -> Result<Vec<Figures>, TrainingError> {
        Ok(std::mem::take(&mut self.untold))
    }

    fn logits(&self, encodings: &[Encoding]) -> Result<Vec<Vec<f32>>, TrainingError> {
        let classifier = self.network.classifier(&self.parameters);
        let inference = model::infer_native(&classifier, encodings, BATCH_TOKENS, &mut |_, _| {})?;
        Ok(inference.logits)
    }

    fn keep_best(&mut self) -> Result<(), TrainingError> {
        let model = self.take_model()?;
        self.model = Some(model.with_parameters(self.parameters.clone())?);
        self.has_best = true;
        Ok(())
    }

    fn state(&self) -> Result<State<'_>, TrainingError> {
        let best = self.model.as_ref().filter(|_| self.has_best);
        let best = best.map(SequenceClassifier::parameters).transpose()?;
        Ok(State {
            parameters: Cow::Borrowed(&self.parameters),
            best: best.map(Cow::Owned),
            ..self.optimizer.state()
        })
    }

    fn restore(&mut self, mut state: State<'_>) -> Result<(), TrainingError> {
        if let Some(best) = state.best.take() {
            let model = self.take_model()?;
            self.model = Some(model.with_parameters(best.into_owned())?);
            self.has_best = true;
        }
        self.parameters = std::mem::take(&mut state.parameters).into_owned();
        self.optimizer.restore(state);
        Ok(())
    }

    fn into_model(mut self: Box<Self>) -> Result<SequenceClassifier, TrainingError> {
        let model = self.take_model()?;
        if self.has_best {
            return Ok(model);
        }
        Ok(model.with_parameters(self.parameters)?)
    }
}
