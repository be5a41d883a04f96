use std::path::PathBuf;

use super::*;

fn flex_only() -> Findings {
    Findings::default()
}

/// A build with everything on a machine with two GPUs and all libraries.
fn complete() -> Findings {
    Findings {
        driver: Some(PathBuf::from("/usr/lib/libcuda.so.1")),
        tch: Some(Libtorch {
            has_cuda: true,
            gpus: 2,
            ..Libtorch::default()
        }),
        cuda: Some(Cuda {
            gpus: 2,
            nvrtc: Some(PathBuf::from("/usr/lib/libnvrtc.so")),
            headers: Some(PathBuf::from("/usr/local/cuda/include")),
            searched: vec![PathBuf::from("/usr/local/cuda/include")],
        }),
        ..Findings::default()
    }
}

/// The same build on a machine without a GPU.
fn no_gpu() -> Findings {
    Findings {
        tch: Some(Libtorch::default()),
        cuda: Some(Cuda::default()),
        ..Findings::default()
    }
}

fn chosen(findings: &Findings, device: &str, backend: &str, precision: &str) -> String {
    Choice::among(findings, device, backend, precision)
        .unwrap()
        .to_string()
}

fn refused(findings: &Findings, device: &str, backend: &str, precision: &str) -> String {
    Choice::among(findings, device, backend, precision).unwrap_err()
}

#[test]
fn auto_takes_a_gpu_where_there_is_one_and_says_why() {
    let choice = Choice::among(&complete(), "auto", "auto", "auto").unwrap();
    assert_eq!(choice.to_string(), "tch on GPU 0 in bf16");
    assert_eq!(choice.reason, "a GPU is there; `tch` is preferred to `cuda`");
    let only_cuda = Findings {
        tch: None,
        ..complete()
    };
    let choice = Choice::among(&only_cuda, "auto", "auto", "auto").unwrap();
    assert_eq!(choice.to_string(), "cuda on GPU 0 in bf16");
    assert_eq!(choice.reason, "a GPU is there, and `cuda` can use it");
}

#[test]
fn auto_takes_flex_elsewhere_and_says_why() {
    let choice = Choice::among(&flex_only(), "auto", "auto", "auto").unwrap();
    assert_eq!(choice.to_string(), "flex on the CPU in f32");
    assert!(
        choice.reason.contains("this build has only `flex`"),
        "{}",
        choice.reason
    );
    let choice = Choice::among(&no_gpu(), "auto", "auto", "auto").unwrap();
    assert_eq!(choice.to_string(), "flex on the CPU in f32");
    assert!(choice.reason.contains("libcuda.so.1"), "{}", choice.reason);
}

#[test]
fn a_precision_that_only_one_backend_has_decides() {
    assert_eq!(
        chosen(&complete(), "auto", "auto", "int8"),
        "flex on the CPU in int8"
    );
    assert_eq!(
        chosen(&no_gpu(), "auto", "auto", "bf16"),
        "tch on the CPU in bf16"
    );
    assert!(refused(&flex_only(), "auto", "auto", "bf16").contains("slower than f32"));
}

#[test]
fn what_is_asked_for_is_taken() {
    assert_eq!(
        chosen(&complete(), "cuda:1", "cuda", "f32"),
        "cuda on GPU 1 in f32"
    );
    assert_eq!(
        chosen(&complete(), "cuda:1", "auto", "auto"),
        "tch on GPU 1 in bf16"
    );
    assert_eq!(
        chosen(&complete(), "cpu", "auto", "auto"),
        "flex on the CPU in f32"
    );
    assert_eq!(chosen(&complete(), "cpu", "tch", "auto"), "tch on the CPU in f32");
    assert_eq!(chosen(&complete(), "auto", "tch", "auto"), "tch on GPU 0 in bf16");
    assert_eq!(chosen(&no_gpu(), "auto", "tch", "auto"), "tch on the CPU in f32");
}

