//! Encoders that classify texts: architecture, Hugging Face checkpoints in and out, device choice, inference.
//!
//! Knows burn and the checkpoint format; knows nothing of tables, stages or how a model is trained.

mod activation;
mod attention;
mod batch;
mod build;
mod checkpoint;
mod classifier;
mod config;
mod device;
mod dropout;
mod embeddings;
mod encoder;
mod error;
mod head;
mod host;
mod hugging_face;
mod infer;
mod infer_native;
mod infer_on_device;
mod init;
mod load;
mod names;
mod native_classifier;
mod precision;
mod predictor;
mod products;
mod save;
mod settings;

pub use batch::Batch;
pub use classifier::SequenceClassifier;
pub use config::{Architecture, ModelConfig, Sizes};
pub use device::{
    Backend, Choice, Cuda, Findings, Libtorch, Place, Processor, open_device, resolve_precision,
};
pub use error::ModelError;
pub use infer::{BATCH_TOKENS, Inference, infer};
pub use infer_native::infer_native;
pub use infer_on_device::batch_tokens;
pub use load::{BaseOptions, Description, Loaded, describe, load_base, load_trained};
pub use native::Activation;
pub use precision::Precision;
pub use predictor::Predictor;
pub use save::save;
pub use settings::ModelSettings;
