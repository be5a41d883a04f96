//! Which backend, on which device, in which precision: decided from what was found, without touching any of it.

use std::fmt;

use super::{Cuda, Findings, Libtorch};
use crate::Precision;

/// Which of two backends `auto` takes on a GPU that both can use. On none has the difference been measured yet; libtorch
/// comes first because it needs no warm-up: `cuda` compiles and tunes each kernel when it meets a new shape.
const ON_A_GPU: [Backend; 2] = [Backend::Tch, Backend::Cuda];

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Rust on the CPU. Always compiled in: what reads and writes models, and the loss of training on the CPU, are tensors
    /// on it.
    Flex,
    /// libtorch, on the CPU and on NVIDIA GPUs.
    Tch,
    /// CubeCL, on NVIDIA GPUs.
    Cuda,
}

/// Where it is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The processor.
    Cpu,
    /// The GPU of that number.
    Gpu(usize),
}

/// What to compute with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What computes.
    pub backend: Backend,
    /// Where.
    pub place: Place,
    /// In what numbers.
    pub precision: Precision,
    /// Why this and no other.
    pub reason: String,
}

impl Backend {
    /// As a pipeline file writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Tch => "tch",
            Self::Cuda => "cuda",
        }
    }
}

impl Place {
    /// As a pipeline file writes it.
    pub fn name(self) -> String {
        match self {
            Self::Cpu => "cpu".to_owned(),
            Self::Gpu(index) => format!("cuda:{index}"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => out.write_str("the CPU"),
            Self::Gpu(index) => write!(out, "GPU {index}"),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} on {} in {}",
            self.backend.name(),
            self.place,
            self.precision.name()
        )
    }
}

/// What the user asked for.
#[derive(Clone, Copy)]
struct Request {
    /// Absent: `auto`.
    place: Option<Place>,
    backend: Option<Backend>,
    precision: Option<Precision>,
}

impl Request {
    fn parse(device: &str, backend: &str, precision: &str) -> Result<Self, String> {
        Ok(Self {
            place: parse_place(device)?,
            backend: match backend {
                "auto" => None,
                "flex" => Some(Backend::Flex),
                "tch" => Some(Backend::Tch),
                "cuda" => Some(Backend::Cuda),
                _ => {
                    return Err(format!(
                        "backend `{backend}` is not one of `auto`, `flex`, `tch`, `cuda`"
                    ));
                }
            },
            precision: match Precision::from_name(precision) {
                None if precision != "auto" => {
                    return Err(format!(
                        "precision `{precision}` is not one of `auto`, `f32`, `bf16`, `int8`"
                    ));
                }
                precision => precision,
            },
        })
    }
}

fn parse_place(device: &str) -> Result<Option<Place>, String> {
    let number = device.strip_prefix("cuda:").map(str::parse);
    match (device, number) {
        ("auto", _) => Ok(None),
        ("cpu", _) => Ok(Some(Place::Cpu)),
        ("cuda", _) => Ok(Some(Place::Gpu(0))),
        (_, Some(Ok(index))) => Ok(Some(Place::Gpu(index))),
        _ => Err(format!(
            "device `{device}` is not one of `auto`, `cpu`, `cuda`, `cuda:N`"
        )),
    }
}

impl Choice {
    /// What to compute with where `findings` are found, or in words why that cannot be and what to do.
    pub fn among(findings: &Findings, device: &str, backend: &str, precision: &str) -> Result<Self, String> {
        let request = Request::parse(device, backend, precision)?;
        let (backend, place, reason) = match (request.backend, request.place) {
            (Some(Backend::Flex), Some(Place::Gpu(_))) => {
                return Err(format!(
                    "backend `flex` computes on the CPU only, not on device `{device}`; use `device: cpu` or another backend"
                ));
            }
            (Some(Backend::Flex), _) => (Backend::Flex, Place::Cpu, "asked for".to_owned()),
            (Some(backend), place) => explicit(findings, backend, place)?,
            (None, Some(Place::Gpu(index))) => any_on_gpu(findings, index)
                .map_err(|reasons| format!("device `{device}` cannot be used: {reasons}"))?,
            (None, Some(Place::Cpu)) => on_cpu(findings, request.precision, "asked for the CPU"),
            (None, None) => automatic(findings, request.precision),
        };
        let precision = match request.precision {
            None => automatic_precision(&findings.processor, backend, place),
            Some(precision) => offered(precision, backend, place)?,
        };
        Ok(Self {
            backend,
            place,
            precision,
            reason,
        })
    }
}

type Chosen = (Backend, Place, String);

