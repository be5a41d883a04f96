//! `pipeline doctor`: what this build can use on this machine, what is missing, and what `auto` takes.

use model::{Backend, Choice, Findings};
use serde::Serialize;

use crate::args::DoctorArgs;
use crate::error::CliError;
use crate::output;

#[derive(Serialize)]
struct Document {
    schema_version: u32,
    version: &'static str,
    cores: usize,
    memory_bytes: Option<u64>,
    backends: Vec<BackendEntry>,
    auto: Auto,
    findings: Findings,
}

#[derive(Serialize)]
struct BackendEntry {
    backend: &'static str,
    /// Whether it is in this build.
    compiled: bool,
    /// Whether it can compute anywhere on this machine.
    usable: bool,
    devices: Vec<DeviceEntry>,
    detail: String,
    /// Why it cannot use a GPU, or nothing at all, and what to do.
    missing: Option<String>,
}

#[derive(Serialize)]
struct DeviceEntry {
    device: String,
    /// What `precision: auto` is there.
    precision: &'static str,
}

/// What `device: auto`, `backend: auto`, `precision: auto` mean here.
#[derive(Serialize)]
struct Auto {
    backend: &'static str,
    device: String,
    precision: &'static str,
    reason: String,
}

pub(crate) fn doctor(args: &DoctorArgs) -> Result<(), CliError> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let document = Document::new(Findings::of_this_machine(), cores, memory())?;
    if args.json {
        output::print_json(&document)
    } else {
        output::print(&document.text())
    }
}

impl Document {
    fn new(findings: &Findings, cores: usize, memory_bytes: Option<u64>) -> Result<Self, CliError> {
        let auto = Choice::among(findings, "auto", "auto", "auto").map_err(stage::Failure::missing)?;
        Ok(Self {
            schema_version: 1,
            version: env!("CARGO_PKG_VERSION"),
            cores,
            memory_bytes,
            backends: [Backend::Flex, Backend::Tch, Backend::Cuda]
                .into_iter()
                .map(|backend| BackendEntry::new(findings, backend))
                .collect(),
            auto: Auto {
                backend: auto.backend.name(),
                device: auto.place.name(),
                precision: auto.precision.name(),
                reason: auto.reason,
            },
            findings: findings.clone(),
        })
    }

    fn text(&self) -> String {
        let memory = self
            .memory_bytes
            .map_or_else(|| "unknown".to_owned(), crate::words::bytes);
        let mut text = format!(
            "pipeline {} · {} cores · {memory} of memory\n",
            self.version, self.cores
        );
        let processor = &self.findings.processor;
        let (model, features) = (processor.model.as_deref(), processor.features());
        let features = if features.is_empty() {
            "nothing known".to_owned()
        } else {
            features.join(", ")
        };
        let bf16 = if processor.has_fast_bf16() {
            ""
        } else {
            "; bf16 is slow"
        };
        text += &format!("   CPU    {}: {features}{bf16}\n", model.unwrap_or("unknown"));
        text += &format!("   GPU    {}\n", self.gpus());
        for backend in &self.backends {
            let mark = if backend.usable { "ok" } else { "no" };
            text += &format!("{mark} {:6} {}\n", backend.backend, backend.detail);
            if let Some(missing) = &backend.missing {
                text += &format!("          {missing}\n");
            }
        }
        let Auto {
            backend,
            device,
            precision,
            reason,
        } = &self.auto;
        text += &format!("   auto   {backend} on {device} in {precision}: {reason}\n");
        text
    }

    fn gpus(&self) -> String {
        let found = &self.findings;
        let of_tch = found.tch.as_ref().map_or(0, |found| found.gpus);
        let count = found.cuda.as_ref().map_or(0, |found| found.gpus).max(of_tch);
        let models = found.gpu_models.join(", ");
        let driver = found.driver.as_ref().map(|path| path.display().to_string());
        match (driver, models.is_empty(), count) {
            (None, true, 0) => "none: there is no NVIDIA driver".to_owned(),
            (None, _, _) => format!("{models}; its driver library `libcuda.so.1` is not found"),
            (Some(driver), true, 0) => format!("driver {driver}; no GPU is known to it"),
            (Some(driver), true, count) => format!("{count} through {driver}"),
            (Some(driver), false, _) => format!("{models}, through {driver}"),
        }
    }
}

impl BackendEntry {
    fn new(findings: &Findings, backend: Backend) -> Self {
        let name = backend.name();
        let gpus = match backend {
            Backend::Flex => 0,
            Backend::Tch => findings.tch.as_ref().map_or(0, |found| found.gpus),
            Backend::Cuda => findings.cuda.as_ref().map_or(0, |found| found.gpus),
        };
        let places =
            std::iter::once("cpu".to_owned()).chain((0..gpus.max(1)).map(|gpu| format!("cuda:{gpu}")));
        let (mut devices, mut refusals) = (Vec::new(), Vec::new());
        for device in places {
            match Choice::among(findings, &device, name, "auto") {
                Ok(choice) => devices.push(DeviceEntry {
                    device,
                    precision: choice.precision.name(),
                }),
                Err(reason) => refusals.push(reason),
            }
        }
        let compiled = findings.compiled().contains(&name);
        Self {
            backend: name,
            compiled,
            usable: !devices.is_empty(),
            detail: detail(findings, backend, compiled, &devices),
            missing: missing(backend, compiled, refusals),
            devices,
        }
    }
}

