//! The training loop: batches, loss, optimizer, schedule, evaluation, early stopping.
//!
//! Knows encoders only by their logits and parameters, and texts only as token ids; it reads and writes no file and prints
//! nothing. The same examples, options and seed give the same weights, bit for bit, on a CPU.

mod batches;
mod binary_loss;
mod checkpoint;
mod error;
mod evaluation;
mod examples;
mod learner;
mod loss;
mod norm;
mod objective;
mod observation;
mod optimizer;
mod options;
mod run;
mod schedule;
mod seed;
mod selection;
mod trainer;

pub use binary_loss::BinaryCrossEntropy;
pub use checkpoint::{Checkpoint, Progress};
pub use error::TrainingError;
pub use evaluation::{Evaluation, Thresholds};
pub use examples::{Examples, Targets};
pub use learner::{DeviceLearner, Figures, Learner, NativeLearner, State};
pub use loss::CrossEntropy;
pub use objective::Objective;
pub use observation::{Observer, Record, Step, Wish};
pub use optimizer::{Optimizer, Rule};
pub use options::{EarlyStopping, EvalEvery, Metric, TrainingOptions, Warmup};
pub use schedule::{Decay, Schedule};
pub use trainer::{Data, Summary, Trained, train};
