//! What this build holds and what this machine has.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Serialize;

use super::libraries;
use super::processor::Processor;

/// What backends need, as far as it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// The processor.
    pub processor: Processor,
    /// NVIDIA's driver library, `libcuda`.
    pub driver: Option<PathBuf>,
    /// Models of the NVIDIA GPUs, as the driver's files name them; containers often hide these.
    pub gpu_models: Vec<String>,
    /// The backend `tch`; absent: not compiled in.
    pub tch: Option<Libtorch>,
    /// The backend `cuda`; absent: not compiled in.
    pub cuda: Option<Cuda>,
}

/// The libtorch that this process has loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Libtorch {
    /// Its version, where the files beside it say it.
    pub version: Option<String>,
    /// The folder of its libraries.
    pub folder: Option<PathBuf>,
    /// Whether its part for CUDA is loaded.
    pub has_cuda: bool,
    /// GPUs that it can use.
    pub gpus: usize,
}

/// What compiling and running kernels takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cuda {
    /// GPUs that the driver offers.
    pub gpus: usize,
    /// The run-time compiler, `libnvrtc`.
    pub nvrtc: Option<PathBuf>,
    /// The folder with `cuda_bf16.h`.
    pub headers: Option<PathBuf>,
    /// Where the headers were looked for.
    pub searched: Vec<PathBuf>,
}

impl Findings {
    /// Asks once in the life of the process.
    pub fn of_this_machine() -> &'static Self {
        static FINDINGS: OnceLock<Findings> = OnceLock::new();
        FINDINGS.get_or_init(|| Self {
            processor: Processor::of_this_machine(),
            driver: libraries::find(&["libcuda.so.1", "libcuda.so"]),
            gpu_models: gpu_models(Path::new("/proc/driver/nvidia/gpus")),
            tch: libtorch(),
            cuda: cuda(),
        })
    }

    /// The names of the backends that are compiled in.
    pub fn compiled(&self) -> Vec<&'static str> {
        let named = [
            (true, "flex"),
            (self.tch.is_some(), "tch"),
            (self.cuda.is_some(), "cuda"),
        ];
        named
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, name)| *name)
            .collect()
    }
}

#[cfg(not(feature = "tch"))]
fn libtorch() -> Option<Libtorch> {
    None
}

#[cfg(feature = "tch")]
fn libtorch() -> Option<Libtorch> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let gpus = burn::tensor::Device::enumerate(burn::tensor::DeviceType::LibTorch).len();
    Some(Libtorch {
        gpus,
        ..loaded_libtorch(&maps)
    })
}

/// From the text of `/proc/self/maps`.
#[cfg(any(test, feature = "tch"))]
fn loaded_libtorch(maps: &str) -> Libtorch {
    let loaded = |library: &str| {
        let mut paths = maps
            .lines()
            .filter_map(|line| line.find('/').map(|start| &line[start..]));
        paths.find(|path| path.ends_with(library)).map(PathBuf::from)
    };
    let folder = loaded("/libtorch_cpu.so").and_then(|path| path.parent().map(Path::to_path_buf));
    Libtorch {
        version: folder.as_deref().and_then(libtorch_version),
        folder,
        has_cuda: loaded("/libtorch_cuda.so").is_some(),
        gpus: 0,
    }
}

/// A libtorch folder has a file `build-version`, a Python package `version.py`, both beside the folder of the libraries.
#[cfg(any(test, feature = "tch"))]
fn libtorch_version(libraries: &Path) -> Option<String> {
    let root = libraries.parent()?;
    if let Ok(version) = std::fs::read_to_string(root.join("build-version")) {
        return Some(version.trim().to_owned());
    }
    let text = std::fs::read_to_string(root.join("version.py")).ok()?;
    let line = text.lines().find(|line| line.starts_with("__version__"))?;
    line.split(['\'', '"']).nth(1).map(str::to_owned)
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Option<Cuda> {
    None
}

#[cfg(feature = "cuda")]
fn cuda() -> Option<Cuda> {
    let searched = header_folders(std::env::var_os("CUDA_PATH").map(PathBuf::from));
    let has_headers = |folder: &&PathBuf| folder.join("cuda_bf16.h").is_file();
    Some(Cuda {
        gpus: burn::tensor::Device::enumerate(burn::tensor::DeviceType::Cuda).len(),
        nvrtc: libraries::find(&[
            "libnvrtc.so",
            "libnvrtc.so.13",
            "libnvrtc.so.12",
            "libnvrtc.so.11",
        ]),
        headers: searched.iter().find(has_headers).cloned(),
        searched,
    })
}

/// Where cubecl looks for CUDA's headers: one folder, which it takes without looking into it.
#[cfg(any(test, feature = "cuda"))]
fn header_folders(cuda_path: Option<PathBuf>) -> Vec<PathBuf> {
    let root = cuda_path.or_else(|| {
        let roots = ["/usr/local/cuda", "/opt/cuda"].map(PathBuf::from);
        let installed = roots.into_iter().find(|root| root.exists());
        installed.or_else(|| Path::new("/usr/bin/nvcc").exists().then(|| PathBuf::from("/usr")))
    });
    let roots = root.map_or_else(|| vec![PathBuf::from("/usr/local/cuda")], |root| vec![root]);
    roots.into_iter().map(|root| root.join("include")).collect()
}

/// From the driver's files, one folder per GPU.
fn gpu_models(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    let model = |folder: &PathBuf| {
        let text = std::fs::read_to_string(folder.join("information")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Model:"))?;
        Some(line.trim().to_owned())
    };
    folders.iter().filter_map(model).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loaded_libtorch_names_its_version() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(
            root.path().join("version.py"),
            "from typing import Optional\n__version__ = '2.9.0+cu128'\n",
        )
        .unwrap();
        let lib = root.path().join("lib");
        let line = |name: &str| format!("7f00-7f01 r-xp 00000000 00:1d 123   {}/{name}\n", lib.display());
        let cpu = loaded_libtorch(&line("libtorch_cpu.so"));
        assert_eq!(cpu.version.as_deref(), Some("2.9.0+cu128"));
        assert_eq!((cpu.folder.as_ref(), cpu.has_cuda), (Some(&lib), false));
        let both = line("libtorch_cpu.so") + &line("libtorch_cuda.so");
        assert!(loaded_libtorch(&both).has_cuda);
        std::fs::write(root.path().join("build-version"), "2.9.0+cpu\n").unwrap();
        assert_eq!(libtorch_version(&lib).as_deref(), Some("2.9.0+cpu"));
    }

    #[test]
    fn headers_are_where_cuda_path_says() {
        let folders = header_folders(Some(PathBuf::from("/opt/cuda-13.0")));
        assert_eq!(folders, [PathBuf::from("/opt/cuda-13.0/include")]);
        assert_eq!(header_folders(None).len(), 1);
    }

    #[test]
    fn gpus_have_the_names_of_the_drivers_files() {
        let root = tempfile::tempdir().unwrap();
        let gpu = root.path().join("0000:01:00.0");
        std::fs::create_dir(&gpu).unwrap();
        std::fs::write(gpu.join("information"), "Model: \t\t NVIDIA H200\nIRQ:   1\n").unwrap();
        assert_eq!(gpu_models(root.path()), ["NVIDIA H200"]);
        assert!(gpu_models(&gpu.join("no")).is_empty());
    }
}
