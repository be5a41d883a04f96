//! Scratch: runs an invocation file.
fn main() {
    let path = std::env::args().nth(1).expect("invocation");
    let out = stage::run_child(std::path::Path::new(&path), &[&stage_fine_tune::FineTune]);
    if let Err(error) = out {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
