//! Little-endian floats of a file to f32.

use burn::tensor::{DType, TensorData};

pub(super) fn from_f32(bytes: &[u8], values: &mut Vec<f32>) {
    let (numbers, _) = bytes.as_chunks::<4>();
    values.extend(numbers.iter().map(|number| f32::from_le_bytes(*number)));
}

/// bf16 is the upper half of an f32.
pub(super) fn from_bf16(bytes: &[u8], values: &mut Vec<f32>) {
    let (numbers, _) = bytes.as_chunks::<2>();
    values.extend(
        numbers
            .iter()
            .map(|[low, high]| f32::from_le_bytes([0, 0, *low, *high])),
    );
}

pub(super) fn from_f16(bytes: &[u8], values: &mut Vec<f32>) {
    let data = TensorData::from_bytes_vec(bytes.to_vec(), [bytes.len() / 2], DType::F16);
    values.extend(data.iter::<f32>());
}
