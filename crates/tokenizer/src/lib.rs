//! Text to token ids: loads, trains and saves the tokenizers of Korean encoders, and groups rows by length.
//!
//! Knows nothing of models, labels or tables, and never normalises more than the tokenizer's own files say.

mod batch;
mod error;
mod files;
mod protobuf;
mod save;
mod sentence_piece;
mod special;
mod tokenizer;
mod trainer;
mod unigram;
mod word_piece;

pub use batch::length_batches;
pub use error::TokenizerError;
pub use special::SpecialTokens;
pub use tokenizer::{Encoding, Tokenizer};
pub use trainer::train_wordpiece;
