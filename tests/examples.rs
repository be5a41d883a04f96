//! The examples: what is in the folder passes the check as it stands, and says how editors can help.

use std::path::PathBuf;

use crate::support::{Said, command, repository};

fn examples() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(repository().join("examples")).unwrap();
    let mut examples: Vec<PathBuf> = folder
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    examples.sort();
    examples
}

#[test]
fn every_example_passes_the_check() {
    let examples = examples();
    assert!(examples.len() >= 8, "{examples:?}");
    let refused: Vec<String> = examples
        .iter()
        .map(|example| {
            (
                example,
                Said::from(command(example).arg("check").output().unwrap()),
            )
        })
        .filter(|(_, said)| said.code != 0)
        .map(|(example, said)| format!("{}: exit {}\n{}", example.display(), said.code, said.err))
        .collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn every_example_has_a_readme_and_names_the_schema() {
    for example in examples() {
        assert!(example.join("README.md").is_file(), "{}", example.display());
        let text = std::fs::read_to_string(example.join("pipeline.yaml")).unwrap();
        let modeline = "# yaml-language-server: $schema=../../pipeline.schema.json\n";
        assert!(text.starts_with(modeline), "{}", example.display());
        assert!(text.contains("precision: auto"), "{}", example.display());
    }
}
