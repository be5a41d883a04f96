//! Memory that is kept from step to step.

use std::ops::{Deref, DerefMut};

/// Values whose number changes from step to step; memory grows to the largest number and stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffer {
    values: Vec<f32>,
    length: usize,
}

impl Buffer {
    /// So many values, which are old ones or 0.
    pub(crate) fn sized(&mut self, length: usize) -> &mut [f32] {
        if self.values.len() < length {
            self.values.resize(length, 0.0);
        }
        self.length = length;
        self
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values[..self.length]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[..self.length]
    }
}

/// Elements that a thread should have at least: fewer are done before another thread is awake.
const GRAIN: usize = 1 << 14;

/// Of how many tasks with so many elements each a thread should do at least.
pub(crate) fn grain(elements: usize) -> usize {
    GRAIN.div_ceil(elements.max(1))
}
