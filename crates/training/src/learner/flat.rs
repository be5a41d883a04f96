//! All parameters of a module, their gradients and running averages as a few long vectors on a device.
//!
//! A model has two hundred parameter tensors; the dozen operations of an optimizer on each of them would cost a GPU more time
//! to start than to compute.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};

use crate::TrainingError;

/// One vector for the parameters that weight decay is for, one for biases and layer norms, which it spares.
#[derive(Clone, Debug)]
pub(super) struct Flat {
    pub(super) decayed: Tensor<1>,
    pub(super) spared: Tensor<1>,
}

impl Flat {
    /// What `function` gives for each of the two.
    pub(super) fn map(self, mut function: impl FnMut(Tensor<1>) -> Tensor<1>) -> Self {
        Self {
            decayed: function(self.decayed),
            spared: function(self.spared),
        }
    }

    /// What `function` gives for the two of both.
    pub(super) fn zip(
        self,
        other: Self,
        mut function: impl FnMut(Tensor<1>, Tensor<1>) -> Tensor<1>,
    ) -> Self {
        Self {
            decayed: function(self.decayed, other.decayed),
            spared: function(self.spared, other.spared),
        }
    }

    /// The Euclidean norm, `[1]`.
    pub(super) fn norm(&self) -> Tensor<1> {
        let squares = |tensor: &Tensor<1>| tensor.clone().square().sum();
        (squares(&self.decayed) + squares(&self.spared)).sqrt()
    }
}

/// Where each parameter of a module stands in the two vectors, in the order in which the module visits them.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    spared: bool,
    start: usize,
    length: usize,
}

impl Layout {
    pub(super) fn of<M: Module>(module: &M) -> Self {
        let mut fields = Fields::default();
        module.visit(&mut fields);
        let mut lengths = [0, 0];
        let slot = |(spared, length): (bool, usize)| {
            let start = lengths[usize::from(spared)];
            lengths[usize::from(spared)] += length;
            Slot {
                spared,
                start,
                length,
            }
        };
        Self {
            slots: fields.found.into_iter().map(slot).collect(),
        }
    }

    /// The gradients in `found`, the result of `backward`, of the parameters of `module`.
    pub(super) fn gradients<M: Module>(
        &self,
        module: &M,
        found: burn::tensor::Gradients,
    ) -> Result<Flat, TrainingError> {
        let mut collector = Gradients {
            found,
            tensors: Vec::new(),
        };
        module.visit(&mut collector);
        let tensors: Option<Vec<Tensor<1>>> = collector.tensors.into_iter().collect();
        let tensors = tensors.ok_or_else(|| TrainingError::Tensor("a parameter has no gradient".into()))?;
        Ok(self.joined(tensors))
    }

    /// The parameters of `module`.
    pub(super) fn parameters<M: Module>(&self, module: &M) -> Flat {
        let mut reader = Parameters(Vec::new());
        module.visit(&mut reader);
        self.joined(reader.0)
    }

    /// `module` with its parameters times a factor, one for those of weight decay and one for the others, minus `change`.
    pub(super) fn apply<M: Module>(&self, module: M, factors: [f32; 2], change: Flat) -> M {
        module.map(&mut Applier {
            slots: self.slots.iter(),
            factors,
            change,
        })
    }

    /// One vector per parameter to two.
    pub(super) fn join(&self, values: &[Vec<f32>], device: &Device) -> Result<Option<Flat>, TrainingError> {
        if values.iter().all(Vec::is_empty) {
            return Ok(None);
        }
        if values
            .iter()
            .map(Vec::len)
            .ne(self.slots.iter().map(|slot| slot.length))
        {
            return Err(TrainingError::Checkpoint(
                "its running averages are those of another model".into(),
            ));
        }
        let tensor = |values: &Vec<f32>| {
            let data = TensorData::new(values.clone(), [values.len()]);
            Tensor::<1>::from_data(data, device)
        };
        Ok(Some(self.joined(values.iter().map(tensor).collect())))
    }

    /// Two vectors to one per parameter; to empty ones where there are none.
    pub(super) fn split(&self, flat: Option<&Flat>) -> Result<Vec<Vec<f32>>, TrainingError> {
        let Some(flat) = flat else {
            return Ok(vec![Vec::new(); self.slots.len()]);
        };
        let read = |tensor: &Tensor<1>| {
            let values = tensor.clone().into_data().try_into_vec_as::<f32>();
            values.map_err(TrainingError::tensor)
        };
        let vectors = [read(&flat.decayed)?, read(&flat.spared)?];
        let slots = self.slots.iter();
        Ok(slots
            .map(|slot| vectors[usize::from(slot.spared)][slot.start..slot.start + slot.length].to_vec())
            .collect())
    }

    fn joined(&self, tensors: Vec<Tensor<1>>) -> Flat {
        let (mut decayed, mut spared) = (Vec::new(), Vec::new());
        for (slot, tensor) in self.slots.iter().zip(tensors) {
            if slot.spared {
                spared.push(tensor);
            } else {
                decayed.push(tensor);
            }
        }
        Flat {
            decayed: Tensor::cat(decayed, 0),
            spared: Tensor::cat(spared, 0),
        }
    }
}

/// Sizes of the parameters, and whether decay spares them.
#[derive(Default)]
struct Fields {
    inside: Vec<bool>,
    found: Vec<(bool, usize)>,
}

impl ModuleVisitor for Fields {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.inside
            .push(name == "bias" || container_type == "Struct:LayerNorm");
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.inside.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let spared = self.inside.last() == Some(&true);
        self.found.push((spared, param.lazy_shape().num_elements()));
    }
}

struct Gradients {
    found: burn::tensor::Gradients,
    tensors: Vec<Option<Tensor<1>>>,
}

impl ModuleVisitor for Gradients {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = param.val().grad_remove(&mut self.found);
        self.tensors.push(gradient.map(flattened));
    }
}

struct Parameters(Vec<Tensor<1>>);

impl ModuleVisitor for Parameters {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(flattened(param.val().inner()));
    }
}

fn flattened<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let length = tensor.shape().num_elements();
    tensor.reshape([length])
}

struct Applier<'a> {
    slots: std::slice::Iter<'a, Slot>,
    factors: [f32; 2],
    change: Flat,
}

impl ModuleMapper for Applier<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(slot) = self.slots.next() else {
            return param;
        };
        let change = if slot.spared {
            &self.change.spared
        } else {
            &self.change.decayed
        };
        let (id, tensor, mapper) = param.consume();
        let (shape, tracked) = (tensor.shape(), tensor.is_require_grad());
        let change = change.clone().narrow(0, slot.start, slot.length).reshape(shape);
        let factor = self.factors[usize::from(slot.spared)];
        let value = tensor.inner();
        let value = if factor == 1.0 {
            value
        } else {
            value.mul_scalar(factor)
        };
        let tensor = Tensor::from_inner(value - change);
        let tensor = if tracked { tensor.require_grad() } else { tensor };
        Param::from_mapped_value(id, tensor, mapper)
    }
}