#[test]
fn bf16_is_automatic_where_the_processor_multiplies_it() {
    let mut findings = no_gpu();
    findings.processor.bf16 = true;
    assert_eq!(chosen(&findings, "cpu", "tch", "auto"), "tch on the CPU in bf16");
    assert_eq!(chosen(&findings, "cpu", "auto", "auto"), "flex on the CPU in f32");
}

#[test]
fn a_backend_that_is_not_compiled_in_is_an_error_with_its_script() {
    assert_eq!(
        refused(&flex_only(), "auto", "tch", "auto"),
        "backend `tch` is not in this build, which has `flex`; `scripts/build-tch` makes one that has it, or use `backend: auto`"
    );
    assert!(refused(&flex_only(), "cuda:1", "auto", "auto").starts_with("device `cuda:1` cannot be used: "));
}

#[test]
fn everything_that_a_gpu_needs_is_named_when_it_is_missing() {
    let mut findings = no_gpu();
    assert!(refused(&findings, "cuda", "cuda", "auto").contains("libcuda.so.1"));
    assert!(refused(&findings, "cuda", "tch", "auto").contains("has no CUDA"));
    findings.driver = complete().driver;
    assert!(refused(&findings, "cuda", "cuda", "auto").contains("offers no GPU"));
    findings.cuda.as_mut().unwrap().gpus = 1;
    assert!(refused(&findings, "cuda", "cuda", "auto").contains("libnvrtc.so"));
    findings.cuda.as_mut().unwrap().nvrtc = Some(PathBuf::from("/n"));
    findings.cuda.as_mut().unwrap().searched = vec![PathBuf::from("/c/include")];
    assert!(refused(&findings, "cuda", "cuda", "auto").contains("are not in /c/include; set CUDA_PATH"));
    findings.cuda.as_mut().unwrap().headers = Some(PathBuf::from("/c/include"));
    assert_eq!(chosen(&findings, "cuda", "cuda", "auto"), "cuda on GPU 0 in bf16");
    assert!(refused(&findings, "cuda:1", "cuda", "auto").contains("the only one is `cuda:0`"));
    assert!(refused(&complete(), "cuda:7", "tch", "auto").contains("`cuda:0` to `cuda:1`"));
}

#[test]
fn what_no_machine_has_is_refused() {
    assert!(refused(&complete(), "cpu", "cuda", "auto").contains("on NVIDIA GPUs only"));
    assert!(refused(&complete(), "cuda", "flex", "auto").contains("on the CPU only"));
    assert!(refused(&complete(), "cpu", "flex", "bf16").contains("slower than f32"));
    assert!(refused(&complete(), "cuda", "tch", "int8").contains("for the CPU"));
    assert_eq!(
        refused(&complete(), "gpu", "auto", "auto"),
        "device `gpu` is not one of `auto`, `cpu`, `cuda`, `cuda:N`"
    );
    assert!(refused(&complete(), "auto", "onnx", "auto").starts_with("backend `onnx`"));
    assert!(refused(&complete(), "auto", "auto", "f16").starts_with("precision `f16`"));
}

#[test]
fn the_precision_of_a_file_does_not_need_its_machine() {
    let resolved = |device, backend, precision| resolve(&flex_only(), device, backend, precision);
    assert_eq!(resolved("cuda", "auto", "auto"), Ok(Precision::Bf16));
    assert_eq!(resolved("auto", "cuda", "auto"), Ok(Precision::Bf16));
    assert_eq!(resolved("auto", "tch", "bf16"), Ok(Precision::Bf16));
    assert_eq!(resolved("auto", "tch", "auto"), Ok(Precision::F32));
    assert_eq!(resolved("auto", "auto", "auto"), Ok(Precision::F32));
    assert!(resolved("cuda", "auto", "int8").is_err());
    assert!(resolved("auto", "flex", "bf16").is_err());
    assert!(resolved("cpu", "cuda", "f32").is_err());
}
