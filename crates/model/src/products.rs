//! Matrix products in the precision of a model; all else is in f32.

use burn::nn::Linear;
use burn::tensor::{FloatDType, Tensor};

use crate::Precision;

impl Precision {
    /// A factor of a product. Where it is one already nothing is computed.
    pub(crate) fn lower<const D: usize>(self, tensor: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Bf16 => tensor.cast(FloatDType::BF16),
            // 8-bit integers are the crate `native`'s.
            Self::F32 | Self::Int8 => tensor,
        }
    }

    /// `input` times the layer's weight plus its bias; input and output are in this precision.
    pub(crate) fn linear(self, layer: &Linear, input: Tensor<2>) -> Tensor<2> {
        let bias = layer.bias.as_ref().map(|bias| self.lower(bias.val()));
        burn::tensor::module::linear(input, self.lower(layer.weight.val()), bias)
    }

    /// The layer with its weights in this precision for good, which saves prediction the conversion at each product.
    pub(crate) fn lowered(self, layer: Linear) -> Linear {
        Linear {
            weight: layer.weight.map(|weight| self.lower(weight)),
            bias: layer.bias.map(|bias| bias.map(|bias| self.lower(bias))),
        }
    }
}

/// The outcome of products, for softmax, sums and norms.
pub(crate) fn raise<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    tensor.cast(FloatDType::F32)
}
