//! Encoders on the CPU: forward only, what labels hundreds of thousands of sentences, and in [`training`].
//!
//! Sentences lie one behind the other without padding (`[tokens, hidden]`, row by row); only attention knows where
//! one ends. The last layer is computed for the first token of each sentence alone, which is all that the
//! classification head reads. Matrix products are our own, in f32 and in 8-bit integers (in training: those of `gemm`);
//! what stands between them is written so that the compiler makes vector instructions of it.
//!
//! Prediction runs on the calling thread: callers spread sentences over threads.

/// Computes an expression in the vector instructions that this processor has.
///
/// Only what is inlined into `dispatch` is compiled for them, so the closure is marked, and uses something up: the
/// compiler calls a closure that could be called twice through a function of its own.
macro_rules! vectorized {
    ($body:expr) => {{
        struct Once;
        let once = Once;
        $crate::vectors::dispatch(
            #[inline(always)]
            || {
                let Once = { once };
                $body
            },
        )
    }};
}

mod attention;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod classifier;
mod dropout;
mod elementwise;
mod int8;
mod layer;
mod linear;
mod matrix;
#[cfg(test)]
mod noise;
mod norm;
mod panel;
pub mod training;
mod vectors;

pub use classifier::{Classifier, Head, Scratch, Shape};
pub use dropout::DropoutMask;
pub use elementwise::{Activation, Normal, exp, normal};
pub use layer::Layer;
pub use linear::{Linear, Precision};
pub use norm::LayerNorm;