/// Neither device nor backend are asked for.
fn automatic(findings: &Findings, precision: Option<Precision>) -> Chosen {
    if precision == Some(Precision::Int8) {
        return (Backend::Flex, Place::Cpu, "int8 is for the CPU".to_owned());
    }
    match any_on_gpu(findings, 0) {
        Ok(chosen) => chosen,
        Err(reasons) => on_cpu(findings, precision, &format!("no GPU can be used: {reasons}")),
    }
}

/// flex is the fastest in f32 and in int8 and knows no bf16.
fn on_cpu(findings: &Findings, precision: Option<Precision>, why: &str) -> Chosen {
    if precision == Some(Precision::Bf16) && findings.tch.is_some() {
        let reason = format!("{why}; bf16 is libtorch's on the CPU");
        return (Backend::Tch, Place::Cpu, reason);
    }
    (
        Backend::Flex,
        Place::Cpu,
        format!("{why}; flex is the fastest on the CPU"),
    )
}

/// `tch` or `cuda` was asked for.
fn explicit(findings: &Findings, backend: Backend, place: Option<Place>) -> Result<Chosen, String> {
    let asked = || "asked for".to_owned();
    match (backend, place) {
        (Backend::Tch, Some(Place::Cpu)) => {
            compiled_in(findings, backend).map(|()| (backend, Place::Cpu, asked()))
        }
        (Backend::Tch, None) => {
            compiled_in(findings, backend)?;
            Ok(match on_gpu(findings, backend, 0) {
                Ok(()) => (backend, Place::Gpu(0), asked()),
                Err(reason) => (
                    backend,
                    Place::Cpu,
                    format!("asked for; no GPU can be used: {reason}"),
                ),
            })
        }
        (_, Some(Place::Cpu)) => Err(format!(
            "backend `{}` computes on NVIDIA GPUs only; use `device: auto`, or `backend: flex` for the CPU",
            backend.name()
        )),
        (_, Some(Place::Gpu(index))) => {
            on_gpu(findings, backend, index).map(|()| (backend, Place::Gpu(index), asked()))
        }
        (_, None) => on_gpu(findings, backend, 0).map(|()| (backend, Place::Gpu(0), asked())),
    }
}

/// The first backend that can use that GPU, or why none can.
fn any_on_gpu(findings: &Findings, index: usize) -> Result<Chosen, String> {
    let mut reasons: Vec<String> = Vec::new();
    for backend in ON_A_GPU {
        match on_gpu(findings, backend, index) {
            Ok(()) => {
                let reason = match ON_A_GPU.iter().find(|other| **other != backend) {
                    Some(other) if on_gpu(findings, *other, index).is_ok() => {
                        format!(
                            "a GPU is there; `{}` is preferred to `{}`",
                            backend.name(),
                            other.name()
                        )
                    }
                    _ => format!("a GPU is there, and `{}` can use it", backend.name()),
                };
                return Ok((backend, Place::Gpu(index), reason));
            }
            Err(reason) => reasons.push(reason),
        }
    }
    if findings.tch.is_none() && findings.cuda.is_none() {
        return Err(
            "this build has only `flex`, for the CPU; `scripts/build-tch` and `scripts/build-cuda` make others".to_owned(),
        );
    }
    // What is not compiled in is not what is wrong, if the other one is.
    let compiled = |backend| compiled_in(findings, backend).is_ok();
    let pairs = ON_A_GPU.iter().zip(reasons);
    let reasons = pairs.filter(|(backend, _)| compiled(**backend));
    Err(reasons.map(|(_, reason)| reason).collect::<Vec<_>>().join("; "))
}

fn compiled_in(findings: &Findings, backend: Backend) -> Result<(), String> {
    let name = backend.name();
    let compiled = findings.compiled();
    if compiled.contains(&name) {
        return Ok(());
    }
    let known: Vec<String> = compiled.iter().map(|name| format!("`{name}`")).collect();
    Err(format!(
        "backend `{name}` is not in this build, which has {}; `scripts/build-{name}` makes one that has it, or use `backend: auto`",
        known.join(", ")
    ))
}

/// Whether `backend` can use the GPU of that number; if not, why and what to do.
fn on_gpu(findings: &Findings, backend: Backend, index: usize) -> Result<(), String> {
    compiled_in(findings, backend)?;
    match (backend, &findings.tch, &findings.cuda) {
        (Backend::Tch, Some(found), _) => libtorch_on_gpu(findings, found, index),
        (Backend::Cuda, _, Some(found)) => cuda_on_gpu(findings, found, index),
        _ => Err("backend `flex` computes on the CPU only".to_owned()),
    }
}

