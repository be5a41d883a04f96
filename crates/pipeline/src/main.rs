//! The program `pipeline`.

use std::process::ExitCode;

fn main() -> ExitCode {
    pipeline::main(std::env::args_os())
}
