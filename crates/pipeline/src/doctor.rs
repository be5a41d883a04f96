//! `pipeline doctor`: what this build can use on this machine.

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
    backends: Vec<Backend>,
}

#[derive(Serialize)]
struct Backend {
    backend: &'static str,
    usable: bool,
    detail: String,
}

pub(crate) fn doctor(args: &DoctorArgs) -> Result<(), CliError> {
    let document = Document {
        schema_version: 1,
        version: env!("CARGO_PKG_VERSION"),
        cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        memory_bytes: memory(),
        backends: ["flex", "tch", "cuda"].into_iter().map(probe).collect(),
    };
    if args.json {
        return output::print_json(&document);
    }
    let memory = document
        .memory_bytes
        .map_or_else(|| "unknown".to_owned(), crate::words::bytes);
    output::print_line(&format!(
        "pipeline {} · {} cores · {memory} of memory",
        document.version, document.cores
    ))?;
    for backend in &document.backends {
        let mark = if backend.usable { "ok " } else { "no " };
        output::print_line(&format!("{mark} {:5} {}", backend.backend, backend.detail))?;
    }
    Ok(())
}

fn probe(backend: &'static str) -> Backend {
    match model::open_device("auto", backend) {
        Ok(_) => {
            let precision = model::resolve_precision("auto", backend, "auto");
            Backend {
                backend,
                usable: true,
                detail: format!("works, precision {}", precision.unwrap_or("unknown")),
            }
        }
        Err(error) => Backend {
            backend,
            usable: false,
            detail: error.to_string(),
        },
    }
}

fn memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}
