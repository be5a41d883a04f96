//! `pipeline export`: a model out of the store as a Hugging Face directory.

mod verify;

use std::path::Path;

use crate::args::ExportArgs;
use crate::error::{CliError, Exit};
use crate::output;
use crate::terminal::print_error;

pub(crate) fn export(args: &ExportArgs) -> Result<(), CliError> {
    let model = args.project.resolve(&args.reference)?;
    if !model.join("config.json").is_file() {
        return Err(
            CliError::new(Exit::Usage, format!("`{}` is not a model", args.reference))
                .hint("name one, e.g. student.model"),
        );
    }
    crate::evaluate::empty_folder(&args.to)?;
    copy(&model, &args.to)?;
    if args.verify {
        let texts = verify::verify(&args.project.store()?, &model, &args.to)?;
        print_error(&format!(
            "verified: {texts} texts have the same token ids and the same logits\n"
        ));
    }
    output::print_line(&args.to.display().to_string())
}

fn copy(from: &Path, to: &Path) -> Result<(), CliError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error: std::io::Error| CliError::io(&path, &error)
    };
    for entry in std::fs::read_dir(from).map_err(failed(from))? {
        let entry = entry.map_err(failed(from))?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).map_err(failed(&target))?;
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target).map_err(failed(&target))?;
        }
    }
    Ok(())
}
