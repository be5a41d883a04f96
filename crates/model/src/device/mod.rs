//! Where and how precisely to compute. The only place that knows which backends are compiled in.
//!
//! `Device::default()` is never called, here or by what we use of burn: it prefers what is compiled in over what the user
//! chose.

mod choice;
mod findings;
mod libraries;
mod processor;

pub use choice::{Backend, Choice, Place, resolve_precision};
pub use findings::{Cuda, Findings, Libtorch};
pub use processor::Processor;

use burn::tensor::Device;

use crate::ModelError;

/// The device that `device` (`auto`, `cpu`, `cuda`, `cuda:N`) and `backend` (`auto`, `flex`, `tch`, `cuda`) ask for.
/// It is a plain one: call `autodiff()` on it for training.
pub fn open_device(device: &str, backend: &str) -> Result<Device, ModelError> {
    Choice::of(device, backend, "auto")?.open()
}

impl Choice {
    /// What to compute with on this machine, or in words why that cannot be.
    pub fn of(device: &str, backend: &str, precision: &str) -> Result<Self, ModelError> {
        Self::among(Findings::of_this_machine(), device, backend, precision).map_err(ModelError::Device)
    }

    /// The device as burn knows it.
    pub fn open(&self) -> Result<Device, ModelError> {
        tracing::info!("computing with {self}: {}", self.reason);
        open(self.backend, self.place).ok_or_else(|| {
            ModelError::Device(format!("backend `{}` is not in this build", self.backend.name()))
        })
    }
}

fn open(backend: Backend, place: Place) -> Option<Device> {
    match (backend, place) {
        (Backend::Flex, _) => Some(Device::flex()),
        #[cfg(feature = "tch")]
        (Backend::Tch, place) => Some(libtorch(place)),
        #[cfg(feature = "cuda")]
        (Backend::Cuda, Place::Gpu(index)) => Some(Device::cuda(index)),
        _ => None,
    }
}

#[cfg(feature = "tch")]
#[expect(
    deprecated,
    reason = "burn announces the end of this backend; until then it is the fastest one that runs on every NVIDIA GPU"
)]
fn libtorch(place: Place) -> Device {
    match place {
        Place::Cpu => Device::libtorch(),
        Place::Gpu(index) => Device::libtorch_cuda(index),
    }
}

/// Whether `device` is libtorch's, with or without autodiff.
#[cfg(feature = "tch")]
pub(crate) fn is_libtorch(device: &Device) -> bool {
    let gpus = Findings::of_this_machine()
        .tch
        .as_ref()
        .map_or(0, |found| found.gpus);
    let mut places = std::iter::once(Place::Cpu).chain((0..gpus).map(Place::Gpu));
    places.any(|place| *device == libtorch(place))
}

/// The widths of batches are to be multiples of this. CubeCL compiles and tunes kernels for each shape it meets, so that they are
/// few; texts of equal length need no mask, which is what lets libtorch fuse attention.
pub(crate) fn width_step(device: &Device) -> usize {
    if is_cpu(device) || is_libtorch(device) {
        1
    } else {
        32
    }
}

/// Whether `device` is the CPU.
pub(crate) fn is_cpu(device: &Device) -> bool {
    [Backend::Flex, Backend::Tch]
        .into_iter()
        .any(|backend| open(backend, Place::Cpu).is_some_and(|cpu| cpu == *device))
}

/// There is no libtorch in this build.
#[cfg(not(feature = "tch"))]
pub(crate) fn is_libtorch(_: &Device) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_can_always_be_had() {
        assert!(open_device("cpu", "auto").is_ok());
        assert_eq!(open_device("cpu", "flex").unwrap(), Device::flex());
    }

    #[test]
    fn what_auto_takes_can_be_opened() {
        assert!(open_device("auto", "auto").is_ok());
    }

    #[test]
    #[cfg(not(feature = "tch"))]
    fn a_backend_that_is_not_compiled_in_is_an_error_in_words() {
        let message = open_device("auto", "tch").unwrap_err().to_string();
        assert!(
            message.starts_with("backend `tch` is not in this build"),
            "{message}"
        );
    }

    #[test]
    #[cfg(feature = "tch")]
    fn libtorch_is_told_apart() {
        assert!(is_libtorch(&open_device("cpu", "tch").unwrap()));
        assert!(is_libtorch(&open_device("cpu", "tch").unwrap().autodiff()));
        assert!(!is_libtorch(&Device::flex()));
    }
}
