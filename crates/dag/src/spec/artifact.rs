//! The name of an artifact: the output's file stem, or its full name where stems collide.

use stage::{OutputSpec, nearest};

/// Why a name is not the name of one artifact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArtifactNameError {
    /// No output has this name.
    #[error("unknown artifact `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// The closest name that exists.
        close: Option<String>,
        /// All names that exist.
        known: Vec<String>,
    },
    /// Several outputs have this stem.
    #[error("`{name}` could be {}", .candidates.join(" or "))]
    Ambiguous {
        /// The name.
        name: String,
        /// The outputs' full names.
        candidates: Vec<String>,
    },
}

impl ArtifactNameError {
    /// What to write instead, with `stage` as the stage's name.
    pub fn hint(&self, stage: &str) -> String {
        match self {
            Self::Unknown {
                close: Some(close), ..
            } => format!("did you mean `{stage}.{close}`?"),
            Self::Unknown { known, .. } if known.is_empty() => format!("`{stage}` has no artifacts"),
            Self::Unknown { known, .. } => format!("artifacts of `{stage}` are: {}", known.join(", ")),
            Self::Ambiguous { candidates, .. } => match candidates.first() {
                Some(first) => format!("give the full name, e.g. `{stage}.{first}`"),
                None => String::new(),
            },
        }
    }
}

/// The output that `name` means: its path, its path without the ending, or its file's stem.
pub fn find_artifact<'a>(outputs: &'a [OutputSpec], name: &str) -> Result<&'a OutputSpec, ArtifactNameError> {
    let name = name.trim_end_matches('/');
    if let Some(output) = outputs.iter().find(|output| output.file == name) {
        return Ok(output);
    }
    for shorten in [without_ending, stem] {
        let candidates: Vec<&OutputSpec> = outputs
            .iter()
            .filter(|output| shorten(&output.file) == name)
            .collect();
        match candidates.as_slice() {
            [] => {}
            [output] => return Ok(output),
            _ => {
                let candidates = candidates.iter().map(|output| output.file.clone()).collect();
                return Err(ArtifactNameError::Ambiguous {
                    name: name.to_owned(),
                    candidates,
                });
            }
        }
    }
    let known = artifact_names(outputs);
    let files = outputs.iter().map(|output| output.file.as_str());
    let close = nearest(name, known.iter().map(String::as_str).chain(files)).map(str::to_owned);
    Err(ArtifactNameError::Unknown {
        name: name.to_owned(),
        close,
        known,
    })
}

/// The shortest name of each output.
pub fn artifact_names(outputs: &[OutputSpec]) -> Vec<String> {
    let shortest = |output: &OutputSpec| {
        let only = |shorten: fn(&str) -> &str| {
            let name = shorten(&output.file);
            (outputs
                .iter()
                .filter(|other| shorten(&other.file) == name)
                .count()
                == 1)
                .then_some(name)
        };
        only(without_ending).unwrap_or(&output.file).to_owned()
    };
    outputs.iter().map(shortest).collect()
}

fn without_ending(file: &str) -> &str {
    let name_start = file.rfind('/').map_or(0, |at| at + 1);
    match file[name_start..].rfind('.') {
        Some(at) if at > 0 => &file[..name_start + at],
        _ => file,
    }
}

fn stem(file: &str) -> &str {
    let file = without_ending(file);
    file.rfind('/').map_or(file, |at| &file[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use stage::ArtifactType::{Document, Model, Table};

    fn outputs() -> Vec<OutputSpec> {
        vec![
            OutputSpec::new("model", Model),
            OutputSpec::new("report.json", Document),
            OutputSpec::new("report.html", Document),
            OutputSpec::new("models/teacher/errors.parquet", Table),
            OutputSpec::new("models/student/errors.parquet", Table),
            OutputSpec::new("models/teacher/matrix.csv", Document),
        ]
    }

    fn found(name: &str) -> String {
        match find_artifact(&outputs(), name) {
            Ok(output) => output.file.clone(),
            Err(error) => format!("{error}; {}", error.hint("e")),
        }
    }

    #[test]
    fn a_directory_has_its_own_name() {
        assert_eq!(found("model/"), "model");
    }

    #[test]
    fn a_full_name_is_taken_where_stems_collide() {
        assert_eq!(found("report.html"), "report.html");
    }

    #[test]
    fn a_stem_that_collides_is_refused() {
        assert_eq!(
            found("report"),
            "`report` could be report.json or report.html; give the full name, e.g. `e.report.json`"
        );
    }

    #[test]
    fn a_nested_output_has_its_path_and_its_stem_if_that_is_unambiguous() {
        assert_eq!(found("models/student/errors"), "models/student/errors.parquet");
        assert_eq!(found("matrix"), "models/teacher/matrix.csv");
        assert!(found("errors").starts_with("`errors` could be models/teacher/errors.parquet or"));
    }

    #[test]
    fn an_unknown_name_gets_the_closest() {
        assert_eq!(
            found("modle"),
            "unknown artifact `modle`; did you mean `e.model`?"
        );
    }
}
