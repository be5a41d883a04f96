//! Whether a stage wrote what it declared: all of it, nothing else, and no half-written table.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use stage::{ArtifactType, Failure};

use super::disk;
use crate::StageSpec;

/// The files in `folder`, relative and sorted, if they are what `spec` declares.
pub(super) fn check(folder: &Path, spec: &StageSpec) -> Result<Vec<String>, Failure> {
    let mut files = BTreeSet::new();
    list(folder, "", &mut files)?;
    for output in &spec.outputs {
        let inside = format!("{}/", output.file);
        let is_directory = files.iter().any(|file| file.starts_with(&inside));
        let is_file = files.contains(&output.file);
        let right = if output.artifact_type == ArtifactType::Model {
            is_directory
        } else {
            is_directory || is_file
        };
        if !right {
            return Err(refuse(spec, format!("did not write `{}`", output.file)));
        }
    }
    let declared = |file: &str| {
        spec.outputs.iter().any(|output| {
            let rest = file.strip_prefix(&output.file);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    if let Some(file) = files.iter().find(|file| !declared(file)) {
        return Err(refuse(
            spec,
            format!("wrote `{file}`, which is not among its outputs"),
        ));
    }
    for file in files.iter().filter(|file| file.ends_with(".parquet")) {
        let path = folder.join(file);
        match is_whole_parquet(&path) {
            Ok(true) => {}
            Ok(false) => {
                return Err(refuse(
                    spec,
                    format!("left `{file}` cut short: not a whole parquet file"),
                ));
            }
            Err(error) => return Err(disk::failure(&path, &error)),
        }
    }
    Ok(files.into_iter().collect())
}

fn refuse(spec: &StageSpec, what: String) -> Failure {
    Failure::stage(format!(
        "stage `{}` (kind `{}`) {what}",
        spec.name,
        spec.kind.name()
    ))
    .hint("this is a mistake in the program, not in the pipeline")
}

fn list(folder: &Path, prefix: &str, files: &mut BTreeSet<String>) -> Result<(), Failure> {
    let fail = |error: &io::Error| disk::failure(folder, error);
    for entry in std::fs::read_dir(folder).map_err(|error| fail(&error))? {
        let entry = entry.map_err(|error| fail(&error))?;
        let kind = entry.file_type().map_err(|error| fail(&error))?;
        let name = entry.file_name().into_string();
        let name =
            name.map_err(|name| Failure::stage(format!("the file name {} is not UTF-8", name.display())))?;
        let relative = format!("{prefix}{name}");
        if kind.is_dir() {
            list(&entry.path(), &format!("{relative}/"), files)?;
        } else if kind.is_file() && !name.starts_with('.') {
            files.insert(relative);
        } else {
            let message = format!("the output `{relative}` is a link, a hidden or a special file");
            return Err(Failure::stage(message)
                .hint("versions hold plain files, so that they can be moved and verified"));
        }
    }
    Ok(())
}

/// A parquet file begins and ends with `PAR1`, and its footer, whose length stands before the end, fits into it.
fn is_whole_parquet(path: &Path) -> io::Result<bool> {
    const MAGIC: &[u8; 4] = b"PAR1";
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    if length < 12 {
        return Ok(false);
    }
    let (mut head, mut tail) = ([0; 4], [0; 8]);
    file.read_exact(&mut head)?;
    file.seek(SeekFrom::End(-8))?;
    file.read_exact(&mut tail)?;
    let [a, b, c, d, magic @ ..] = tail;
    let footer = u64::from(u32::from_le_bytes([a, b, c, d]));
    Ok(head == *MAGIC && magic == *MAGIC && footer + 12 <= length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parquet_file_that_was_cut_short_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let whole = [b"PAR1".as_slice(), b"data", &4_u32.to_le_bytes(), b"PAR1"].concat();
        std::fs::write(&path, &whole).unwrap();
        assert!(is_whole_parquet(&path).unwrap());
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(!is_whole_parquet(&path).unwrap(), "{length} bytes");
        }
    }
}
