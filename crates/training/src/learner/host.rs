//! Learning through burn's autodiff on the CPU.

use std::borrow::Cow;

use burn::module::Module;
use burn::tensor::Device;
use model::{Batch, SequenceClassifier};
use tokenizer::Encoding;

use super::{Learner, State};
use crate::examples::Targets;
use crate::objective::Objective;
use crate::parameters::{read, write};
use crate::{Gradients, Optimizer, TrainingError};

/// Padded tokens per forward pass of a prediction: large enough to keep the threads busy, small enough for any
/// encoder's memory.
const BATCH_TOKENS: usize = 4096;

/// A model on burn's CPU backend; gradients and averages are vectors, which one pass per step goes over.
pub struct HostLearner {
    /// None only after a step that failed.
    model: Option<SequenceClassifier>,
    best: Option<SequenceClassifier>,
    gradients: Gradients,
    optimizer: Optimizer,
    objective: Objective,
    pad_id: u32,
    device: Device,
}

impl HostLearner {
    /// A learner of `model`, whose parameters are on `device`, an autodiff device. Batches are filled up with `pad_id`.
    pub fn new(
        model: SequenceClassifier,
        objective: Objective,
        optimizer: Optimizer,
        pad_id: u32,
        device: &Device,
    ) -> Self {
        Self {
            model: Some(model),
            best: None,
            gradients: Gradients::default(),
            optimizer,
            objective,
            pad_id,
            device: device.clone(),
        }
    }

    fn model(&self) -> Result<&SequenceClassifier, TrainingError> {
        self.model.as_ref().ok_or_else(lost)
    }
}

impl Learner for HostLearner {
    fn backward(
        &mut self,
        texts: &[&[u32]],
        targets: &Targets<'_>,
        weight: f64,
        seed: u64,
    ) -> Result<f64, TrainingError> {
        self.device.seed(seed);
        let model = self.model()?;
        let logits = model.forward(&Batch::new(texts, self.pad_id, &self.device));
        let loss = self.objective.sum(logits, targets, &self.device);
        let loss = loss.div_scalar(weight);
        let value: f32 = loss.clone().try_into_scalar().map_err(TrainingError::tensor)?;
        let gradients = Gradients::collect(model, loss.backward())?;
        self.gradients.add(gradients);
        Ok(f64::from(value))
    }

    fn norm(&mut self) -> Result<f64, TrainingError> {
        Ok(self.gradients.norm())
    }

    fn update(&mut self, learning_rate: f64, scale: f32) -> Result<(), TrainingError> {
        let gradients = std::mem::take(&mut self.gradients);
        let model = self.model.take().ok_or_else(lost)?;
        self.model = Some(self.optimizer.step(model, &gradients, learning_rate, scale)?);
        Ok(())
    }

    fn logits(&self, encodings: &[Encoding]) -> Result<Vec<Vec<f32>>, TrainingError> {
        let device = self.device.clone().without_autodiff();
        let model = self.model()?.valid();
        let inference = model::infer(
            &model,
            encodings,
            self.pad_id,
            BATCH_TOKENS,
            &device,
            &mut |_, _| {},
        )?;
        Ok(inference.logits)
    }

    fn keep_best(&mut self) -> Result<(), TrainingError> {
        self.best = Some(self.model()?.valid());
        Ok(())
    }

    fn state(&self) -> Result<State<'_>, TrainingError> {
        let best = self.best.as_ref().map(read).transpose()?;
        Ok(State {
            parameters: Cow::Owned(read(self.model()?)?),
            best: best.map(Cow::Owned),
            ..self.optimizer.state()
        })
    }

    fn restore(&mut self, state: State<'_>) -> Result<(), TrainingError> {
        let model = self.model.take().ok_or_else(lost)?;
        self.best = match &state.best {
            Some(best) => Some(write(model.valid(), best)?),
            None => None,
        };
        self.model = Some(write(model, &state.parameters)?);
        self.optimizer.restore(state);
        Ok(())
    }

    fn into_model(self: Box<Self>) -> Result<SequenceClassifier, TrainingError> {
        match self.best {
            Some(best) => Ok(best),
            None => Ok(self.model.ok_or_else(lost)?.valid()),
        }
    }
}

fn lost() -> TrainingError {
    TrainingError::Tensor("the model was lost in a step that failed".into())
}
