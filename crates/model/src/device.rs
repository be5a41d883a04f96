//! Where and how precisely to compute. The only place that knows which backends are compiled in.
//!
//! `Device::default()` is never called: it prefers whatever is compiled in over what the user chose.

use burn::tensor::Device;

use crate::ModelError;

/// The device that `device` (`auto`, `cpu`, `cuda`, `cuda:N`) and `backend` (`auto`, `flex`, `tch`, `cuda`) ask for.
/// It is a plain one: call `autodiff()` on it for training.
pub fn open_device(device: &str, backend: &str) -> Result<Device, ModelError> {
    if !matches!(backend, "auto" | "flex" | "tch" | "cuda") {
        return Err(ModelError::Device(format!(
            "backend `{backend}` is not one of `auto`, `flex`, `tch`, `cuda`"
        )));
    }
    let known = matches!(device, "auto" | "cpu" | "cuda")
        || device
            .strip_prefix("cuda:")
            .is_some_and(|number| number.parse::<usize>().is_ok());
    if !known {
        return Err(ModelError::Device(format!(
            "device `{device}` is not one of `auto`, `cpu`, `cuda`, `cuda:N`"
        )));
    }
    if matches!(backend, "tch" | "cuda") {
        return Err(ModelError::Device(format!(
            "backend `{backend}` is not in this build, which has only `flex`; use `backend: flex` or `auto`"
        )));
    }
    if device.starts_with("cuda") {
        return Err(ModelError::Device(format!(
            "device `{device}` needs a backend that is not in this build, which has only `flex` for the CPU; \
             use `device: cpu` or `auto`"
        )));
    }
    Ok(Device::flex())
}

const CPU: &str = "the CPU";

/// The precision that `requested` (`auto`, `f32`, `bf16`, `int8`) means on that device, or why it cannot be had.
pub fn resolve_precision(device: &str, backend: &str, requested: &str) -> Result<&'static str, String> {
    let place = if device.starts_with("cuda") || matches!(backend, "tch" | "cuda") {
        "this build"
    } else {
        CPU
    };
    match requested {
        "auto" | "f32" => Ok("f32"),
        "bf16" => Err(format!(
            "precision `bf16` is not offered on {place}: the flex backend computes it slower than f32; use `f32` or `auto`"
        )),
        "int8" if place == CPU => Ok("int8"),
        "int8" => Err(format!(
            "precision `int8` is for the CPU and not offered on {place}; use `f32` or `auto`"
        )),
        other => Err(format!(
            "precision `{other}` is not one of `auto`, `f32`, `bf16`, `int8`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_is_the_cpu() {
        assert!(open_device("auto", "auto").is_ok());
        assert!(open_device("cpu", "flex").is_ok());
    }

    #[test]
    fn a_backend_that_is_not_compiled_in_is_an_error_in_words() {
        let message = open_device("auto", "tch").unwrap_err().to_string();
        assert_eq!(
            message,
            "backend `tch` is not in this build, which has only `flex`; use `backend: flex` or `auto`"
        );
        assert!(
            open_device("cuda:1", "auto")
                .unwrap_err()
                .to_string()
                .starts_with("device `cuda:1` needs")
        );
    }

    #[test]
    fn a_device_that_does_not_exist_names_the_known_ones() {
        let message = open_device("gpu", "auto").unwrap_err().to_string();
        assert_eq!(
            message,
            "device `gpu` is not one of `auto`, `cpu`, `cuda`, `cuda:N`"
        );
    }

    #[test]
    fn auto_precision_is_f32_on_flex() {
        assert_eq!(resolve_precision("auto", "auto", "auto"), Ok("f32"));
        assert!(
            resolve_precision("cpu", "flex", "bf16")
                .unwrap_err()
                .contains("slower than f32")
        );
    }
}
