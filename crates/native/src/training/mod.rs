//! Encoders in training on the CPU: logits, and what the parameters learn from the gradients of the logits.
//!
//! Texts lie one behind the other without padding, as in prediction, and the last layer is computed for first tokens
//! only. Every operation runs on all threads of the current pool of rayon; how work is cut depends on shapes alone, so
//! the same inputs give the same bits whatever the number of threads. Products of linear layers are cut by columns, and
//! what follows them (bias, activation, its derivative, a bias' gradient) is done while a piece is in the cache. Dropout
//! masks are hashed from a seed and a position whenever they are needed, and never kept.

mod activation;
mod arrangement;
mod attention;
mod buffer;
mod classifier;
mod embeddings;
mod head;
mod layer;
mod linear;
mod network;
mod norm;
mod product;
mod tape;
#[cfg(test)]
mod tests;
mod tile;

pub use network::{Accumulate, Network, Parameter};
pub use tape::Tape;
