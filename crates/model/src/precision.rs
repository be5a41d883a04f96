//! In what numbers a model computes.

/// The numbers of matrix products. Softmax, LayerNorm, the residual sums and the loss are always in f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floating point throughout.
    #[default]
    F32,
    /// Linear layers and the two products of attention in bfloat16. In training, weights and the optimizer's state stay
    /// in f32; bfloat16 has f32's range, so the loss needs no scaling.
    Bf16,
    /// Linear layers in 8-bit integers, quantised dynamically; for prediction on the CPU.
    Int8,
}

impl Precision {
    /// As a pipeline file writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        }
    }

    /// The precision of that name; `auto` is none.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::F32, Self::Bf16, Self::Int8]
            .into_iter()
            .find(|precision| precision.name() == name)
    }
}
