//! The float parameters of a module as vectors on the host, in the order in which it visits them.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

use crate::TrainingError;

/// Copies the parameters of `module`.
pub(crate) fn read<M: Module>(module: &M) -> Result<Vec<Vec<f32>>, TrainingError> {
    let mut reader = Reader {
        values: Vec::new(),
        error: None,
    };
    module.visit(&mut reader);
    match reader.error {
        Some(error) => Err(error),
        None => Ok(reader.values),
    }
}

/// How many values each parameter of `module` has.
pub(crate) fn sizes<M: Module>(module: &M) -> Vec<usize> {
    struct Sizes(Vec<usize>);
    impl ModuleVisitor for Sizes {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(param.lazy_shape().num_elements());
        }
    }
    let mut sizes = Sizes(Vec::new());
    module.visit(&mut sizes);
    sizes.0
}

/// `module` with these parameters in place of its own.
pub(crate) fn write<M: Module>(module: M, values: &[Vec<f32>]) -> Result<M, TrainingError> {
    if sizes(&module).into_iter().ne(values.iter().map(Vec::len)) {
        return Err(TrainingError::Checkpoint(
            "its parameters are those of another model".into(),
        ));
    }
    Ok(module.map(&mut Writer {
        values: values.iter(),
    }))
}

struct Reader {
    values: Vec<Vec<f32>>,
    error: Option<TrainingError>,
}

impl ModuleVisitor for Reader {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        match param.val().into_data().try_into_vec_as::<f32>() {
            Ok(values) => self.values.push(values),
            Err(error) => self.error = Some(TrainingError::tensor(error)),
        }
    }
}

struct Writer<'a> {
    values: std::slice::Iter<'a, Vec<f32>>,
}

impl ModuleMapper for Writer<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(values) = self.values.next() else {
            return param;
        };
        let (id, tensor, mapper) = param.consume();
        let (device, tracked, shape) = (tensor.device(), tensor.is_require_grad(), tensor.shape());
        let tensor = Tensor::<D>::from_data(TensorData::new(values.clone(), shape), &device);
        let tensor = if tracked { tensor.require_grad() } else { tensor };
        Param::from_mapped_value(id, tensor, mapper)
    }
}