fn libtorch_on_gpu(findings: &Findings, found: &Libtorch, index: usize) -> Result<(), String> {
    if !found.has_cuda {
        return Err(
            "the libtorch that is loaded has no CUDA; build with one that has it (the PyPI package torch for Linux does)".to_owned(),
        );
    }
    gpu_there(findings, found.gpus, index)
}

fn cuda_on_gpu(findings: &Findings, found: &Cuda, index: usize) -> Result<(), String> {
    gpu_there(findings, found.gpus, index)?;
    if found.nvrtc.is_none() {
        return Err(
            "NVRTC (`libnvrtc.so`) is not found; install the CUDA toolkit or the PyPI package nvidia-cuda-nvrtc and put its folder \
             on LD_LIBRARY_PATH"
                .to_owned(),
        );
    }
    if found.headers.is_none() {
        let searched: Vec<String> = found
            .searched
            .iter()
            .map(|folder| folder.display().to_string())
            .collect();
        return Err(format!(
            "CUDA's headers (`cuda_bf16.h`) are not in {}; set CUDA_PATH to a folder whose `include` has them",
            searched.join(", ")
        ));
    }
    Ok(())
}

fn gpu_there(findings: &Findings, gpus: usize, index: usize) -> Result<(), String> {
    if findings.driver.is_none() && gpus == 0 {
        return Err(
            "NVIDIA's driver (`libcuda.so.1`) is not found; install it, or put its folder on LD_LIBRARY_PATH"
                .to_owned(),
        );
    }
    match gpus {
        0 => Err(
            "the driver is there, but it offers no GPU; see `nvidia-smi` and CUDA_VISIBLE_DEVICES".to_owned(),
        ),
        gpus if index < gpus => Ok(()),
        1 => Err(format!("there is no GPU {index}: the only one is `cuda:0`")),
        gpus => Err(format!(
            "there is no GPU {index}: the {gpus} are `cuda:0` to `cuda:{}`",
            gpus - 1
        )),
    }
}

/// bf16 where it is fast.
fn automatic_precision(processor: &super::Processor, backend: Backend, place: Place) -> Precision {
    match (backend, place) {
        (_, Place::Gpu(_)) => Precision::Bf16,
        (Backend::Tch, Place::Cpu) if processor.has_fast_bf16() => Precision::Bf16,
        _ => Precision::F32,
    }
}

fn offered(precision: Precision, backend: Backend, place: Place) -> Result<Precision, String> {
    match (precision, backend) {
        (Precision::Bf16, Backend::Flex) => Err(
            "precision `bf16` is not offered on the CPU: the flex backend computes it slower than f32; use `f32` or `auto`, \
             or `backend: tch` in a build that has it"
                .to_owned(),
        ),
        (Precision::Int8, Backend::Tch | Backend::Cuda) => Err(format!(
            "precision `int8` is for the CPU with `backend: flex`, not for `{}` on {place}; use `bf16`, `f32` or `auto`",
            backend.name()
        )),
        _ => Ok(precision),
    }
}

/// The precision that `requested` means there, or why it cannot be had.
///
/// What is asked for may be missing on this machine: a pipeline file can be checked where it is not to run. Its precision is
/// then that of a machine that has it.
pub fn resolve_precision(device: &str, backend: &str, requested: &str) -> Result<&'static str, String> {
    let findings = Findings::of_this_machine();
    resolve(findings, device, backend, requested).map(Precision::name)
}

fn resolve(findings: &Findings, device: &str, backend: &str, requested: &str) -> Result<Precision, String> {
    let request = Request::parse(device, backend, requested)?;
    let impossible = match Choice::among(findings, device, backend, requested) {
        Ok(choice) => return Ok(choice.precision),
        Err(reason) => reason,
    };
    let (backend, place) = match (request.backend, request.place) {
        // Nowhere is there such a thing.
        (Some(Backend::Flex), _)
        | (Some(Backend::Cuda), Some(Place::Cpu))
        | (None, None | Some(Place::Cpu)) => {
            return Err(impossible);
        }
        (Some(backend), Some(place)) => (backend, place),
        (Some(Backend::Tch), None) => (Backend::Tch, Place::Cpu),
        (Some(Backend::Cuda), None) => (Backend::Cuda, Place::Gpu(0)),
        (None, Some(place)) => (ON_A_GPU[0], place),
    };
    match request.precision {
        None => Ok(automatic_precision(&findings.processor, backend, place)),
        Some(precision) => offered(precision, backend, place),
    }
}

#[cfg(test)]
mod tests;
