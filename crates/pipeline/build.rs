//! Where the program looks for libtorch, when it is built with it: see `scripts/build-tch`.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=PIPELINE_LIBTORCH");
    if env::var_os("CARGO_FEATURE_TCH").is_none() {
        return;
    }
    if let Ok(folder) = env::var("PIPELINE_LIBTORCH") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
    println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/libtorch/lib");
}
