//! Encodings of several texts as one padded rectangle.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::device::{is_libtorch, width_step};

/// A padded batch on a device. Row `i` is the `i`th encoding.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Token ids, `[rows, width]`, padded on the right.
    pub(crate) ids: Tensor<2, Int>,
    /// Added to attention scores, `[rows, 1, 1, width]`: 0 for tokens, a huge negative number for padding.
    /// None when nothing is padded.
    pub(crate) attention_bias: Option<Tensor<4>>,
    /// Whether attention is one operation of the backend. Never with padding on libtorch: there burn's mask has the opposite
    /// meaning. Never with gradients or dropout, which it lacks.
    pub(crate) fuses_attention: bool,
    rows: usize,
    width: usize,
    tokens: usize,
}

impl Batch {
    /// Pads `encodings` to the longest of them.
    ///
    /// # Panics
    /// If there is no encoding, or one without a token.
    pub fn new(encodings: &[&[u32]], pad_id: u32, device: &Device) -> Self {
        Self::of_width(0, encodings, pad_id, device)
    }

    /// Pads `encodings` to the longest of them, or a little more where that suits the device, but to no more than `limit`
    /// tokens.
    ///
    /// # Panics
    /// As [`Batch::new`].
    pub fn suiting(device: &Device, encodings: &[&[u32]], pad_id: u32, limit: usize) -> Self {
        let longest = encodings.iter().map(|ids| ids.len()).max().unwrap_or(0);
        let width = longest.next_multiple_of(width_step(device)).min(limit);
        Self::of_width(width, encodings, pad_id, device)
    }

    /// Pads `encodings` to `width` tokens, or to the longest of them if that is longer.
    pub(crate) fn of_width(width: usize, encodings: &[&[u32]], pad_id: u32, device: &Device) -> Self {
        let rows = encodings.len();
        let longest = encodings.iter().map(|ids| ids.len()).max().unwrap_or(0);
        let width = width.max(longest);
        assert!(
            encodings.iter().all(|ids| !ids.is_empty()) && rows > 0,
            "a batch has rows, and each has a token"
        );
        let mut ids = Vec::with_capacity(rows * width);
        let mut bias = Vec::with_capacity(rows * width);
        let mut tokens = 0;
        for encoding in encodings {
            let padding = width - encoding.len();
            tokens += encoding.len();
            ids.extend(encoding.iter().map(|&id| id as i32));
            ids.extend(std::iter::repeat_n(pad_id as i32, padding));
            bias.extend(std::iter::repeat_n(0.0f32, encoding.len()));
            bias.extend(std::iter::repeat_n(f32::MIN, padding));
        }
        let padded = tokens < rows * width;
        // Nothing is learnt about either, so they stay out of the graph of gradients.
        let attention_bias =
            padded.then(|| Tensor::from_data(TensorData::new(bias, [rows, 1, 1, width]), device));
        Self {
            ids: Tensor::from_data(TensorData::new(ids, [rows, width]), device),
            attention_bias,
            fuses_attention: !padded && !device.is_autodiff() && is_libtorch(device),
            rows,
            width,
            tokens,
        }
    }

    /// Number of texts.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Tokens of the longest text.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Tokens without padding.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Tokens with padding.
    pub fn padded_tokens(&self) -> usize {
        self.rows * self.width
    }
}