/// What is not there for the GPU. That a backend of the CPU has no GPU, and one of GPUs no CPU, is no fault.
fn missing(backend: Backend, compiled: bool, refusals: Vec<String>) -> Option<String> {
    match (backend, compiled) {
        (Backend::Flex, _) => None,
        (_, false) => Some(format!(
            "scripts/build-{} makes a program that has it",
            backend.name()
        )),
        (Backend::Tch, true) => refusals
            .into_iter()
            .next()
            .map(|reason| format!("no GPU: {reason}")),
        (Backend::Cuda, true) => refusals.into_iter().nth(1),
    }
}

fn detail(findings: &Findings, backend: Backend, compiled: bool, devices: &[DeviceEntry]) -> String {
    if !compiled {
        return "not in this build".to_owned();
    }
    let devices: Vec<String> = devices
        .iter()
        .map(|entry| format!("{} in {}", entry.device, entry.precision))
        .collect();
    let devices = if devices.is_empty() {
        "no device".to_owned()
    } else {
        devices.join(", ")
    };
    let path = |path: &Option<std::path::PathBuf>| {
        path.as_ref()
            .map_or_else(|| "not found".to_owned(), |path| path.display().to_string())
    };
    match (backend, &findings.tch, &findings.cuda) {
        (Backend::Tch, Some(found), _) => format!(
            "{devices}; libtorch {} {} CUDA, in {}",
            found.version.as_deref().unwrap_or("of unknown version"),
            if found.has_cuda { "with" } else { "without" },
            path(&found.folder)
        ),
        (Backend::Cuda, _, Some(found)) => format!(
            "{devices}; NVRTC {}, headers {}",
            path(&found.nvrtc),
            path(&found.headers)
        ),
        _ => {
            let kernel = if findings.processor.vnni {
                "with VNNI"
            } else {
                "portable kernel"
            };
            format!("{devices}; int8 {kernel}")
        }
    }
}

fn memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use model::{Cuda, Libtorch};

    use super::*;

    fn text(findings: &Findings) -> String {
        Document::new(findings, 2, Some(8 << 30)).unwrap().text()
    }

    /// A build with every backend on a machine that lacks everything.
    fn bare() -> Findings {
        Findings {
            tch: Some(Libtorch::default()),
            cuda: Some(Cuda {
                searched: vec![PathBuf::from("/usr/local/cuda/include")],
                ..Cuda::default()
            }),
            ..Findings::default()
        }
    }

    #[test]
    fn a_build_with_flex_alone_names_the_scripts_for_the_others() {
        let text = text(&Findings::default());
        assert!(
            text.contains("ok flex   cpu in f32; int8 portable kernel"),
            "{text}"
        );
        assert!(
            text.contains("no tch    not in this build\n          scripts/build-tch makes"),
            "{text}"
        );
        assert!(
            text.contains("no cuda   not in this build\n          scripts/build-cuda makes"),
            "{text}"
        );
        assert!(
            text.contains("auto   flex on cpu in f32: no GPU can be used: this build has only `flex`"),
            "{text}"
        );
        assert!(text.contains("GPU    none: there is no NVIDIA driver"), "{text}");
    }

    #[test]
    fn what_is_missing_stands_with_its_remedy() {
        let text = text(&bare());
        assert!(
            text.contains("ok tch    cpu in f32; libtorch of unknown version without CUDA, in not found"),
            "{text}"
        );
        assert!(
            text.contains("no GPU: the libtorch that is loaded has no CUDA; build with one that has it"),
            "{text}"
        );
        assert!(
            text.contains("no cuda   no device; NVRTC not found, headers not found\n"),
            "{text}"
        );
        assert!(
            text.contains("(`libcuda.so.1`) is not found; install it"),
            "{text}"
        );
    }

    #[test]
    fn on_a_gpu_machine_everything_is_named() {
        let findings = Findings {
            driver: Some(PathBuf::from("/usr/lib/libcuda.so.1")),
            gpu_models: vec!["NVIDIA H200".to_owned()],
            tch: Some(Libtorch {
                version: Some("2.9.0+cu128".to_owned()),
                folder: Some(PathBuf::from("/opt/torch/lib")),
                has_cuda: true,
                gpus: 1,
            }),
            cuda: Some(Cuda {
                gpus: 1,
                nvrtc: Some(PathBuf::from("/usr/local/cuda/lib64/libnvrtc.so")),
                headers: Some(PathBuf::from("/usr/local/cuda/include")),
                searched: Vec::new(),
            }),
            ..Findings::default()
        };
        let text = text(&findings);
        assert!(
            text.contains("GPU    NVIDIA H200, through /usr/lib/libcuda.so.1"),
            "{text}"
        );
        assert!(
            text.contains(
                "ok tch    cpu in f32, cuda:0 in bf16; libtorch 2.9.0+cu128 with CUDA, in /opt/torch/lib\n"
            ),
            "{text}"
        );
        assert!(
            text.contains("ok cuda   cuda:0 in bf16; NVRTC /usr/local/cuda/lib64/libnvrtc.so, headers /usr/local/cuda/include\n"),
            "{text}"
        );
        assert!(
            text.contains("auto   tch on cuda:0 in bf16: a GPU is there"),
            "{text}"
        );
        assert!(!text.contains("scripts/"), "{text}");
    }

    #[test]
    fn the_document_of_this_machine_is_whole() {
        let document = Document::new(Findings::of_this_machine(), 1, None).unwrap();
        let json = serde_json::to_value(&document).unwrap();
        assert_eq!(json["backends"].as_array().map(Vec::len), Some(3));
        assert_eq!(json["backends"][0]["usable"], true);
        assert!(
            json["auto"]["reason"]
                .as_str()
                .is_some_and(|reason| !reason.is_empty())
        );
    }
}
