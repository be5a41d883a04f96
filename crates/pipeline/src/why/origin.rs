//! The line of the user's file that a row was read from, and what reading made of it.

use classification::Task;
use dag::{InputRecord, KeyInput, Version};
use dataset::{Line, Located, Normalize, locate};
use serde::Serialize;
use stage::{ArtifactType, InputItem};

use super::scene::Scene;
use crate::review::rows;

/// Where a row stands in the user's files.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Origin {
    /// The input of the stage.
    pub(super) input: String,
    /// As the pipeline file has it: a path, or an artifact.
    pub(super) file: String,
    /// Data row of that file, from 0.
    pub(super) row: u64,
    /// Line of a text file, or row of a sheet, from 1.
    pub(super) line: Option<u64>,
    /// As it stands in the file.
    pub(super) text: String,
    /// As it stands in the file, where a row has one label.
    pub(super) label: Option<String>,
    /// Whether the file is another one than the stage read.
    pub(super) changed_since: bool,
    /// What was done to the text, in words.
    pub(super) normalised: Vec<String>,
    #[serde(skip)]
    pub(super) in_sheet: bool,
}

/// Finds a row in the inputs of a version: first in `input`, then in the others. `Err`: why it cannot be looked for.
pub(super) fn find(
    scene: &Scene,
    version: &Version,
    input: &str,
    id: &str,
) -> Result<Option<Origin>, String> {
    let inputs = version
        .manifest
        .inputs
        .iter()
        .filter(|record| record.name != "overrides");
    let (first, others): (Vec<_>, Vec<_>) = inputs.partition(|record| record.name == input);
    let mut problem = None;
    for record in first.into_iter().chain(others) {
        match find_in(scene, version, record, id) {
            Ok(Some(origin)) => return Ok(Some(origin)),
            Ok(None) => {}
            Err(message) => problem = Some(message),
        }
    }
    problem.map_or(Ok(None), Err)
}

fn find_in(
    scene: &Scene,
    version: &Version,
    record: &InputRecord,
    id: &str,
) -> Result<Option<Origin>, String> {
    let keys = version
        .manifest
        .key
        .inputs
        .get(&record.name)
        .map_or(&[][..], Vec::as_slice);
    let items: Vec<InputItem> = record
        .items
        .iter()
        .zip(keys)
        .map(|(item, key)| input_item(scene, item, key))
        .collect::<Result<_, String>>()?;
    let labelled = (record.name != "raw").then_some(scene.dag.task);
    let found = locate(&items, &record.name, id, labelled).map_err(|error| error.to_string())?;
    let Some(Located {
        item,
        place,
        text,
        label,
    }) = found
    else {
        return Ok(None);
    };
    let read = &record.items[item];
    let changed_since = read.version.is_none()
        && scene
            .store
            .digest(&items[item].path)
            .map_err(|error| error.to_string())?
            != read.digest;
    let (line, in_sheet) = match place.line {
        Some(Line::Text(line)) => (Some(line), false),
        Some(Line::Sheet(row)) => (Some(row), true),
        None => (None, false),
    };
    let file = match (&read.version, read.written.split_once('.')) {
        (Some(version), Some((_, artifact))) => format!("{version}.{artifact}"),
        _ => read.written.clone(),
    };
    Ok(Some(Origin {
        input: record.name.clone(),
        file,
        row: place.row,
        line,
        normalised: normalised(&text, normalize_of(version)),
        text,
        label: label.filter(|_| scene.dag.task == Task::SingleLabel),
        changed_since,
        in_sheet,
    }))
}

fn input_item(scene: &Scene, record: &dag::InputItemRecord, key: &KeyInput) -> Result<InputItem, String> {
    let path = match record.version {
        Some(_) => {
            rows::item_path(&scene.store, &scene.dag.base_dir, record).map_err(|error| error.message)?
        }
        None => scene.dag.base_dir.join(&record.written),
    };
    Ok(InputItem {
        path,
        name: record.written.clone(),
        artifact_type: match record.version {
            Some(_) => key.artifact_type,
            None => ArtifactType::File,
        },
        options: key.options.clone(),
    })
}

/// How a prepare stage cleaned its texts.
pub(super) fn normalize_of(version: &Version) -> Normalize {
    let param = version.manifest.params.get("normalize");
    let name = param.and_then(|param| param.value.as_str());
    name.and_then(Normalize::parse).unwrap_or_default()
}

/// What normalisation changes about a text.
fn normalised(text: &str, normalize: Normalize) -> Vec<String> {
    let mut changes = Vec::new();
    if normalize == Normalize::None {
        return changes;
    }
    let composed = Normalize::Nfc.apply(text);
    if composed != text {
        changes.push("decomposed letters were composed (NFD → NFC)".to_owned());
    }
    if normalize == Normalize::Kcelectra {
        let cleaned = normalize.apply(text);
        if cleaned != composed {
            let letters = |text: &str| text.split_whitespace().collect::<String>();
            let what = if letters(&cleaned) == letters(&composed) {
                "spaces were put in order (kcelectra)"
            } else {
                "emoji, foreign letters, links, repeated letters and spaces were cleaned (kcelectra)"
            };
            changes.push(what.to_owned());
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_normalisation_does_is_said() {
        let nfd = "\u{1100}\u{1175}\u{1108}\u{1173}\u{11b7}";
        assert_eq!(normalised("기쁨", Normalize::Nfc), [""; 0]);
        assert_eq!(normalised(nfd, Normalize::None), [""; 0]);
        assert_eq!(
            normalised(nfd, Normalize::Nfc),
            ["decomposed letters were composed (NFD → NFC)"]
        );
        assert_eq!(
            normalised("기쁨  정말", Normalize::Kcelectra),
            ["spaces were put in order (kcelectra)"]
        );
        assert_eq!(normalised("기쁨 🥳", Normalize::Kcelectra).len(), 1);
    }
}
